/* From policy texts to the compiled policy.
 *
 * One call takes every text of a generation, reports every mistake in all of them, and gives a
 * block only if there was none. Does no I/O: what a literal path resolves to is asked of the
 * caller. */
#ifndef WARDER_POLICIES_LANGUAGE_COMPILE_H
#define WARDER_POLICIES_LANGUAGE_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/policy_block.h"
#include "policies/language/diagnostics.h"
#include "policies/language/source_map.h"

enum {
    POLICY_TEXT_MAX = 8 * 1024 * 1024, /* bytes of one text: 100,000 rules take 7 MB. A session's
                                           own is held to 64 KiB (design, "The session") by the
                                           daemon */
};

/* What the host says of a file. */
struct file_facts {
    bool set_id;    /* set-user-ID, set-group-ID, or with capabilities of its own */
    char who[96];   /* who may put something else there, root apart: `alice`, `everybody`; "" for
                       nobody */
    char what[256]; /* what they can write: the file, or a directory above it */
};

struct policy_text {
    const char *file; /* as messages name it: the path, or `local/NAME` for a stored one */
    const char *text; /* borrowed, not terminated */
    size_t length;    /* bytes */
    enum policy_tier tier;
    bool observe; /* treat its policies as if each said `mode observe` */
    bool quiet;   /* it was checked before, and is here for what the others say of it: its errors
                     are reported, its warnings not */
};

struct compile_options {
    /* Fills in what an absolute path resolves to, links followed as far as the path exists, and
     * returns true; false if it resolves to itself or cannot be told. NULL: every literal stands
     * for itself alone. */
    bool (*resolve)(void *context, const char *path, char *resolved, size_t size);
    /* Fills in what is known of a file, for what is said of allows. `users` are those for whom it
     * matters, `user_count` of them; none: anyone but root. False if nothing is known. NULL: files
     * are not asked about. */
    bool (*look)(void *context, const char *path, const char *const *users, size_t user_count,
                 struct file_facts *facts);
    void *context;
    /* The interpreters for which it is said that a rule has no event: bit N for CPython 3.N. 0: not
     * known. `platforms` is an enum event_platform (policies/catalogue); 0: not known. */
    uint32_t pythons;
    unsigned platforms;
    /* What is right and worth knowing is said too, such as what a path resolves to. */
    bool notes;
    /* Bytes that checking may take, 0 for no bound. A short text can name a long set over and over,
     * and each use is checked for itself: more than this is reported as lack of memory. */
    size_t memory_max;
    /* Days since 1970-01-01 UTC, for what is said of an override whose last day has passed. 0: not
     * known, and nothing is said. */
    int32_t today;
    /* The texts are a session's own (`--policy FILE`) and are stored nowhere: they can only narrow,
     * so an override among them has no effect, and is not in the block. */
    bool session;
    /* Filled in with where everything stands, if it is not NULL: for one compilation. */
    struct source_map *map;
};

/* The block of all policies in the texts, to be freed with policy_block_free; NULL if `diagnostics`
 * holds an error afterwards, or on lack of memory (then it holds one that says so). Warnings do not
 * stop it. */
struct policy_block *policy_compile(const struct policy_text *texts, size_t count,
                                    const struct compile_options *options,
                                    struct diagnostics *diagnostics);

/* A text taken apart into its policies, each with the file-level sets that it uses and the comments
 * before it, so that each can be stored, shown and removed alone. */
struct policy_part {
    char *name;
    char *text; /* terminated; compiles alone to the same policy */
};

struct policy_parts {
    struct policy_part *parts; /* in the order of the text */
    size_t count;
};

/* 0, or -EINVAL if the text does not parse (`diagnostics` says why), or -ENOMEM. */
int policy_split(const struct policy_text *text, struct policy_parts *parts,
                 struct diagnostics *diagnostics);
void policy_parts_deinit(struct policy_parts *parts);

/* Parses a test file (grammar: testfile) and reports what is wrong with its form. 0 or -EINVAL. */
int policy_test_parse(const struct policy_text *text, struct diagnostics *diagnostics);

#endif
