/* What the kernel at hand cannot hold of a floor, in words for the administrator. */
#ifndef WARDER_CLIENT_FLOOR_MISSING_WORDS_H
#define WARDER_CLIENT_FLOOR_MISSING_WORDS_H

#include <stddef.h>

enum {
    MISSING_WORDS_MAX = 12, /* more than there are texts that can be true at once */
};

struct missing_words {
    const char *texts[MISSING_WORDS_MAX]; /* static */
    size_t count;
};

static inline void missing_words_add(struct missing_words *words, const char *text)
{
    if (words->count < MISSING_WORDS_MAX)
        words->texts[words->count++] = text;
}

#endif
