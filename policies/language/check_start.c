/* An interpreter reads, imports and runs code before its first line of Python: what every CPython
 * from 3.8 on does there, `python -I -S -c pass` included, is listed here, and a policy that denies
 * some of it for certain lets none start. What depends on the host, as the paths of its modules,
 * denies nothing for certain. */
#include "policies/language/check_internal.h"

#include <string.h>

#include "policies/engine/budget.h"

static const char *const needed_modules[] = {"encodings", "encodings.aliases", "codecs", "io",
                                             "abc",       "zipimport"};
static const char *const needed_events[] = {
    "exec", "import", "open", "os.listdir", "object.__getattr__", "object.__setattr__"};

/* What is known of a condition before there is an operation. */
enum knowledge { FALSE_OF_IT, NOT_KNOWN, TRUE_OF_IT };

static bool module_is_below(const struct typed_value *value, const char *module)
{
    return strncmp(module, value->text, value->length) == 0 &&
           (module[value->length] == '\0' || module[value->length] == '.');
}

static bool matches(const struct typed_value *value, const char *module)
{
    uint32_t words[GLOB_WORDS_MAX];
    size_t count;
    size_t at;
    struct budget budget = {UINT64_MAX};
    const size_t length = strlen(module);

    return length >= value->length && memcmp(module, value->text, value->length) == 0 &&
           glob_compile(value->glob_kind, value->glob, value->glob_length, words, &count, &at) ==
               GLOB_GOOD &&
           glob_match(value->glob_kind, words, count, module + value->length,
                      length - value->length, &budget);
}

static enum knowledge of_module(const struct predicate *predicate, const char *module)
{
    for (const struct typed_value *value = predicate->checked->values; value; value = value->next) {
        bool met;
        switch (predicate->test) {
        case TEST_IS:
        case TEST_IN:
            met =
                strlen(module) == value->length && memcmp(module, value->text, value->length) == 0;
            break;
        case TEST_UNDER:
            met = module_is_below(value, module);
            break;
        case TEST_MATCHES:
            met = matches(value, module);
            break;
        default:
            return NOT_KNOWN;
        }
        if (met)
            return TRUE_OF_IT;
    }
    return predicate->test == TEST_IS_NONE || predicate->test == TEST_IS_ABSENT ? NOT_KNOWN
                                                                                : FALSE_OF_IT;
}

/* Of a path that may be anywhere. */
static enum knowledge of_any_path(const struct predicate *predicate)
{
    for (const struct typed_value *value = predicate->checked->values; value; value = value->next)
        if (value->kind == BLOCK_VALUE_TEXT && predicate->test == TEST_UNDER &&
            value->length == 1 && value->text[0] == '/')
            return TRUE_OF_IT;
    return NOT_KNOWN;
}

static enum knowledge known(const struct condition *condition, enum operation_class operation_class,
                            const char *module)
{
    const struct predicate *predicate = condition->predicate;
    enum knowledge knowledge = NOT_KNOWN;

    switch (condition->kind) {
    case CONDITION_TRUE:
        return TRUE_OF_IT;
    case CONDITION_PREDICATE:
        if (predicate->index != INDEX_NONE)
            return NOT_KNOWN;
        if (operation_class == CLASS_IMPORT && predicate->checked->attribute == ATTRIBUTE_MODULE)
            return of_module(predicate, module);
        if (operation_class == CLASS_READ && predicate->checked->attribute == ATTRIBUTE_PATH)
            return of_any_path(predicate);
        return NOT_KNOWN;
    case CONDITION_NOT:
        return (enum knowledge)(TRUE_OF_IT - known(condition->first, operation_class, module));
    default:
        break;
    }
    const bool all = condition->kind == CONDITION_AND;
    knowledge = all ? TRUE_OF_IT : FALSE_OF_IT;
    for (const struct condition *child = condition->first; child; child = child->next) {
        const enum knowledge one = known(child, operation_class, module);
        if (all ? one < knowledge : one > knowledge)
            knowledge = one;
    }
    return knowledge;
}

/* What the rule denies of what each interpreter does in that class: "" for all, NULL for nothing
 * that is certain. */
