/* Which rules of a set an event can concern.
 *
 * A rule stands under keys: literals of its condition of which at least one must hold for the
 * condition to be true, and at least one not be false for it to be unknown. So an operand that is
 * known leads, by its value, to a superset of the rules that are not false of it, however many
 * others there are; one that is not known leads to every rule under its keys that does not allow,
 * since an allow counts only what is true. What is found is evaluated whole: the index decides
 * nothing but what is asked.
 *
 * Allocates nothing; pays for its steps from the question's budget, and where they are spent finds
 * every rule that does not allow. */
#ifndef WARDER_POLICIES_ENGINE_RULE_INDEX_H
#define WARDER_POLICIES_ENGINE_RULE_INDEX_H

#include <stdint.h>

#include "policies/engine/condition.h"

/* What is told of each rule. It may change the question's form of paths. */
typedef void rule_visitor(void *context, uint32_t rule);

/* Tells of every rule of the set whose condition might not be false (an allow: might be true), some
 * of them more than once, in no promised order. */
void rule_set_visit(struct question *question, uint32_t set, rule_visitor *visit, void *context);

#endif
