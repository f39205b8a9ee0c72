/*
 * Decodes two frames, reads values by name, and encodes a control, with a definition that is loaded at run time.
 *
 *     make && ./host ../../tests/fixtures/air-conditioner.json
 */
#include <gizwits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A status of an air conditioner and a control that switches it on, each in an M2M frame. */
static const char *const FRAMES[] = {
    "000000030b0000910401000010000000",
    "0000000309000090010101000010",
};

/* Ends the program if a call has failed. `error` is that of the call, or NULL. */
static void check(gizwits_status status, const gizwits_error *error)
{
    if (status != GIZWITS_STATUS_OK) {
        fprintf(stderr, "error: %s: %s\n", gizwits_status_name(status), (error != NULL) ? error->text : "");
        exit(EXIT_FAILURE);
    }
}

/* Returns the text of a file, which the caller frees. */
static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    long size = -1;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) > 0) {
        rewind(file);
        text = malloc((size_t)size);
    }
    if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    fclose(file);
    *length = (size_t)size;
    return text;
}

/* Prints the value of the point with this name, if the message has it. */
static void print_point(gizwits_product product, const uint8_t *payload, size_t length, const char *name)
{
    gizwits_error error;
    gizwits_value value;
    uint16_t point;
    check(gizwits_point_find(product, name, strlen(name), &point, &error), &error);
    gizwits_status status = gizwits_decode_point(product, GIZWITS_DECODE_ANY, payload, length, point, &value, &error);
    if (status == GIZWITS_STATUS_NO_VALUE) {
        printf("  %s is not in the message\n", name);
        return;
    }
    check(status, &error);
    if (value.kind == GIZWITS_KIND_ENUM) {
        char label[64];
        size_t label_length;
        check(gizwits_point_label(product, point, value.raw, label, sizeof label, &label_length, &error), &error);
        printf("  %s is %s\n", name, label);
    } else {
        printf("  %s is %g, raw %lu\n", name, value.number, (unsigned long)value.raw);
    }
}

/* Prints a payload as JSON, and two of its points. */
static void print_payload(gizwits_product product, const char *text)
{
    gizwits_error error;
    uint8_t payload[64];
    size_t length, needed;
    check(gizwits_payload_parse(text, strlen(text), payload, sizeof payload, &length, &error), &error);

    /* The first call asks for the length, the second one fills memory of this length and a NUL. */
    gizwits_status status =
        gizwits_decode_json(product, GIZWITS_DECODE_ANY, payload, length, NULL, 0, &needed, &error);
    if (status != GIZWITS_STATUS_OUT_OF_SPACE) {
        check(status, &error);
    }
    char *json = malloc(needed + 1);
    if (json == NULL) {
        exit(EXIT_FAILURE);
    }
    check(gizwits_decode_json(product, GIZWITS_DECODE_ANY, payload, length, json, needed + 1, &needed, &error), &error);
    puts(json);
    free(json);
    print_point(product, payload, length, "mode");
    print_point(product, payload, length, "room_temp");
}

/* Prints the control that sets points, or the reason why it is refused. */
static void print_control(gizwits_product product, const char *json)
{
    gizwits_error error;
    uint8_t control[64];
    size_t length, index;
    gizwits_status status = gizwits_encode_json(product, GIZWITS_ACTION_CONTROL, GIZWITS_ENCODE_EXACT, json,
                                                strlen(json), control, sizeof control, &length, &error);
    if (status != GIZWITS_STATUS_OK) {
        printf("%s: %s\n", gizwits_status_name(status), error.text);
        return;
    }
    for (index = 0; index < length; index++) {
        printf("%02x", (unsigned)control[index]);
    }
    putchar('\n');
}

int main(int count, char **arguments)
{
    gizwits_error error;
    gizwits_product product;
    size_t length, index;
    if (count != 2) {
        fprintf(stderr, "usage: %s DEFINITION.json\n", arguments[0]);
        return EXIT_FAILURE;
    }
    char *definition = read_file(arguments[1], &length);
    check(gizwits_product_new(definition, length, &product, &error), &error);
    free(definition);
    for (index = 0; index < sizeof FRAMES / sizeof *FRAMES; index++) {
        print_payload(product, FRAMES[index]);
    }
    print_control(product, "{\"switch\": true, \"set_temp\": 24}");
    print_control(product, "{\"set_temp\": 31}");
    check(gizwits_product_free(product), NULL);
    return EXIT_SUCCESS;
}
