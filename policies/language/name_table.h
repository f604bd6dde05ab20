/* Names and what they stand for: a hash table in a compilation's storage. */
#ifndef WARDER_POLICIES_LANGUAGE_NAME_TABLE_H
#define WARDER_POLICIES_LANGUAGE_NAME_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "policies/language/storage.h"

struct name_entry {
    const char *text; /* borrowed */
    size_t length;
    uint64_t hash;
    void *meaning; /* never NULL in an entry that is used */
};

/* Zeroed is empty. */
struct name_table {
    struct name_entry *entries;
    size_t capacity; /* a power of two */
    size_t count;
};

/* NULL if the name is not there. */
void *name_table_find(const struct name_table *table, const char *text, size_t length);

/* What the name already stands for, and nothing is changed; else NULL, and it stands for `meaning`
 * from now on. On lack of memory NULL, and the storage has failed. */
void *name_table_add(struct name_table *table, struct storage *storage, const char *text,
                     size_t length, void *meaning);

#endif
