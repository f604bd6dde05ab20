#include "policies/engine/policy_guard.h"

#include <string.h>

#include "policies/catalogue/catalogue.h"
#include "policies/engine/block_layout.h"
#include "policies/engine/condition.h"

enum {
    EVERY_CLASS = (1U << CLASS_COUNT) - 1,
    GLOB_STEPS = 100 * 1000, /* a glob that takes more could be any */
};

/* An event that a rule names: what it can be, and whether it is the boundary's. */
static uint32_t classes_of(const struct event_entry *entry)
{
    if (!entry)
        return 0;
    return entry->since == 0 ? entry->classes | 1U << CLASS_NONE : entry->classes;
}

static uint32_t classes_of_globs(const struct policy_block *block, const struct rule_record *rule)
{
    uint32_t classes = 0;

    for (uint16_t number = 1; number <= catalogue_event_count(); number++) {
        const struct event_entry *entry = catalogue_event(number);
        const struct event event = {.name = entry->name,
                                    .name_length = (uint32_t)strlen(entry->name)};
        struct budget budget = {GLOB_STEPS};
        const struct question question = {.block = block, .event = &event, .budget = &budget};
        if (event_name_matches(&question, rule->globs.first, rule->globs.count) != TRUTH_FALSE)
            classes |= classes_of(entry);
    }
    return classes;
}

static uint32_t classes_of_events(const struct policy_block *block, uint32_t rule)
{
    const struct event_rule *rules = block_section(block, SECTION_EVENT_RULES);
    const uint32_t count = block->sections[SECTION_EVENT_RULES].count;
    uint32_t low = 0;
    uint32_t classes = 0;

    for (uint32_t high = count; low < high;) {
        const uint32_t middle = low + (high - low) / 2;
        if (rules[middle].rule < rule)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && rules[low].rule == rule; low++)
        classes |= classes_of(catalogue_event((uint16_t)rules[low].event));
    return classes;
}

struct policy_guard policy_guard(const struct policy_block *block, uint32_t policy)
{
    const struct policy_record *record = block_policy(block, policy);
    struct policy_guard guard = {0, 0, 0};
    uint32_t allowed = 0;
    uint32_t flat = 0; /* by rules that fire whatever else there is */

    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        if (record->defaults[class].verdict == DEFAULT_DENY)
            guard.held |= 1U << class;
    guard.flat = guard.held;
    for (uint32_t i = 0; i < record->rules.count; i++) {
        const uint32_t index = record->rules.first + i;
        const struct rule_record *rule = block_rule(block, index);
        uint32_t classes = rule->classes | classes_of_events(block, index);
        if (rule->globs.count > 0)
            classes |= classes_of_globs(block, rule);
        if (rule->effect == EFFECT_ALLOW) {
            allowed |= classes;
            continue;
        }
        guard.guarded |= classes;
        if (rule->effect == EFFECT_LOG)
            continue;
        guard.held |= classes;
        if (rule->condition == (uint32_t)BLOCK_NONE)
            flat |= rule->classes;
    }
    guard.guarded = (guard.guarded | guard.held) & EVERY_CLASS;
    guard.held &= EVERY_CLASS;
    guard.flat = record->overrides.count > 0 ? 0 : (guard.flat & ~allowed) | flat;
    return guard;
}

static void visit_node(const struct policy_block *block, uint32_t index, unsigned depth,
                       policy_name_visitor *visit, void *context)
{
    const struct block_node *node = block_nodes(block) + index;

    if (depth > BLOCK_DEPTH_MAX)
        return;
    if (node->kind != NODE_PREDICATE) {
        /* What must not be there is not asked for. */
        for (uint32_t i = 0; node->kind != NODE_NOT && i < node->count; i++)
            visit_node(block, node->first + i, depth + 1, visit, context);
        return;
    }
    if (node->attribute != ATTRIBUTE_ENV)
        return;
    if (node->part == PART_KEY) {
        const char *name = block_text(block, node->key);
        visit(context, name, (uint32_t)strlen(name));
    }
    for (uint32_t i = 0; node->operator_kind == OPERATOR_HAS && i < node->count; i++) {
        const struct block_value *value = &block_values(block)[node->first + i];
        if (value->kind == BLOCK_VALUE_TEXT)
            visit(context, block_text(block, value->text), value->length);
    }
}

void policy_rule_environment(const struct policy_block *block, uint32_t rule,
                             policy_name_visitor *visit, void *context)
{
    const struct rule_record *record = block_rule(block, rule);

    if (record->condition != (uint32_t)BLOCK_NONE)
        visit_node(block, record->condition, 0, visit, context);
}
