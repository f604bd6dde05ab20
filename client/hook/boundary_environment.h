/* The environment of a program that is started.
 *
 * What brought the hook into this process goes with every child, also where the environment was
 * emptied: the preload, and what `warder run` left for finding the daemon. Both are as they were
 * when this process started (inherited_environment.h); what the program has written there since
 * does not count.
 *
 * Where a policy could deny an exec, of all others pass: what any program may be told (PATH, HOME,
 * LANG and the like), variables that stand as this process found them (first_environment.h) and
 * make no program run something else than what it is started with, and what the rule that allowed
 * the exec names.
 */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_ENVIRONMENT_H
#define WARDER_CLIENT_HOOK_BOUNDARY_ENVIRONMENT_H

#include <stdbool.h>

#include "policies/engine/arena.h"

/* `held`: variables are kept back but for those above; `passed` are names that are each
 * terminated, the last one by an empty one. Entries are borrowed from `environment` (which may be
 * NULL), the list is made in the arena; `environment` itself where there is nothing to change. NULL
 * if the arena is too small. */
char *const *boundary_environment_for_child(char *const *environment, bool held, const char *passed,
                                            struct arena *arena);

#endif
