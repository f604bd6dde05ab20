/* What the kernel opens beside a program to start it: the interpreter of a `#!` script, the loader
 * of a dynamic executable. */
#ifndef WARDER_CLIENT_FLOOR_PROGRAM_NEEDS_H
#define WARDER_CLIENT_FLOOR_PROGRAM_NEEDS_H

#include <stdbool.h>
#include <stddef.h>

enum {
    PROGRAM_NEEDS_MAX = 6, /* a script's interpreter may be a script, five times (fs/exec.c) */
};

/* True with the path in `need` if the file names one; false for a static executable, and for what
 * is no program or cannot be read. */
bool program_need(const char *path, char *need, size_t size);

#endif
