/* Sets of files and directories, as Landlock takes them: a directory stands for all beneath it.
 *
 * Paths are absolute and normalised; their texts are borrowed. Everything a set allocates is its
 * arena's, and a set that did not fit says so from then on: nobody may go by it. */
#ifndef WARDER_POLICIES_FLOOR_PATH_SET_H
#define WARDER_POLICIES_FLOOR_PATH_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "policies/engine/arena.h"

struct floor_path {
    const char *text; /* not terminated */
    size_t length;
    bool alone; /* this path and nothing beneath it */
};

struct path_set {
    struct arena *arena;
    bool everywhere; /* every path there is; no items then */
    bool failed;     /* the arena was too small */
    struct floor_path *items;
    size_t count;
    size_t capacity;
};

static inline struct path_set path_set_empty(struct arena *arena)
{
    return (struct path_set){.arena = arena};
}

static inline struct path_set path_set_everywhere(struct arena *arena)
{
    return (struct path_set){.arena = arena, .everywhere = true};
}

/* "/" with all beneath it is everywhere. */
void path_set_add(struct path_set *set, const char *text, size_t length, bool alone);

/* What is in either. */
void path_set_join(struct path_set *set, const struct path_set *other);

/* What is in both. Reduces them. */
void path_set_meet(struct path_set *set, struct path_set *other);

/* Sorts, and takes out what another item has already. */
void path_set_reduce(struct path_set *set);

/* The item of the same path and reach, in a reduced set; NULL if there is none. */
const struct floor_path *path_set_find(const struct path_set *set, const struct floor_path *path);

/* Whether every path of `path` is in the set, which is reduced. */
bool path_set_has(const struct path_set *set, const struct floor_path *path);

#endif
