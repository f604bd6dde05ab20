/* What the language allows, and an author rarely means. */
#include "policies/language/check_internal.h"

#include <stdlib.h>
#include <string.h>

static bool allows(const struct rule *rule)
{
    return rule->checked && rule->effect == EFFECT_ALLOW;
}

/* An operation of the class may be without the attribute. */
static bool may_lack(enum operation_class operation_class, enum attribute_name attribute)
{
    switch (attribute) {
    case ATTRIBUTE_FILE:
        return operation_class == CLASS_CODE;
    case ATTRIBUTE_PATH:
        return operation_class != CLASS_READ && operation_class != CLASS_WRITE &&
               operation_class != CLASS_REGISTRY;
    case ATTRIBUTE_HOST:
        return operation_class == CLASS_CONNECT;
    case ATTRIBUTE_FAMILY:
        return operation_class == CLASS_SOCKET;
    case ATTRIBUTE_MODULE:
        return operation_class == CLASS_NATIVE || operation_class == CLASS_RUN;
    case ATTRIBUTE_NAME:
        return operation_class == CLASS_NATIVE;
    case ATTRIBUTE_INTERPRETER:
    case ATTRIBUTE_SIGNAL:
    case ATTRIBUTE_ADDRESS:
    case ATTRIBUTE_PORT:
    case ATTRIBUTE_KIND:
    case ATTRIBUTE_PROTOCOL:
    case ATTRIBUTE_SYMBOL:
    case ATTRIBUTE_REQUEST:
        return true;
    default:
        return false;
    }
}

static bool may_be_absent(const struct rule *rule, const struct predicate *predicate)
{
    const enum attribute_name attribute = predicate->checked->attribute;

    if (predicate->index != INDEX_NONE || attribute == ATTRIBUTE_SCRIPT)
        return true;
    if (is_common_attribute(attribute))
        return false;
    if (rule->events)
        return true; /* an event's own arguments, or one of several classes */
    for (int i = CLASS_NONE + 1; i < CLASS_COUNT; i++)
        if ((rule->checked->classes & class_bit((enum operation_class)i)) &&
            may_lack((enum operation_class)i, attribute))
            return true;
    return false;
}

_Static_assert(ATTRIBUTE_COUNT <= 64, "sets of attributes are 64 bits");

/* Attributes that the condition, where it is true, knows to be there: bit N for attribute N. */
static uint64_t surely_there(const struct condition *condition)
{
    uint64_t there = 0;

    if (condition->kind == CONDITION_PREDICATE && condition->predicate->index == INDEX_NONE &&
        condition->predicate->test != TEST_IS_ABSENT)
        return UINT64_C(1) << condition->predicate->checked->attribute;
    if (condition->kind == CONDITION_NOT && condition->first->kind == CONDITION_PREDICATE &&
        condition->first->predicate->index == INDEX_NONE &&
        condition->first->predicate->test == TEST_IS_ABSENT)
        return UINT64_C(1) << condition->first->predicate->checked->attribute;
    if (condition->kind == CONDITION_AND)
        for (const struct condition *child = condition->first; child; child = child->next)
            there |= surely_there(child);
    return there;
}

static void warn_said(struct checker *checker, const struct predicate *predicate, bool applies)
{
    const char *what = applies ? "`applies`" : "this allow";
    struct diagnostic *warning =
        report(checker->diagnostics, WARNING_SAID_BY_PROCESS, predicate->operand_of,
               "%s rests on `%.*s`, which the process says of itself", what,
               (int)predicate->operand_of.length, span_text(predicate->operand_of));
    if (applies && predicate->checked->attribute != ATTRIBUTE_LABEL) /* labels go down with a run */
        diagnostic_note(warning, "what such a session starts may say another: then it is not "
                                 "governed");
    diagnostic_help(warning, "user, group and unit are proved by the kernel");
}

