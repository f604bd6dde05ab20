/* Executing a program: the heart of the C boundary.
 *
 * The strings of the call are copied, the file is opened, and what is opened is judged and
 * executed, through its descriptor; a `#!` is seen through, and the interpreter is what is
 * executed. Where no policy could deny an exec, the call is made as it was asked for, after it was
 * told for the record.
 *
 * For the process itself, for the child of a fork and for that of a vfork; only calls that are safe
 * there, and no memory but boundary_memory.h's. */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_EXEC_H
#define WARDER_CLIENT_HOOK_BOUNDARY_EXEC_H

#include <stdbool.h>
#include <stdint.h>

#include "client/hook/hook_session.h"

struct exec_call {
    const char *event; /* libc.execve */
    int directory;     /* that a relative path is taken from; AT_FDCWD */
    const char *path;
    int flags;   /* of execveat(2) */
    bool search; /* a name without a separator is looked for along PATH, and what the kernel does
                    not know is given to the shell, as execvp(3) does */
    char *const *argv;
    char *const *environment;
    bool own_environment;        /* it is the process's, which others may be changing */
    const uint64_t *signal_mask; /* to be set before the program starts; NULL: it stands */
};

/* What became of a call that has not become another program. */
struct exec_failure {
    int error;            /* errno */
    bool denied;          /* by a policy, and `error` is EACCES */
    struct answer answer; /* of a denial */
};

/* Comes back with what went wrong. Does not set errno. */
void boundary_exec(const struct exec_call *call, struct exec_failure *failure);

/* The same as a function of libc: -1 and errno; what was denied is kept for strerror(). */
int boundary_exec_or_fail(const struct exec_call *call);

#endif
