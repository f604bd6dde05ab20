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

#include "policies/ownership.h"

struct diagnostics;

struct diagnostics *diagnostics_new(void); /* NULL on lack of memory */
void diagnostics_free(struct diagnostics *diagnostics);
DEFINE_CLEANUP(struct diagnostics *, diagnostics_free);

/* Keeps so many errors, and warnings, instead of more than anyone reads: for texts of strangers. */
void diagnostics_limit(struct diagnostics *diagnostics, size_t most);

size_t diagnostics_error_count(const struct diagnostics *diagnostics);
size_t diagnostics_warning_count(const struct diagnostics *diagnostics);

/* Everything said so far, in order of file and place, as in policy-errors.md, with the closing line
 * (`2 errors, 1 warning in 1 file; …`; `closing` is what stands behind the semicolon, NULL for
 * none). `colour` adds the terminal's escapes. To be freed by the caller; NULL on lack of memory.
 */
char *diagnostics_render(const struct diagnostics *diagnostics, const char *closing, bool colour);

#endif
