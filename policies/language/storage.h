/* Memory of one compilation: tokens, syntax trees and what the checker finds out, taken in pieces
 * and given back all at once. */
#ifndef WARDER_POLICIES_LANGUAGE_STORAGE_H
#define WARDER_POLICIES_LANGUAGE_STORAGE_H

#include <stdbool.h>
#include <stddef.h>

struct storage_chunk;

/* Zeroed is empty. */
struct storage {
    struct storage_chunk *chunks;
    size_t size;  /* bytes of all chunks */
    size_t limit; /* that they may have; 0: no limit */
    bool failed;  /* an allocation has failed */
};

void storage_deinit(struct storage *storage);

/* `count` zeroed elements of `size` bytes, aligned for any type; NULL, and `failed` set, if they
 * cannot be had. */
void *storage_take(struct storage *storage, size_t count, size_t size);

/* A terminated copy. */
char *storage_copy(struct storage *storage, const char *bytes, size_t length);

#endif
