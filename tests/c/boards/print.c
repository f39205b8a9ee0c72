#include "print.h"

#include "board.h"

uint8_t p0[32];
size_t len;

void text(const char *letters)
{
    while (*letters != '\0') {
        put(*letters);
        letters++;
    }
}

/* Prints a number below 2^32, or the number below zero that is so far from it. */
static void number(const char *name, bool is_negative, uint32_t magnitude)
{
    char digits[10];
    uint8_t count = 0u;

    text(name);
    put(' ');
    if (is_negative) {
        put('-');
    }
    do {
        digits[count] = (char)('0' + (uint8_t)(magnitude % 10u));
        magnitude /= 10u;
        count++;
    } while (magnitude != 0u);
    while (count != 0u) {
        count--;
        put(digits[count]);
    }
}

void natural(const char *name, uint32_t value)
{
    number(name, false, value);
}

void integer(const char *name, int32_t value)
{
    number(name, value < 0, (uint32_t)((value < 0) ? -value : value));
}

void bytes(const char *name, const uint8_t *from, size_t count)
{
    static const char DIGITS[] = "0123456789abcdef";
    size_t at;

    text(name);
    put(' ');
    for (at = 0u; at < count; at++) {
        put(DIGITS[from[at] >> 4]);
        put(DIGITS[from[at] & 0x0fu]);
    }
}

void result(const char *name, uint16_t code)
{
    if (code == 0u) {
        bytes(name, p0, len);
    } else {
        natural(name, code & 0x0fu);
        natural(" of point", (uint32_t)(code >> 4));
    }
    put('\n');
}
