/* Overrides: what cancels a denial of another policy (policy-language, "Statements"). For the
 * evaluator alone. */
#ifndef WARDER_POLICIES_ENGINE_OVERRIDE_H
#define WARDER_POLICIES_ENGINE_OVERRIDE_H

#include <stdint.h>

#include "policies/engine/block_layout.h"
#include "policies/engine/condition.h"
#include "policies/engine/evaluate.h"

/* The first override that cancels a denial of the policy: by the rule, or, for RULE_DEFAULT, by its
 * default for the class of the question's operation. OVERRIDE_NONE if none does.
 *
 * It counts if the policy that it stands in is one of `overriding`, if its last day has not passed,
 * and if its condition is true: like an allow, it rests on nothing that is doubted, and on paths as
 * the kernel will open them. Changes how the question takes paths and names; a block without
 * overrides costs nothing. */
uint32_t override_of(struct question *question, const struct governing *overriding,
                     const struct policy_record *policy, uint32_t rule);

#endif
