/* The end of the process where no exception can carry a denial: one clear line, then out.
 *
 * Nothing is flushed and no handler runs: they would be the interpreter's own code. */
#ifndef WARDER_CLIENT_HOOK_FATAL_H
#define WARDER_CLIENT_HOOK_FATAL_H

#include <stdnoreturn.h>

enum {
    /* What a shell gives for "found, but not allowed to run": it may not go on. */
    FATAL_EXIT_STATUS = 126,
};

/* Writes the line to standard error, with a newline, and ends the process. */
noreturn void fatal_end(const char *line);

/* The same with what it means behind it. */
noreturn void fatal_end_because(const char *line, const char *why);

#endif
