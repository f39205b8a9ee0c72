#include "board.h"

#define UART 0x40004000u
#define TIMER 0xe000e010u

static uint32_t last, ticks, milliseconds;

extern uint32_t bss_end;

static void semihosting(uint32_t operation, uint32_t argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register uint32_t r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void board_start(void)
{
    REGISTER(UART + 0x10u) = 16u;
    REGISTER(UART + 0x08u) = 3u;
    REGISTER(TIMER + 4u) = 0x00ffffffu;
    REGISTER(TIMER + 8u) = 0u;
    REGISTER(TIMER) = 5u;
    last = REGISTER(TIMER + 8u);
}

bool board_read(uint8_t *byte)
{
    if ((REGISTER(UART + 4u) & 2u) == 0u) {
        return false;
    }
    *byte = (uint8_t)REGISTER(UART);
    return true;
}

void board_write(uint8_t byte)
{
    while ((REGISTER(UART + 4u) & 1u) != 0u) {
    }
    REGISTER(UART) = byte;
}

uint32_t board_now(void)
{
    /* 25 MHz, counting down from 24 bits. */
    uint32_t now = REGISTER(TIMER + 8u);

    ticks += (last - now) & 0x00ffffffu;
    last = now;
    while (ticks >= 25000u) {
        ticks -= 25000u;
        milliseconds++;
    }
    return milliseconds;
}

void board_say(const char *text)
{
    semihosting(0x04u, (uint32_t)text);
}

void board_say_number(uint32_t number)
{
    char digits[11];
    char *digit = &digits[10];

    *digit = '\0';
    do {
        digit--;
        *digit = (char)('0' + (int)(number % 10u));
        number /= 10u;
    } while (number > 0u);
    board_say(digit);
}

void board_exit(int code)
{
    for (;;) {
        semihosting(0x18u, (code == 0) ? 0x20026u : 0x20023u);
    }
}

void board_reset(void)
{
    REGISTER(0xe000ed0cu) = 0x05fa0004u;
    for (;;) {
    }
}

__attribute__((noinline)) static uint32_t stack_pointer(void)
{
    uint32_t pointer;

    __asm__ volatile("mov %0, sp" : "=r"(pointer));
    return pointer;
}

__attribute__((noinline)) uint32_t board_stack_of(void (*function)(void))
{
    const uint32_t paint = 0xdeadbeefu;
    uint32_t bottom = (uint32_t)&bss_end;
    /* Below the frame of this function. */
    uint32_t top = stack_pointer() - 64u;
    uint32_t before, address;

    for (address = bottom; address < top; address += 4u) {
        REGISTER(address) = paint;
    }
    before = stack_pointer();
    function();
    for (address = bottom; address < before && REGISTER(address) == paint; address += 4u) {
    }
    return before - address;
}
