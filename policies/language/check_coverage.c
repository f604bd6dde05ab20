/* An allow that a deny of the same policy wholly covers never allows anything.
 *
 * Found is a deny without a condition, or with the allow's own; one whose condition is a part of
 * the allow's `and`; one that has the allow's condition as a part of its `or`. Conditions are
 * compared as they are written, blanks and parentheses apart. Of values: one that the deny has too,
 * a path below a directory that it denies, a network inside one. For that each value that is denied
 * is put into a table, and what is allowed is looked up there with each directory above it: the
 * rules are never held against each other. */
#include "policies/language/check_internal.h"

#include <string.h>

#include "policies/engine/path_text.h"

/* Values that are put into the table and looked up there, of a policy: sets are named again and
 * again, and a text of a mebibyte should not take long. */
enum { VALUES_MAX = 1 << 20 };

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
    struct name_table valued;      /* one value, as add_value_key writes it, to struct denials */
    struct denials always;
    uint32_t values_left;
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

static void add_under(struct coverage *coverage, struct name_table *table,
                      const struct text_buffer *key, const struct rule *rule)
{
    struct storage *storage = coverage->checker->storage;
    struct denials *denials = key->failed ? NULL : name_table_find(table, key->bytes, key->length);

    if (!denials && !key->failed) {
        const char *text = storage_copy(storage, key->bytes, key->length);
        denials = text ? storage_take(storage, 1, sizeof(*denials)) : NULL;
        if (denials)
            (void)name_table_add(table, storage, text, key->length, denials);
    }
    if (denials)
        add_denial(coverage, denials, rule);
}

/* ------------------------------------------------------------------ by value */

/* How a value of the table denies: itself, or all below. */
enum reach {
    REACH_NONE, /* nothing that is known here */
    REACH_EXACT,
    REACH_BELOW,   /* a path and all below it */
    REACH_NETWORK, /* addresses by their first bits */
};

/* What the values of a predicate stand for. Hosts have several names, lists several elements, and
 * arguments any type: they are left alone. */
static enum reach reach_of(const struct predicate *predicate, bool denies)
{
    const bool equal =
        predicate->test == TEST_IN || (predicate->test == TEST_IS && predicate->form == FORM_ONE);

    switch (predicate->checked->type) {
    case TYPE_PATH:
        if (predicate->test == TEST_UNDER || (!denies && predicate->test == TEST_MATCHES))
            return REACH_BELOW;
        return equal ? REACH_EXACT : REACH_NONE;
    case TYPE_ADDRESS:
        return equal ? REACH_NETWORK : REACH_NONE;
    case TYPE_TEXT:
    case TYPE_WORD:
    case TYPE_MODULE:
    case TYPE_INT:
    case TYPE_SIGNAL:
        return equal ? REACH_EXACT : REACH_NONE;
    default:
        return REACH_NONE;
    }
}

static bool is_place(const struct typed_value *value)
{
    return value->kind == BLOCK_VALUE_PLACE || value->kind == BLOCK_VALUE_PLACE_GLOB;
}

/* Only what can be compared byte by byte. */
static bool is_plain(const struct predicate *predicate, const struct typed_value *value)
{
    if (predicate->checked->type == TYPE_PATH)
        return is_place(value) || (value->is_path && value->length > 0);
    return value->kind == BLOCK_VALUE_TEXT || value->kind == BLOCK_VALUE_RANGE ||
           value->kind == BLOCK_VALUE_ADDRESS;
}

/* The same bytes for the same value of the same attribute. `length`: of its text, or bits of its
 * address. */
static void add_value_key(struct text_buffer *out, const struct predicate *predicate,
                          const struct typed_value *value, enum reach reach, size_t length)
{
    add_number(out, reach);
    add_word(out, predicate->attribute.text, predicate->attribute.length);
    add_number(out, predicate->index);
    add_number(out, predicate->number);
    add_word(out, predicate->key.text ? predicate->key.text : "", predicate->key.length);
    add_number(out, predicate->checked->type);
    if (value->kind == BLOCK_VALUE_RANGE) {
        add_number(out, value->low);
        add_number(out, value->high);
    } else if (value->kind == BLOCK_VALUE_ADDRESS) {
        struct address network = value->address;
        address_mask(&network, (unsigned)length);
        add_number(out, (int64_t)length);
        add_word(out, (const char *)network.bytes, network.width);
    } else {
        add_number(out, is_place(value) ? (int64_t)value->place : -1);
        add_word(out, value->text ? value->text : "", length);
    }
}

static size_t length_of(const struct typed_value *value)
{
    return value->kind == BLOCK_VALUE_ADDRESS ? value->prefix : value->length;
}

static void add_values_denied(struct coverage *coverage, const struct predicate *predicate,
                              const struct rule *rule)
{
    const enum reach reach = reach_of(predicate, true);

    for (const struct typed_value *value = predicate->checked->values;
         value && reach != REACH_NONE && coverage->values_left > 0; value = value->next) {
        struct text_buffer key = {0};
        coverage->values_left--;
        if (is_plain(predicate, value)) {
            add_value_key(&key, predicate, value, reach, length_of(value));
            add_under(coverage, &coverage->valued, &key, rule);
        }
        text_buffer_deinit(&key);
    }
}