static void warn_negated(struct checker *checker, const struct rule *rule,
                         const struct predicate *predicate, uint64_t there)
{
    const enum attribute_name attribute = predicate->checked->attribute;
    const struct span of = predicate->operand_of;
    struct diagnostic *warning;

    if (attribute == ATTRIBUTE_ARGV &&
        (predicate->test == TEST_HAS || predicate->test == TEST_HAS_MATCHES)) {
        warning = report(checker->diagnostics, WARNING_ARGV_DENY_LIST, predicate->span,
                         "an allow that lists what `argv` must not have");
        diagnostic_note(warning, "programs have other spellings for most options: -x, --x=…, "
                                 "@file, an abbreviation");
        diagnostic_help(warning, "list what is allowed instead: argv starts […], argv is […]");
        return;
    }
    if (predicate->test == TEST_IS_ABSENT || !may_be_absent(rule, predicate) ||
        (predicate->index == INDEX_NONE && (there >> attribute & 1)))
        return;
    warning = report(checker->diagnostics, WARNING_NOT_OF_ABSENT, predicate->span,
                     "this `not` is true where there is no `%.*s` at all, and allows that too",
                     (int)of.length, span_text(of));
    diagnostic_help(warning, "say what is allowed, or add `and not %.*s is absent`", (int)of.length,
                    span_text(of));
}

/* `rule` is NULL for the conditions of an `applies`. */
static void walk(struct checker *checker, const struct rule *rule,
                 const struct condition *condition, bool negated, uint64_t there)
{
    if (condition->kind != CONDITION_PREDICATE) {
        const bool turned = condition->kind == CONDITION_NOT;
        for (const struct condition *child = condition->first; child; child = child->next)
            walk(checker, rule, child, negated != turned, there);
        return;
    }
    const struct predicate *predicate = condition->predicate;
    const enum attribute_name attribute = predicate->checked->attribute;
    /* exe comes as a descriptor from the process itself, which may hand over another file. */
    if (attribute == ATTRIBUTE_LABEL || attribute == ATTRIBUTE_SCRIPT || attribute == ATTRIBUTE_EXE)
        warn_said(checker, predicate, !rule);
    else if (rule && negated)
        warn_negated(checker, rule, predicate, there);
}

static bool is_checked(const struct condition *condition)
{
    if (condition->kind == CONDITION_PREDICATE)
        return condition->predicate->checked != NULL;
    for (const struct condition *child = condition->first; child; child = child->next)
        if (!is_checked(child))
            return false;
    return true;
}

static bool same_operand(const struct predicate *a, const struct predicate *b)
{
    return a->checked->attribute == b->checked->attribute && a->index == b->index &&
           a->number == b->number && a->key.length == b->key.length &&
           (a->key.length == 0 || memcmp(a->key.text, b->key.text, a->key.length) == 0);
}

/* The integers that a predicate is true of, as far as one range holds them all. */
static bool range_of(const struct predicate *predicate, int64_t *low, int64_t *high)
{
    const struct typed_value *value = predicate->checked->values;

    *low = INT64_MIN;
    *high = INT64_MAX;
    if ((predicate->checked->type != TYPE_INT && predicate->checked->type != TYPE_SIGNAL) || !value)
        return false;
    switch (predicate->test) {
    case TEST_IS:
    case TEST_IN:
        *low = value->low;
        *high = value->high;
        return !value->next;
    case TEST_LESS:
        *high = value->low > INT64_MIN ? value->low - 1 : INT64_MIN;
        return true;
    case TEST_LESS_OR_EQUAL:
        *high = value->low;
        return true;
    case TEST_GREATER:
        *low = value->low < INT64_MAX ? value->low + 1 : INT64_MAX;
        return true;
    case TEST_GREATER_OR_EQUAL:
        *low = value->low;
        return true;
    default:
        return false;
    }
}

/* No value of a short list is in a range. */
static bool outside(const struct predicate *list, int64_t low, int64_t high)
{
    enum { LOOKED_AT_MAX = 64 };
    int count = 0;

    if ((list->test != TEST_IN && list->test != TEST_IS) ||
        (list->checked->type != TYPE_INT && list->checked->type != TYPE_SIGNAL))
        return false;
    for (const struct typed_value *value = list->checked->values; value; value = value->next)
        if (++count > LOOKED_AT_MAX || (value->high >= low && value->low <= high))
            return false;
    return count > 0;
}

