/* The start of a program, and the functions of a C library that compilers call: byte by byte, as in a library that is
   built for size. */
#include "board.h"

extern uint32_t bss_start, bss_end;
int main(void);
void reset(void);
void *memcpy(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);
void __aeabi_memcpy(void *to, const void *from, size_t len);
void __aeabi_memcpy4(void *to, const void *from, size_t len);
void __aeabi_memset(void *to, size_t len, int byte);
void __aeabi_memclr(void *to, size_t len);
void __aeabi_memclr4(void *to, size_t len);

void reset(void)
{
    uint32_t *word;

    for (word = &bss_start; word < &bss_end; word++) {
        *word = 0u;
    }
    board_exit(main());
}

static void fault(void)
{
    for (;;) {
    }
}

typedef void (*handler)(void);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t stack;
    handler handlers[15];
} VECTORS = {
    0x20004000u,
    {reset, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault},
};

void *memcpy(void *to, const void *from, size_t len)
{
    uint8_t *into = to;
    const uint8_t *of = from;

    while (len > 0u) {
        len--;
        into[len] = of[len];
    }
    return to;
}

void *memset(void *to, int byte, size_t len)
{
    uint8_t *into = to;

    while (len > 0u) {
        len--;
        into[len] = (uint8_t)byte;
    }
    return to;
}

void __aeabi_memcpy(void *to, const void *from, size_t len)
{
    (void)memcpy(to, from, len);
}

void __aeabi_memcpy4(void *to, const void *from, size_t len)
{
    (void)memcpy(to, from, len);
}

void __aeabi_memset(void *to, size_t len, int byte)
{
    (void)memset(to, byte, len);
}

void __aeabi_memclr(void *to, size_t len)
{
    (void)memset(to, 0, len);
}

void __aeabi_memclr4(void *to, size_t len)
{
    (void)memset(to, 0, len);
}
