/* Targets: which operations, and which events, a rule is about. */
#include "policies/language/check_internal.h"

#include <string.h>

static uint32_t every_class(void)
{
    uint32_t classes = 0;
    for (int i = CLASS_NONE + 1; i < CLASS_COUNT; i++)
        classes |= class_bit((enum operation_class)i);
    return classes;
}

/* The events by number, each once. */
static bool take_events(struct checker *checker, const uint8_t *set, uint16_t **events,
                        size_t *count)
{
    *events = storage_take(checker->storage, (size_t)catalogue_event_count() + 1, sizeof(**events));
    *count = 0;
    if (!*events)
        return false;
    for (uint16_t i = 1; i <= catalogue_event_count(); i++)
        if (set[i / 8] & 1U << (i % 8))
            (*events)[(*count)++] = i;
    return true;
}

bool target_events(struct checker *checker)
{
    struct target *target = &checker->target;
    if (target->events)
        return true;
    uint16_t *events =
        storage_take(checker->storage, (size_t)catalogue_event_count() + 1, sizeof(*events));
    if (!events)
        return false;
    target->events = events;
    for (uint16_t i = 1; i <= catalogue_event_count(); i++)
        if (catalogue_event(i)->classes & target->classes)
            events[target->event_count++] = i;
    return true;
}

static bool check_class_target(struct checker *checker, struct rule *rule)
{
    struct target *target = &checker->target;
    bool good = true;

    target->kind = TARGET_CLASSES;
    target->all = rule->classes.all;
    target->span = rule->classes.span;
    if (target->all)
        target->classes = every_class();
    for (struct class_word *class = rule->classes.first; class; class = class->next) {
        class->operation_class = find_class(checker->diagnostics, &class->word);
        if (class->operation_class == CLASS_NONE)
            good = false;
        else
            target->classes |= class_bit(class->operation_class);
    }
    target->open_ended = (target->classes & class_bit(CLASS_OTHER)) != 0;
    rule->checked->classes = target->classes;
    return good;
}

static bool check_event_target(struct checker *checker, struct rule *rule)
{
    struct target *target = &checker->target;
    struct checked_rule *checked = rule->checked;
    uint8_t *meant = storage_take(checker->storage, event_set_size(), 1);
    uint8_t *named = storage_take(checker->storage, event_set_size(), 1);
    uint16_t *events;
    bool good = meant && named;

    target->kind = TARGET_EVENTS;
    target->span = rule->events->span;
    struct typed_value **last = &checked->globs;
    for (const struct literal *event = rule->events;
         event && meant && named && !diagnostics_are_full(checker->diagnostics);
         event = event->next) {
        if (!find_target_events(checker, event, meant)) {
            good = false;
        } else if (is_event_glob(event)) {
            target->open_ended = true;
            *last = check_text_glob(checker, event);
            if (*last)
                last = &(*last)->next;
        } else {
            good &= find_target_events(checker, event, named);
        }
    }
    if (!good || !take_events(checker, meant, &events, &target->event_count) ||
        !take_events(checker, named, &checked->events, &checked->event_count))
        return false;
    target->events = events;
    for (size_t i = 0; i < target->event_count; i++)
        target->classes |= catalogue_event(events[i])->classes;
    if (target->open_ended)
        target->classes |= class_bit(CLASS_OTHER);
    return true;
}

/* `default-exec` is what records call the default. */
static void check_rule_name(struct checker *checker, const struct rule *rule)
{
    static const char front[] = "default-";
    const size_t length = strlen(front);
    const struct word *name = &rule->name;

    if (name->length <= length || memcmp(name->text, front, length) != 0 ||
        vocabulary_class(name->text + length, name->length - length) == CLASS_NONE)
        return;
    diagnostic_help(report(checker->diagnostics, ERROR_RESERVED_NAME, name->span,
                           "`%.*s` is the name of the policy's default", (int)name->length,
                           name->text),
                    "records and overrides would mean both: choose another name");
}

void check_rule(struct checker *checker, struct rule *rule)
{
    checker->target = (struct target){0};
    if (diagnostics_are_full(checker->diagnostics))
        return;
    rule->checked = storage_take(checker->storage, 1, sizeof(*rule->checked));
    if (!rule->checked)
        return;
    check_rule_name(checker, rule);
    if (rule->message && (rule->effect == EFFECT_ALLOW || rule->effect == EFFECT_LOG))
        diagnostic_help(report(checker->diagnostics, ERROR_MESSAGE_ON_NOTHING, rule->message->span,
                               "nobody would see this message: `%s` stops nothing",
                               rule->effect == EFFECT_ALLOW ? "allow" : "log"),
                        "remove it, or write it as a comment: # …");
    check_printable(checker, rule->message, "a message");

    const bool good =
        rule->events ? check_event_target(checker, rule) : check_class_target(checker, rule);
    struct target *target = storage_take(checker->storage, 1, sizeof(*target));
    if (target)
        *target = checker->target;
    rule->checked->target = target;
    if (!good || (rule->condition && !check_condition(checker, rule->condition)))
        rule->checked = NULL;
}
