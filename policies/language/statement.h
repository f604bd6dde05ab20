/* A statement of a policy text, found by the name under which records and denials cite it. Parses
 * the text and checks nothing: a text that was right once is read whatever has become of the
 * policies that it speaks of. */
#ifndef WARDER_POLICIES_LANGUAGE_STATEMENT_H
#define WARDER_POLICIES_LANGUAGE_STATEMENT_H

#include <stdbool.h>

#include "policies/language/compile.h"
#include "policies/language/source_map.h"

/* `rule` is the name of a rule, `default-CLASS` where there is none of that name, or `override
 * TIER/POLICY.RULE`. False if the text has no such policy, or that no such statement, or on lack of
 * memory. What it fills in is borrowed from the text. */
bool policy_find_statement(const struct policy_text *text, const char *policy, const char *rule,
                           struct source_excerpt *out);

#endif
