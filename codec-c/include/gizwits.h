/*
 * The Gizwits codec for C: definitions, payloads and frames, and the serial link of a device.
 *
 * GENERATED from the Rust sources of codec-c by cbindgen. Do not edit.
 *
 * Rules for all functions
 * -----------------------
 * Status. Every call that can fail returns a gizwits_status, 0 if it succeeded. Misuse is refused with a status as far
 *   as a library can see it: null and unaligned pointers, impossible lengths, buffers that overlap other arguments,
 *   wrong and freed handles, texts that are not UTF-8, numbers that are no option.
 * Ownership. The caller owns all memory that it passes. The library reads and writes it during the call alone and keeps
 *   no pointer, except for a link, see gizwits_link_options, and the buffer of a gizwits_uart_decoder. Texts that it
 *   returns as a `const char *` live as long as the program. Nothing is freed with free().
 * Lengths. A pointer to data comes with its length in items, mostly bytes; a NUL behind a text is not counted. NULL is
 *   allowed with the length 0. The memory must have that length, which no library can check.
 * Buffers. A function with `out`, `capacity` and `length` stores the length of its result in `*length`, writes the
 *   result if there is room for it, and returns GIZWITS_STATUS_OUT_OF_SPACE otherwise. To ask for the length, pass NULL
 *   and 0. Texts get a NUL behind them, which `*length` leaves out, so that they need a capacity of `*length + 1`. A
 *   text can have a NUL inside if its definition has one. After any other failure `*length` is 0.
 * Errors. `error` is NULL, or memory for a gizwits_error, which every call sets: there is no error state in the
 *   library, neither of a thread nor of a handle.
 *   Structs that a call reads are initialised as a whole, for example by `= {0}`.
 * Threads. All functions may be called from all threads at the same time, except those of one gizwits_link or one
 *   gizwits_uart_decoder. Memory that a call writes is used by nobody else during the call.
 */

#ifndef GIZWITS_H
#define GIZWITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The description of a device for gizwits_link_options, as a text: `static const char INFO[] = GIZWITS_DEVICE_INFO(...)`.
 *
 * All parameters are literals. The versions have 8 characters, the product key has 32, and the secret, which newer modules
 * accept, has 32 or none. `bind_timeout` is the time in seconds after a start in which a user may bind the device, as two
 * bytes with the high one first: "\0\0" is no limit. `attributes` is one byte: "\1" for a gateway, otherwise "\0".
 */
#define GIZWITS_DEVICE_INFO(hardware, software, product_key, bind_timeout, attributes, secret) \
    "00000004" "00000002" hardware software product_key bind_timeout "\0\0\0\0\0\0\0" attributes secret

/**
 * The waiting times that a link has at first, to initialise a gizwits_link_timing.
 */
#define GIZWITS_LINK_TIMING_DEFAULT {600000u, 6000u, 200u, 3u}

/**
 * The number of bytes of the text of an error, with the NUL at its end.
 */
#define GIZWITS_ERROR_TEXT 1024

/**
 * The command of a frame to a device without a sequence number.
 */
#define GIZWITS_M2M_TO_DEVICE 144

/**
 * The command of a frame from a device without a sequence number.
 */
#define GIZWITS_M2M_FROM_DEVICE 145

/**
 * The command of a frame with a sequence number, which is acknowledged.
 */
#define GIZWITS_M2M_REQUEST 147

/**
 * The command of an acknowledgement.
 */
#define GIZWITS_M2M_ACK 148

/**
 * The number of bytes that a buffer for a frame needs in addition to its payload.
 */
#define GIZWITS_UART_OVERHEAD 4

/**
 * The number of pointers that the memory of a decoder has room for.
 */
#define GIZWITS_UART_WORDS 8

/**
 * Accepts an M2M frame or a bare P0: bytes that begin with 00 00 00 03 are a frame.
 */
#define GIZWITS_DECODE_ANY 0

/**
 * Accepts replies and reports of any length and decodes the points that are complete.
 */
#define GIZWITS_DECODE_LAX 1

/**
 * Accepts a bare P0 alone. Not together with GIZWITS_DECODE_FRAME.
 */
#define GIZWITS_DECODE_P0 2

/**
 * Accepts an M2M frame alone. Not together with GIZWITS_DECODE_P0.
 */
#define GIZWITS_DECODE_FRAME 4

/**
 * Refuses a number between two steps.
 */
#define GIZWITS_ENCODE_EXACT 0

/**
 * Rounds a number between two steps to the nearest, and up if it is in the middle.
 */
#define GIZWITS_ENCODE_ROUND 1

/**
 * The bit of `number` that is set if the module has a network of its own.
 */
#define GIZWITS_MODULE_SOFT_AP 1

/**
 * The bit of `number` that is set if the module is a station in a network.
 */
#define GIZWITS_MODULE_STATION 2

/**
 * The bit of `number` that is set if a phone may configure the module.
 */
#define GIZWITS_MODULE_ONBOARDING 4

/**
 * The bit of `number` that is set if a user may bind the device.
 */
#define GIZWITS_MODULE_BINDING 8

/**
 * The bit of `number` that is set if the module is connected to a router.
 */
#define GIZWITS_MODULE_ROUTER 16

/**
 * The bit of `number` that is set if the module is connected to the cloud.
 */
#define GIZWITS_MODULE_CLOUD 32

/**
 * The bits of `number` with the signal strength of the router, from 0 to 7 in steps of 256.
 */
#define GIZWITS_MODULE_RSSI 1792

/**
 * The bit of `number` that is set if an app is online.
 */
#define GIZWITS_MODULE_APP 2048

/**
 * The bit of `number` that is set if the module is in its factory test.
 */
#define GIZWITS_MODULE_TEST 4096

/**
 * The number of pointers that the memory of a link has room for.
 */
#define GIZWITS_LINK_WORDS 24

/**
 * The request that lets a phone configure the network of the module. The argument is 1 for SoftAP and 2 for AirLink. Like
 * all requests, it has the number of its command, which is `command` of an event about it.
 */
#define GIZWITS_REQUEST_CONFIGURE 9

/**
 * The request that resets the module, which forgets its network and its owner.
 */
#define GIZWITS_REQUEST_RESET 11

/**
 * The request that starts the factory test of the module.
 */
#define GIZWITS_REQUEST_TEST 19

/**
 * The request that opens the period in which a user can bind the device.
 */
#define GIZWITS_REQUEST_BIND 21

/**
 * The request for the network time. The answer is GIZWITS_EVENT_TIME.
 */
#define GIZWITS_REQUEST_TIME 23

