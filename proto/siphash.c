#include "proto/siphash.h"

#include <string.h>

static uint64_t load64(const unsigned char *bytes)
{
    uint64_t word = 0;
    for (int i = 0; i < 8; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

static void store64(unsigned char *bytes, uint64_t word)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(word >> (8 * i));
}

static inline uint64_t rotate(uint64_t word, int bits)
{
    return (word << bits) | (word >> (64 - bits));
}

static inline void rounds(uint64_t v[4], int count)
{
    for (int i = 0; i < count; i++) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

static inline void compress(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    rounds(v, 2);
    v[0] ^= word;
}

void siphash_init(struct siphash *hash, const unsigned char key[SIPHASH_KEY_SIZE])
{
    const uint64_t k0 = load64(key);
    const uint64_t k1 = load64(key + 8);

    hash->v[0] = k0 ^ 0x736f6d6570736575ULL;
    hash->v[1] = k1 ^ 0x646f72616e646f6dULL ^ 0xee; /* 0xee: the 128-bit variant */
    hash->v[2] = k0 ^ 0x6c7967656e657261ULL;
    hash->v[3] = k1 ^ 0x7465646279746573ULL;
    hash->length = 0;
}

void siphash_update(struct siphash *hash, const void *bytes, size_t length)
{
    const unsigned char *next = bytes;
    size_t filled = hash->length % 8;

    hash->length += length;
    if (filled > 0) {
        const size_t missing = 8 - filled;
        const size_t taken = length < missing ? length : missing;
        memcpy(hash->tail + filled, next, taken);
        next += taken;
        length -= taken;
        if (filled + taken < 8)
            return;
        compress(hash->v, load64(hash->tail));
    }
    for (; length >= 8; next += 8, length -= 8)
        compress(hash->v, load64(next));
    if (length > 0)
        memcpy(hash->tail, next, length);
}

/* Not for the compiler to leave out. */
static void wipe(struct siphash *hash)
{
    memset(hash, 0, sizeof(*hash));
    __asm__ volatile("" : : "r"(hash) : "memory");
}

void siphash_final(struct siphash *hash, unsigned char tag[SIPHASH_TAG_SIZE])
{
    unsigned char last[8] = {0};

    memcpy(last, hash->tail, hash->length % 8);
    last[7] = (unsigned char)hash->length;
    compress(hash->v, load64(last));
    hash->v[2] ^= 0xee;
    rounds(hash->v, 4);
    store64(tag, hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3]);
    hash->v[1] ^= 0xdd;
    rounds(hash->v, 4);
    store64(tag + 8, hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3]);
    wipe(hash);
}

int siphash_compare(const unsigned char a[SIPHASH_TAG_SIZE],
                    const unsigned char b[SIPHASH_TAG_SIZE])
{
    unsigned char difference = 0;
    for (int i = 0; i < SIPHASH_TAG_SIZE; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference;
}
