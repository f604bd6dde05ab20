/* An allow that a deny of the same policy wholly covers never allows anything.
 *
 * Found is what needs no thought about values: a deny without a condition, or with the allow's own;
 * one whose condition is a part of the allow's `and`; one that has the allow's condition as a part
 * of its `or`. Conditions are compared as they are written, blanks and parentheses apart. */
#include "policies/language/check_internal.h"

#include <string.h>

/* Rules that deny under one condition, and what they deny together: an allow is looked up in that,
 * however many rules there are. */
struct denials {
    uint32_t classes;
    uint8_t *events; /* a bit for each number; NULL: none is named */
    const struct rule **rules;
    size_t count;
    size_t capacity;
};

struct coverage {
    struct checker *checker;
    struct name_table conditional; /* condition, as add_condition writes it, to struct denials */
    struct denials always;
};

static void add_number(struct text_buffer *out, int64_t number)
{
    text_buffer_add(out, (const char *)&number, sizeof(number));
}

static void add_word(struct text_buffer *out, const char *text, size_t length)
{
    add_number(out, (int64_t)length); /* no text can be taken for another's end */
    text_buffer_add(out, text, length);
}

static void add_values(struct text_buffer *out, const struct literal *value)
{
    for (; value; value = value->next) {
        add_number(out, value->kind);
        if (value->kind == LITERAL_STRING)
            add_word(out, value->text, value->length);
        else
            add_word(out, span_text(value->span), value->span.length);
    }
    add_number(out, -1);
}

/* The same bytes for the same condition, and for no other. */
static void add_condition(struct text_buffer *out, const struct condition *condition)
{
    const struct predicate *predicate = condition->predicate;

    add_number(out, condition->kind);
    if (condition->kind != CONDITION_PREDICATE) {
        for (const struct condition *child = condition->first; child; child = child->next)
            add_condition(out, child);
        add_number(out, -1);
        return;
    }
    add_word(out, predicate->attribute.text, predicate->attribute.length);
    add_number(out, predicate->index);
    add_number(out, predicate->number);
    add_word(out, predicate->key.text ? predicate->key.text : "", predicate->key.length);
    add_number(out, predicate->test);
    add_number(out, predicate->form);
    add_word(out, predicate->set.text ? predicate->set.text : "", predicate->set.length);
    add_values(out, predicate->values);
}

static bool denies(const struct rule *rule)
{
    return rule->checked && (rule->effect == EFFECT_DENY || rule->effect == EFFECT_KILL);
}

static void add_denial(struct coverage *coverage, struct denials *denials, const struct rule *rule)
{
    struct storage *storage = coverage->checker->storage;

    if (denials->count == denials->capacity) {
        const size_t capacity = denials->capacity > 0 ? 2 * denials->capacity : 1;
        const size_t size = sizeof(*denials->rules); // NOLINT(bugprone-sizeof-expression)
        const struct rule **rules = storage_take(storage, capacity, size);
        if (!rules)
            return;
        for (size_t i = 0; i < denials->count; i++)
            rules[i] = denials->rules[i];
        denials->rules = rules;
        denials->capacity = capacity;
    }
    denials->rules[denials->count++] = rule;
    denials->classes |= rule->checked->classes;
    if (rule->checked->event_count > 0 && !denials->events)
        denials->events = storage_take(storage, event_set_size(), 1);
    for (size_t i = 0; i < rule->checked->event_count && denials->events; i++) {
        const uint16_t event = rule->checked->events[i];
        denials->events[event / 8] = (uint8_t)(denials->events[event / 8] | 1U << (event % 8));
    }
}

/* Under the condition, as it is written. */
static void add_conditional(struct coverage *coverage, const struct condition *condition,
                            const struct rule *rule)
{
    struct storage *storage = coverage->checker->storage;
    struct text_buffer key = {0};

    add_condition(&key, condition);
    struct denials *denials =
        key.failed ? NULL : name_table_find(&coverage->conditional, key.bytes, key.length);
    if (!denials && !key.failed) {
        const char *text = storage_copy(storage, key.bytes, key.length);
        denials = text ? storage_take(storage, 1, sizeof(*denials)) : NULL;
        if (denials)
            (void)name_table_add(&coverage->conditional, storage, text, key.length, denials);
    }
    if (denials)
        add_denial(coverage, denials, rule);
    text_buffer_deinit(&key);
}