/**
 * The request for the description of the module. The argument is 0 for a Wi-Fi module and 1 for a mobile module. The
 * answer is GIZWITS_EVENT_MODULE.
 */
#define GIZWITS_REQUEST_MODULE 33

/**
 * The request that restarts the module.
 */
#define GIZWITS_REQUEST_REBOOT 41

/**
 * The status of a call: 0 if it succeeded, otherwise the kind of its error. The numbers never change.
 *
 * Always 4 bytes, also where a compiler makes enums shorter. gizwits_status_name() returns the name.
 */
enum gizwits_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The call succeeded.
     */
    GIZWITS_STATUS_OK = 0,
    /**
     * A pointer is null that must not be.
     */
    GIZWITS_STATUS_NULL_POINTER = 1,
    /**
     * A pointer does not have the alignment of its type.
     */
    GIZWITS_STATUS_MISALIGNED = 2,
    /**
     * A buffer that a call writes overlaps another argument.
     */
    GIZWITS_STATUS_OVERLAP = 3,
    /**
     * A length is impossible: longer than any object in memory, or not the length that the function requires.
     */
    GIZWITS_STATUS_INVALID_LENGTH = 4,
    /**
     * The handle is 0, was freed, or never came from this library.
     */
    GIZWITS_STATUS_INVALID_HANDLE = 5,
    /**
     * A number is none of those that an argument allows.
     */
    GIZWITS_STATUS_INVALID_ARGUMENT = 6,
    /**
     * A text is not UTF-8.
     */
    GIZWITS_STATUS_INVALID_UTF8 = 7,
    /**
     * A buffer is too short. The needed length is stored.
     */
    GIZWITS_STATUS_OUT_OF_SPACE = 8,
    /**
     * Another request is in progress.
     */
    GIZWITS_STATUS_BUSY = 9,
    /**
     * The library has a bug. Its state is intact.
     */
    GIZWITS_STATUS_INTERNAL = 10,
    /**
     * The text is neither hex, nor base64, nor a list of bytes.
     */
    GIZWITS_STATUS_NOT_HEX_OR_BASE64 = 32,
    /**
     * The bytes end too early.
     */
    GIZWITS_STATUS_INCOMPLETE = 33,
    /**
     * Bytes follow the end of the message.
     */
    GIZWITS_STATUS_TRAILING = 34,
    /**
     * The first byte of the P0 is not an action.
     */
    GIZWITS_STATUS_UNKNOWN_ACTION = 35,
    /**
     * The action belongs to the other protocol: standard or var_len.
     */
    GIZWITS_STATUS_OTHER_PROTOCOL = 36,
    /**
     * A control sets a flag that belongs to no point.
     */
    GIZWITS_STATUS_UNKNOWN_FLAG = 37,
    /**
     * A control sets a point that is not writable.
     */
    GIZWITS_STATUS_NOT_WRITABLE = 38,
    /**
     * The bytes do not begin with 00 00 00 03.
     */
    GIZWITS_STATUS_NOT_M2M = 39,
    /**
     * The length of the frame is invalid.
     */
    GIZWITS_STATUS_FRAME_LENGTH = 40,
    /**
     * The frame is longer than the limit.
     */
    GIZWITS_STATUS_FRAME_LIMIT = 41,
    /**
     * The command requires a sequence number, or does not allow it.
     */
    GIZWITS_STATUS_FRAME_SN = 42,
    /**
     * The bytes do not begin with ff ff.
     */
    GIZWITS_STATUS_NOT_UART = 43,
    /**
     * An ff in a UART frame is not followed by 55.
     */
    GIZWITS_STATUS_STUFFING = 44,
    /**
     * The checksum of a UART frame is wrong.
     */
    GIZWITS_STATUS_CHECKSUM = 45,
    /**
     * The did is longer than 64 bytes.
     */
    GIZWITS_STATUS_DID_LENGTH = 46,
    /**
     * The text has two readings with different bytes.
     */
    GIZWITS_STATUS_AMBIGUOUS = 47,
    /**
     * The kind of the value does not match the point.
     */
    GIZWITS_STATUS_WRONG_KIND = 64,
    /**
     * The value is below the minimum of the point.
     */
    GIZWITS_STATUS_BELOW_MIN = 65,
    /**
     * The value is above the maximum of the point.
     */
    GIZWITS_STATUS_ABOVE_MAX = 66,
    /**
     * The enum index has no label.
     */
    GIZWITS_STATUS_PAST_LABELS = 67,
    /**
     * The value is between two steps.
     */
    GIZWITS_STATUS_OFF_STEP = 68,
    /**
     * The length of the binary value does not match the point.
     */
    GIZWITS_STATUS_BINARY_LENGTH = 69,
    /**
     * The product has no such point.
     */
    GIZWITS_STATUS_UNKNOWN_POINT = 70,
    /**
     * A point is given twice.
     */
    GIZWITS_STATUS_DUPLICATE_POINT = 71,
    /**
     * The enum has no such label.
     */
    GIZWITS_STATUS_UNKNOWN_LABEL = 72,
    /**
     * A report or reply of a standard product requires every point.
     */
    GIZWITS_STATUS_MISSING_POINTS = 73,
    /**
     * A control sets no point.
     */
    GIZWITS_STATUS_NOTHING_SET = 74,
    /**
     * The operation does not fit the action of the message.
     */
    GIZWITS_STATUS_WRONG_ACTION = 75,
    /**
     * The text is not a number, or has too many digits.
     */
    GIZWITS_STATUS_NOT_A_NUMBER = 76,
    /**
     * The message does not contain the point.
     */
    GIZWITS_STATUS_NO_VALUE = 77,
    /**
     * The text is not a JSON object.
     */
    GIZWITS_STATUS_JSON = 78,
    /**
     * The definition is invalid.
     */
    GIZWITS_STATUS_DEFINITION = 96,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum gizwits_status gizwits_status;
#else
typedef int32_t gizwits_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The kind of an event.
 */