/* Two predicates of one attribute that can never both be true. */
static bool contradict(const struct predicate *a, const struct predicate *b)
{
    const struct typed_value *left = a->checked->values;
    const struct typed_value *right = b->checked->values;
    int64_t low;
    int64_t high;

    if (!same_operand(a, b))
        return false;
    if ((a->test == TEST_IS_ABSENT) != (b->test == TEST_IS_ABSENT))
        return a->test != TEST_IS_NONE && b->test != TEST_IS_NONE; /* what is compared is there */
    if ((range_of(a, &low, &high) && outside(b, low, high)) ||
        (range_of(b, &low, &high) && outside(a, low, high)))
        return true;
    int64_t other_low;
    int64_t other_high;
    if (range_of(a, &low, &high) && range_of(b, &other_low, &other_high))
        return high < other_low || other_high < low;
    if (a->test != TEST_IS || b->test != TEST_IS || a->form != FORM_ONE || b->form != FORM_ONE ||
        left->kind != right->kind)
        return false;
    switch (a->checked->type) {
    case TYPE_WORD:
    case TYPE_TEXT:
    case TYPE_MODULE:
        return left->length != right->length || memcmp(left->text, right->text, left->length) != 0;
    default:
        return false; /* paths have two forms, hosts several names, arguments many types */
    }
}

/* `x and not x`, as they are written. */
static void warn_negation(struct checker *checker, const struct condition *all,
                          const struct condition *negated)
{
    enum { COMPARED_MAX = 32 };
    const struct predicate *not = negated->first->predicate;
    int count = 0;

    for (const struct condition *child = all->first; child && count < COMPARED_MAX;
         child = child->next, count++) {
        if (child->kind != CONDITION_PREDICATE ||
            child->predicate->span.length != not ->span.length ||
            memcmp(span_text(child->predicate->span), span_text(not ->span), not ->span.length) !=
                0)
            continue;
        struct diagnostic *warning =
            report(checker->diagnostics, WARNING_NEVER_MATCHES, negated->span,
                   "this rule never matches: both cannot be true at once");
        diagnostic_second(warning, child->predicate->span, NULL);
        diagnostic_help(warning, "remove one of the two");
        return;
    }
}

static void warn_contradiction(struct checker *checker, const struct condition *condition)
{
    enum { COMPARED_MAX = 32 }; /* of one `and`: people write few */
    const struct predicate *seen[COMPARED_MAX];
    size_t count = 0;
    int negations = 0;

    if (condition->kind != CONDITION_AND)
        return;
    for (const struct condition *child = condition->first; child; child = child->next) {
        if (child->kind == CONDITION_NOT && child->first->kind == CONDITION_PREDICATE &&
            negations++ < COMPARED_MAX)
            warn_negation(checker, condition, child);
        if (child->kind != CONDITION_PREDICATE || count == COMPARED_MAX)
            continue;
        for (size_t i = 0; i < count; i++) {
            if (!contradict(seen[i], child->predicate))
                continue;
            struct diagnostic *warning =
                report(checker->diagnostics, WARNING_NEVER_MATCHES, child->predicate->span,
                       "this rule never matches: both cannot be true at once");
            diagnostic_second(warning, seen[i]->span, NULL);
            diagnostic_help(warning, "for one or the other write `in […]`");
        }
        seen[count++] = child->predicate;
    }
}

/* `event is "x"`, and x is no operation of the rule's classes. */
static void warn_event_elsewhere(struct checker *checker, const struct rule *rule,
                                 const struct condition *condition)
{
    const struct predicate *predicate = condition->predicate;

    if (condition->kind == CONDITION_AND) {
        for (const struct condition *child = condition->first; child; child = child->next)
            warn_event_elsewhere(checker, rule, child);
        return;
    }
    if (condition->kind != CONDITION_PREDICATE || rule->events ||
        predicate->checked->attribute != ATTRIBUTE_EVENT || predicate->test != TEST_IS ||
        predicate->form != FORM_ONE)
        return;
    const struct typed_value *value = predicate->checked->values;
    const struct event_entry *entry = catalogue_find(value->text, value->length);
    if (entry && !(entry->classes & rule->checked->classes))
        diagnostic_help(report(checker->diagnostics, WARNING_NEVER_MATCHES, predicate->span,
                               "this rule never matches: \"%s\" is no operation of its classes",
                               entry->name),
                        "a rule on the event itself: event \"%s\"", entry->name);
}

bool default_denies(const struct policy *policy, enum operation_class operation_class,
                    struct span *where)
{
    bool by_all = false;

    for (const struct default_statement *statement = policy->defaults; statement;
         statement = statement->next) {
        for (const struct class_word *class = statement->classes.first; class;
             class = class->next) {
            if (class->operation_class == operation_class) {
                *where = class->word.span;
                return statement->deny;
            }
        }
        if (statement->classes.all && statement->deny) {
            *where = statement->classes.span;
            by_all = true;
        }
    }
    return by_all;
}

