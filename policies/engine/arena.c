#include "policies/engine/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

void arena_init(struct arena *arena, void *memory, size_t size)
{
    *arena = (struct arena){.memory = memory, .size = size};
}

void arena_reset(struct arena *arena)
{
    arena->used = 0;
    arena->exhausted = false;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const uintptr_t align = alignof(max_align_t);
    const uintptr_t next = (uintptr_t)arena->memory + arena->used;
    const size_t padding = (size_t)(-next & (align - 1));

    if (padding > arena->size - arena->used || size > arena->size - arena->used - padding) {
        arena->exhausted = true;
        return NULL;
    }
    void *memory = arena->memory + arena->used + padding;
    arena->used += padding + size;
    return memory;
}

void arena_trim(struct arena *arena, const void *newest, size_t size)
{
    const size_t end = (size_t)((const unsigned char *)newest - arena->memory) + size;
    if (end < arena->used)
        arena->used = end;
}

void *arena_zalloc(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        arena->exhausted = true;
        return NULL;
    }
    void *memory = arena_alloc(arena, count * size);
    if (memory)
        memset(memory, 0, count * size);
    return memory;
}

char *arena_copy(struct arena *arena, const void *bytes, size_t length)
{
    if (length == SIZE_MAX) {
        arena->exhausted = true;
        return NULL;
    }
    char *copy = arena_alloc(arena, length + 1);
    if (!copy)
        return NULL;
    if (length > 0)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}
