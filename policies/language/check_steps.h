/* Whether the rules that every operation of a class is asked by leave a decision its steps
 * (policies/engine/budget.h): where they are spent, everything is denied. */
#ifndef WARDER_POLICIES_LANGUAGE_CHECK_STEPS_H
#define WARDER_POLICIES_LANGUAGE_CHECK_STEPS_H

#include <stdint.h>

#include "policies/engine/policy_block.h"
#include "policies/language/diagnostics.h"
#include "policies/language/syntax_tree.h"

/* Warns at the policy's name of the class that costs the most, if that is too much. `policy` is the
 * tree of the block's policy of that number. */
void check_steps(struct diagnostics *diagnostics, const struct policy_block *block,
                 const struct policy *policy);

#endif
