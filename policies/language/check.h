/* The checker: what a tree says that the language does not allow, and what it does allow but nobody
 * can mean (policy-language, "Errors"). */
#ifndef WARDER_POLICIES_LANGUAGE_CHECK_H
#define WARDER_POLICIES_LANGUAGE_CHECK_H

#include "policies/language/checked.h"
#include "policies/language/compile.h"
#include "policies/language/diagnostics.h"
#include "policies/language/name_table.h"
#include "policies/language/storage.h"
#include "policies/language/syntax_tree.h"

struct checked_file;

struct check_context {
    struct storage *storage;
    struct diagnostics *diagnostics;
    const struct compile_options *options; /* may be NULL */
    /* Policies that have been checked, by `tier/name`: two of one name in one tier are an error. */
    struct name_table policies;
    /* Events that a glob means, by its text: rules repeat them. */
    struct name_table event_globs;
    struct checked_file *files;
    struct checked_file *last_file;
};

/* Checks one file and fills in what the tree leaves to the checker. Files may be checked in any
 * order; those of one generation share a context. */
void check_file(struct check_context *context, struct file_tree *tree,
                const struct policy_text *text);

/* Checks what files say of each other: the overrides. Then warns of what is right and not meant. To
 * be called once, behind the files. */
void check_generation(struct check_context *context);

#endif
