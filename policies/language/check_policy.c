/* Names, sets, defaults, modes, and what is not there yet. */
#include "policies/language/check_internal.h"

#include <string.h>

static bool same_word(const struct word *word, const char *text)
{
    return strlen(text) == word->length && memcmp(word->text, text, word->length) == 0;
}

const struct set *find_set(struct checker *checker, const struct word *name)
{
    struct set *set = name_table_find(&checker->policy_sets, name->text, name->length);
    if (!set)
        set = name_table_find(&checker->file_sets, name->text, name->length);
    if (set) {
        set->used = true;
        return set->flawed ? NULL : set;
    }
    if (!checker->sets_are_whole)
        return NULL; /* it may be one that could not be read */

    struct suggestion suggestion;
    suggestion_init(&suggestion, name->text, name->length);
    const struct name_table *tables[] = {&checker->policy_sets, &checker->file_sets};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0;
             j < tables[i]->capacity && diagnostics_want_suggestions(checker->diagnostics); j++)
            if (tables[i]->entries[j].meaning)
                suggestion_offer(&suggestion, tables[i]->entries[j].text,
                                 tables[i]->entries[j].length);
    struct diagnostic *error = report(checker->diagnostics, ERROR_UNKNOWN_SET, name->span,
                                      "unknown set `%.*s`", (int)name->length, name->text);
    if (suggestion.best)
        diagnostic_label(error, "did you mean `%.*s`?", (int)suggestion.best_length,
                         suggestion.best);
    else
        diagnostic_help(error,
                        "a text stands in quotes: \"%.*s\"; a set is defined with set %.*s "
                        "= [ … ]",
                        (int)name->length, name->text, (int)name->length, name->text);
    return NULL;
}

static void duplicate(struct checker *checker, enum diagnostic_code code, const char *what,
                      const struct word *name, const struct word *first)
{
    struct diagnostic *error =
        report(checker->diagnostics, code, name->span, "%s `%.*s` is there already", what,
               (int)name->length, name->text);
    diagnostic_second(error, first->span, "first here");
    diagnostic_help(error, "give one of the two another name");
}

/* A set by its name, in the table of its level. */
static void add_set(struct checker *checker, struct name_table *table, struct set *set)
{
    static const char *const reserved[] = {"and",     "or",   "not",    "in",    "is", "under",
                                           "matches", "has",  "starts", "where", "as", "message",
                                           "none",    "true", "false",  "all"};
    const struct set *first =
        name_table_find(&checker->file_sets, set->name.text, set->name.length);

    for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
        if (same_word(&set->name, reserved[i])) {
            diagnostic_help(report(checker->diagnostics, ERROR_RESERVED_NAME, set->name.span,
                                   "`%s` is a word of the language, and cannot name a set",
                                   reserved[i]),
                            "choose another name");
            return;
        }
    }
    if (!first)
        first = name_table_add(table, checker->storage, set->name.text, set->name.length, set);
    if (first) {
        duplicate(checker, ERROR_DUPLICATE_SET, "set", &set->name, &first->name);
        return;
    }
    if (!set->flawed)
        set->flawed = !check_list(checker, set->values, set->list_span);
}

static void warn_unused(struct checker *checker, const struct set *set)
{
    if (!set->used)
        diagnostic_help(report(checker->diagnostics, WARNING_UNUSED_SET, set->name.span,
                               "nothing uses the set `%.*s`", (int)set->name.length,
                               set->name.text),
                        "remove it");
}

static void check_rule_names(struct checker *checker, struct policy *policy)
{
    policy->rule_names = storage_take(checker->storage, 1, sizeof(*policy->rule_names));
    if (!policy->rule_names)
        return;
    for (struct rule *rule = policy->rules; rule; rule = rule->next) {
        const struct rule *first = name_table_add(policy->rule_names, checker->storage,
                                                  rule->name.text, rule->name.length, rule);
        if (first)
            duplicate(checker, ERROR_DUPLICATE_RULE, "rule", &rule->name, &first->name);
    }
}

static void check_modes(struct checker *checker, const struct policy *policy)
{
    for (const struct mode *mode = policy->modes ? policy->modes->next : NULL; mode;
         mode = mode->next) {
        struct diagnostic *error =
            report(checker->diagnostics, ERROR_DUPLICATE_MODE, mode->span, "a policy has one mode");
        diagnostic_second(error, policy->modes->span, "first here");
        diagnostic_help(error, "remove one of the two");
    }
}

/* What was said of a class in `default`, so far. */
struct class_default {
    const struct default_statement *statement;
    const struct default_statement *message; /* the one with a message */
    struct span span;
};

