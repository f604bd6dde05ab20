/* A bump allocator over memory that somebody else owns.
 *
 * The memory is given once (a static buffer, a mapping, a stack array); allocation moves a mark and
 * fails when the end is reached, so an arena is also a bound. Nothing is freed singly: arena_reset
 * takes everything back. Not safe for threads; each user has its own.
 *
 * Used where the path of a verdict must allocate nothing: argument reading in the hook, mapping of
 * events to operations, decoding of messages. */
#ifndef WARDER_POLICIES_ENGINE_ARENA_H
#define WARDER_POLICIES_ENGINE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena {
    unsigned char *memory; /* not owned */
    size_t size;           /* bytes */
    size_t used;           /* bytes, never above size */
    bool exhausted;        /* an allocation has failed since the last reset */
};

void arena_init(struct arena *arena, void *memory, size_t size);

/* Forgets every allocation; the memory is not cleared. */
void arena_reset(struct arena *arena);

/* `size` bytes aligned for any type, uninitialised; NULL, and `exhausted` set, when they do not
 * fit. A size of 0 gives a valid pointer to nothing. */
void *arena_alloc(struct arena *arena, size_t size);

/* Shrinks the newest allocation to its first `size` bytes; the rest is free again. */
void arena_trim(struct arena *arena, const void *newest, size_t size);

/* `count` elements of `size` bytes, zeroed; NULL when they do not fit or the product overflows. */
void *arena_zalloc(struct arena *arena, size_t count, size_t size);

/* A copy of `length` bytes with a NUL behind them, which `length` does not count. */
char *arena_copy(struct arena *arena, const void *bytes, size_t length);

#endif
