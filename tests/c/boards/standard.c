/* Decodes and encodes messages of two standard products with their generated code, and prints values, bytes and
   results. The output is the same on each board: an `int` of 16 bits, and either byte order, change nothing. */
#include "air-conditioner.h"
#include "board.h"
#include "fractions.h"
#include "print.h"

/* The messages of the vendor's page: a report, and a control. */
static void air_conditioner(void)
{
    static const uint8_t REPORT[] = {0x04, 0x01, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00};
    static const uint8_t CONTROL[] = {0x01, 0x01, 0x01, 0x00, 0x00, 0x10};
    static const uint8_t INVALID[] = {0x01, 0x48, 0x3f, 0x00, 0x00, 0x63};
    air_conditioner_status status;
    air_conditioner_control control;
    air_conditioner_result code;

    air_conditioner_init_status(&status);
    code = air_conditioner_decode_status(REPORT, sizeof REPORT, &status);
    natural("report", code);
    natural(" switch", status.switch_ ? 1u : 0u);
    natural(" set_temp", status.set_temp);
    integer(" room_temp", status.room_temp);
    put('\n');

    status.switch_ = false;
    code = air_conditioner_decode_control(CONTROL, 6u, &control);
    air_conditioner_apply_control(&control, &status);
    natural("control", code);
    natural(" switch", status.switch_ ? 1u : 0u);
    natural(" has set_temp", control.has.set_temp ? 1u : 0u);
    put('\n');
    result("again", air_conditioner_encode_control(&control, p0, sizeof p0, &len));
    result("invalid", air_conditioner_decode_control(INVALID, sizeof INVALID, &control));
    natural("has fan_speed", control.has.fan_speed ? 1u : 0u);
    natural(" has set_temp", control.has.set_temp ? 1u : 0u);
    put('\n');

    status.room_temp = 35;
    result("encoded", air_conditioner_encode_report(&status, p0, sizeof p0, &len));
    status.room_temp = 36;
    result("encoded", air_conditioner_encode_report(&status, p0, sizeof p0, &len));
    status.room_temp = -11;
    result("encoded", air_conditioner_encode_reply(&status, p0, sizeof p0, &len));
}

/* Numbers with ratios and additions, in 8 to 64 bits. */
static void fractions(void)
{
    static const uint8_t REPORTS[][18] = {
        {0x04, 0x00, 0x1c, 0x49, 0x2b, 0x69, 0x03, 0xeb, 0xd3, 0xf3, 0xc5, 0x69, 0x31, 0x85, 0x34, 0xb0, 0x0b, 0x0c},
        {0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x03, 0xe8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00},
        {0x04, 0x01, 0x32, 0xc8, 0x46, 0xb4, 0x9c, 0x40, 0xee, 0x6b, 0x28, 0x00, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xa0},
        {0x04, 0x01, 0x01, 0x0c, 0x23, 0x59, 0x4e, 0x1f, 0x00, 0x00, 0x03, 0xe9, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01},
        {0x04, 0x00, 0x33, 0xc9, 0x46, 0xb5, 0x00, 0x09, 0x00, 0x00, 0x03, 0xe7, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xa1},
        {0x04, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    };
    fractions_status status;
    uint8_t at;

    for (at = 0u; at < sizeof REPORTS / sizeof REPORTS[0]; at++) {
        natural("report", fractions_decode_status(REPORTS[at], sizeof REPORTS[at], &status));
        integer(" half_step", status.half_step);
        integer(" shifted", status.shifted);
        integer(" hundredths", status.hundredths);
        integer(" tenths", status.tenths);
        natural(" thousandths", (uint32_t)status.thousandths);
        natural(" counter", status.counter);
        integer(" quarters", status.quarters);
        put('\n');
        result("again", fractions_encode_report(&status, p0, sizeof p0, &len));
    }
    status.half_step = 52;
    result("off step", fractions_encode_report(&status, p0, sizeof p0, &len));
}

int main(void)
{
    air_conditioner();
    fractions();
    stop();
    return 0;
}