enum gizwits_event
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * No event.
     */
    GIZWITS_EVENT_NONE = 0,
    /**
     * A control, which the link has acknowledged and whose valid points it has set in the status. `data` is its P0, which
     * NAME_decode_control() reads. `number` is 0, or the result of the first point with an invalid value, which the
     * link has left out.
     */
    GIZWITS_EVENT_CONTROL = 1,
    /**
     * Transparent data from the module: bytes that the protocol does not interpret.
     */
    GIZWITS_EVENT_TRANSPARENT = 2,
    /**
     * The state of the module's connections. `number` has the bits GIZWITS_MODULE_...
     */
    GIZWITS_EVENT_STATUS = 3,
    /**
     * The module asks the MCU to restart. Vendor code restarts after 600 ms.
     */
    GIZWITS_EVENT_REBOOT = 4,
    /**
     * The module rejected a frame of the MCU as illegal. `number` is the reason: 1 for a wrong checksum, 2 for an unknown
     * command, 3 for any other.
     */
    GIZWITS_EVENT_ILLEGAL = 5,
    /**
     * The network time. `number` is the time in seconds since 1970-01-01 00:00 UTC. `data` has the 11 bytes of the payload:
     * the year in two bytes with the high byte first, the month from 1, the day, hour, minute and second, and `number` in
     * four bytes. The protocol does not say in which time zone the date and the hour are.
     */
    GIZWITS_EVENT_TIME = 6,
    /**
     * The description of the module. `data` has the 65 bytes of the payload: the kind as in GIZWITS_REQUEST_MODULE, then texts
     * that are padded with zeros: the version of the serial protocol, of the hardware and of the software in 8 bytes each,
     * the MAC address and the IP address in 16 bytes each, and 8 bytes of attributes.
     */
    GIZWITS_EVENT_MODULE = 7,
    /**
     * The module acknowledged a request or report, whose command is `command`.
     */
    GIZWITS_EVENT_ACKED = 8,
    /**
     * The module did not acknowledge a request or report after all transmissions. `command` is its command.
     */
    GIZWITS_EVENT_UNANSWERED = 9,
    /**
     * A frame that the firmware answers with gizwits_link_answer(): big data, transactions and sub-devices. `data` is
     * its payload.
     */
    GIZWITS_EVENT_FRAME = 10,
    /**
     * The link refused a frame as illegal, or an answer is invalid. `data` is its payload.
     */
    GIZWITS_EVENT_REFUSED = 11,
    /**
     * The status has an invalid value, or has none any more. `number` is the result of the first point with an invalid
     * value, or 0. A link sends no invalid value: until all of them are valid again, it replies and reports with
     * the last status that was valid.
     */
    GIZWITS_EVENT_INVALID = 12,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum gizwits_event gizwits_event;
#else
typedef uint8_t gizwits_event;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * An M2M frame. Its pointers borrow: from the bytes that were parsed, or from the caller that encodes the frame.
 */
typedef struct gizwits_frame {
    /**
     * The did of the device, usually 22 ASCII characters without a NUL. NULL if the frame has none.
     */
    const uint8_t *did;
    /**
     * The number of bytes of the did.
     */
    size_t did_length;
    /**
     * The body: a P0 for the commands GIZWITS_M2M_TO_DEVICE to GIZWITS_M2M_ACK.
     */
    const uint8_t *body;
    /**
     * The number of bytes of the body.
     */
    size_t body_length;
    /**
     * The sequence number, if `has_sn` is not 0.
     */
    uint32_t sn;
    /**
     * The command.
     */
    uint16_t command;
    /**
     * The flags. Bit 0 announces a did; it is set by itself in a frame that is encoded.
     */
    uint8_t flag;
    /**
     * 1 if the frame has a sequence number, otherwise 0.
     */
    uint8_t has_sn;
    /**
     * 1 for a service message, of which nothing but the command is known; otherwise 0. Must be 0 to
     * encode a frame.
     */
    uint8_t is_service;
} gizwits_frame;

/**
 * The error of a call: its status, its location, and a text for people.
 *
 * The caller owns the memory, on its stack for example, and passes its address or NULL. The library writes it before
 * the call returns and keeps no reference to it, so that errors of threads and of calls never mix.
 */
typedef struct gizwits_error {
    /**
     * The status that the call returned. After a success it is GIZWITS_STATUS_OK, and the text is empty.
     */
    gizwits_status status;
    /**
     * The id of the point that the error is about, or -1.
     */
    int32_t point;
    /**
     * The offset of the byte that the error is about, or -1: in the given bytes, or in the status of the device if a
     * value was refused.
     */
    int64_t byte;
    /**
     * The offset of the bit in its bit area, or -1.
     */
    int64_t bit;
    /**
     * A text that says what is wrong, where, and what would be right: UTF-8 that ends with a NUL. A longer text is cut
     * between two characters. The texts may change with any version; programs compare the status.
     */
    char text[GIZWITS_ERROR_TEXT];
} gizwits_error;

/**
 * A frame of the serial line, without stuffing bytes. Its pointer borrows: from the buffer that a frame was decoded to, or
 * from the caller that encodes the frame.
 */
typedef struct gizwits_uart_frame {
    /**
     * The payload.
     */
    const uint8_t *payload;
    /**
     * The number of bytes of the payload, at most 65274.
     */
    size_t payload_length;
    /**
     * The flags. If bit 0 is set, the payload begins with the length of a sub-device's did and the did.
     */
    uint16_t flags;
    /**
     * The command.
     */
    uint8_t command;
    /**
     * The sequence number. An acknowledgement has that of its request.
     */
    uint8_t sn;
} gizwits_uart_frame;

/**
 * The memory of a decoder for a stream of frames. Its content belongs to the library.
 *
 * A decoder begins with gizwits_uart_init() and needs no end. It must not be moved or copied. All calls for a decoder come
 * from one thread at a time.
 */
typedef struct gizwits_uart_decoder {
    /**
     * The content.
     */
    void *memory[GIZWITS_UART_WORDS];
} gizwits_uart_decoder;

/**
 * The kind of an event: one of GIZWITS_UART_NONE to GIZWITS_UART_TOO_LONG.
 */
typedef int32_t gizwits_uart_kind;

/**
 * A frame that a decoder has completed or rejected. Members that the kind does not mention are 0.
 */
typedef struct gizwits_uart_event {
    /**
     * The frame. Its payload is in the buffer of the decoder until the decoder reads the next byte.
     */
    struct gizwits_uart_frame frame;
    /**
     * The kind.
     */
    gizwits_uart_kind kind;
    /**
     * The checksum of the bytes of a frame.
     */
    uint8_t expected;
    /**
     * The checksum at the end of a frame.
     */
    uint8_t found;
} gizwits_uart_event;

/**
 * The handle of a product. 0 is never a handle.
 *
 * A handle is a number, not an address: the library looks it up in a table, so that a wrong or freed handle is refused
 * and never followed. The number of a freed handle is not used again until two billion more products have been loaded.
 * All threads may use a handle at the same time.
 */
typedef uint64_t gizwits_product;

/**
 * The protocol of a product: GIZWITS_PROTOCOL_STANDARD or GIZWITS_PROTOCOL_VAR_LEN.
 */
typedef int32_t gizwits_protocol;

