/* The variables that brought the hook here, and that bring it to children.
 *
 * `warder run` and a host's configuration reach an interpreter through its environment: LD_PRELOAD
 * names this object, WARDER_DOOR, WARDER_RUN, WARDER_SOCKET and WARDER_DAEMON say where the daemon
 * is and which. Python code sees none of it: what is said there is taken when the process comes
 * under policy, and hidden before the interpreter reads its environment. What else stands in
 * LD_PRELOAD stays. (The kernel's copy, /proc/self/environ, still shows all of it.)
 *
 * Whoever starts a program from here puts them back: inherited_environment() is what its
 * environment must have, whatever the caller asked for. Everything is written once, before user
 * code runs, and only read from then on: in any thread, in the child of a fork or vfork, and in a
 * signal handler. */
#ifndef WARDER_CLIENT_HOOK_INHERITED_ENVIRONMENT_H
#define WARDER_CLIENT_HOOK_INHERITED_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

enum {
    INHERITED_VARIABLES_MAX = 5, /* LD_PRELOAD and the four of Warder's */
};

/* Reads the variables; only the first call does. A variable that is not there, or is longer than
 * any that Warder writes, is not taken. */
void inherited_environment_take(void);

/* Takes what was taken out of the process's own environment. Before the interpreter reads it, and
 * only where children get it back another way. No other thread may change the environment meanwhile
 * (setenv(3) has the same condition). */
void inherited_environment_hide(void);

/* "NAME=VALUE" of each variable that a child must have, as it was when it was taken; `*count` of
 * them, at most INHERITED_VARIABLES_MAX, in no order. LD_PRELOAD is missing where it does not name
 * this object: the host preloads it for every program (ld.so.preload), or it was imported. */
const char *const *inherited_environment(size_t *count);

/* The value of LD_PRELOAD or one of Warder's: as it was taken, or, where
 * nothing was taken (a process that attaches itself), as it stands in the environment now. NULL:
 * none. */
const char *inherited_environment_value(const char *name);

#endif
