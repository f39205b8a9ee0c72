/* An 8051 or an STM8 under uCsim, whose simulator interface is one byte of memory: `p` prints the next byte, and `s`
   ends the simulation. */
#include "board.h"

#ifdef __SDCC_mcs51
#define INTERFACE (*(volatile unsigned char __xdata *)0xffff)
#else
#define INTERFACE (*(volatile unsigned char *)0x57ff)
#endif

void put(char letter)
{
    INTERFACE = 'p';
    INTERFACE = (unsigned char)letter;
}

void stop(void)
{
    INTERFACE = 's';
    for (;;) {
    }
}
