/* SipHash-2-4 with a 128-bit tag: a keyed hash over short messages (Aumasson and Bernstein,
 * "SipHash: a fast short-input PRF", 2012; the 128-bit variant is the authors' own). It is here
 * because libwarder.so links to libc alone, and because it costs 35 ns for an Ask (limits.md).
 *
 * A tag under a key that the reader does not have cannot be told from random bytes, so it serves
 * both as MAC and to derive keys. Streaming: a message may come in pieces. Not for passwords. */
#ifndef WARDER_PROTO_SIPHASH_H
#define WARDER_PROTO_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

enum {
    SIPHASH_KEY_SIZE = 16,
    SIPHASH_TAG_SIZE = 16,
};

struct siphash {
    uint64_t v[4];
    unsigned char tail[8]; /* bytes that do not fill a word yet */
    uint64_t length;       /* bytes so far */
};

void siphash_init(struct siphash *hash, const unsigned char key[SIPHASH_KEY_SIZE]);
void siphash_update(struct siphash *hash, const void *bytes, size_t length);
/* The same of whole words, little-endian, while what came before filled whole words, too. */
void siphash_update_words(struct siphash *hash, const uint64_t *words, size_t count);
/* Wipes the state: who knows it and what was hashed can compute the key. */
void siphash_final(struct siphash *hash, unsigned char tag[SIPHASH_TAG_SIZE]);

/* Compares two tags in a time that does not depend on where they differ. 0 if they are equal. */
int siphash_compare(const unsigned char a[SIPHASH_TAG_SIZE],
                    const unsigned char b[SIPHASH_TAG_SIZE]);

#endif
