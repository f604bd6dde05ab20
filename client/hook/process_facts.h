/* What the process says of itself in Hello: its program, arguments, script and places; and where
 * the daemon is.
 *
 * Taken from the kernel's view of the process (/proc/self, the auxiliary vector), not from
 * variables that could be set before: but it is the process that says it, so it binds its own
 * session alone. The environment is asked only for what `warder run` left there, and only where
 * that cannot take a host's interpreter away from its host's daemon. */
#ifndef WARDER_CLIENT_HOOK_PROCESS_FACTS_H
#define WARDER_CLIENT_HOOK_PROCESS_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "policies/engine/arena.h"
#include "proto/message.h"

struct process_facts {
    int descriptors[2]; /* executable, directory; those that could be opened */
    int descriptor_count;
};

/* Fills in Hello (initialised here) but for route, wishes, nonce and parent. What does not fit the
 * arena is left out. */
void process_facts_collect(struct process_facts *facts, const char *python_version,
                           struct arena *arena, Warder__V1__Hello *hello);
void process_facts_release(struct process_facts *facts);

/* Keeps argv, terminated by NULL, for a process that a floor keeps from reading /proc: a forked
 * child, or an interpreter that was started below one. NULL: there is none to keep. */
void process_facts_note_arguments(char *const *arguments);

/* The descriptor of the door that `warder run` left open (WARDER_DOOR), taken: later calls, and
 * children, do not get it. -1 if there is none that leads to a daemon this process may trust. */
int process_door(void);

/* Where the daemon's session socket is: `wanted` if given, the host's if it is there, what `warder
 * run` said (WARDER_SOCKET), the host's place otherwise. */
void process_session_socket(const char *wanted, char *path, size_t size);

/* Which process must answer there: that of a private daemon, as `warder run` said (WARDER_DAEMON);
 * its socket lies in a directory of the program's own user, who can put another in its place. 0:
 * the owner of the socket says enough. */
pid_t process_session_daemon(const char *wanted);

#endif
