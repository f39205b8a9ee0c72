/* What a simulated board does for the demo. */
#ifndef BOARD_H
#define BOARD_H

/* Writes a character to the output. */
void put(char letter);

/* Ends the simulation. */
void stop(void);

#endif
