#include "proto/siphash.h"

#include <string.h>

/* Written out, compilers make one load or store of it where the machine is little-endian. */
static inline uint64_t load64(const unsigned char *bytes)
{
    return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 |
           (uint64_t)bytes[3] << 24 | (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 |
           (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
}

static inline void store64(unsigned char *bytes, uint64_t word)
{
    bytes[0] = (unsigned char)word;
    bytes[1] = (unsigned char)(word >> 8);
    bytes[2] = (unsigned char)(word >> 16);
    bytes[3] = (unsigned char)(word >> 24);
    bytes[4] = (unsigned char)(word >> 32);
    bytes[5] = (unsigned char)(word >> 40);
    bytes[6] = (unsigned char)(word >> 48);
    bytes[7] = (unsigned char)(word >> 56);
}

static inline uint64_t rotate(uint64_t word, int bits)
{
    return (word << bits) | (word >> (64 - bits));
}

/* Written out, too: the state stays in registers. */
static inline void round_of(uint64_t v[4])
{
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

static inline void four_rounds(uint64_t v[4])
{
    round_of(v);
    round_of(v);
    round_of(v);
    round_of(v);
}

static inline void compress(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    round_of(v);
    round_of(v);
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
    if (length >= 8) {
        uint64_t v[4] = {hash->v[0], hash->v[1], hash->v[2], hash->v[3]};
        for (; length >= 8; next += 8, length -= 8)
            compress(v, load64(next));
        memcpy(hash->v, v, sizeof(v));
    }
    if (length > 0)
        memcpy(hash->tail, next, length);
}

void siphash_update_words(struct siphash *hash, const uint64_t *words, size_t count)
{
    hash->length += 8 * count;
    for (size_t i = 0; i < count; i++)
        compress(hash->v, words[i]);
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
    four_rounds(hash->v);
    store64(tag, hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3]);
    hash->v[1] ^= 0xdd;
    four_rounds(hash->v);
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
