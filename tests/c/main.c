/* Answers each line with a line. A line begins with the index of a product. */
#include "line.h"

#include <stdio.h>
#include <stdlib.h>

static char line[1u << 18];
static char answer[1u << 20];

int main(void)
{
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *rest;
        unsigned product = (unsigned)strtoul(line, &rest, 10);

        drive(product, rest + 1, answer, sizeof answer);
        puts(answer);
    }
    return 0;
}
