/* Names of audit events, and of their arguments. */
#include "policies/language/check_internal.h"

#include <inttypes.h>
#include <string.h>

static bool is_raised(const struct event_entry *entry)
{
    return entry->platforms != 0;
}

static void offer(struct suggestion *suggestion, const char *name)
{
    suggestion_offer(suggestion, name, strlen(name));
}

static const struct event_entry *nearest_event(const struct diagnostics *diagnostics,
                                               const char *name, size_t length)
{
    struct suggestion suggestion;
    if (!diagnostics_want_suggestions(diagnostics))
        return NULL;
    suggestion_init(&suggestion, name, length);
    for (uint16_t i = 1; i <= catalogue_event_count(); i++) {
        const struct event_entry *entry = catalogue_event(i);
        if (is_raised(entry))
            offer(&suggestion, entry->name);
    }
    return suggestion.best ? catalogue_find(suggestion.best, suggestion.best_length) : NULL;
}

/* Where it is raised, if not here, and the class that covers more than the one event. */
static void note_about(struct diagnostic *error, const struct event_entry *entry)
{
    struct text_buffer note = {0};
    int covered_by = CLASS_NONE;

    for (int i = CLASS_NONE + 1; i < CLASS_OTHER && covered_by == CLASS_NONE; i++)
        if (entry->classes & class_bit((enum operation_class)i))
            covered_by = i;
    if (entry->platforms == PLATFORM_WINDOWS)
        text_buffer_format(&note, "\"%s\" is raised on Windows only", entry->name);
    else if (entry->platforms == PLATFORM_OTHER)
        text_buffer_format(&note, "\"%s\" is raised on neither Linux nor Windows", entry->name);
    if (covered_by != CLASS_NONE)
        text_buffer_format(&note, "%sclass `%s` covers %s", note.length > 0 ? "; " : "",
                           vocabulary_class_name((enum operation_class)covered_by),
                           class_covers((enum operation_class)covered_by));
    if (note.length > 0 && !note.failed)
        diagnostic_note(error, "%s", note.bytes);
    text_buffer_deinit(&note);
}

const struct event_entry *find_event(struct diagnostics *diagnostics, const struct literal *literal)
{
    const struct event_entry *entry = catalogue_find(literal->text, literal->length);

    if (!entry) {
        const struct event_entry *near = nearest_event(diagnostics, literal->text, literal->length);
        struct diagnostic *error =
            report(diagnostics, ERROR_UNKNOWN_EVENT, literal->span, "unknown event \"%.*s\"",
                   (int)literal->length, literal->text);
        if (near) {
            diagnostic_label(error, "did you mean \"%s\"?", near->name);
            note_about(error, near);
        } else {
            diagnostic_help(error,
                            "events that the catalogue does not know are class `other`; "
                            "a glob reaches them: \"%.*s*\"",
                            (int)literal->length, literal->text);
        }
        return NULL;
    }
    if (!is_raised(entry)) {
        struct diagnostic *error = report(
            diagnostics, ERROR_EVENT_NEVER_RAISED, literal->span,
            "CPython never raises \"%s\": the name stands in its documentation alone", entry->name);
        if (entry->instead)
            diagnostic_help(error, "what it raises is \"%s\"",
                            catalogue_event(entry->instead)->name);
        return NULL;
    }
    return entry;
}

bool is_event_glob(const struct literal *literal)
{
    return glob_literal_length(literal->text, literal->length) < literal->length;
}

size_t event_set_size(void)
{
    return (size_t)catalogue_event_count() / 8 + 1;
}

static void report_no_veto(struct checker *checker, const struct literal *literal)
{
    struct diagnostic *error =
        report(checker->diagnostics, ERROR_EVENT_WITHOUT_VETO, literal->span,
               "no rule holds on \"%.*s\"", (int)literal->length, literal->text);
    diagnostic_label(error, "CPython goes on whatever the answer is");
    diagnostic_help(error, "remove it: it would promise what nobody can keep");
}

/* What the glob of a target means. */
struct glob_events {
    bool any;
    bool any_vetoed;
    uint8_t *events; /* a bit for each number */
};

static const struct glob_events *match_events(struct checker *checker,
                                              const struct literal *literal)
{
    struct name_table *known = &checker->context->event_globs;
    struct glob_events *found = name_table_find(known, literal->text, literal->length);
    uint32_t words[GLOB_WORDS_MAX];
    size_t count;
    size_t at;
    /* Names are short and known: no pattern needs more than it has room for states. */
    struct budget budget = {UINT64_MAX};

    if (found)
        return found;
    found = storage_take(checker->storage, 1, sizeof(*found));
    if (!found || !(found->events = storage_take(checker->storage, event_set_size(), 1)))
        return NULL;
    (void)glob_compile(GLOB_TEXT, literal->text, literal->length, words, &count, &at);
    for (uint16_t i = 1; i <= catalogue_event_count(); i++) {
        const struct event_entry *entry = catalogue_event(i);
        if (!is_raised(entry) ||
            !glob_match(GLOB_TEXT, words, count, entry->name, strlen(entry->name), &budget))
            continue;
        found->any = true;
        found->any_vetoed |= entry->veto != VETO_NEVER;
        found->events[i / 8] = (uint8_t)(found->events[i / 8] | 1U << (i % 8));
    }
    (void)name_table_add(known, checker->storage, literal->text, literal->length, found);
    return found;
}

