#include "policies/language/check_steps.h"

#include "policies/engine/block_layout.h"
#include "policies/engine/budget.h"
#include "policies/engine/evaluate.h"
#include "policies/language/report.h"

enum {
    TYPICAL_LENGTH = 100, /* of a path, in bytes: long for one, short for two forms of a command */
    WARNED_STEPS = EVALUATION_STEPS_MAX / 2,
};

static uint64_t literal_steps(const struct block_value *value)
{
    const bool is_glob = value->kind == BLOCK_VALUE_GLOB || value->kind == BLOCK_VALUE_PLACE_GLOB;

    if (!is_glob || value->glob.count == 0)
        return 2;
    if (value->length > 0) /* most values end at its literal front */
        return 3;
    return 1 + value->glob.count / 2 + TYPICAL_LENGTH * (1 + (uint64_t)value->glob.count / 16);
}

/* About what a condition costs whose parts are all asked. */
static uint64_t condition_steps(const struct policy_block *block, uint32_t index)
{
    const struct block_node *node = block_nodes(block) + index;
    uint64_t steps = 1;

    for (uint32_t i = 0; i < node->count; i++)
        steps += node->kind == NODE_PREDICATE ? literal_steps(block_values(block) + node->first + i)
                                              : condition_steps(block, node->first + i);
    return steps;
}

static uint64_t set_steps(const struct policy_block *block, uint32_t set, uint32_t *rules)
{
    const struct rule_set *record =
        (const struct rule_set *)block_section(block, SECTION_RULE_SETS) + set;
    const uint32_t *list =
        (const uint32_t *)block_section(block, SECTION_RULE_LISTS) + record->always.first;
    uint64_t steps = 0;

    for (uint32_t i = 0; i < record->always.count; i++) {
        const struct rule_record *rule = block_rule(block, list[i]);
        const unsigned forms = rule->flags & RULE_HAS_PATHS ? 2 : 1;
        steps += 1;
        if (rule->condition != (uint32_t)BLOCK_NONE)
            steps += forms * condition_steps(block, rule->condition);
    }
    *rules += record->always.count;
    return steps;
}

void check_steps(struct diagnostics *diagnostics, const struct policy_block *block,
                 const struct policy *policy)
{
    const struct policy_record *record = block_policy(block, policy->index);
    enum operation_class costliest = CLASS_NONE;
    uint32_t asked = 0;
    uint64_t most = 0;

    for (int class = CLASS_NONE + 1; class < CLASS_COUNT; class ++) {
        uint32_t rules = 0;
        const uint64_t steps = set_steps(block, record->class_rules[class], &rules) +
                               set_steps(block, record->all_rules, &rules);
        if (steps <= most)
            continue;
        most = steps;
        asked = rules;
        costliest = (enum operation_class) class;
    }
    if (most <= WARNED_STEPS)
        return;
    struct diagnostic *warning =
        report(diagnostics, WARNING_TOO_MANY_STEPS, policy->name.span,
               "every `%s` is asked by %u rules of this policy, more than a decision has time for",
               vocabulary_class_name(costliest), asked);
    diagnostic_help(
        warning, "where time runs out, everything is denied. A rule is found without asking the "
                 "others if it names a path, a directory, a host, an address or a word; a glob, if "
                 "it begins with a directory (\"/srv/**\") or ends with a whole name "
                 "(\"**/name.py\")");
}
