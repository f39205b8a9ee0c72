/* What the programs of the boards print. */
#ifndef PRINT_H
#define PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The message that is encoded, and its length. */
extern uint8_t p0[32];
extern size_t len;

/* Prints text. */
void text(const char *letters);

/* Prints a name and a number. */
void natural(const char *name, uint32_t value);
void integer(const char *name, int32_t value);

/* Prints a name and bytes. */
void bytes(const char *name, const uint8_t *from, size_t count);

/* Prints a name and the encoded message, or the code and the point of the result, which all products have. */
void result(const char *name, uint16_t code);

#endif
