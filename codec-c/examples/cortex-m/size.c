/* The panel without drivers: its bytes and its time are those of a few registers. */
#include "board.h"
#include "panel.h"

bool machine_read(uint8_t *byte)
{
    uint32_t found = REGISTER(0x40004000u);

    *byte = (uint8_t)found;
    return found < 256u;
}

void machine_write(void *context, uint8_t byte)
{
    (void)context;
    REGISTER(0x40004004u) = byte;
}

uint32_t machine_now(void)
{
    return REGISTER(0x40004008u);
}

uint8_t machine_button(void)
{
    return (uint8_t)REGISTER(0x4000400cu);
}

bool machine_goes_on(void)
{
    return true;
}

void machine_restart(void)
{
    board_reset();
}

int main(void)
{
    panel_run();
    return 0;
}
