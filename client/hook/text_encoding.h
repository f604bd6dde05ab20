/* What an interpreter makes of a str that it gives to the system: a path, a program, an argument.
 *
 * That is its own file system encoding, which comes with the locale (and a parent chooses its
 * child's). It is set once, before user code runs, and Python code does not reach it: CPython says
 * it in two variables, later versions by PyConfig_Get, and reading either runs nothing.
 *
 * Only codecs that CPython has in C, and finds without its registry, give what they always give:
 * any other, and any handler of what cannot be encoded, the interpreter's own code can replace. */
#ifndef WARDER_CLIENT_HOOK_TEXT_ENCODING_H
#define WARDER_CLIENT_HOOK_TEXT_ENCODING_H

#include <stdbool.h>

#include "client/hook/python_api.h"

enum text_encoding {
    TEXT_UTF8,           /* a surrogate stands for an undecodable byte (PEP 383), or is refused */
    TEXT_UTF8_OTHERWISE, /* UTF-8, but what becomes of a surrogate is not known */
    TEXT_ASCII,          /* surrogates as with TEXT_UTF8, and no other letters than ASCII's */
    TEXT_ASCII_KNOWN,    /* ASCII is what it is; what becomes of the rest is not known */
    TEXT_NOT_KNOWN,
};

enum text_encoding text_encoding(const struct python_api *api);

/* The surrogates that stand for a byte. */
static inline bool text_is_escaped_byte(uint32_t character)
{
    return character >= 0xdc80 && character <= 0xdcff;
}

/* True if the system will see the character as the byte that a surrogate stands for, or as UTF-8.
 * Asked for every character. */
static inline bool text_encoding_is_certain(enum text_encoding encoding, uint32_t character)
{
    const bool surrogate = character >= 0xd800 && character <= 0xdfff;

    if (character < 0x80)
        return encoding != TEXT_NOT_KNOWN;
    if (text_is_escaped_byte(character))
        return encoding == TEXT_UTF8 || encoding == TEXT_ASCII;
    return !surrogate && (encoding == TEXT_UTF8 || encoding == TEXT_UTF8_OTHERWISE);
}

#endif
