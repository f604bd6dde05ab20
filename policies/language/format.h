/* The canonical form of a policy or test file: one text for everybody who means the same.
 *
 * What is written stays: words, strings, numbers and addresses are as they were, comments are kept,
 * nothing is sorted. What changes is what stands between.
 *
 *   Lines       end with LF, have no blanks at their end, and are at most 100 characters long, as
 *               far as their words and comments allow.
 *   Indentation 4 spaces in a policy, a test, a list or an `applies` that takes more than a line.
 *   Blank lines one where there were any; none at the start or end of a block; one around each
 *               policy and test.
 *   Statements  stand on a line of their own. `message`, and the `reason … until` of an override,
 *               stand on the next one.
 *   Rules       that follow each other with neither blank line nor comment between are a group:
 *               their targets, their `where` and their `as` stand in columns, and each keeps as
 *               much room for its `as` as the longest needs. A target of more than 16 characters
 *               takes no part in that. The lines of a test have columns for verdict and `by`.
 *   Too long    The first of these that fits: `and` and `or` begin lines and end below `where`;
 *               `as` begins a line; `where` begins a line; lists have each value on a line of its
 *               own and a comma behind the last.
 *   Comments    that end a line go on ending it, behind two spaces; the others stand above what
 *               they stood above, and are indented as it is. No line is broken because a comment
 *               is long.
 *
 * Formatting what is formatted changes nothing. The text that comes out is read again before it is
 * given away: should it not say the same, there is none. */
#ifndef WARDER_POLICIES_LANGUAGE_FORMAT_H
#define WARDER_POLICIES_LANGUAGE_FORMAT_H

#include <stdbool.h>

#include "policies/language/compile.h"
#include "policies/language/diagnostics.h"

enum { FORMAT_WIDTH = 100 }; /* characters in a line */

/* The text in canonical form, to be freed; NULL if there are errors of syntax (`diagnostics` says
 * which), on lack of memory, and where the form would not say the same, which is a defect of the
 * formatter: each is an error in `diagnostics`. A file whose name ends in .test.warder, or whose
 * text begins with the word `test`, is a test file. */
char *policy_format(const struct policy_text *text, struct diagnostics *diagnostics);

#endif
