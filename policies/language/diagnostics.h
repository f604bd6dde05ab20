/* What the checker has to say: errors and warnings with places, and how they are shown.
 *
 *     ci.warder:9:11: error[E012]: class `exec` has no attribute `path`
 *       9 |     where path is "/usr/bin/git"
 *         |           ^^^^ `path` belongs to read, write, connect, bind
 *         = help: the program of an exec is `file`:  where file is "/usr/bin/git"
 *
 * Codes are assigned once, in diagnostic_codes.h, and never reused. */
#ifndef WARDER_POLICIES_LANGUAGE_DIAGNOSTICS_H
#define WARDER_POLICIES_LANGUAGE_DIAGNOSTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/ownership.h"

struct diagnostics;

struct diagnostics *diagnostics_new(void); /* NULL on lack of memory */
void diagnostics_free(struct diagnostics *diagnostics);
DEFINE_CLEANUP(struct diagnostics *, diagnostics_free);

/* Keeps so many errors, and warnings, instead of more than anyone reads: for texts of strangers. */
void diagnostics_limit(struct diagnostics *diagnostics, size_t most);

size_t diagnostics_error_count(const struct diagnostics *diagnostics);
size_t diagnostics_warning_count(const struct diagnostics *diagnostics);
size_t diagnostics_note_count(const struct diagnostics *diagnostics);

/* Files are shown in the order in which they were first mentioned, here or by being compiled. */
void diagnostics_mention(struct diagnostics *diagnostics, const char *file);

/* Everything said so far, in order of file and place, as in policy-errors.md, with the closing line
 * (`2 errors, 1 warning in 1 file; …`; `closing` is what stands behind the semicolon, NULL for
 * none). `colour` adds the terminal's escapes. To be freed by the caller; NULL on lack of memory.
 */
char *diagnostics_render(const struct diagnostics *diagnostics, const char *closing, bool colour);

/* The same for programs: one after the other, in the order in which they are rendered. Texts are
 * valid UTF-8 without control characters, and belong to the diagnostics. Columns count characters
 * from 1; the end is the first column behind the place. */
struct diagnostic_location {
    const char *file;
    uint32_t line;
    uint32_t column;
    uint32_t end_line;
    uint32_t end_column;
    const char *label; /* "" for none */
};

struct diagnostic_view {
    char code[8];         /* E012 */
    const char *severity; /* error, warning or note */
    const char *message;
    struct diagnostic_location place;
    bool has_second;
    struct diagnostic_location second;
};

/* Those that are kept: of thousands the first alone. */
size_t diagnostics_kept(const struct diagnostics *diagnostics);
struct diagnostic_view diagnostics_view(const struct diagnostics *diagnostics, size_t index);
/* A help or note behind it, by number; NULL behind the last one. */
const char *diagnostics_remark(const struct diagnostics *diagnostics, size_t index, size_t number,
                               bool *is_help);
/* Lack of memory, which has no place, kept the rest from being looked at. */
bool diagnostics_lack_memory(const struct diagnostics *diagnostics);

#endif