/* Under the condition, as it is written. */
static void add_conditional(struct coverage *coverage, const struct condition *condition,
                            const struct rule *rule)
{
    struct text_buffer key = {0};

    add_condition(&key, condition);
    add_under(coverage, &coverage->conditional, &key, rule);
    text_buffer_deinit(&key);
    if (condition->kind == CONDITION_PREDICATE)
        add_values_denied(coverage, condition->predicate, rule);
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

static const struct rule *denied_as(struct coverage *coverage, const struct predicate *predicate,
                                    const struct typed_value *value, enum reach reach,
                                    size_t length, const struct rule *allow)
{
    struct text_buffer key = {0};
    const struct rule *found = NULL;

    if (coverage->values_left == 0)
        return NULL;
    coverage->values_left--;
    add_value_key(&key, predicate, value, reach, length);
    if (!key.failed)
        found = find_covering(coverage, name_table_find(&coverage->valued, key.bytes, key.length),
                              allow);
    text_buffer_deinit(&key);
    return found;
}

/* A deny of the path, or of a directory above it. */
static const struct rule *path_denied(struct coverage *coverage, const struct predicate *predicate,
                                      const struct typed_value *value, enum reach reach,
                                      const struct rule *allow)
{
    size_t length = value->length;
    const struct rule *found =
        reach == REACH_EXACT ? denied_as(coverage, predicate, value, REACH_EXACT, length, allow)
                             : NULL;

    while (!found) {
        found = denied_as(coverage, predicate, value, REACH_BELOW, length, allow);
        if (length == 0 || (length == 1 && !is_place(value)))
            break;
        do
            length--;
        while (length > 0 && value->text[length] != '/');
        if (length == 0 && !is_place(value))
            length = 1; /* the root */
    }
    return found;
}

/* Here the path, or a glob's front, leads elsewhere: the allow is of that too. */
static bool leads_elsewhere(const struct coverage *coverage, const struct typed_value *value,
                            char *resolved, struct typed_value *there)
{
    const struct compile_options *options = coverage->checker->context->options;
    char path[PATH_TEXT_MAX];
    char found[PATH_TEXT_MAX];

    if (!value->is_path || !options || !options->resolve || value->length >= sizeof(path))
        return false;
    memcpy(path, value->text, value->length);
    path[value->length] = '\0';
    if (!options->resolve(options->context, path, found, sizeof(found)))
        return false;
    *there = *value;
    there->text = resolved;
    there->length =
        path_normalise(NULL, found, strnlen(found, sizeof(found)), resolved, PATH_TEXT_MAX);
    return there->length > 0;
}

static const struct rule *value_denied(struct coverage *coverage, const struct predicate *predicate,
                                       const struct typed_value *value, enum reach reach,
                                       const struct rule *allow)
{
    const struct rule *found = NULL;

    if (!is_plain(predicate, value))
        return NULL;
    if (reach == REACH_NETWORK) {
        for (size_t bits = value->prefix + 1; bits-- > 0 && !found;)
            found = denied_as(coverage, predicate, value, reach, bits, allow);
        return found;
    }
    if (predicate->checked->type != TYPE_PATH)
        return denied_as(coverage, predicate, value, reach, value->length, allow);
    found = path_denied(coverage, predicate, value, reach, allow);
    char resolved[PATH_TEXT_MAX];
    struct typed_value there;
    if (found && leads_elsewhere(coverage, value, resolved, &there) &&
        !path_denied(coverage, predicate, &there, reach, allow))
        return NULL;
    return found;
}

/* A deny of each value that the predicate is true of; the first of them. */
static const struct rule *covered_by_values(struct coverage *coverage,
                                            const struct predicate *predicate,
                                            const struct rule *allow)
{
    const enum reach reach = reach_of(predicate, false);
    const struct rule *first = NULL;

    if (reach == REACH_NONE || coverage->valued.count == 0)
        return NULL;
    for (const struct typed_value *value = predicate->checked->values; value; value = value->next) {
        const struct rule *found = value_denied(coverage, predicate, value, reach, allow);
        if (!found)
            return NULL;
        first = first ? first : found;
    }
    return first;
}

static const struct rule *covered_part(struct coverage *coverage, const struct condition *condition,
                                       const struct rule *allow)
{
    const struct rule *found = covered_by_condition(coverage, condition, allow);

    if (!found && condition->kind == CONDITION_PREDICATE)
        found = covered_by_values(coverage, condition->predicate, allow);
    return found;
}

static const struct rule *covered_by(struct coverage *coverage, const struct rule *allow)
{
    const struct rule *found = find_covering(coverage, &coverage->always, allow);

    if (found || !allow->condition || coverage->conditional.count == 0)
        return found;
    found = covered_part(coverage, allow->condition, allow);
    if (!found && allow->condition->kind == CONDITION_AND)
        for (const struct condition *part = allow->condition->first; part && !found;
             part = part->next)
            found = covered_part(coverage, part, allow);
    return found;
}

void check_coverage(struct checker *checker, const struct policy *policy)
{
    struct coverage coverage = {.checker = checker, .values_left = VALUES_MAX};

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