/* Classes that some rule or default of the policy denies something of. */
static uint32_t denied_classes(const struct policy *policy)
{
    uint32_t denied = 0;
    struct span where;

    for (unsigned i = 0; i < CLASS_COUNT; i++)
        if (default_denies(policy, (enum operation_class)i, &where))
            denied |= class_bit((enum operation_class)i);
    for (const struct rule *rule = policy->rules; rule; rule = rule->next) {
        if (rule->effect != EFFECT_DENY && rule->effect != EFFECT_KILL)
            continue;
        if (!rule->checked || rule->events) /* events can be operations of several classes */
            return UINT32_MAX;
        denied |= rule->checked->classes;
    }
    return denied;
}

/* Allows under a condition, of what nothing is denied of: their author thinks that the rest is
 * denied, or that they loosen another policy. Said once for each set of classes. */
static void warn_allow(struct checker *checker, const struct policy *policy)
{
    uint32_t known = denied_classes(policy);

    for (const struct rule *rule = policy->rules; rule; rule = rule->next) {
        const struct class_word *first = rule->classes.first;
        if (rule->effect != EFFECT_ALLOW || !rule->checked || !rule->condition || !first ||
            rule->checked->classes & known)
            continue;
        known |= rule->checked->classes;
        struct diagnostic *warning =
            report(checker->diagnostics, WARNING_ALLOW_WITHOUT_DENIAL, rule->classes.span,
                   "this changes nothing: the policy denies no `%s`, and what nothing denies is "
                   "allowed",
                   vocabulary_class_name(first->operation_class));
        diagnostic_help(warning,
                        "to allow this alone, add: default deny %s; an allow loosens no other "
                        "policy",
                        vocabulary_class_name(first->operation_class));
    }
}

/* A place that a rule is about: its literal front, components with a `/` behind each. */
struct region {
    const char *text;
    size_t length;
    const struct rule *rule;
};

struct regions {
    struct checker *checker;
    struct region *items;
    size_t count;
    size_t capacity;
};

static void add_region(struct regions *regions, const struct rule *rule, const char *text,
                       size_t length)
{
    if (regions->count == regions->capacity) {
        const size_t capacity = regions->capacity > 0 ? 2 * regions->capacity : 16;
        struct region *items =
            storage_take(regions->checker->storage, capacity, sizeof(*regions->items));
        if (!items)
            return;
        if (regions->count > 0)
            memcpy(items, regions->items, regions->count * sizeof(*items));
        regions->items = items;
        regions->capacity = capacity;
    }
    regions->items[regions->count++] = (struct region){text, length, rule};
}

static void add_value_region(struct regions *regions, const struct rule *rule,
                             const struct typed_value *value)
{
    struct text_buffer text = {0};

    if (value->kind == BLOCK_VALUE_PLACE || value->kind == BLOCK_VALUE_PLACE_GLOB)
        text_buffer_format(&text, "session.%s", place_name(value->place));
    text_buffer_add(&text, value->text, value->length);
    if (text.length == 0 || text.bytes[text.length - 1] != '/')
        text_buffer_add_text(&text, "/");
    const char *copy =
        text.failed ? NULL : storage_copy(regions->checker->storage, text.bytes, text.length);
    if (copy)
        add_region(regions, rule, copy, text.length);
    text_buffer_deinit(&text);
}

/* The places where the condition can be true, as far as its `and`s and `or`s over the path say.
 * False if it says nothing about the path: it is about every place. */
static bool add_condition_regions(struct regions *regions, const struct rule *rule,
                                  const struct condition *condition)
{
    const struct checked_predicate *checked;
    const size_t before = regions->count;

    switch (condition->kind) {
    case CONDITION_PREDICATE:
        checked = condition->predicate->checked;
        if ((checked->attribute != ATTRIBUTE_PATH && checked->attribute != ATTRIBUTE_FILE) ||
            !checked->values)
            return false;
        for (const struct typed_value *value = checked->values; value; value = value->next)
            add_value_region(regions, rule, value);
        return true;
    case CONDITION_AND:
        for (const struct condition *child = condition->first; child; child = child->next)
            if (add_condition_regions(regions, rule, child))
                return true;
        return false;
    case CONDITION_OR:
        for (const struct condition *child = condition->first; child; child = child->next) {
            if (!add_condition_regions(regions, rule, child)) {
                regions->count = before;
                return false;
            }
        }
        return true;
    default:
        return false;
    }
}

