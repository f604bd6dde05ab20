/* Globs, compiled to words and matched in time linear in the text.
 *
 *     *      any run of characters; in a path, up to the next separator
 *     ?      one character; in a path, no separator
 *     **     in a path: any run of characters, separators too. `/` + `**` + `/` is also one
 *            separator alone, so that "/srv" + `/` + `**` + `/x` matches /srv/x. Elsewhere an error
 *     [a-z]  one character of a set, `[!a-z]` one that is not in it; in a path, no separator.
 *            `[*]` is a literal asterisk, `]` stands first
 *
 * A character is a code point where the text is UTF-8, and a byte where it is not. The whole text
 * must match. There is no escape but the brackets.
 *
 * Matching simulates the automaton, one set of states for each character: at most text x pattern
 * states, whatever the two say, and no more than its budget pays for. It allocates nothing. */
#ifndef WARDER_POLICIES_ENGINE_GLOB_H
#define WARDER_POLICIES_ENGINE_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/budget.h"

enum glob_kind {
    GLOB_TEXT,
    GLOB_PATH,     /* `/` separates */
    GLOB_REGISTRY, /* `\` and `/` separate and are one; ASCII case is ignored */
};

enum glob_error {
    GLOB_GOOD,
    GLOB_DOUBLE_STAR,  /* `**` in a text that has no components */
    GLOB_OPEN_BRACKET, /* `[` without `]` */
    GLOB_EMPTY_RANGE,  /* [z-a] */
    GLOB_TOO_LONG,     /* more than GLOB_WORDS_MAX words */
};

enum {
    GLOB_WORDS_MAX = 1024, /* the states of the automaton, two sets of which are on the stack */
};

/* Bytes before the first wildcard. */
size_t glob_literal_length(const char *pattern, size_t length);

/* Compiles `pattern` to at most GLOB_WORDS_MAX words; `count` says how many. On an error `at` is
 * the place in the pattern. */
enum glob_error glob_compile(enum glob_kind kind, const char *pattern, size_t length,
                             uint32_t *words, size_t *count, size_t *at);

/* True if every text that matches begins with the separator of a path. */
bool glob_begins_component(const uint32_t *words, size_t count);

/* True if the word at `at` is one character, and ASCII; its value is the word's. */
bool glob_word_is_ascii(const uint32_t *words, size_t count, size_t at);

/* The words that the one at `at` is written with. */
size_t glob_word_size(const uint32_t *words, size_t count, size_t at);

/* True if a component of a path begins behind the word at `at`, whatever it reads. */
bool glob_word_ends_component(const uint32_t *words, size_t count, size_t at);

/* True if the whole text matches. `words` are those that glob_compile wrote. False also where the
 * budget was spent on the way: whether the text matches is not known then. */
bool glob_match(enum glob_kind kind, const uint32_t *words, size_t count, const char *text,
                size_t length, struct budget *budget);

#endif
