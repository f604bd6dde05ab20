/* A set of rules has its strict rules, those that do not allow, in two places: among those that are
 * always asked, and in the `strict` list of each look-up, which has all that stand under its keys
 * (block_layout.h). The evaluator reads the same lists where an operand is not known. */
#include "policies/engine/policy_reach.h"

#include <string.h>

#include "policies/catalogue/catalogue.h"
#include "policies/engine/block_layout.h"
#include "policies/engine/condition.h"
#include "policies/engine/evaluate.h"

typedef void strict_visitor(void *context, const struct rule_record *rule);

static void visit_list(const struct policy_block *block, struct block_range list,
                       strict_visitor *visit, void *context)
{
    const uint32_t *rules = (const uint32_t *)block_section(block, SECTION_RULE_LISTS) + list.first;

    for (uint32_t i = 0; i < list.count; i++) {
        const struct rule_record *rule = block_rule(block, rules[i]);
        if (rule->effect != EFFECT_ALLOW)
            visit(context, rule);
    }
}

/* Tells of every rule of the set that does not allow. */
static void visit_strict(const struct policy_block *block, uint32_t set, strict_visitor *visit,
                         void *context)
{
    const struct rule_set *record =
        (const struct rule_set *)block_section(block, SECTION_RULE_SETS) + set;
    const struct lookup *lookups =
        (const struct lookup *)block_section(block, SECTION_LOOKUPS) + record->lookups.first;

    visit_list(block, record->always, visit, context);
    for (uint32_t i = 0; i < record->lookups.count; i++)
        visit_list(block, lookups[i].strict, visit, context);
}

static void note_any(void *context, const struct rule_record *rule)
{
    bool *any = context;
    (void)rule;
    *any = true;
}

static bool is_strict(const struct policy_block *block, uint32_t set)
{
    bool any = false;
    visit_strict(block, set, note_any, &any);
    return any;
}

struct glob_walk {
    struct policy_reach *reach;
    const struct policy_block *block;
};

static void note_globbed(void *context, const struct rule_record *rule)
{
    const struct glob_walk *walk = context;
    struct event event = {.number = EVENT_UNKNOWN};

    walk->reach->events[EVENT_UNKNOWN] = true;
    for (uint16_t number = 1; number <= catalogue_event_count() && number < REACH_EVENTS_MAX;
         number++) {
        if (walk->reach->events[number])
            continue;
        struct budget budget = {EVALUATION_STEPS_MAX};
        const struct question question = {.block = walk->block, .event = &event, .budget = &budget};
        event.number = number;
        event.name = catalogue_event(number)->name;
        event.name_length = (uint32_t)strlen(event.name);
        walk->reach->events[number] =
            event_name_matches(&question, rule->globs.first, rule->globs.count) != TRUTH_FALSE;
    }
}

void policy_reach_add(struct policy_reach *reach, const struct policy_block *block, uint32_t policy)
{
    const struct policy_record *record = block_policy(block, policy);
    const struct event_set *sets =
        (const struct event_set *)block_section(block, SECTION_EVENT_SETS) + record->events.first;
    struct glob_walk walk = {reach, block};
    const bool all = is_strict(block, record->all_rules);

    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        if ((all && class != CLASS_NONE) || is_strict(block, record->class_rules[class]) ||
            (record->defaults[class].verdict != DEFAULT_UNSAID &&
             record->defaults[class].verdict != DEFAULT_ALLOW))
            reach->classes |= UINT32_C(1) << class;
    for (uint32_t i = 0; i < record->events.count; i++)
        if (sets[i].event < REACH_EVENTS_MAX && is_strict(block, sets[i].rules))
            reach->events[sets[i].event] = true;
    visit_strict(block, record->glob_rules, note_globbed, &walk);
}

bool policy_reaches(const struct policy_reach *reach, uint16_t event)
{
    const struct event_entry *entry = catalogue_event(event);

    if (event >= REACH_EVENTS_MAX)
        return true;
    if (reach->events[event])
        return true;
    /* An event that can be operations can also be none: an open of a descriptor. */
    const uint32_t classes =
        UINT32_C(1) << CLASS_NONE | (entry ? entry->classes : UINT32_C(1) << CLASS_OTHER);
    return (reach->classes & classes) != 0;
}
