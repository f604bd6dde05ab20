#include "policies/scene/policy_suite_internal.h"

#include <string.h>

#include "policies/engine/block_layout.h"
#include "policies/language/report.h"

static void reach(struct policy_suite *suite, const struct deciding *by, const struct event *event)
{
    if (by->policy == POLICY_NO_INDEX)
        return;
    if (by->rule != RULE_DEFAULT)
        suite->rules[by->rule] = true;
    else
        suite->policies[by->policy].defaults |= UINT32_C(1) << suite_class_of(event, by);
}

void suite_reach(struct policy_suite *suite, const struct judgement *judgement,
                 const struct event *event)
{
    reach(suite, &judgement->by, event);
    reach(suite, &judgement->would_by, event);
    for (uint32_t i = 0; i < judgement->log_count; i++)
        reach(suite, &judgement->log_by[i], event);
    if (judgement->override != OVERRIDE_NONE) {
        suite->overrides[judgement->override] = true;
        reach(suite, &judgement->overridden, event);
    }
}

/* Where what is not reached goes. */
struct coverage {
    struct policy_suite *suite;
    const struct suite_observer *observer;
    const struct policy *policy;
};

/* Counts a part of the policy, and warns unless it was reached. */
static void count_part(const struct coverage *coverage, bool reached, const char *kind,
                       struct span span, const char *front, struct word name)
{
    struct policy_suite *suite = coverage->suite;
    const struct suite_observer *observer = coverage->observer;
    struct text_buffer policy = {0};
    struct text_buffer part = {0};

    suite->counts.parts++;
    if (reached)
        return;
    suite->counts.unreached++;
    text_buffer_add(&policy, coverage->policy->name.text, coverage->policy->name.length);
    text_buffer_add_text(&part, front);
    text_buffer_add(&part, name.text, name.length);
    if (policy.failed || part.failed)
        report_no_memory(suite->diagnostics);
    else if (observer && observer->unreached)
        observer->unreached(observer->context,
                            &(struct suite_unreached){.place = suite_place_of(span),
                                                      .policy = policy.bytes,
                                                      .kind = kind,
                                                      .name = part.bytes});
    else
        diagnostic_help(report(suite->diagnostics, WARNING_NOT_REACHED, span,
                               "no test reaches %s `%s` of policy `%s`", kind, part.bytes,
                               policy.bytes),
                        "add an expectation that it decides");
    text_buffer_deinit(&policy);
    text_buffer_deinit(&part);
}

static void count_rules(const struct coverage *coverage, uint32_t policy)
{
    const struct policy_suite *suite = coverage->suite;

    for (const struct rule *rule = coverage->policy->rules; rule; rule = rule->next) {
        const uint32_t index = suite_find_rule(suite, policy, rule->name.text, rule->name.length);
        /* What an observing policy logs, nobody records. */
        if (rule->effect == EFFECT_LOG && policy_observes(suite->block, policy))
            continue;
        count_part(coverage, index != POLICY_NO_INDEX && suite->rules[index], "rule", rule->span,
                   "", rule->name);
    }
}

static uint32_t class_bit_of(const struct class_word *word)
{
    return UINT32_C(1) << vocabulary_class(word->word.text, word->word.length);
}

/* The classes that the policy's defaults name themselves. */
static uint32_t named_classes(const struct policy *policy)
{
    uint32_t classes = 0;

    for (const struct default_statement *each = policy->defaults; each; each = each->next)
        for (const struct class_word *word = each->classes.first; word; word = word->next)
            classes |= class_bit_of(word);
    return classes;
}

/* Each class that is named is a default of its own; `all` is one. */
static void count_defaults(const struct coverage *coverage, uint32_t policy)
{
    static const char all[] = "all";
    const uint32_t reached = coverage->suite->policies[policy].defaults;
    const uint32_t others = ~named_classes(coverage->policy);

    for (const struct default_statement *each = coverage->policy->defaults; each;
         each = each->next) {
        if (each->classes.all)
            count_part(coverage, (reached & others) != 0, "default", each->span, "default-",
                       (struct word){all, sizeof(all) - 1, each->span});
        for (const struct class_word *word = each->classes.first; word; word = word->next)
            count_part(coverage, (reached & class_bit_of(word)) != 0, "default", word->word.span,
                       "default-", word->word);
    }
}

static bool is_text(const char *text, const char *other, size_t length)
{
    return strlen(text) == length && memcmp(text, other, length) == 0;
}

static bool is_override(const struct policy_suite *suite, uint32_t index, uint32_t policy,
                        const struct override *override)
{
    static const char front[] = "default-";
    const struct override_facts facts = override_facts(suite->block, index);

    if (facts.by != policy || facts.until != override->until ||
        policy_tier(suite->block, facts.target) != override->tier ||
        !is_text(policy_name(suite->block, facts.target), override->policy.text,
                 override->policy.length))
        return false;
    if (facts.rule != RULE_DEFAULT)
        return is_text(rule_name(suite->block, facts.rule), override->rule.text,
                       override->rule.length);
    return override->rule.length >= sizeof(front) &&
           is_text(vocabulary_class_name(facts.operation_class),
                   override->rule.text + sizeof(front) - 1,
                   override->rule.length - (sizeof(front) - 1));
}

/* Those that count: of the others, which cancel nothing, `warder check` warns. */
static void count_overrides(const struct coverage *coverage, uint32_t policy)
{
    const struct policy_suite *suite = coverage->suite;

    for (const struct override *override = coverage->policy->overrides; override;
         override = override->next) {
        bool counts = false;
        bool reached = false;
        for (uint32_t i = 0; i < policy_block_override_count(suite->block); i++)
            if (is_override(suite, i, policy, override)) {
                counts = true;
                reached |= suite->overrides[i];
            }
        if (counts)
            count_part(coverage, reached, "override", override->reference.span, "",
                       override->reference);
    }
}

void policy_suite_coverage(struct policy_suite *suite, const struct suite_observer *observer)
{
    for (uint32_t i = 0; i < policy_block_policy_count(suite->block); i++) {
        const struct coverage coverage = {suite, observer, suite->policies[i].tree};
        if (!suite->policies[i].tested)
            continue;
        count_rules(&coverage, i);
        count_defaults(&coverage, i);
        count_overrides(&coverage, i);
    }
}

void policy_suite_untested(const struct policy_suite *suite)
{
    for (uint32_t i = 0; i < policy_block_policy_count(suite->block); i++) {
        const struct word *name = &suite->policies[i].tree->name;
        if (!suite->policies[i].tested && !suite->unread)
            diagnostic_help(report(suite->diagnostics, WARNING_NOT_TESTED, name->span,
                                   "no test names policy `%.*s`", (int)name->length, name->text),
                            "write one: test %.*s { expect … }", (int)name->length, name->text);
    }
}
