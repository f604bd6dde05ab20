/* This process's environment, while other threads change it.
 *
 * setenv(3) moves the list of variables to where there is more room and frees the old one. The
 * interpreter lock keeps CPython from that; where a build has none, or a thread of C does it,
 * nothing can. So a page is read once the kernel has said that it can be, a list for as long as it
 * is the process's, and what was read counts if the list is the same after it. The variables
 * themselves stay: libc frees none. A variable that is taken out meanwhile may hide the one behind
 * it.
 *
 * For the child of a vfork too: nothing is allocated but in the caller's arena, and errno stands.
 */
#ifndef WARDER_CLIENT_HOOK_PROCESS_ENVIRONMENT_H
#define WARDER_CLIENT_HOOK_PROCESS_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/arena.h"

enum { ENVIRONMENT_TRIES = 8 }; /* a list that is moved again each time is given up */

struct environment_walk {
    char *const *list;
    size_t at;
    uintptr_t readable; /* the page of variables that was found so last */
    uintptr_t listed;   /* the same of the list */
    bool own;           /* the list is to be the process's own all the while */
    bool broken;        /* what should be there cannot be read */
};

/* Variables one by one, "NAME=value" and its length; NULL behind the last. */
void environment_walk_begin(struct environment_walk *walk);
const char *environment_walk_next(struct environment_walk *walk, size_t *length);

/* The same of any list of texts, which may be no such thing. */
void environment_walk_over(struct environment_walk *walk, char *const *list);

/* Copies of what a walk finds, from its beginning, in a list that NULL ends. NULL if they do not
 * fit. */
char *const *environment_walk_copy(struct environment_walk *walk, struct arena *arena,
                                   size_t *count);

/* True if what the walk has found is what was there. */
bool environment_walk_holds(const struct environment_walk *walk);

/* The value as getenv(3) gives it. `*known` false if the list did not stand still. */
const char *process_environment_get(const char *name, bool *known);

/* Copies, in a list that NULL ends. NULL if they do not fit (the arena is exhausted then), or the
 * list did not stand still. */
char *const *process_environment_copy(struct arena *arena);

/* True if a list is the process's own. */
bool process_environment_is(char *const *list);

#endif
