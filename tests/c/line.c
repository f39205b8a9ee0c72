#include "line.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *rest;
static char *end;
static size_t left;

const char *next(void)
{
    const char *word = strtok(rest, " \n");

    rest = NULL;
    return (word == NULL) ? "" : word;
}

static unsigned digit(char letter)
{
    return (letter <= '9') ? (unsigned)(letter - '0') : (unsigned)(letter - 'a' + 10);
}

uint8_t *hex(size_t *len)
{
    const char *digits = next();
    uint8_t *bytes;
    size_t at;

    *len = strlen(digits) / 2u;
    bytes = (uint8_t *)malloc(*len + (*len == 0u));
    for (at = 0u; at < *len; at++) {
        bytes[at] = (uint8_t)(digit(digits[2u * at]) * 16u + digit(digits[2u * at + 1u]));
    }
    return bytes;
}

void say(const char *format, ...)
{
    va_list arguments;
    int written;

    va_start(arguments, format);
    written = vsnprintf(end, left, format, arguments);
    va_end(arguments);
    if (written < 0 || (size_t)written >= left) {
        fprintf(stderr, "the answer is too long\n");
        abort();
    }
    end += written;
    left -= (size_t)written;
}

void show(const uint8_t *bytes, size_t len)
{
    size_t at;

    say(" x");
    for (at = 0u; at < len; at++) {
        say("%02x", bytes[at]);
    }
}

size_t drive(unsigned product, char *line, char *answer, size_t room)
{
    rest = line + 1;
    end = answer;
    left = room;
    DRIVERS[product](line[0]);
    return (size_t)(end - answer);
}
