/* A program over the generated code of one product. It answers each line with a line: a command and its hex
   digits or values with results, values and messages. "product.h" has the names of the product:
   - NAME(x) and UPPER(x), which put the prefix of the product before a name,
   - VAR_LEN, which is 1 for a var_len product, and CONTROL, which is 1 if the product has writable points,
   - POINTS and WRITABLE, lists of NUMBER(member, type) and BYTES(member, length). */
#include "product.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char line[65536];
static char *rest;

static const char *next(void)
{
    const char *word = strtok(rest, " \n");

    rest = NULL;
    return (word == NULL) ? "" : word;
}

/* Reads hex digits to a block of exactly that length, so that a sanitizer sees each access past it. */
static uint8_t *hex(size_t *len)
{
    const char *digits = next();
    uint8_t *bytes;
    size_t at;

    *len = strlen(digits) / 2u;
    bytes = (uint8_t *)malloc(*len + (*len == 0u));
    for (at = 0u; at < *len; at++) {
        unsigned value = 0u;

        sscanf(digits + 2u * at, "%2x", &value);
        bytes[at] = (uint8_t)value;
    }
    return bytes;
}

static void show(const uint8_t *bytes, size_t len)
{
    size_t at;

    printf(" x");
    for (at = 0u; at < len; at++) {
        printf("%02x", bytes[at]);
    }
}

static void show_status(const NAME(status) *status)
{
#define NUMBER(member, type) printf(" %lld", (long long)status->member);
#define BYTES(member, length) show(status->member, length);
    POINTS
#undef NUMBER
#undef BYTES
}

static void read_status(NAME(status) *status)
{
    size_t len;
    uint8_t *bytes;

    (void)len;
    (void)bytes;
#define NUMBER(member, type) status->member = (type)strtoll(next(), NULL, 10);
#define BYTES(member, length) bytes = hex(&len); memcpy(status->member, bytes, length); free(bytes);
    POINTS
#undef NUMBER
#undef BYTES
}

/* Encodes a report to a block of `room` bytes, and shows the result and the message. */
static NAME(result) report(const NAME(status) *status, size_t room, int shows)
{
    uint8_t *p0 = (uint8_t *)malloc(room + (room == 0u));
    size_t len = 0u;
#if VAR_LEN
    NAME(result) result = NAME(encode_report)(status, NULL, p0, room, &len);
#else
    NAME(result) result = NAME(encode_report)(status, p0, room, &len);
#endif

    if (shows) {
        printf(" %u", (unsigned)result);
        if (result == UPPER(OK)) {
            show(p0, len);
        }
    }
    free(p0);
    return result;
}

static void encode(const NAME(status) *status)
{
    NAME(result) result = report(status, UPPER(STATUS_LEN), 1);

    if (result == UPPER(OK) && report(status, UPPER(STATUS_LEN) - 1u, 0) != UPPER(NO_ROOM)) {
        printf(" a short buffer is accepted");
    }
}

static void decode(const uint8_t *p0, size_t len)
{
    NAME(status) status;
    NAME(result) result;

    NAME(init_status)(&status);
#if VAR_LEN
    {
        uint8_t points[UPPER(MASK_LEN)];

        result = NAME(decode_status)(p0, len, &status, points);
        printf(" %u", (unsigned)result);
        if (result == UPPER(OK)) {
            uint8_t *reply = (uint8_t *)malloc(UPPER(STATUS_LEN));

            show(points, UPPER(MASK_LEN));
            result = NAME(encode_reply)(&status, points, reply, UPPER(STATUS_LEN), &len);
            printf(" %u", (unsigned)result);
            if (result == UPPER(OK)) {
                show(reply, len);
            }
            free(reply);
        }
    }
#else
    result = NAME(decode_status)(p0, len, &status);
    printf(" %u", (unsigned)result);
#endif
    show_status(&status);
    encode(&status);
}

static void read(const uint8_t *p0, size_t len)
{
#if VAR_LEN
    uint8_t points[UPPER(MASK_LEN)];
    uint8_t again[UPPER(READ_LEN)];
    NAME(result) result = NAME(decode_read)(p0, len, points);

    printf(" %u", (unsigned)result);
    if (result == UPPER(OK)) {
        show(points, UPPER(MASK_LEN));
        printf(" %u", (unsigned)NAME(encode_read)(points, again, sizeof again, &len));
        show(again, len);
    }
#else
    uint8_t again[UPPER(READ_LEN)];
    NAME(result) result = NAME(decode_read)(p0, len);

    printf(" %u", (unsigned)result);
    if (result == UPPER(OK)) {
        printf(" %u", (unsigned)NAME(encode_read)(again, sizeof again, &len));
        show(again, len);
    }
#endif
}

#if CONTROL
static void control(const uint8_t *p0, size_t len)
{
    NAME(status) status;
    NAME(control) control;
    NAME(result) result;
    uint8_t *again = (uint8_t *)malloc(UPPER(CONTROL_LEN));

    memset(&control, 0, sizeof control);
    result = NAME(decode_control)(p0, len, &control);
    printf(" %u", (unsigned)result);
#define NUMBER(member, type) if (control.has.member) { printf(" %lld", (long long)control.member); } else { printf(" -"); }
#define BYTES(member, length) if (control.has.member) { show(control.member, length); } else { printf(" -"); }
    WRITABLE
#undef NUMBER
#undef BYTES
    NAME(init_status)(&status);
    NAME(apply_control)(&control, &status);
    show_status(&status);
    printf(" %u", (unsigned)NAME(encode_control)(&control, again, UPPER(CONTROL_LEN), &len));
    show(again, len);
    free(again);
}
#endif

int main(void)
{
    while (fgets(line, sizeof line, stdin) != NULL) {
        NAME(status) status;
        size_t len;
        uint8_t *bytes;

        rest = line + 1;
        switch (line[0]) {
        case 'e':
            read_status(&status);
            encode(&status);
            break;
        case 's':
            bytes = hex(&len);
            decode(bytes, len);
            free(bytes);
            break;
        case 'r':
            bytes = hex(&len);
            read(bytes, len);
            free(bytes);
            break;
#if CONTROL
        case 'c':
            bytes = hex(&len);
            control(bytes, len);
            free(bytes);
            break;
#endif
        default:
            printf(" unknown command");
        }
        printf("\n");
    }
    return 0;
}
