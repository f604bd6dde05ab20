/* A recorded decision, explained: for a person, and for programs. */
#ifndef WARDER_CLIENT_CLI_WHY_TEXT_H
#define WARDER_CLIENT_CLI_WHY_TEXT_H

#include <jansson.h>
#include <stdio.h>

#include "client/cli/recorded_decision.h"

/* Prints what was recorded, then what the policies of then come to, then whether those of today
 * would answer otherwise. */
void why_print(FILE *out, const struct recorded_decision *decision, bool colour);

/* A new reference; NULL on lack of memory: `record` (the row of `warder log --json`), `statement`
 * (policy, rule, revision, line, text; null if the store does not have it), `lost` (what is not
 * known any more), `own_policies_missing`, `then` and `today` (explanations; null where there is
 * none), `today_differs` (null where that cannot be told), `generation`. */
json_t *why_json(const struct recorded_decision *decision);

#endif
