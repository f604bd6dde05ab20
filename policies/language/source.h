/* A policy text and places in it. */
#ifndef WARDER_POLICIES_LANGUAGE_SOURCE_H
#define WARDER_POLICIES_LANGUAGE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed from the caller of policy_compile, policy_split or policy_test_parse. */
struct source {
    const char *file;
    const char *text; /* not terminated */
    uint32_t length;  /* bytes; below POLICY_TEXT_MAX */
    bool quiet;       /* no warnings about it */
    uint32_t order;   /* of the texts of one call: diagnostics are shown in it */
};

/* A stretch of a source. */
struct span {
    const struct source *source;
    uint32_t offset; /* bytes */
    uint32_t length;
};

struct policy_text; /* compile.h */
struct diagnostics;

/* Makes a source of a text. False, and an error, if the text is longer than any is read. */
bool source_init(struct source *source, const struct policy_text *text,
                 struct diagnostics *diagnostics);

/* Where a stretch begins: line and character, from 1. */
void span_position(struct span span, uint32_t *line, uint32_t *column);

/* From the start of one to the end of the other. */
static inline struct span span_join(struct span first, struct span last)
{
    first.length = last.offset + last.length - first.offset;
    return first;
}

#endif