static bool find_glob_events(struct checker *checker, const struct literal *literal,
                             uint8_t *events)
{
    if (!check_text_glob(checker, literal))
        return false;
    const struct glob_events *found = match_events(checker, literal);
    if (!found)
        return false;
    for (size_t i = 0; i < event_set_size(); i++)
        events[i] |= found->events[i];
    if (found->any && !found->any_vetoed) {
        report_no_veto(checker, literal);
        return false;
    }
    if (!found->any) {
        struct diagnostic *warning = report(
            checker->diagnostics, WARNING_GLOB_NAMES_NO_EVENT, literal->span,
            "no event of the catalogue matches \"%.*s\"", (int)literal->length, literal->text);
        diagnostic_help(warning,
                        "see to its spelling, unless it is for the events of other people's "
                        "modules");
    }
    return true;
}

bool find_target_events(struct checker *checker, const struct literal *literal, uint8_t *events)
{
    if (literal->kind != LITERAL_STRING)
        return false;
    if (is_event_glob(literal))
        return find_glob_events(checker, literal, events);

    const struct event_entry *entry = find_event(checker->diagnostics, literal);
    if (!entry)
        return false;
    if (entry->veto == VETO_NEVER) {
        report_no_veto(checker, literal);
        return false;
    }
    events[entry->number / 8] = (uint8_t)(events[entry->number / 8] | 1U << (entry->number % 8));
    return true;
}

static bool is_text(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

/* The argument's place in the event; -1 if it has none of this name. */
static int argument_of(const struct event_entry *entry, const char *name, size_t length)
{
    for (int i = 0; i < entry->argument_count; i++)
        if (is_text(catalogue_argument_name(entry, (uint8_t)i), name, length))
            return i;
    return -1;
}

static void report_argument(struct checker *checker, const struct predicate *predicate, bool exists)
{
    const struct target *target = &checker->target;
    const struct word *name = &predicate->key;
    struct suggestion suggestion;
    struct diagnostic *error;

    if (exists) {
        error = report(checker->diagnostics, ERROR_UNKNOWN_ARGUMENT, predicate->index_span,
                       "argument `%.*s` is not read: it is a live object of the interpreter",
                       (int)name->length, name->text);
        diagnostic_help(error, "judge the arguments before it");
        return;
    }
    suggestion_init(&suggestion, name->text, name->length);
    for (size_t i = 0; i < target->event_count; i++) {
        const struct event_entry *entry = catalogue_event(target->events[i]);
        for (int j = 0; j < entry->forwarded_count; j++)
            offer(&suggestion, catalogue_argument_name(entry, (uint8_t)j));
    }
    error = report(checker->diagnostics, ERROR_UNKNOWN_ARGUMENT, predicate->index_span,
                   "no event of this rule has an argument `%.*s`", (int)name->length, name->text);
    if (suggestion.best) {
        diagnostic_label(error, "did you mean `%s`?", suggestion.best);
    } else if (target->event_count == 1) {
        const struct event_entry *entry = catalogue_event(target->events[0]);
        struct text_buffer known = {0};
        for (int i = 0; i < entry->forwarded_count; i++)
            text_buffer_format(&known, "%s%s", i > 0 ? ", " : "",
                               catalogue_argument_name(entry, (uint8_t)i));
        diagnostic_help(error, "\"%s\" has %s", entry->name,
                        known.length > 0 ? known.bytes : "no arguments");
        text_buffer_deinit(&known);
    }
}

bool check_argument_name(struct checker *checker, const struct predicate *predicate,
                         struct checked_predicate *checked)
{
    const struct target *target = &checker->target;
    const struct word *name = &predicate->key;
    bool exists = false;

    if (!target_events(checker))
        return false;
    checked->places =
        storage_take(checker->storage, target->event_count + 1, sizeof(*checked->places));
    if (!checked->places)
        return false;
    for (size_t i = 0; i < target->event_count; i++) {
        const struct event_entry *entry = catalogue_event(target->events[i]);
        const int argument = argument_of(entry, name->text, name->length);
        if (argument < 0)
            continue;
        exists = true;
        if (argument < entry->forwarded_count)
            checked->places[checked->place_count++] =
                (struct argument_place){entry->number, (uint16_t)argument};
    }
    if (checked->place_count == 0)
        report_argument(checker, predicate, exists);
    return checked->place_count > 0;
}

bool check_argument_number(struct checker *checker, const struct predicate *predicate)
{
    const struct target *target = &checker->target;
    const struct event_entry *longest = NULL;
    struct diagnostic *error;

    if (predicate->number < 0) {
        error = report(checker->diagnostics, ERROR_BAD_INDEX, predicate->index_span,
                       "arguments are counted from 0");
        diagnostic_help(error, "how many an event has differs between versions of CPython");
        return false;
    }
    if (!target_events(checker))
        return false;
    for (size_t i = 0; i < target->event_count; i++) {
        const struct event_entry *entry = catalogue_event(target->events[i]);
        if (!longest || entry->forwarded_count > longest->forwarded_count)
            longest = entry;
    }
    if (target->open_ended || (longest && predicate->number < longest->forwarded_count))
        return true;

    error =
        report(checker->diagnostics, ERROR_UNKNOWN_ARGUMENT, predicate->index_span,
               "no event of this rule has an argument %" PRId64 " that is read", predicate->number);
    if (longest && longest->forwarded_count > 0)
        diagnostic_help(error, "\"%s\" has arg[0] to arg[%d]", longest->name,
                        longest->forwarded_count - 1);
    else if (longest)
        diagnostic_help(error, "\"%s\" has none", longest->name);
    return false;
}
