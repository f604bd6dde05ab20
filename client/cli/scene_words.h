/* What is typed behind `warder explain`, as the test that says the same (grammar, "test files"):
 * one parser reads both.
 *
 *     exec /usr/bin/git argv git push        exec file "/usr/bin/git" argv ["git", "push"]
 *     --event os.kill 1 15                   event "os.kill" [1, 15]
 *
 * The shell has taken the quotes away, so that a word is what its place wants: a number where that
 * is one, else a text. `none`, `unknown`, `true` and `false`, and words that begin with `[` or `"`,
 * are taken as they stand. A list takes every word up to the next attribute of the class. */
#ifndef WARDER_CLIENT_CLI_SCENE_WORDS_H
#define WARDER_CLIENT_CLI_SCENE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "policies/language/text_buffer.h"

enum { SCENE_WORDS_MAX = 64 };

/* Words that were given with one option: `role=plugin`. */
struct repeated_words {
    const char *words[SCENE_WORDS_MAX];
    size_t count;
};

struct scene_words {
    const char *user;
    const char *exe;
    const char *unit;
    const char *platform;
    const char *python;
    const char *script;
    struct repeated_words groups;
    struct repeated_words labels; /* NAME=VALUE */
    struct repeated_words places; /* NAME=PATH: home=/home/alice */
    struct repeated_words givens; /* FROM=TO */
    const char *start;            /* session.start, unless a place says otherwise; may be NULL */
    const char *event;            /* NULL: an operation, whose class is the first word */
    char *const *words;
    size_t word_count;
};

/* Adds the text of the test. False after a complaint. */
bool scene_words_write(const struct scene_words *scene, struct text_buffer *text);

#endif
