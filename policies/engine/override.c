#include "policies/engine/override.h"

static bool is_before(const struct override_record *record, uint32_t rule, uint32_t operation_class)
{
    if (record->rule != rule)
        return record->rule < rule;
    return record->operation_class < operation_class;
}

static bool is_in_force(const struct governing *overriding, uint32_t policy)
{
    size_t low = 0;
    size_t high = overriding->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (overriding->policies[middle] == policy)
            return true;
        if (overriding->policies[middle] < policy)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool counts(struct question *question, const struct governing *overriding,
                   const struct override_record *record)
{
    if (!budget_pay(question->budget, 1) || record->until < overriding->today ||
        !is_in_force(overriding, record->by))
        return false;
    if (record->condition == (uint32_t)BLOCK_NONE)
        return true;
    question->names_doubted = false;
    question->resolved = true;
    return condition_truth(question, record->condition) == TRUTH_TRUE;
}

uint32_t override_of(struct question *question, const struct governing *overriding,
                     const struct policy_record *policy, uint32_t rule)
{
    const uint32_t operation_class = rule == RULE_DEFAULT ? question_class(question) : CLASS_NONE;
    const uint32_t end = policy->overrides.first + policy->overrides.count;
    uint32_t low = policy->overrides.first;
    uint32_t high = end;

    if (low == high || overriding->today <= 0)
        return OVERRIDE_NONE;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (is_before(block_override(question->block, middle), rule, operation_class))
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < end; low++) {
        const struct override_record *record = block_override(question->block, low);
        if (record->rule != rule || record->operation_class != operation_class)
            break;
        if (counts(question, overriding, record))
            return low;
    }
    return OVERRIDE_NONE;
}
