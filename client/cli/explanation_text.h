/* An explanation for a person. */
#ifndef WARDER_CLIENT_CLI_EXPLANATION_TEXT_H
#define WARDER_CLIENT_CLI_EXPLANATION_TEXT_H

#include <stdio.h>

#include "client/cli/hearing.h"

/* Prints the verdict with the rule that decided and its place, then what it beat, what overrides
 * did, and what nearly held:
 *
 *     denied: exec "/usr/bin/git"
 *       by local/ci.default-exec  (ci.warder:3)
 *           default deny exec
 *
 *     near misses
 *       allow local/ci.git  (ci.warder:4)
 *           argv[1] is "pull": it was "push"
 */
void explanation_print(FILE *out, const struct hearing *hearing, bool colour);

/* Who decided, and what of it: a part of the above. */
void explanation_print_answer(FILE *out, const struct hearing *hearing);

/* All but the verdict and who decided. */
void explanation_print_rest(FILE *out, const struct hearing *hearing);

/* `denied`, `allowed`, `would be denied`, `ends the interpreter`. */
const char *verdict_phrase(const char *word);
/* The escape for a verdict's word; "" without colour. */
const char *verdict_colour(const char *word, bool colour);

/* Prints a statement, indented, its lines as they stand. */
void statement_print(FILE *out, const char *text, size_t length, const char *indentation);

#endif