static const char *denied_by(const struct rule *rule, enum operation_class operation_class)
{
    if (!(rule->checked->classes & class_bit(operation_class)))
        return NULL;
    if (!rule->condition)
        return "";
    if (operation_class == CLASS_READ)
        return known(rule->condition, CLASS_READ, NULL) == TRUE_OF_IT ? "" : NULL;
    for (size_t i = 0;
         operation_class == CLASS_IMPORT && i < sizeof(needed_modules) / sizeof(*needed_modules);
         i++)
        if (known(rule->condition, CLASS_IMPORT, needed_modules[i]) == TRUE_OF_IT)
            return needed_modules[i];
    return NULL;
}

static bool denies(const struct rule *rule)
{
    return rule->checked && (rule->effect == EFFECT_DENY || rule->effect == EFFECT_KILL);
}

/* A rule on events that each interpreter raises, without a condition. */
static void warn_events(struct checker *checker, const struct rule *rule)
{
    const struct target *target = rule->checked->target;

    for (size_t i = 0; target && i < target->event_count; i++) {
        const char *name = catalogue_event(target->events[i])->name;
        for (size_t j = 0; j < sizeof(needed_events) / sizeof(*needed_events); j++) {
            if (strcmp(name, needed_events[j]) != 0)
                continue;
            diagnostic_help(report(checker->diagnostics, WARNING_STOPS_START, rule->events->span,
                                   "no interpreter starts under this policy: each raises \"%s\" "
                                   "before its first line",
                                   name),
                            "say what is to be denied of it: deny event \"%s\" where … as %.*s",
                            name, (int)rule->name.length, rule->name.text);
            return;
        }
    }
}

/* The rule denies it whatever is allowed beside it. */
static void warn_rule(struct checker *checker, const struct rule *rule,
                      enum operation_class operation_class, const char *denied)
{
    const char *name = vocabulary_class_name(operation_class);
    struct diagnostic *warning =
        report(checker->diagnostics, WARNING_STOPS_START,
               rule->condition ? rule->condition->span : rule->classes.span,
               "no interpreter starts under this policy: each needs some `%s`%s%s%s", name,
               *denied ? ": that of `" : "", denied, *denied ? "`" : "");
    if (*denied)
        diagnostic_help(warning, "leave out what an interpreter itself is made of: and not module "
                                 "under [\"encodings\", \"codecs\", \"io\", \"abc\", …]");
    else
        diagnostic_help(warning,
                        "deny a part of it, where … as %.*s, or all but what is needed: default "
                        "deny %s, allow %s where … as NAME",
                        (int)rule->name.length, rule->name.text, name, name);
}

static void warn_class(struct checker *checker, const struct policy *policy,
                       enum operation_class operation_class)
{
    struct span where = {0};
    bool allowed = false;

    for (const struct rule *rule = policy->rules; rule; rule = rule->next) {
        const char *denied = denies(rule) ? denied_by(rule, operation_class) : NULL;
        if (denied) {
            warn_rule(checker, rule, operation_class, denied);
            return;
        }
        /* Of what has an error, who knows what it was to be. */
        allowed |= !rule->checked ||
                   (rule->effect == EFFECT_ALLOW &&
                    ((rule->checked->classes & class_bit(operation_class)) || rule->events));
    }
    if (allowed || !default_denies(policy, operation_class, &where))
        return;
    const char *name = vocabulary_class_name(operation_class);
    diagnostic_help(report(checker->diagnostics, WARNING_STOPS_START, where,
                           "no interpreter starts under this policy: each needs some `%s`", name),
                    "allow what it needs: allow %s where … as NAME", name);
}

void check_start(struct checker *checker, const struct policy *policy)
{
    static const enum operation_class needed[] = {CLASS_READ, CLASS_IMPORT, CLASS_CODE,
                                                  CLASS_INTROSPECT, CLASS_RUN};

    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        warn_class(checker, policy, needed[i]);
    for (const struct rule *rule = policy->rules; rule; rule = rule->next)
        if (denies(rule) && rule->events && !rule->condition)
            warn_events(checker, rule);
}
