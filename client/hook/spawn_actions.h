/* The file actions of posix_spawn, read out of libc's own object.
 *
 * libc has functions to add actions and none to read them. What an object holds is the same in
 * every glibc so far, but it is nobody's promise: the first time, an object is made with known
 * actions and looked at, and where it does not hold them as expected no action is read, and no call
 * that has any is made. */
#ifndef WARDER_CLIENT_HOOK_SPAWN_ACTIONS_H
#define WARDER_CLIENT_HOOK_SPAWN_ACTIONS_H

#include <spawn.h>
#include <stdbool.h>
#include <sys/types.h>

/* True if this libc's objects can be read. Allocates: not in the child of a vfork. */
bool spawn_actions_are_known(void);

/* Does them, in order. 0 or an errno. For the child of a vfork. */
int spawn_actions_do(const posix_spawn_file_actions_t *actions);

#endif
