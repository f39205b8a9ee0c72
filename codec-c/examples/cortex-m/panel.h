/* A climate panel: an application with all of a link. */
#ifndef PANEL_H
#define PANEL_H

#include <stdbool.h>
#include <stdint.h>

/* What the panel runs on. */
bool machine_read(uint8_t *byte);
void machine_write(void *context, uint8_t byte);
uint32_t machine_now(void);
bool machine_goes_on(void);
/* The button that is pressed; 0 is none. */
uint8_t machine_button(void);
/* The module wants a restart. */
void machine_restart(void);

/* Runs the panel. */
void panel_run(void);

#endif
