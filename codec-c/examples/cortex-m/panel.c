#include "panel.h"

#include "climate.h"

#define OUTBOX 16u

static climate_status status;
static climate_link_state state;
static gizwits_link module_link;
static uint8_t memory[CLIMATE_LINK_MEMORY + OUTBOX];

static const char INFO[] = CLIMATE_DEVICE_INFO("03000001", "03000102");

static const gizwits_link_options OPTIONS = {
    &climate_link_product,
    INFO,
    &status,
    &state,
    memory,
    machine_write,
    NULL,
    sizeof INFO,
    sizeof memory,
    OUTBOX,
};

/* Does what an event says. The link has applied a control to the status. */
static void act(const gizwits_link_event *event)
{
    switch (event->kind) {
    case GIZWITS_EVENT_STATUS:
        status.signal = (uint8_t)((event->number & GIZWITS_MODULE_RSSI) >> 8);
        break;
    case GIZWITS_EVENT_TIME:
        status.runtime = (uint16_t)event->number;
        break;
    case GIZWITS_EVENT_FRAME: {
        static const uint8_t DONE = 0u;

        (void)gizwits_link_answer(&module_link, event->command, event->sn, &DONE, 1u);
        break;
    }
    case GIZWITS_EVENT_REBOOT:
        machine_restart();
        break;
    default:
        break;
    }
}

static void press(uint8_t button)
{
    switch (button) {
    case 0u:
        break;
    case 1u:
        (void)gizwits_link_request(&module_link, GIZWITS_REQUEST_CONFIGURE, 2u);
        break;
    case 2u:
        (void)gizwits_link_request(&module_link, GIZWITS_REQUEST_RESET, 0u);
        break;
    case 3u:
        (void)gizwits_link_request(&module_link, GIZWITS_REQUEST_BIND, 0u);
        break;
    case 4u:
        (void)gizwits_link_request(&module_link, GIZWITS_REQUEST_MODULE, 0u);
        break;
    default:
        (void)gizwits_link_send(&module_link, &button, 1u);
        break;
    }
}

void panel_run(void)
{
    gizwits_link_event event;
    uint8_t byte;

    climate_init_status(&status);
    (void)gizwits_link_init(&module_link, &OPTIONS);
    (void)gizwits_link_request(&module_link, GIZWITS_REQUEST_TIME, 0u);
    while (machine_goes_on()) {
        uint32_t now = machine_now();

        if (machine_read(&byte)) {
            (void)gizwits_link_receive(&module_link, byte, now, &event);
            act(&event);
        }
        press(machine_button());
        status.co2++;
        (void)gizwits_link_poll(&module_link, now, &event);
        act(&event);
    }
}
