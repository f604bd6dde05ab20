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

/* A file that an action opens. */
struct spawned_open {
    const char *path; /* borrowed from the object */
    int flags;        /* of open(2) */
    bool elsewhere; /* an action before it changes the directory: what a relative path names is not
                       known here */
};

/* The first action of that kind at `*at` or behind it; `*at` is then the one behind that, and
 * `open->elsewhere` stays set once it is: it is to be false for the first call. False if there is
 * no more. */
bool spawn_actions_next_open(const posix_spawn_file_actions_t *actions, int *at,
                             struct spawned_open *open);

/* Does them, in order. 0 or an errno. For the child of a vfork. */
int spawn_actions_do(const posix_spawn_file_actions_t *actions);

#endif
