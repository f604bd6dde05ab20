#include "policies/language/name_table.h"

#include <string.h>

static uint64_t hash_of(const char *text, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325U; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3U;
    return hash;
}

/* The entry of the name, or the free one where it belongs. */
static struct name_entry *slot(const struct name_table *table, const char *text, size_t length,
                               uint64_t hash)
{
    for (size_t i = (size_t)hash;; i++) {
        struct name_entry *entry = &table->entries[i & (table->capacity - 1)];
        if (!entry->meaning || (entry->hash == hash && entry->length == length &&
                                memcmp(entry->text, text, length) == 0))
            return entry;
    }
}

void *name_table_find(const struct name_table *table, const char *text, size_t length)
{
    if (table->count == 0)
        return NULL;
    return slot(table, text, length, hash_of(text, length))->meaning;
}

static void grow(struct name_table *table, struct storage *storage)
{
    struct name_table larger = {.capacity = table->capacity > 0 ? 2 * table->capacity : 16,
                                .count = table->count};
    larger.entries = storage_take(storage, larger.capacity, sizeof(*larger.entries));
    if (!larger.entries)
        return;
    for (size_t i = 0; i < table->capacity; i++) {
        const struct name_entry *entry = &table->entries[i];
        if (entry->meaning)
            *slot(&larger, entry->text, entry->length, entry->hash) = *entry;
    }
    *table = larger;
}

void *name_table_add(struct name_table *table, struct storage *storage, const char *text,
                     size_t length, void *meaning)
{
    if (2 * (table->count + 1) > table->capacity)
        grow(table, storage);
    if (table->count + 1 >= table->capacity)
        return NULL; /* the storage has failed; one free entry is always left */
    const uint64_t hash = hash_of(text, length);
    struct name_entry *entry = slot(table, text, length, hash);
    if (entry->meaning)
        return entry->meaning;
    *entry = (struct name_entry){text, length, hash, meaning};
    table->count++;
    return NULL;
}