static void check_default_class(struct checker *checker, struct class_default *known,
                                const struct default_statement *statement, struct span span,
                                const char *name)
{
    if (known->statement && known->statement->deny != statement->deny) {
        struct diagnostic *error = report(checker->diagnostics, ERROR_DEFAULT_BOTH_WAYS, span,
                                          "`%s` is both denied and allowed by default", name);
        diagnostic_second(error, known->span,
                          known->statement->deny ? "denied here" : "allowed here");
        diagnostic_help(error, "remove one; a class named itself beats `all`");
        return;
    }
    if (known->message && statement->message &&
        (known->message->message->length != statement->message->length ||
         memcmp(known->message->message->text, statement->message->text,
                statement->message->length) != 0)) {
        struct diagnostic *error =
            report(checker->diagnostics, ERROR_DEFAULT_TWO_MESSAGES, statement->message->span,
                   "the default of `%s` has another message already", name);
        diagnostic_second(error, known->message->message->span, "first here");
        diagnostic_help(error, "keep one of the two, or give both the same text");
        return;
    }
    known->statement = statement;
    known->span = span;
    if (statement->message)
        known->message = statement;
}

static void check_defaults(struct checker *checker, const struct policy *policy)
{
    struct class_default known[CLASS_COUNT] = {0}; /* CLASS_NONE stands for `all` */

    for (struct default_statement *statement = policy->defaults; statement;
         statement = statement->next) {
        check_printable(checker, statement->message, "a message");
        if (statement->classes.all)
            check_default_class(checker, &known[CLASS_NONE], statement, statement->classes.span,
                                "all");
        for (struct class_word *class = statement->classes.first; class; class = class->next) {
            class->operation_class = find_class(checker->diagnostics, &class->word);
            if (class->operation_class != CLASS_NONE)
                check_default_class(checker, &known[class->operation_class], statement,
                                    class->word.span,
                                    vocabulary_class_name(class->operation_class));
        }
        if (statement->message && !statement->deny)
            diagnostic_help(report(checker->diagnostics, ERROR_MESSAGE_ON_NOTHING,
                                   statement->message->span,
                                   "nobody would see this message: `default allow` stops nothing"),
                            "remove it, or write it as a comment: # …");
    }
}

static void check_later(struct checker *checker, const struct policy *policy)
{
    for (const struct later *later = policy->later; later; later = later->next)
        diagnostic_help(
            report(checker->diagnostics, ERROR_LIMIT_LATER, later->span,
                   "`limit` is part of the language and not there yet: a later version brings it"),
            "until then leave it out");
}

/* socket.connect may look a name up, too late to prevent it: it is no lookup here. */
static bool is_lookup(const struct event_entry *entry)
{
    return (entry->classes & class_bit(CLASS_RESOLVE)) &&
           !(entry->classes & class_bit(CLASS_CONNECT));
}

/* Some rule but a log decides about lookups. */
static bool judges_lookups(const struct policy *policy)
{
    for (const struct rule *rule = policy->rules; rule; rule = rule->next) {
        if (rule->effect == EFFECT_LOG || !rule->checked)
            continue;
        if (rule->checked->classes & class_bit(CLASS_RESOLVE))
            return true;
        for (size_t i = 0; i < rule->checked->event_count; i++)
            if (is_lookup(catalogue_event(rule->checked->events[i])))
                return true;
    }
    return false;
}

static const struct predicate *host_predicate(const struct condition *condition)
{
    if (condition->kind == CONDITION_PREDICATE)
        return condition->predicate->checked &&
                       condition->predicate->checked->attribute == ATTRIBUTE_HOST
                   ? condition->predicate
                   : NULL;
    for (const struct condition *child = condition->first; child; child = child->next) {
        const struct predicate *found = host_predicate(child);
        if (found)
            return found;
    }
    return NULL;
}

/* True if the rule is about connections. */
static bool judges_connections(const struct rule *rule)
{
    if (rule->checked->classes & class_bit(CLASS_CONNECT))
        return true;
    for (size_t i = 0; i < rule->checked->event_count; i++)
        if (catalogue_event(rule->checked->events[i])->classes & class_bit(CLASS_CONNECT))
            return true;
    return rule->checked->globs != NULL;
}

/* A connection that no lookup led to has no known host: such a deny fires on every one of them. */
static void check_host_denials(struct checker *checker, const struct policy *policy)
{
    if (policy->flawed || judges_lookups(policy))
        return;
    for (const struct rule *rule = policy->rules; rule; rule = rule->next)
        if (!rule->checked)
            return; /* it may have been the one on lookups */
    for (const struct rule *rule = policy->rules; rule; rule = rule->next) {
        if (!rule->condition || (rule->effect != EFFECT_DENY && rule->effect != EFFECT_KILL) ||
            !judges_connections(rule))
            continue;
        const struct predicate *predicate = host_predicate(rule->condition);
        if (!predicate)
            continue;
        struct diagnostic *error =
            report(checker->diagnostics, ERROR_HOST_WITHOUT_RESOLVE, predicate->attribute.span,
                   "this would fire on every connection whose address nobody looked up");
        diagnostic_label(error, "not known there, and a deny fires on what is not known");
        diagnostic_help(error, "add a rule on the lookup: %s resolve where %.*s as NAME",
                        rule->effect == EFFECT_DENY ? "deny" : "kill", (int)predicate->span.length,
                        span_text(predicate->span));
        diagnostic_note(error,
                        "the names of an address are those that the process looked up: with that "
                        "rule too this one denies every connect to another address");
    }
}