static void collect(struct coverage *coverage, const struct policy *policy)
{
    for (const struct rule *rule = policy->rules; rule; rule = rule->next) {
        if (!denies(rule))
            continue;
        if (!rule->condition) {
            add_denial(coverage, &coverage->always, rule);
            continue;
        }
        add_conditional(coverage, rule->condition, rule);
        if (rule->condition->kind == CONDITION_OR)
            for (const struct condition *child = rule->condition->first; child; child = child->next)
                add_conditional(coverage, child, rule);
    }
}

/* The denials' rules together deny the event, as itself or as every operation that it can be. */
static bool covers_event(const struct denials *denials, uint16_t event)
{
    const uint32_t can_be = catalogue_event(event)->classes;

    if (denials->events && (denials->events[event / 8] & 1U << (event % 8)))
        return true;
    return can_be != 0 && (can_be & ~denials->classes) == 0;
}

/* Every operation that `allow` can be about is one that the denials are about. */
static bool covers_target(const struct denials *denials, const struct rule *allow)
{
    if (allow->checked->globs)
        return false;
    if (allow->checked->classes != 0)
        return (allow->checked->classes & ~denials->classes) == 0;
    for (size_t i = 0; i < allow->checked->event_count; i++)
        if (!covers_event(denials, allow->checked->events[i]))
            return false;
    return true;
}

static bool names_event(const struct rule *rule, uint16_t event)
{
    for (size_t i = 0; i < rule->checked->event_count; i++)
        if (rule->checked->events[i] == event)
            return true;
    return false;
}

/* The same of one rule. */
static bool covers_alone(const struct rule *denying, const struct rule *allow)
{
    const struct denials classes = {.classes = denying->checked->classes};

    if (allow->checked->classes != 0)
        return covers_target(&classes, allow);
    for (size_t i = 0; i < allow->checked->event_count; i++)
        if (!names_event(denying, allow->checked->events[i]) &&
            !covers_event(&classes, allow->checked->events[i]))
            return false;
    return true;
}

/* A rule to cite: one that covers the allow by itself, or the first of several that do together. */
static const struct rule *find_covering(const struct coverage *coverage,
                                        const struct denials *denials, const struct rule *allow)
{
    if (!denials || denials->count == 0 || !covers_target(denials, allow))
        return NULL;
    for (size_t i = 0; i < denials->count && !diagnostics_are_full(coverage->checker->diagnostics);
         i++)
        if (covers_alone(denials->rules[i], allow))
            return denials->rules[i];
    return denials->rules[0];
}

static const struct rule *covered_by_condition(const struct coverage *coverage,
                                               const struct condition *condition,
                                               const struct rule *allow)
{
    struct text_buffer key = {0};
    const struct rule *found = NULL;

    add_condition(&key, condition);
    if (!key.failed)
        found = find_covering(
            coverage, name_table_find(&coverage->conditional, key.bytes, key.length), allow);
    text_buffer_deinit(&key);
    return found;
}

static const struct rule *covered_by(const struct coverage *coverage, const struct rule *allow)
{
    const struct rule *found = find_covering(coverage, &coverage->always, allow);

    if (found || !allow->condition || coverage->conditional.count == 0)
        return found;
    found = covered_by_condition(coverage, allow->condition, allow);
    if (!found && allow->condition->kind == CONDITION_AND)
        for (const struct condition *part = allow->condition->first; part && !found;
             part = part->next)
            found = covered_by_condition(coverage, part, allow);
    return found;
}

void check_coverage(struct checker *checker, const struct policy *policy)
{
    struct coverage coverage = {.checker = checker};

    collect(&coverage, policy);
    if (coverage.always.count == 0 && coverage.conditional.count == 0)
        return;
    for (const struct rule *rule = policy->rules; rule; rule = rule->next) {
        if (!rule->checked || rule->effect != EFFECT_ALLOW)
            continue;
        const struct rule *denying = covered_by(&coverage, rule);
        if (!denying)
            continue;
        struct diagnostic *error = report(
            checker->diagnostics, ERROR_ALLOW_COVERED, rule->name.span,
            "rule `%.*s` can never allow anything: `%.*s` denies all of it", (int)rule->name.length,
            rule->name.text, (int)denying->name.length, denying->name.text);
        diagnostic_second(error, denying->name.span, "denies, and a deny beats an allow");
        diagnostic_help(error, "for exceptions write `default deny` and allow what may be");
    }
}