/**
 * The numbers of a product.
 */
typedef struct gizwits_product_info {
    /**
     * The protocol of the product.
     */
    gizwits_protocol protocol;
    /**
     * The number of points. Their ids are 0 to `points - 1`.
     */
    uint16_t points;
    /**
     * The number of bytes of all values.
     */
    uint32_t status_length;
} gizwits_product_info;

/**
 * The data type of a point: one of GIZWITS_TYPE_BOOL to GIZWITS_TYPE_BINARY.
 */
typedef int32_t gizwits_type;

/**
 * The access of a point: one of GIZWITS_ACCESS_WRITABLE to GIZWITS_ACCESS_FAULT.
 */
typedef int32_t gizwits_access;

/**
 * An exact number: `coefficient` divided by 10 to the power of `scale`. 7.32 is 732 and 2.
 */
typedef struct gizwits_decimal {
    /**
     * The digits of the number, with its sign.
     */
    int64_t coefficient;
    /**
     * The number of digits behind the decimal point: 0 to 18.
     */
    uint8_t scale;
} gizwits_decimal;

/**
 * The numbers of a point.
 */
typedef struct gizwits_point_info {
    /**
     * The data type of the point.
     */
    gizwits_type data_type;
    /**
     * The access of the point.
     */
    gizwits_access access;
    /**
     * The number of labels of an enum, otherwise 0.
     */
    uint32_t labels;
    /**
     * The offset of the value in the status, in bytes. In a var_len product the offset depends on the message.
     */
    uint32_t byte_offset;
    /**
     * The offset of the value in its bit area, in bits. 0 for a point that consists of bytes.
     */
    uint32_t bit_offset;
    /**
     * The length of the value: in bits for bools and enums, otherwise in bytes.
     */
    uint32_t length;
    /**
     * The lowest raw value.
     */
    uint32_t raw_min;
    /**
     * The highest raw value; for a binary its length.
     */
    uint32_t raw_max;
    /**
     * The factor from a raw value to the engineering value, and the step between two engineering values.
     */
    struct gizwits_decimal ratio;
    /**
     * The number that is added to the raw value times the ratio.
     */
    struct gizwits_decimal addition;
} gizwits_point_info;

/**
 * The action of a message: one of GIZWITS_ACTION_CONTROL to GIZWITS_ACTION_GATEWAY, or GIZWITS_ACTION_NONE.
 */
typedef int32_t gizwits_action;

/**
 * A decoded message, without its values. The pointers borrow from the payload.
 */
typedef struct gizwits_message {
    /**
     * The M2M frame around the message, if `has_frame` is not 0.
     */
    struct gizwits_frame frame;
    /**
     * The P0: its action byte and what follows. NULL if the frame has no P0. The data of a transparent message begin
     * behind the first byte.
     */
    const uint8_t *p0;
    /**
     * The number of bytes of the P0.
     */
    size_t p0_length;
    /**
     * The number of bytes that a reply or report lacks, which GIZWITS_DECODE_LAX accepts.
     */
    size_t missing;
    /**
     * The number of bytes behind the last point, which GIZWITS_DECODE_LAX accepts.
     */
    size_t extra;
    /**
     * The action.
     */
    gizwits_action action;
    /**
     * 1 if there is a frame, otherwise 0.
     */
    uint8_t has_frame;
} gizwits_message;

/**
 * The kind of a value: one of GIZWITS_KIND_NONE to GIZWITS_KIND_BINARY.
 */
typedef int32_t gizwits_kind;

/**
 * The value of a point.
 *
 * Decoding sets all members. Encoding uses `point`, `kind` and the members that the kind names; the others must be
 * initialised, for example by `= {0}`.
 */
typedef struct gizwits_value {
    /**
     * The exact engineering value of a number, otherwise 0.
     */
    struct gizwits_decimal exact;
    /**
     * The engineering value of a number as the nearest floating-point number, otherwise `raw`. Encoding does not read
     * it.
     */
    double number;
    /**
     * The bytes of a binary, otherwise NULL. A decoded value borrows them from the payload.
     */
    const uint8_t *bytes;
    /**
     * The number of bytes of a binary, otherwise 0.
     */
    size_t length;
    /**
     * The raw value of a bool, an enum or a number, otherwise 0. Encoding does not read that of a number.
     */
    uint32_t raw;
    /**
     * The kind of the value.
     */
    gizwits_kind kind;
    /**
     * The gizwits_status of the rule that the value breaks, or GIZWITS_STATUS_OK. Encoding does not read it.
     */
    int32_t flagged;
    /**
     * The id of the point.
     */
    uint16_t point;
} gizwits_value;

/**
 * The memory of a link, usually a static variable. Its content belongs to the library.
 *
 * A link begins with gizwits_link_init() and needs no end. It must not be moved or copied. All calls for a link come
 * from one thread or interrupt level at a time, and nobody writes its status during a call.
 */
typedef struct gizwits_link {
    /**
     * The content.
     */
    void *memory[GIZWITS_LINK_WORDS];
} gizwits_link;

/**
 * The table of a product, NAME_link_product of the generated code, which has it if GIZWITS_LINK is defined.
 *
 * The functions get the state of the link, a NAME_link_state. It has two sets of values: those of the status, and those
 * of the last report. A result is one of NAME_result: 0, or the rule that a value breaks in the low 4 bits and the id of
 * its point above them.
 */
typedef struct gizwits_link_product {
    /**
     * Writes the values of a status. Returns the result of the first invalid value, after which the values are those of
     * the last report.
     */
    uint16_t (*encode)(void *state, const void *status);
    /**
     * Returns whether the values differ from those of the last report. Measured values count only if `measured` is true.
     */
    bool (*differs)(const void *state, bool measured);
    /**
     * Makes the values those of the last report, with all points or those that have changed. Returns whether the report
     * has all points.
     */
    bool (*keep)(void *state, bool all);
    /**
     * Returns the P0 of a reply with the values of the status, or of the last report, and stores its length.
     */
    const uint8_t *(*message)(void *state, bool is_reply, size_t *length);
    /**
     * Returns whether a P0 is a read, and keeps the points that it asks for.
     */
    bool (*read)(void *state, const uint8_t *p0, size_t length);
    /**
     * Returns whether a P0 is a control with the right length and flags.
     */
    bool (*is_control)(const uint8_t *p0, size_t length);
    /**
     * Sets the valid points of such a control in a status. Returns the result of the first invalid value.
     */
    uint16_t (*apply)(const uint8_t *p0, size_t length, void *status);
    /**
     * The length of the memory for the longest frame of a module, NAME_LINK_MEMORY.
     */
    size_t memory_length;
} gizwits_link_product;

