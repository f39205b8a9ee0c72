/* Decodes and encodes messages of a var_len product with its generated code. Small 8051s have no room for the
   temporary variables of three products in one program. */
#include "board.h"
#include "print.h"
#include "voice-toy.h"

/* Messages with some of the points. */
static void voice_toy(void)
{
    static const uint8_t REPORT[] = {0x14, 0xff, 0x17, 0x15, 0x41, 0x0d, 0x77, 0x7b, 0x56, 0x86, 0xaa};
    static const uint8_t PART[] = {0x14, 0x88, 0x01, 0x3f, 0x2d, 0x46, 0x83, 0x51, 0x27};
    static const uint8_t CONTROL[] = {0x11, 0x5b, 0x13, 0x42};
    static const uint8_t READ[] = {0x12, 0x45};
    voice_toy_status status;
    voice_toy_control control;
    uint8_t points[VOICE_TOY_MASK_LEN];

    voice_toy_init_status(&status);
    natural("report", voice_toy_decode_status(REPORT, sizeof REPORT, &status, points));
    natural(" part", voice_toy_decode_status(PART, sizeof PART, &status, points));
    bytes(" points", points, sizeof points);
    natural(" charge_status", status.charge_status);
    natural(" volume_set", status.volume_set);
    bytes(" firmware", status.firmware, sizeof status.firmware);
    put('\n');
    result("reply", voice_toy_encode_reply(&status, points, p0, sizeof p0, &len));

    natural("control", voice_toy_decode_control(CONTROL, sizeof CONTROL, &control));
    voice_toy_apply_control(&control, &status);
    natural(" has volume_set", control.has.volume_set ? 1u : 0u);
    natural(" chat_mode", status.chat_mode);
    natural(" brightness", status.brightness);
    put('\n');
    result("again", voice_toy_encode_control(&control, p0, sizeof p0, &len));

    natural("read", voice_toy_decode_read(READ, sizeof READ, points));
    bytes(" points", points, sizeof points);
    put('\n');
    result("answer", voice_toy_encode_reply(&status, points, p0, sizeof p0, &len));
    result("short", voice_toy_encode_report(&status, NULL, p0, VOICE_TOY_STATUS_LEN - 1u, &len));
}

int main(void)
{
    voice_toy();
    stop();
    return 0;
}
