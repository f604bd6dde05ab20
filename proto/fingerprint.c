#include "proto/fingerprint.h"

#include "proto/siphash.h"

void fingerprint(const void *bytes, size_t length, char text[FINGERPRINT_SIZE])
{
    static const unsigned char key[SIPHASH_KEY_SIZE] = {0};
    static const char digits[] = "0123456789abcdef";
    unsigned char tag[SIPHASH_TAG_SIZE];
    struct siphash hash;

    siphash_init(&hash, key);
    siphash_update(&hash, bytes, length);
    siphash_final(&hash, tag);
    for (size_t i = 0; i < (FINGERPRINT_SIZE - 1) / 2; i++) {
        text[2 * i] = digits[tag[i] >> 4];
        text[2 * i + 1] = digits[tag[i] & 15];
    }
    text[FINGERPRINT_SIZE - 1] = '\0';
}