static int by_text(const void *a, const void *b)
{
    const struct region *left = a;
    const struct region *right = b;
    const size_t shorter = left->length < right->length ? left->length : right->length;
    const int order = memcmp(left->text, right->text, shorter);

    if (order != 0)
        return order;
    return (left->length > right->length) - (left->length < right->length);
}

static bool is_front(const struct region *front, const char *text, size_t length)
{
    return front->length <= length && memcmp(front->text, text, front->length) == 0;
}

/* The first region that is not before the text. */
static size_t lower_bound(const struct regions *regions, const char *text, size_t length)
{
    const struct region wanted = {.text = text, .length = length};
    size_t low = 0;
    size_t high = regions->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (by_text(&regions->items[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A region of `run` (sorted) that has something in common with `written`. */
static const struct region *common_region(const struct regions *run, const struct region *written)
{
    size_t at = lower_bound(run, written->text, written->length);
    if (at < run->count && is_front(written, run->items[at].text, run->items[at].length))
        return &run->items[at];
    for (size_t i = 1; i < written->length; i++) {
        if (written->text[i - 1] != '/')
            continue;
        at = lower_bound(run, written->text, i);
        if (at < run->count && run->items[at].length == i &&
            memcmp(run->items[at].text, written->text, i) == 0)
            return &run->items[at];
    }
    return NULL;
}

/* `allow write` where `exec` or `native` is allowed: what is written can be run. */
static void warn_write_and_run(struct checker *checker, const struct policy *policy)
{
    struct regions run = {.checker = checker};
    struct regions written = {.checker = checker};
    const struct rule *run_anywhere = NULL;

    for (const struct rule *rule = policy->rules; rule; rule = rule->next) {
        if (!allows(rule))
            continue;
        const bool runs =
            (rule->checked->classes & (class_bit(CLASS_EXEC) | class_bit(CLASS_NATIVE))) != 0;
        if (runs && (!rule->condition || !add_condition_regions(&run, rule, rule->condition)))
            run_anywhere = rule;
        if ((rule->checked->classes & class_bit(CLASS_WRITE)) &&
            (!rule->condition || !add_condition_regions(&written, rule, rule->condition)))
            add_region(&written, rule, "", 0);
    }
    if (run.count > 0)
        qsort(run.items, run.count, sizeof(*run.items), by_text);
    for (size_t i = 0; i < written.count; i++) {
        const struct region *common = common_region(&run, &written.items[i]);
        const struct rule *runs = common ? common->rule : run_anywhere;
        const struct rule *writes = written.items[i].rule;
        if (!runs)
            continue;
        struct diagnostic *warning =
            report(checker->diagnostics, WARNING_WRITE_AND_RUN, writes->name.span,
                   "what `%.*s` lets be written, `%.*s` lets be run", (int)writes->name.length,
                   writes->name.text, (int)runs->name.length, runs->name.text);
        if (runs != writes)
            diagnostic_second(warning, runs->name.span, NULL);
        diagnostic_help(warning, "allow programs and libraries only where nothing can be written");
    }
}

void check_exception_warnings(struct checker *checker, const struct rule *rule,
                              const struct condition *condition)
{
    walk(checker, rule, condition, false, surely_there(condition));
}

void check_rule_warnings(struct checker *checker, const struct policy *policy)
{
    for (const struct applies *applies = policy->applies; applies; applies = applies->next)
        if (is_checked(applies->condition))
            walk(checker, NULL, applies->condition, false, 0);
    for (const struct rule *rule = policy->rules; rule; rule = rule->next) {
        if (!rule->checked || !rule->condition)
            continue;
        if (rule->effect == EFFECT_ALLOW)
            walk(checker, rule, rule->condition, false, surely_there(rule->condition));
        warn_contradiction(checker, rule->condition);
        warn_event_elsewhere(checker, rule, rule->condition);
    }
}

void check_policy_warnings(struct checker *checker, const struct policy *policy)
{
    if (!policy->modes || !policy->modes->observe) /* which denies nothing */
        check_start(checker, policy);
    if (!policy->flawed)
        warn_allow(checker, policy);
    warn_write_and_run(checker, policy);
}
