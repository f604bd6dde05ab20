/* Which processes are Python interpreters, seen from outside: those that have mapped an object
 * which exports PySys_AddAuditHook, or Py_Initialize as those before 3.8 do too. The loader skips a
 * preload that it cannot use and runs the program all the same; this is how `warder run` notices.
 */
#ifndef WARDER_CLIENT_CLI_INTERPRETER_H
#define WARDER_CLIENT_CLI_INTERPRETER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What was found of a process so far. Zero-initialised. */
struct interpreter_watch {
    uint64_t image;     /* tells one exec of the process from the next */
    uint64_t files[64]; /* inodes of mapped files that are known to be none */
    unsigned file_count;
    bool is_interpreter;
};

/* Looks at a process again; true if it is an interpreter. `*fresh` if it runs another program than
 * at the last look. False as well where it may not be looked at. */
bool interpreter_look(struct interpreter_watch *watch, pid_t pid, bool *fresh);

#endif
