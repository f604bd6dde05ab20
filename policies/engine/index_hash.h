/* The hash that the indexes of a compiled policy are built and read with.
 *
 * Not secret: a policy that is made to collide makes its own look-ups slow, which the budget of an
 * evaluation bounds. */
#ifndef WARDER_POLICIES_ENGINE_INDEX_HASH_H
#define WARDER_POLICIES_ENGINE_INDEX_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t index_hash_mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15U; /* 2^64 / the golden ratio */
    return hash ^ hash >> 29;
}

static inline unsigned char index_folded(char c)
{
    const unsigned char byte = (unsigned char)c;
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
}

/* Continues `hash` by these bytes and their number. */
static inline uint64_t index_hash_bytes(uint64_t hash, const char *bytes, size_t length)
{
    const size_t all = length;
    uint64_t word;

    for (; length >= sizeof(word); bytes += sizeof(word), length -= sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        hash = index_hash_mix(hash, word);
    }
    word = 0;
    for (size_t i = 0; i < length; i++)
        word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    return index_hash_mix(index_hash_mix(hash, word), all);
}

/* The same of the bytes with ASCII letters in lower case. */
static inline uint64_t index_hash_folded(uint64_t hash, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = index_hash_mix(hash, index_folded(bytes[i]));
    return index_hash_mix(hash, length);
}

/* What a look-up's hashes begin with. */
static inline uint64_t index_hash_of_lookup(uint32_t lookup)
{
    return index_hash_mix(0x77617264, lookup);
}

/* The slot of a hash, of a power of two of them. */
static inline uint32_t index_slot(uint64_t hash, uint32_t slots)
{
    return (uint32_t)(hash >> 32) & (slots - 1);
}

#endif
