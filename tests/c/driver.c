/* The driver of one product, which calls its generated code. A file that includes this one has the names of the
   product:
   - NAME(x) and UPPER(x), which put the prefix of the product before a name,
   - VAR_LEN, which is 1 for a var_len product, and CONTROL, which is 1 if the product has writable points,
   - POINTS and WRITABLE, lists of NUMBER(member, type) and BYTES(member, length). */
#include "line.h"

#include <stdlib.h>
#include <string.h>

static void show_status(const NAME(status) *status)
{
#define NUMBER(member, type) say(" %lld", (long long)status->member);
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

/* Encodes a report or a reply to a block of `room` bytes. Shows the result and the message if `shows`. Returns the
   result, and the length of the message in `len`. */
static NAME(result) report(int reply, const NAME(status) *status, const uint8_t *points, size_t room, int shows,
    size_t *len)
{
    uint8_t *p0 = (uint8_t *)malloc(room + (room == 0u));
    NAME(result) result;
    size_t before = *len;

#if VAR_LEN
    result = reply ? NAME(encode_reply)(status, points, p0, room, len) : NAME(encode_report)(status, points, p0, room, len);
#else
    (void)points;
    result = reply ? NAME(encode_reply)(status, p0, room, len) : NAME(encode_report)(status, p0, room, len);
#endif
    if (result != UPPER(OK) && *len != before) {
        say(" a length is written without a message");
    }
    if (shows) {
        say(" %u", (unsigned)result);
        if (result == UPPER(OK)) {
            show(p0, *len);
        }
    }
    free(p0);
    return result;
}

static void encode(int reply, const NAME(status) *status, const uint8_t *points)
{
    size_t len = 0u;
    size_t needed = 0u;

    if (report(reply, status, points, UPPER(STATUS_LEN), 1, &needed) != UPPER(OK)) {
        return;
    }
    if (report(reply, status, points, needed - 1u, 0, &len) != UPPER(NO_ROOM)) {
        say(" a short buffer is accepted");
    }
    if (report(reply, status, points, needed, 0, &len) != UPPER(OK)) {
        say(" a buffer of the length of the message is refused");
    }
}

static void encode_read(const uint8_t *points)
{
    uint8_t *p0 = (uint8_t *)malloc(UPPER(READ_LEN));
    size_t len = 0u;

    (void)points;
#if VAR_LEN
    say(" %u", (unsigned)NAME(encode_read)(points, p0, UPPER(READ_LEN), &len));
    show(p0, len);
    if (NAME(encode_read)(points, p0, UPPER(READ_LEN) - 1u, &len) != UPPER(NO_ROOM)) {
#else
    say(" %u", (unsigned)NAME(encode_read)(p0, UPPER(READ_LEN), &len));
    show(p0, len);
    if (NAME(encode_read)(p0, UPPER(READ_LEN) - 1u, &len) != UPPER(NO_ROOM)) {
#endif
        say(" a short buffer is accepted");
    }
    free(p0);
}

static void decode(const uint8_t *p0, size_t len)
{
    NAME(status) status;
    NAME(result) result;

    NAME(init_status)(&status);
#if VAR_LEN
    {
        uint8_t *points = (uint8_t *)malloc(UPPER(MASK_LEN));

        result = NAME(decode_status)(p0, len, &status, points);
        say(" %u", (unsigned)result);
        if (result == UPPER(OK)) {
            show(points, UPPER(MASK_LEN));
            encode(0, &status, points);
            encode(1, &status, points);
        }
        free(points);
    }
#else
    result = NAME(decode_status)(p0, len, &status);
    say(" %u", (unsigned)result);
#endif
    show_status(&status);
    encode(0, &status, NULL);
    encode(1, &status, NULL);
}

static void read(const uint8_t *p0, size_t len)
{
    uint8_t *points = NULL;
    NAME(result) result;

#if VAR_LEN
    points = (uint8_t *)malloc(UPPER(MASK_LEN));
    result = NAME(decode_read)(p0, len, points);
#else
    result = NAME(decode_read)(p0, len);
#endif
    say(" %u", (unsigned)result);
    if (result == UPPER(OK)) {
#if VAR_LEN
        show(points, UPPER(MASK_LEN));
#endif
        encode_read(points);
    }
    free(points);
}

#if CONTROL
/* Encodes a control to a block of exactly the length of the message. */
static void send(const NAME(control) *control)
{
    size_t room = UPPER(CONTROL_LEN);
    uint8_t *p0 = (uint8_t *)malloc(room);
    size_t len = 0u;
    NAME(result) result = NAME(encode_control)(control, p0, room, &len);

    say(" %u", (unsigned)result);
    if (result != UPPER(OK) && len != 0u) {
        say(" a length is written without a message");
    }
    if (result == UPPER(OK)) {
        show(p0, len);
        room = len;
        free(p0);
        p0 = (uint8_t *)malloc(room);
        if (NAME(encode_control)(control, p0, room, &len) != UPPER(OK) || len != room) {
            say(" a buffer of the length of the message is refused");
        }
        if (NAME(encode_control)(control, p0, room - 1u, &len) != UPPER(NO_ROOM)) {
            say(" a short buffer is accepted");
        }
    }
    free(p0);
}

static void read_control(NAME(control) *control)
{
    size_t len;
    uint8_t *bytes;
    const char *word;

    (void)len;
    (void)bytes;
    (void)word;
    memset(control, 0, sizeof *control);
#define NUMBER(member, type) \
    word = next(); \
    control->has.member = strcmp(word, "-") != 0; \
    control->member = control->has.member ? (type)strtoll(word, NULL, 10) : (type)0;
#define BYTES(member, length) \
    control->has.member = strcmp(next(), "-") != 0; \
    if (control->has.member) { \
        bytes = hex(&len); \
        memcpy(control->member, bytes, length); \
        free(bytes); \
    }
    WRITABLE
#undef NUMBER
#undef BYTES
}

static void control(const uint8_t *p0, size_t len)
{
    NAME(status) status;
    NAME(control) control;
    NAME(result) result;

    memset(&control, 0, sizeof control);
    result = NAME(decode_control)(p0, len, &control);
    say(" %u", (unsigned)result);
#define NUMBER(member, type) if (control.has.member) { say(" %lld", (long long)control.member); } else { say(" -"); }
#define BYTES(member, length) if (control.has.member) { show(control.member, length); } else { say(" -"); }
    WRITABLE
#undef NUMBER
#undef BYTES
    NAME(init_status)(&status);
    NAME(apply_control)(&control, &status);
    show_status(&status);
    send(&control);
}
#endif

/* Answers a command: `e` encodes a status, which in a var_len product has a mask before it; `w` encodes a control, of
   which each point is a value or `-`, and bytes have one more word before them; `s`, `r` and `c` decode a status, a
   read and a control. */
void NAME(drive)(char command)
{
    NAME(status) status;
    size_t len;
    uint8_t *bytes;

    switch (command) {
    case 'e':
        bytes = NULL;
#if VAR_LEN
        bytes = hex(&len);
#endif
        read_status(&status);
        encode(0, &status, NULL);
        encode(1, &status, bytes);
        encode_read(bytes);
        free(bytes);
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
    case 'w': {
        NAME(control) sent;

        read_control(&sent);
        send(&sent);
        break;
    }
    case 'c':
        bytes = hex(&len);
        control(bytes, len);
        free(bytes);
        break;
#endif
    default:
        say(" unknown command");
    }
}