/**
 * The parts of a link, usually a constant in flash. The link keeps the address: this struct and all that it points
 * to must live as long as the link. Until then, only the link changes the state and the memory, and nobody changes
 * this struct, the table and the description.
 */
typedef struct gizwits_link_options {
    /**
     * The table of the product, NAME_link_product of the generated code.
     */
    const struct gizwits_link_product *product;
    /**
     * The description of the device that the link sends to the module, a text that NAME_DEVICE_INFO() of the generated
     * code makes.
     */
    const char *info;
    /**
     * The status: a NAME_status of the generated code, with valid values at first. The link sets the points of a
     * control in it, and reports what has changed.
     */
    void *status;
    /**
     * The memory of the product: a NAME_link_state of the generated code.
     */
    void *state;
    /**
     * The memory for frames of the module and the outbox.
     */
    uint8_t *memory;
    /**
     * Sends a byte to the module, or puts it into a buffer that an interrupt sends. It may drop bytes if the buffer is
     * full, because the link sends lost frames again. It must not call the link.
     */
    void (*write)(void *context, uint8_t byte);
    /**
     * The first argument of `write`, which may be NULL.
     */
    void *context;
    /**
     * The length of `info`: 74 bytes, or 106 with a secret. It may count the NUL behind them, as `sizeof` does.
     */
    size_t info_length;
    /**
     * The length of `memory`: NAME_LINK_MEMORY and `outbox_length`, or more for longer frames of transparent data.
     */
    size_t memory_length;
    /**
     * The maximum length of the data of gizwits_link_send(). 0 if the firmware sends none.
     */
    size_t outbox_length;
} gizwits_link_options;

/**
 * The waiting times of a link in milliseconds, and the number of transmissions.
 */
typedef struct gizwits_link_timing {
    /**
     * The maximum time between two reports of all points: 600000 at first.
     */
    uint32_t full;
    /**
     * The minimum time between two reports if only measured values have changed: 6000 at first.
     */
    uint16_t measured;
    /**
     * The time until a frame that was not acknowledged is sent again: 200 at first.
     */
    uint16_t resend;
    /**
     * The maximum number of transmissions of a frame: 3 at first.
     */
    uint8_t tries;
} gizwits_link_timing;

/**
 * An event of a link. Members that the kind does not mention are 0, and `data` is valid only if `length` is not 0.
 */
typedef struct gizwits_link_event {
    /**
     * The kind.
     */
    gizwits_event kind;
    /**
     * The command of a frame.
     */
    uint8_t command;
    /**
     * The sequence number of a frame.
     */
    uint8_t sn;
    /**
     * The length of `data` in bytes.
     */
    uint16_t length;
    /**
     * The number of the kind.
     */
    uint32_t number;
    /**
     * The data of the kind, in the memory of the link until it reads the next byte.
     */
    const uint8_t *data;
} gizwits_link_event;

/**
 * The handle of a state: the last reported values of the points of one device. 0 is never a handle.
 *
 * A var_len device reports only the points that have changed, so its state is the merge of its reports. The handle is a
 * number, as that of a product. All threads may use it at the same time.
 */
typedef uint64_t gizwits_state;

/**
 * No event: the decoder needs more bytes.
 */
#define GIZWITS_UART_NONE 0

/**
 * A complete frame.
 */
#define GIZWITS_UART_FRAME 1

/**
 * A frame whose checksum is wrong: `expected` and `found`. Of `frame`, only `sn` is set, which may be wrong as well.
 */
#define GIZWITS_UART_CORRUPT 2

/**
 * A frame, or noise after ff ff, that is longer than the buffer. Of `frame`, only `payload_length` is set.
 */
#define GIZWITS_UART_TOO_LONG 3

/**
 * Every report has all points.
 */
#define GIZWITS_PROTOCOL_STANDARD 1

/**
 * A message has the points that its presence mask names.
 */
#define GIZWITS_PROTOCOL_VAR_LEN 2

/**
 * A bool: one bit.
 */
#define GIZWITS_TYPE_BOOL 1

/**
 * An enum: the index of a label, in 1 to 32 bits.
 */
#define GIZWITS_TYPE_ENUM 2

/**
 * A number of one byte.
 */
#define GIZWITS_TYPE_UINT8 3

/**
 * A number of two bytes.
 */
#define GIZWITS_TYPE_UINT16 4

/**
 * A number of four bytes.
 */
#define GIZWITS_TYPE_UINT32 5

/**
 * Bytes.
 */
#define GIZWITS_TYPE_BINARY 6

/**
 * Controls set the point.
 */
#define GIZWITS_ACCESS_WRITABLE 1

/**
 * The device alone sets the point.
 */
#define GIZWITS_ACCESS_READ_ONLY 2

/**
 * The point is an alert of the device.
 */
#define GIZWITS_ACCESS_ALERT 3

/**
 * The point is a fault of the device.
 */
#define GIZWITS_ACCESS_FAULT 4

/**
 * The frame has no P0.
 */
#define GIZWITS_ACTION_NONE 0

/**
 * A control, which sets points of a device.
 */
#define GIZWITS_ACTION_CONTROL 1

/**
 * A read, which asks a device for its status.
 */
#define GIZWITS_ACTION_READ 2

/**
 * A reply, with which a device answers a read.
 */
#define GIZWITS_ACTION_REPLY 3

/**
 * A report, which a device sends without a request.
 */
#define GIZWITS_ACTION_REPORT 4

/**
 * Transparent data: bytes that the protocol does not interpret.
 */
#define GIZWITS_ACTION_TRANSPARENT 5

/**
 * A message of a gateway about its sub-devices.
 */
#define GIZWITS_ACTION_GATEWAY 6

/**
 * No value: a point that a read of a var_len product asks for.
 */
#define GIZWITS_KIND_NONE 0

/**
 * A bool: `raw` is 0 or 1.
 */
#define GIZWITS_KIND_BOOL 1

/**
 * An enum: `raw` is the index of the label.
 */
#define GIZWITS_KIND_ENUM 2

/**
 * A number: `exact` is the engineering value.
 */
#define GIZWITS_KIND_NUMBER 3

/**
 * A binary: `bytes` and `length`.
 */
#define GIZWITS_KIND_BINARY 4

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Returns the version of the library, for example `0.1.0`.
 *
 * The text ends with a NUL and lives as long as the program. The caller does not free it.
 */
const char *gizwits_version(void);

/**
 * Returns the name of a status in snake_case, for example `above_max`. The names never change. A number without a
 * status has the name `unknown_status`.
 *
 * The text ends with a NUL and lives as long as the program. The caller does not free it.
 */
