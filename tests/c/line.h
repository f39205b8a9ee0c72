/* The line that a driver reads and the answer that it writes, for the drivers of all products. */
#ifndef LINE_H
#define LINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The drivers of all products, in a table that the tests write. Each answers the rest of a line, whose first letter
   is the command. */
typedef void driver(char command);
extern driver *const DRIVERS[];

/* Returns the next word, or an empty text. */
const char *next(void);

/* Reads a word of hex digits to a block of exactly that length, so that a sanitizer sees each access past it. */
uint8_t *hex(size_t *len);

/* Adds text to the answer. */
void say(const char *format, ...);

/* Adds bytes to the answer, in hex digits. */
void show(const uint8_t *bytes, size_t len);

/* Lets the driver of a product answer a line, which is changed. Returns the length of the answer without its NUL. The
   program ends if the answer is longer than `room`. */
size_t drive(unsigned product, char *line, char *answer, size_t room);

#ifdef __cplusplus
}
#endif

#endif
