/* Characters of texts that may not be UTF-8: file names are bytes. */
#ifndef WARDER_POLICIES_ENGINE_UTF8_H
#define WARDER_POLICIES_ENGINE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UTF8_RAW = 0x110000, /* behind the last code point: a byte B that is no UTF-8 is UTF8_RAW + B */
    UTF8_SIZE_MAX = 4,   /* bytes of one code point */
};

/* The character at the front of `text` (length > 0), and in `size` the bytes that it takes. Strict:
 * overlong forms and surrogates are bytes. */
uint32_t utf8_decode(const char *text, size_t length, size_t *size);

/* Writes a code point (no surrogate, at most 0x10ffff); returns its bytes. */
size_t utf8_encode(uint32_t code, char text[UTF8_SIZE_MAX]);

static inline bool utf8_is_raw(uint32_t character)
{
    return character >= UTF8_RAW;
}

#endif
