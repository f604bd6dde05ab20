#include "policies/language/storage.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 64 * 1024 };

struct storage_chunk {
    struct storage_chunk *next;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

void storage_deinit(struct storage *storage)
{
    while (storage->chunks) {
        struct storage_chunk *chunk = storage->chunks;
        storage->chunks = chunk->next;
        free(chunk);
    }
    *storage = (struct storage){0};
}

static struct storage_chunk *new_chunk(struct storage *storage, size_t size)
{
    struct storage_chunk *chunk = NULL;
    if (size <= SIZE_MAX - sizeof(*chunk) &&
        (storage->limit == 0 ||
         (storage->size <= storage->limit && size <= storage->limit - storage->size)))
        chunk = malloc(sizeof(*chunk) + size);
    if (!chunk) {
        storage->failed = true;
        return NULL;
    }
    storage->size += size;
    chunk->size = size;
    chunk->used = 0;
    /* A large piece gets a chunk of its own, behind the one that is being filled. */
    if (storage->chunks && size > CHUNK_SIZE) {
        chunk->next = storage->chunks->next;
        storage->chunks->next = chunk;
    } else {
        chunk->next = storage->chunks;
        storage->chunks = chunk;
    }
    return chunk;
}

void *storage_take(struct storage *storage, size_t count, size_t size)
{
    const size_t align = alignof(max_align_t);

    if (size != 0 && count > (SIZE_MAX - align) / size) {
        storage->failed = true;
        return NULL;
    }
    const size_t need = (count * size + align - 1) / align * align;
    struct storage_chunk *chunk = storage->chunks;
    if (!chunk || need > chunk->size - chunk->used)
        chunk = new_chunk(storage, need > CHUNK_SIZE ? need : CHUNK_SIZE);
    if (!chunk)
        return NULL;
    void *memory = chunk->bytes + chunk->used;
    chunk->used += need;
    return memset(memory, 0, need);
}

char *storage_copy(struct storage *storage, const char *bytes, size_t length)
{
    char *copy = length < SIZE_MAX ? storage_take(storage, length + 1, 1) : NULL;
    if (copy && length > 0)
        memcpy(copy, bytes, length);
    return copy;
}