const char *gizwits_status_name(int32_t status);

/**
 * Reads the frame at the start of `bytes` and stores it in `*frame`, with pointers into `bytes`.
 *
 * `*consumed` is the number of bytes that the frame has; further bytes may follow. `limit` is the highest length that
 * is accepted in the length field of the frame, or 0 for 131072. GIZWITS_STATUS_INCOMPLETE says that the frame goes on.
 */
gizwits_status gizwits_frame_parse(const uint8_t *bytes,
                                   size_t length,
                                   size_t limit,
                                   struct gizwits_frame *frame,
                                   size_t *consumed,
                                   struct gizwits_error *error);

/**
 * Finds the next frame in the bytes of a stream.
 *
 * `*consumed` is the number of bytes that the caller removes from the start of its buffer when it is done with the
 * frame, `*skipped` the number of those that belong to no frame. `*found` is 1 if `*frame` holds a frame, with pointers
 * into `bytes`; 0 if more bytes are needed. `limit` is as in gizwits_frame_parse(): a frame that claims to be longer
 * is skipped. Every stream is accepted, so that the status tells nothing but misuse.
 */
gizwits_status gizwits_frame_scan(const uint8_t *bytes,
                                  size_t length,
                                  size_t limit,
                                  struct gizwits_frame *frame,
                                  uint8_t *found,
                                  size_t *consumed,
                                  size_t *skipped,
                                  struct gizwits_error *error);

/**
 * Writes a frame to `out`, and the number of its bytes to `*length`.
 *
 * If `capacity` is too small, nothing is written, `*length` is the number that is needed, and the status is
 * GIZWITS_STATUS_OUT_OF_SPACE.
 */
gizwits_status gizwits_frame_encode(const struct gizwits_frame *frame,
                                    uint8_t *out,
                                    size_t capacity,
                                    size_t *length,
                                    struct gizwits_error *error);

/**
 * Reads the frame at the start of `bytes` and stores it in `*frame`.
 *
 * The content of the frame is copied without stuffing bytes to `buffer`, which `*frame` points into. The buffer needs
 * GIZWITS_UART_OVERHEAD more bytes than the payload: the status is GIZWITS_STATUS_FRAME_LIMIT if it is too short.
 * `*consumed` is the number of bytes that the frame has; further bytes may follow. GIZWITS_STATUS_INCOMPLETE says that
 * the frame goes on.
 */
gizwits_status gizwits_uart_parse(const uint8_t *bytes,
                                  size_t length,
                                  uint8_t *buffer,
                                  size_t capacity,
                                  struct gizwits_uart_frame *frame,
                                  size_t *consumed,
                                  struct gizwits_error *error);

/**
 * Writes a frame with its stuffing bytes to `out`, and the number of bytes to `*length`.
 *
 * If `capacity` is too small, nothing is written, `*length` is the number that is needed, and the status is
 * GIZWITS_STATUS_OUT_OF_SPACE.
 */
gizwits_status gizwits_uart_encode(const struct gizwits_uart_frame *frame,
                                   uint8_t *out,
                                   size_t capacity,
                                   size_t *length,
                                   struct gizwits_error *error);

/**
 * Makes a decoder for a stream of bytes.
 *
 * `buffer` holds a frame while it is received. It needs GIZWITS_UART_OVERHEAD more bytes than the longest payload, and
 * belongs to the decoder from then on. After a failure, every call for this decoder returns GIZWITS_STATUS_INVALID_HANDLE.
 */
gizwits_status gizwits_uart_init(struct gizwits_uart_decoder *decoder,
                                 uint8_t *buffer,
                                 size_t capacity,
                                 struct gizwits_error *error);

/**
 * Reads bytes up to the next frame, or all of them, and stores what it has found in `*event` and the number of bytes that
 * it has read in `*used`. The rest is for the next call.
 *
 * The decoder skips noise and incomplete frames. Every stream is accepted, so that the status tells nothing but misuse.
 */
gizwits_status gizwits_uart_read(struct gizwits_uart_decoder *decoder,
                                 const uint8_t *bytes,
                                 size_t length,
                                 struct gizwits_uart_event *event,
                                 size_t *used,
                                 struct gizwits_error *error);

/**
 * Loads a definition: its JSON text, as the cloud returns it.
 *
 * `definition` is UTF-8 of `length` bytes; a NUL behind them is not part of it. The library copies what it needs.
 * `*product` becomes a handle, which the caller frees with gizwits_product_free(), or 0 after a failure.
 *
 * If the definition has errors, the status is GIZWITS_STATUS_DEFINITION, and the text of the error has a line for each
 * of the first ten. gizwits_definition_check() returns all problems.
 */
gizwits_status gizwits_product_new(const char *definition,
                                   size_t length,
                                   gizwits_product *product,
                                   struct gizwits_error *error);

/**
 * Frees a product. Its handle, and every copy of it, is invalid from then on.
 *
 * Calls of other threads that use the product end first. The handle 0 is refused like any other invalid handle.
 */
gizwits_status gizwits_product_free(gizwits_product product);

/**
 * Stores the numbers of a product in `*info`, which is memory of the caller.
 */
gizwits_status gizwits_product_describe(gizwits_product product,
                                        struct gizwits_product_info *info,
                                        struct gizwits_error *error);

/**
 * Copies the name of a product to `out`. The text is empty if the definition has no name.
 */
gizwits_status gizwits_product_name(gizwits_product product,
                                    char *out,
                                    size_t capacity,
                                    size_t *length,
                                    struct gizwits_error *error);

/**
 * Copies the product key to `out`. The text is empty if the definition has no key.
 */
gizwits_status gizwits_product_key(gizwits_product product,
                                   char *out,
                                   size_t capacity,
                                   size_t *length,
                                   struct gizwits_error *error);

/**
 * Checks a definition and writes every problem to `out`, as a JSON array of objects.
 *
 * An object has the keys `severity` ("error" or "warning"), `kind`, `pointer` (a JSON pointer), `line` and `column` (from
 * 1), `message`, `label` (the present value) and `help` (what would be valid). The array has at most 100 objects; it
 * is `[]` if the definition has no problem. The status is GIZWITS_STATUS_OK whatever the check finds.
 */
gizwits_status gizwits_definition_check(const char *definition,
                                        size_t definition_length,
                                        char *out,
                                        size_t capacity,
                                        size_t *length,
                                        struct gizwits_error *error);

/**
 * Finds a point by its name of `name_length` bytes and stores its id in `*point`.
 */
