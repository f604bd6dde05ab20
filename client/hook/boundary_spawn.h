/* posix_spawn under judgement: a child that shares this memory and has descriptors, directory and
 * signal handlers of its own does its file actions, and then judges and executes as any other child
 * does (boundary_exec.h). No other thread reaches its table, and a descriptor that an action puts
 * in another's place is judged in that place. */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_SPAWN_H
#define WARDER_CLIENT_HOOK_BOUNDARY_SPAWN_H

#include <spawn.h>
#include <stdbool.h>
#include <sys/types.h>

#include "client/hook/boundary_exec.h"
#include "client/hook/real_libc.h"

struct spawn_call {
    const char *event;
    const char *path;
    bool search; /* along PATH, as posix_spawnp does */
    const posix_spawn_file_actions_t *actions;
    const posix_spawnattr_t *attributes;
    char *const *argv;
    char *const *environment;
    bool own_environment; /* it is the process's, which others may be changing */
};

/* A number of a child, or a descriptor of one, in the second. */
typedef int judged_spawn_function(const struct spawn_call *call, int *outcome);

/* 0 and the child's number, or an errno, as posix_spawn(3). What was denied is kept for
 * strerror(). */
int boundary_spawn(const struct spawn_call *call, pid_t *child);

/* The two of pidfd_spawn(3). */
int boundary_spawn_pidfd(const struct spawn_call *call, int *descriptor);

/* The real function, with nothing to judge but a child to send the hook along with. */
int boundary_spawn_unjudged(spawn_function *real, const struct spawn_call *call, int *child);

#endif
