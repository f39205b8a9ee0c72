/* An ATmega328P under simavr, which prints what the serial port sends and ends when the processor sleeps without
   interrupts. */
#include "board.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

void put(char letter)
{
    UCSR0B = _BV(TXEN0);
    while ((UCSR0A & _BV(UDRE0)) == 0) {
    }
    UDR0 = (uint8_t)letter;
}

void stop(void)
{
    cli();
    sleep_enable();
    sleep_cpu();
}