gizwits_status gizwits_point_find(gizwits_product product,
                                  const char *name,
                                  size_t name_length,
                                  uint16_t *point,
                                  struct gizwits_error *error);

/**
 * Stores the numbers of a point in `*info`, which is memory of the caller.
 */
gizwits_status gizwits_point_describe(gizwits_product product,
                                      uint16_t point,
                                      struct gizwits_point_info *info,
                                      struct gizwits_error *error);

/**
 * Copies the name of a point, as messages have it, to `out`.
 */
gizwits_status gizwits_point_name(gizwits_product product,
                                  uint16_t point,
                                  char *out,
                                  size_t capacity,
                                  size_t *length,
                                  struct gizwits_error *error);

/**
 * Copies the name of a point for people to `out`. The text is empty if the definition has none.
 */
gizwits_status gizwits_point_display_name(gizwits_product product,
                                          uint16_t point,
                                          char *out,
                                          size_t capacity,
                                          size_t *length,
                                          struct gizwits_error *error);

/**
 * Copies the description of a point to `out`. The text is empty if the definition has none.
 */
gizwits_status gizwits_point_description(gizwits_product product,
                                         uint16_t point,
                                         char *out,
                                         size_t capacity,
                                         size_t *length,
                                         struct gizwits_error *error);

/**
 * Copies the values that a point can have to `out`, as a text for people: `-10..35, step 1`.
 */
gizwits_status gizwits_point_range(gizwits_product product,
                                   uint16_t point,
                                   char *out,
                                   size_t capacity,
                                   size_t *length,
                                   struct gizwits_error *error);

/**
 * Copies the label with this index, which is the raw value of an enum, to `out`.
 *
 * The status is GIZWITS_STATUS_PAST_LABELS if the point has no label with this index. Devices may send such an index.
 */
gizwits_status gizwits_point_label(gizwits_product product,
                                   uint16_t point,
                                   uint32_t index,
                                   char *out,
                                   size_t capacity,
                                   size_t *length,
                                   struct gizwits_error *error);

/**
 * Reads the bytes of a payload from a text of `text_length` bytes: hex, base64, or a list such as `[0,0,0,3]`.
 *
 * The bytes are written to `out` and their number to `*length`. If `capacity` is too small, nothing is written,
 * `*length` is the number that is needed, and the status is GIZWITS_STATUS_OUT_OF_SPACE. A text is never shorter than
 * its bytes.
 */
gizwits_status gizwits_payload_parse(const char *text,
                                     size_t text_length,
                                     uint8_t *out,
                                     size_t capacity,
                                     size_t *length,
                                     struct gizwits_error *error);

/**
 * Decodes a payload and writes it to `out` as a line of JSON without a line end.
 *
 * `options` is a sum of GIZWITS_DECODE_ constants. The object has the keys `frame`, `action`, `attrs` (a bool is 0 or 1,
 * an enum its label, a number exact, a binary hex), `flagged` (the rules that values break, by point) and others that
 * the documentation of the crate `gizwits-codec-std` lists.
 */
gizwits_status gizwits_decode_json(gizwits_product product,
                                   uint32_t options,
                                   const uint8_t *payload,
                                   size_t payload_length,
                                   char *out,
                                   size_t capacity,
                                   size_t *length,
                                   struct gizwits_error *error);

/**
 * Decodes a payload and writes the values of its points to `values`, in the order of the message.
 *
 * `options` is a sum of GIZWITS_DECODE_ constants. `message` is NULL, or memory of the caller for what else the payload
 * has. `*count` is the number of values. If `capacity` is smaller, no value is written, `*count` is the number that is
 * needed, and the status is GIZWITS_STATUS_OUT_OF_SPACE; `*message` is set even then. No message has more values than its product has points.
 *
 * The points that a read of a var_len product asks for are values of GIZWITS_KIND_NONE. A read of a standard product
 * asks for all points and has no values. Pointers in `*message` and in the values borrow from `payload`: they are valid
 * as long as its bytes are.
 */
gizwits_status gizwits_decode(gizwits_product product,
                              uint32_t options,
                              const uint8_t *payload,
                              size_t payload_length,
                              struct gizwits_message *message,
                              struct gizwits_value *values,
                              size_t capacity,
                              size_t *count,
                              struct gizwits_error *error);

/**
 * Decodes one point of a payload and stores its value in `*value`.
 *
 * `options` is a sum of GIZWITS_DECODE_ constants. The status is GIZWITS_STATUS_NO_VALUE if the message does not have
 * the point, and GIZWITS_STATUS_UNKNOWN_POINT if the product does not. gizwits_point_find() returns the id of a name.
 * The pointer of a binary borrows from `payload`.
 */
gizwits_status gizwits_decode_point(gizwits_product product,
                                    uint32_t options,
                                    const uint8_t *payload,
                                    size_t payload_length,
                                    uint16_t point,
                                    struct gizwits_value *value,
                                    struct gizwits_error *error);

/**
 * Encodes a P0 from a JSON object of points, such as `{"switch": true, "set_temp": 24}`.
 *
 * `action` is GIZWITS_ACTION_CONTROL, GIZWITS_ACTION_READ, GIZWITS_ACTION_REPLY or GIZWITS_ACTION_REPORT. `options` is
 * GIZWITS_ENCODE_EXACT or GIZWITS_ENCODE_ROUND. A bool is true, false, 1 or 0, an enum a label or an index, a number an
 * engineering value, and a binary hex. A read has no values: its object is `{}`; gizwits_encode() encodes a read of
 * some points.
 *
 * The bytes are written to `out` and their number to `*length`. If `capacity` is too small, nothing is written,
 * `*length` is the number that is needed, and the status is GIZWITS_STATUS_OUT_OF_SPACE.
 */
gizwits_status gizwits_encode_json(gizwits_product product,
                                   gizwits_action action,
                                   uint32_t options,
                                   const char *json,
                                   size_t json_length,
                                   uint8_t *out,
                                   size_t capacity,
                                   size_t *length,
                                   struct gizwits_error *error);

/**
 * Encodes a P0 from values. The values that gizwits_decode() returns encode to the same message again.
 *
 * `action` and `options` are as in gizwits_encode_json(). Of each value, `point`, `kind` and the members that the kind
 * names are read. A read of some points of a var_len product has values of GIZWITS_KIND_NONE; a read of all points has
 * none.
 *
 * The bytes are written to `out` and their number to `*length`. If `capacity` is too small, nothing is written,
 * `*length` is the number that is needed, and the status is GIZWITS_STATUS_OUT_OF_SPACE.
 */
