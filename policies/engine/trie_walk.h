/* How a text falls into the components of a trie of the compiled policy: for its builder and for
 * its reader. */
#ifndef WARDER_POLICIES_ENGINE_TRIE_WALK_H
#define WARDER_POLICIES_ENGINE_TRIE_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "policies/engine/block_layout.h"
#include "policies/engine/index_hash.h"

/* The byte that is `at` bytes from the side where the components begin. */
static inline char trie_byte(enum lookup_kind kind, const char *text, size_t length, size_t at)
{
    return text[kind == LOOKUP_DOMAIN ? length - 1 - at : at];
}

/* Where the component that begins `at` bytes from the side ends: before the next separator, which
 * belongs to the component behind it. `at` is less than `length`. */
static inline size_t trie_component_end(enum lookup_kind kind, const char *text, size_t length,
                                        size_t at)
{
    const char separator = kind == LOOKUP_PATH ? '/' : '.';
    size_t end = at + 1;

    while (end < length && trie_byte(kind, text, length, end) != separator)
        end++;
    return end;
}

/* Where the bytes from `at` to `end`, counted from the side, stand in the text. */
static inline const char *trie_bytes(enum lookup_kind kind, const char *text, size_t length,
                                     size_t at, size_t end)
{
    return kind == LOOKUP_DOMAIN ? text + length - end : text + at;
}

/* Continues the hash of the components before by this one. */
static inline uint64_t trie_hash(enum lookup_kind kind, uint64_t hash, const char *text,
                                 size_t length, size_t at, size_t end)
{
    const char *bytes = trie_bytes(kind, text, length, at, end);
    return kind == LOOKUP_DOMAIN ? index_hash_folded(hash, bytes, end - at)
                                 : index_hash_bytes(hash, bytes, end - at);
}

#endif
