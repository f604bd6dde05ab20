/* Which processes are Python interpreters, seen from outside: those that have mapped an object
 * which exports PySys_AddAuditHook, or Py_Initialize as those before 3.8 do too. The loader skips a
 * preload that it cannot use and runs the program all the same; this is how `warder run` notices.
 */
#ifndef WARDER_CLIENT_CLI_INTERPRETER_H
#define WARDER_CLIENT_CLI_INTERPRETER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What was found of a process so far. Zero-initialised but for `hook`. */
struct interpreter_watch {
    const char *hook;   /* path of libwarder.so, links resolved; borrowed */
    uint64_t image;     /* tells one exec of the process from the next */
    uint64_t files[64]; /* inodes of mapped files that are known to be none */
    unsigned file_count;
    bool is_interpreter;
    bool has_hook; /* has mapped it: what the process does until it is welcomed is the hook's */
};

/* Looks at a process again; true if it is an interpreter. `*fresh` if it runs another program than
 * at the last look. False as well where it may not be looked at. */
bool interpreter_look(struct interpreter_watch *watch, pid_t pid, bool *fresh);

/* How long the process has waited for a processor since it began, in milliseconds; 0 where the
 * kernel does not say. `*stopped` if a signal has stopped it, or a debugger. */
int64_t interpreter_waited(pid_t pid, bool *stopped);

#endif