gizwits_status gizwits_encode(gizwits_product product,
                              gizwits_action action,
                              uint32_t options,
                              const struct gizwits_value *values,
                              size_t count,
                              uint8_t *out,
                              size_t capacity,
                              size_t *length,
                              struct gizwits_error *error);

/**
 * Makes a link, which reports the status at the first gizwits_link_poll().
 *
 * `options` must live as long as the link. The status is GIZWITS_STATUS_OUT_OF_SPACE if `memory` is shorter than the
 * product needs, GIZWITS_STATUS_INVALID_LENGTH if `info` has another length than a description,
 * GIZWITS_STATUS_OVERLAP if a part is in the memory of the link, and GIZWITS_STATUS_INVALID_ARGUMENT if the status of the
 * device has an invalid value. After any other status than GIZWITS_STATUS_OK, every call for this link returns
 * GIZWITS_STATUS_INVALID_HANDLE.
 */
gizwits_status gizwits_link_init(struct gizwits_link *link,
                                 const struct gizwits_link_options *options);

/**
 * Changes the waiting times of a link.
 */
gizwits_status gizwits_link_set_timing(struct gizwits_link *link, const struct gizwits_link_timing *timing);

/**
 * Reads one byte from the module. If the byte completes a frame, the link answers it and stores its event; otherwise
 * the event is GIZWITS_EVENT_NONE.
 *
 * `now` is the time in milliseconds of any clock that may wrap around, the same as for gizwits_link_poll(). The data of
 * the event is in the memory of the link until the next byte is read.
 */
gizwits_status gizwits_link_receive(struct gizwits_link *link,
                                    uint8_t byte,
                                    uint32_t now,
                                    struct gizwits_link_event *event);

/**
 * Reads bytes from the module up to the first event, or all of them, and stores the number of bytes that it has read.
 * The rest is for the next call. Apart from that, the function is like gizwits_link_receive().
 */
gizwits_status gizwits_link_receive_bytes(struct gizwits_link *link,
                                          const uint8_t *bytes,
                                          size_t length,
                                          uint32_t now,
                                          struct gizwits_link_event *event,
                                          size_t *used);

/**
 * Sends what is due: at most the answer to a read, and one report or request. Stores GIZWITS_EVENT_UNANSWERED,
 * GIZWITS_EVENT_INVALID, or GIZWITS_EVENT_NONE.
 *
 * To be called after bytes were received, when the status may have changed, and when the time of gizwits_link_wait()
 * has passed.
 */
gizwits_status gizwits_link_poll(struct gizwits_link *link, uint32_t now, struct gizwits_link_event *event);

/**
 * Stores the time in milliseconds until the next gizwits_link_poll() is due, unless bytes are received or the status
 * changes before.
 */
gizwits_status gizwits_link_wait(struct gizwits_link *link, uint32_t now, uint32_t *wait);

/**
 * Queues a request, which gizwits_link_poll() sends once no frame is in flight. The outcome is GIZWITS_EVENT_ACKED,
 * GIZWITS_EVENT_UNANSWERED, or the event with the answer.
 *
 * `request` is a GIZWITS_REQUEST_... number. `argument` is that of the request, otherwise 0. The status is
 * GIZWITS_STATUS_BUSY while another request is in progress.
 */
gizwits_status gizwits_link_request(struct gizwits_link *link, uint8_t request, uint8_t argument);

/**
 * Sends transparent data, as a request. The data, which may be that of an event, is copied to the outbox, which keeps it
 * until the module acknowledges it.
 *
 * The status is GIZWITS_STATUS_BUSY while another request is in progress, and GIZWITS_STATUS_OUT_OF_SPACE if the outbox
 * is shorter than the data.
 */
gizwits_status gizwits_link_send(struct gizwits_link *link,
                                 const uint8_t *data,
                                 size_t length);

/**
 * Answers the frame of a GIZWITS_EVENT_FRAME. `command` and `sn` are those of the event. The payload has at most 65274
 * bytes.
 */
gizwits_status gizwits_link_answer(struct gizwits_link *link,
                                   uint8_t command,
                                   uint8_t sn,
                                   const uint8_t *payload,
                                   size_t length);

/**
 * Makes the state of a device of a product, without any known values.
 *
 * `*state` becomes a handle, which the caller frees with gizwits_state_free(), or 0 after a failure. The product may be
 * freed before the state.
 */
gizwits_status gizwits_state_new(gizwits_product product, gizwits_state *state, struct gizwits_error *error);

/**
 * Frees a state. Its handle, and every copy of it, is invalid from then on.
 *
 * Calls of other threads that use the state end first. The handle 0 is refused like any other invalid handle.
 */
gizwits_status gizwits_state_free(gizwits_state state);

/**
 * Decodes a payload of the device and merges its points into the state, if it is a report or reply.
 *
 * `options` is a sum of GIZWITS_DECODE_ constants. `merged` is NULL, or becomes 1 if the payload is a report or reply and
 * 0 if it is any other message, which changes nothing: a control states what somebody wants, not what the device does.
 */
gizwits_status gizwits_state_merge(gizwits_state state,
                                   uint32_t options,
                                   const uint8_t *payload,
                                   size_t payload_length,
                                   uint8_t *merged,
                                   struct gizwits_error *error);

/**
 * Writes a state to `out` as a line of JSON without a line end.
 *
 * The object has the keys `attrs` with the values as in gizwits_decode_json(), `flagged` if a value breaks a rule, and
 * `never_seen` with the names of the points without a known value.
 */
gizwits_status gizwits_state_json(gizwits_state state,
                                  char *out,
                                  size_t capacity,
                                  size_t *length,
                                  struct gizwits_error *error);

/**
 * Writes the known values of a state to `values`, in the order of their ids.
 *
 * `*count` is the number of values. If `capacity` is smaller, no value is written, `*count` is the number that is needed,
 * and the status is GIZWITS_STATUS_OUT_OF_SPACE. The pointers of binaries borrow from the state: they are valid until the
 * next gizwits_state_merge() or gizwits_state_free() for it.
 */
gizwits_status gizwits_state_values(gizwits_state state,
                                    struct gizwits_value *values,
                                    size_t capacity,
                                    size_t *count,
                                    struct gizwits_error *error);

/**
 * Stores the last known value of a point in `*value`.
 *
 * The status is GIZWITS_STATUS_NO_VALUE if the device has not reported the point, and GIZWITS_STATUS_UNKNOWN_POINT if the
 * product does not have it. The pointer of a binary borrows from the state, as in gizwits_state_values().
 */
gizwits_status gizwits_state_value(gizwits_state state,
                                   uint16_t point,
                                   struct gizwits_value *value,
                                   struct gizwits_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* GIZWITS_H */
