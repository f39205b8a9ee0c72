/* A Cortex-M of QEMU: its serial port, its timer, and semihosting. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

/* The serial port of mps2-an385. */
void board_start(void);
bool board_read(uint8_t *byte);
void board_write(uint8_t byte);

/* The time in milliseconds since the start. Must be called a few times a second. */
uint32_t board_now(void);

/* Writes a text, and a number. */
void board_say(const char *text);
void board_say_number(uint32_t number);

/* Ends the program: 0 is a success. */
void board_exit(int code);

/* Restarts the machine. */
void board_reset(void);

/* Returns the number of bytes of stack that a function needs, with all that it calls. */
uint32_t board_stack_of(void (*function)(void));

#endif
