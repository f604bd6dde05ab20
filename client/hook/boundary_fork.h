/* Duplicating the process: judged before libc does it.
 *
 * fork, daemon and forkpty are called from here; vfork, clone and syscall are jumped to, because
 * their child comes back on a stack that nobody may have left or changed
 * (boundary_jump_ARCHITECTURE.S): what is here says where to. */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_FORK_H
#define WARDER_CLIENT_HOOK_BOUNDARY_FORK_H

#include <stdbool.h>
#include <sys/types.h>

/* True if the fork may be; else errno is set. Afterwards boundary_forked must be called, in both
 * processes. */
bool boundary_may_fork(const char *event);
void boundary_forked(bool child);

/* True in a child that was let be on the way to an allowed exec, by a policy that denies forks: it
 * may do nothing else. */
extern bool boundary_fork_only_execs __attribute__((visibility("hidden"))); /* for this alone */
static inline bool boundary_only_execs(void)
{
    return boundary_fork_only_execs;
}

/* Where vfork and clone go on; NULL, and errno set, if they do not. */
void *boundary_vfork_target(void);
void *boundary_clone_target(int flags);

/* The arguments of a syscall() with one of the numbers that concern us, as they stand in registers.
 * Where it goes on, or NULL: then the result is in `result`, errno set as syscall() does. */
struct syscall_frame {
    long number;
    long arguments[6];
    long result;
};
void *boundary_syscall_target(struct syscall_frame *frame);

#endif
