/* The panel on the serial port of mps2-an385, until the module wants a restart. */
#include "board.h"
#include "panel.h"

static bool is_over;

bool machine_read(uint8_t *byte)
{
    return board_read(byte);
}

void machine_write(void *context, uint8_t byte)
{
    (void)context;
    board_write(byte);
}

uint32_t machine_now(void)
{
    return board_now();
}

uint8_t machine_button(void)
{
    return 0u;
}

bool machine_goes_on(void)
{
    return !is_over;
}

void machine_restart(void)
{
    is_over = true;
}

int main(void)
{
    board_start();
    panel_run();
    return 0;
}