void check_policy(struct checker *checker, struct policy *policy)
{
    checker->policy_sets = (struct name_table){0};
    for (struct set *set = policy->sets; set; set = set->next)
        add_set(checker, &checker->policy_sets, set);
    check_printable(checker, policy->title, "a title");
    check_modes(checker, policy);
    check_defaults(checker, policy);
    check_later(checker, policy);
    check_rule_names(checker, policy);
    for (struct applies *applies = policy->applies; applies; applies = applies->next) {
        checker->target = (struct target){.kind = TARGET_SESSION, .span = applies->span};
        (void)check_condition(checker, applies->condition);
    }
    for (struct rule *rule = policy->rules; rule; rule = rule->next)
        check_rule(checker, rule);
    check_floors(checker, policy);
    check_host_denials(checker, policy);
    check_coverage(checker, policy);
    check_rule_warnings(checker, policy);
}

static void check_policy_name(struct check_context *context, struct checker *checker,
                              struct policy *policy, enum policy_tier tier)
{
    struct text_buffer key = {0};
    text_buffer_format(&key, "%s/", policy_tier_name(tier));
    text_buffer_add(&key, policy->name.text, policy->name.length);
    const char *name = key.failed ? NULL : storage_copy(context->storage, key.bytes, key.length);
    const struct policy *first =
        name ? name_table_add(&context->policies, context->storage, name, key.length, policy)
             : NULL;
    if (first)
        duplicate(checker, ERROR_DUPLICATE_POLICY, "policy", &policy->name, &first->name);
    text_buffer_deinit(&key);
}

/* What is missing, or stands beside each other, is looked for where nothing is wrong: an error may
 * be the reason of it. */
static void warn_of_whole(struct checker *checker, const struct file_tree *tree)
{
    for (const struct file_item *item = tree->items; item; item = item->next) {
        if (item->set) {
            warn_unused(checker, item->set);
            continue;
        }
        if (!item->policy)
            continue;
        for (const struct set *set = item->policy->sets; set; set = set->next)
            warn_unused(checker, set);
        check_policy_warnings(checker, item->policy);
        check_host(checker, item->policy);
    }
}

void check_file(struct check_context *context, struct file_tree *tree,
                const struct policy_text *text)
{
    struct checked_file *file = storage_take(context->storage, 1, sizeof(*file));
    const size_t errors = diagnostics_error_count(context->diagnostics);

    if (!file)
        return;
    struct checker *checker = &file->checker;
    *checker = (struct checker){.context = context,
                                .storage = context->storage,
                                .diagnostics = context->diagnostics,
                                .sets_are_whole = !tree->sets_lost,
                                .tier = text->tier,
                                .observes = text->observe};
    file->tree = tree;
    for (struct file_item *item = tree->items; item; item = item->next)
        if (item->set)
            add_set(checker, &checker->file_sets, item->set);
    for (struct file_item *item = tree->items; item; item = item->next) {
        if (!item->policy)
            continue;
        check_policy_name(context, checker, item->policy, text->tier);
        check_policy(checker, item->policy);
    }
    file->flawed = tree->flawed || diagnostics_error_count(context->diagnostics) > errors;
    if (context->last_file)
        context->last_file->next = file;
    else
        context->files = file;
    context->last_file = file;
}

/* The sets of a policy, which were checked with it, are those that names mean. */
static void use_sets_of(struct checker *checker, const struct policy *policy)
{
    checker->policy_sets = (struct name_table){0};
    for (struct set *set = policy->sets; set; set = set->next)
        (void)name_table_add(&checker->policy_sets, checker->storage, set->name.text,
                             set->name.length, set);
}

void check_generation(struct check_context *context)
{
    for (struct checked_file *file = context->files; file; file = file->next) {
        const size_t errors = diagnostics_error_count(context->diagnostics);
        for (struct file_item *item = file->tree->items; item; item = item->next) {
            if (!item->policy || !item->policy->overrides)
                continue;
            use_sets_of(&file->checker, item->policy);
            check_overrides(&file->checker, item->policy);
        }
        file->flawed |= diagnostics_error_count(context->diagnostics) > errors;
    }
    for (struct checked_file *file = context->files; file; file = file->next)
        if (!file->flawed)
            warn_of_whole(&file->checker, file->tree);
    if (context->storage->failed)
        report_no_memory(context->diagnostics);
}
