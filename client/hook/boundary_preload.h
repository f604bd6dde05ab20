/* What keeps the loader from bringing this object into a program that is started, which then runs
 * without Warder: the loader says so and goes on.
 *
 * The file is gone (own_file.h); the program gets other rights than its user's, so that the loader
 * takes no preload for it; a limit of the process is too low to map the object. An exec of a
 * program that the hook is meant to reach is refused for these where a policy could deny one.
 * Limits are the process's own: nobody here may set another's meanwhile
 * (boundary_limits_calls_linux.c), and in the process that executes itself no other thread may
 * lower them. */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_PRELOAD_H
#define WARDER_CLIENT_HOOK_BOUNDARY_PRELOAD_H

#include <stdbool.h>
#include <sys/resource.h>

/* In words for a person; NULL if nothing does. System calls alone: for the child of a vfork too. */
const char *boundary_preload_hindered(void);

/* From here to the release this process's limits are not lowered beneath what is needed. False if
 * that cannot be had in time. Not for the child of a vfork, whose limits are its own. */
bool boundary_preload_hold(void);
void boundary_preload_release(void);

/* Around a call that sets a limit of this process. False: it is not to be made now. */
bool boundary_preload_may_lower(int resource, const struct rlimit *limit);
void boundary_preload_lowered(int resource, const struct rlimit *limit);

/* Sees to it that forked children begin anew. Once. */
void boundary_preload_begin(void);

#endif
