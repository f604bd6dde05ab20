/* What the host says of a policy: who can write the programs that it allows, which of them have
 * powers of their own, where paths lead, which events the interpreters have. The host is asked
 * through compile_options, for there is no I/O here; whatever is not known is not spoken of. */
#include "policies/language/check_internal.h"

struct inspection {
    struct checker *checker;
    const struct compile_options *options;
    const struct policy *policy;
    const struct class_word *exec_floor; /* NULL: none */
    const char **users;                  /* whom the policy governs */
    size_t user_count;                   /* 0: anyone */
};

/* The users that a condition over sessions names. False if it holds for others too. */
static bool add_users(struct inspection *inspection, const struct condition *condition)
{
    const struct predicate *predicate = condition->predicate;
    const size_t before = inspection->user_count;

    switch (condition->kind) {
    case CONDITION_PREDICATE:
        if (!predicate->checked || predicate->checked->attribute != ATTRIBUTE_USER ||
            (predicate->test != TEST_IS && predicate->test != TEST_IN))
            return false;
        for (const struct typed_value *value = predicate->checked->values; value;
             value = value->next) {
            struct storage *storage = inspection->checker->storage;
            const size_t count = inspection->user_count;
            /* Grown where a power of two is full. */
            if ((count & (count - 1)) == 0) {
                const char **grown = storage_take(storage, 2 * count + 1, sizeof(*grown));
                if (!grown)
                    return false;
                for (size_t i = 0; i < count; i++)
                    grown[i] = inspection->users[i];
                inspection->users = grown;
            }
            inspection->users[count] = storage_copy(storage, value->text, value->length);
            if (!inspection->users[count])
                return false;
            inspection->user_count++;
        }
        return inspection->user_count > before;
    case CONDITION_AND:
        for (const struct condition *child = condition->first; child; child = child->next)
            if (add_users(inspection, child))
                return true;
        return false;
    case CONDITION_OR:
        for (const struct condition *child = condition->first; child; child = child->next)
            if (!add_users(inspection, child))
                return false;
        return true;
    default:
        return false;
    }
}

static void find_users(struct inspection *inspection)
{
    for (const struct applies *applies = inspection->policy->applies; applies;
         applies = applies->next) {
        if (!add_users(inspection, applies->condition)) {
            inspection->user_count = 0;
            return;
        }
    }
}

static void report_writable(const struct inspection *inspection, const struct rule *rule,
                            const struct typed_value *value, const struct file_facts *facts)
{
    struct diagnostics *diagnostics = inspection->checker->diagnostics;
    const bool floored =
        inspection->exec_floor && (rule->checked->classes & class_bit(CLASS_EXEC)) != 0;
    struct diagnostic *diagnostic =
        floored ? report(diagnostics, ERROR_WRITABLE_UNDER_FLOOR, value->span,
                         "floor `exec` could not hold: %s can write %s, and put any program there",
                         facts->who, facts->what)
                : report(diagnostics, WARNING_WRITABLE_FILE, value->span,
                         "%s can write %s, and put anything there", facts->who, facts->what);

    if (floored)
        diagnostic_second(diagnostic, inspection->exec_floor->word.span, "held in the kernel");
    diagnostic_help(diagnostic,
                    "keep it where root alone can write, such as /usr/local/bin, and "
                    "allow that; or take the right to write from %s",
                    facts->who);
}

static void look_at(const struct inspection *inspection, const struct rule *rule,
                    const struct predicate *predicate, const struct typed_value *value)
{
    struct diagnostics *diagnostics = inspection->checker->diagnostics;
    struct file_facts facts = {.set_id = false};

    if (!value->is_path || value->kind != BLOCK_VALUE_TEXT ||
        !inspection->options->look(inspection->options->context, value->text, inspection->users,
                                   inspection->user_count, &facts))
        return;
    if (facts.who[0] != '\0')
        report_writable(inspection, rule, value, &facts);
    if (!facts.set_id || !inspection->policy->floors || predicate->test == TEST_UNDER ||
        !(rule->checked->classes & class_bit(CLASS_EXEC)))
        return;
    struct diagnostic *warning =
        report(diagnostics, WARNING_SET_ID_UNDER_FLOOR, value->span,
               "under a floor this program has no powers of its own: it is set-id, or has "
               "capabilities");
    diagnostic_second(warning, inspection->policy->floors->span, "sets no_new_privs");
    diagnostic_help(warning, "remove the floor, or do not allow what could not work");
}

/* The files that an allow to run something names. */
static void look_at_files(const struct inspection *inspection, const struct rule *rule,
                          const struct condition *condition)
{
    const struct predicate *predicate = condition->predicate;

    if (condition->kind == CONDITION_NOT)
        return;
    if (condition->kind != CONDITION_PREDICATE) {
        for (const struct condition *child = condition->first; child; child = child->next)
            look_at_files(inspection, rule, child);
        return;
    }
    if (predicate->index != INDEX_NONE ||
        (predicate->checked->attribute != ATTRIBUTE_FILE &&
         predicate->checked->attribute != ATTRIBUTE_PATH) ||
        (predicate->test != TEST_IS && predicate->test != TEST_IN && predicate->test != TEST_UNDER))
        return;
    for (const struct typed_value *value = predicate->checked->values; value; value = value->next) {
        if (diagnostics_are_full_of(inspection->checker->diagnostics, SEVERITY_WARNING) ||
            diagnostics_are_full(inspection->checker->diagnostics))
            return;
        look_at(inspection, rule, predicate, value);
    }
}

/* `check` shows what a literal stands for besides itself. */
static void show_resolved(const struct inspection *inspection, const struct condition *condition)
{
    struct diagnostics *diagnostics = inspection->checker->diagnostics;
    char resolved[4096]; /* PATH_MAX */

    if (condition->kind != CONDITION_PREDICATE) {
        for (const struct condition *child = condition->first; child; child = child->next)
            show_resolved(inspection, child);
        return;
    }
    if (!condition->predicate->checked)
        return;
    for (const struct typed_value *value = condition->predicate->checked->values; value;
         value = value->next) {
        if (!value->is_path || diagnostics_are_full_of(diagnostics, SEVERITY_NOTE) ||
            !inspection->options->resolve(inspection->options->context, value->text, resolved,
                                          sizeof(resolved)))
            continue;
        report(diagnostics, NOTE_RESOLVES_TO, value->span,
               "here %s is %s, and the policy means both", value->text, resolved);
    }
}

/* What native code can do all the same, under a floor that lets something be started. */
static void note_open(const struct inspection *inspection)
{
    const struct rule *allowed = NULL;

    for (const struct rule *rule = inspection->policy->rules; rule && !allowed; rule = rule->next)
        if (rule->effect == EFFECT_ALLOW && rule->checked &&
            (rule->checked->classes & class_bit(CLASS_EXEC)))
            allowed = rule;
    if (!inspection->exec_floor || !allowed)
        return;
    struct diagnostic *note = report(
        inspection->checker->diagnostics, NOTE_FLOOR_LEAVES_OPEN, inspection->exec_floor->word.span,
        "native code can still start what `%.*s` allows, with any arguments, and the loader "
        "and interpreters that it needs",
        (int)allowed->name.length, allowed->name.text);
    diagnostic_second(note, allowed->name.span, "allows a program");
    diagnostic_help(note, "what such a program can do is open to native code: allow few, and none "
                          "that runs others");
}

/* What the C boundary raises, it raises whatever CPython there is. */
static bool is_met(const struct compile_options *options, const struct event_entry *entry)
{
    const uint32_t from = ~UINT32_C(0) << entry->since;
    const uint32_t until = entry->removed > 0 ? ~(~UINT32_C(0) << entry->removed) : ~UINT32_C(0);

    return (options->platforms == 0 || (entry->platforms & options->platforms) != 0) &&
           (entry->since == 0 || options->pythons == 0 || (options->pythons & from & until) != 0);
}

/* The policy says itself which interpreters it is for. */
static bool chooses_interpreters(const struct condition *condition)
{
    if (condition->kind == CONDITION_PREDICATE)
        return condition->predicate->checked &&
               (condition->predicate->checked->attribute == ATTRIBUTE_PLATFORM ||
                condition->predicate->checked->attribute == ATTRIBUTE_PYTHON);
    for (const struct condition *child = condition->first; child; child = child->next)
        if (chooses_interpreters(child))
            return true;
    return false;
}

static void report_not_met(const struct inspection *inspection, const struct rule *rule)
{
    struct diagnostics *diagnostics = inspection->checker->diagnostics;
    const struct event_entry *entry = rule->checked->event_count == 1 && !rule->events->next
                                          ? catalogue_event(rule->checked->events[0])
                                          : NULL;
    struct diagnostic *warning =
        rule->events
            ? report(diagnostics, WARNING_NOTHING_INSTALLED, rule->events->span,
                     "this rule never matches here: no interpreter of this host raises the event")
            : report(diagnostics, WARNING_NOTHING_INSTALLED, rule->classes.span,
                     "this rule never matches here: no interpreter of this host has such an event");

    if (entry && !(entry->platforms & inspection->options->platforms))
        diagnostic_label(warning, "raised on %s only",
                         entry->platforms == PLATFORM_WINDOWS ? "Windows" : "other systems");
    else if (entry && entry->removed > 0)
        diagnostic_label(warning, "raised by CPython 3.%d to 3.%d", entry->since,
                         entry->removed - 1);
    else if (entry)
        diagnostic_label(warning, "raised from CPython 3.%d on", entry->since);
    diagnostic_help(warning, "remove it, unless the policy is for other hosts too");
}

static bool can_be_met(const struct inspection *inspection, const struct rule *rule,
                       uint32_t classes_met)
{
    const struct target *target = rule->checked->target;

    /* A glob may match events that nobody knows: where it matches known ones, it was meant so. */
    if (!target || (target->open_ended && (!rule->events || target->event_count == 0)))
        return true;
    if (target->kind == TARGET_CLASSES)
        return (rule->checked->classes & classes_met) != 0;
    for (size_t i = 0; i < target->event_count; i++)
        if (is_met(inspection->options, catalogue_event(target->events[i])))
            return true;
    return false;
}

static void check_events(const struct inspection *inspection)
{
    uint32_t classes_met = class_bit(CLASS_OTHER);

    for (const struct applies *applies = inspection->policy->applies; applies;
         applies = applies->next)
        if (chooses_interpreters(applies->condition))
            return;
    for (uint16_t i = 1; i <= catalogue_event_count(); i++)
        if (is_met(inspection->options, catalogue_event(i)))
            classes_met |= catalogue_event(i)->classes;
    for (const struct rule *rule = inspection->policy->rules; rule; rule = rule->next)
        if (rule->checked && !can_be_met(inspection, rule, classes_met))
            report_not_met(inspection, rule);
}

static void show_all_resolved(const struct inspection *inspection)
{
    for (const struct applies *applies = inspection->policy->applies; applies;
         applies = applies->next)
        show_resolved(inspection, applies->condition);
    for (const struct rule *rule = inspection->policy->rules; rule; rule = rule->next)
        if (rule->condition)
            show_resolved(inspection, rule->condition);
    for (const struct override *override = inspection->policy->overrides; override;
         override = override->next)
        if (override->condition)
            show_resolved(inspection, override->condition);
}

/* Whether the condition asks for the host of a connection; the first such predicate. */
static const struct predicate *find_host(const struct condition *condition)
{
    const struct predicate *found = NULL;

    if (condition->kind == CONDITION_PREDICATE)
        return condition->predicate->checked &&
                       condition->predicate->checked->attribute == ATTRIBUTE_HOST
                   ? condition->predicate
                   : NULL;
    for (const struct condition *child = condition->first; child && !found; child = child->next)
        found = find_host(child);
    return found;
}

/* Once a policy: what names an address, and where nothing does. */
static void note_hosts(const struct inspection *inspection)
{
    for (const struct rule *rule = inspection->policy->rules; rule; rule = rule->next) {
        if (!rule->checked || !rule->condition ||
            !(rule->checked->classes & class_bit(CLASS_CONNECT)))
            continue;
        const struct predicate *host = find_host(rule->condition);
        if (!host)
            continue;
        diagnostic_help(
            report(
                inspection->checker->diagnostics, NOTE_HOST_NOT_NAMED, host->span,
                "the names of an address are those that the process looked up, as the C boundary "
                "saw it (not under attach()): an allow by `host` allows no connect to another "
                "address, a deny by it denies each"),
            "judge the lookup with `resolve`, and connections by `address`");
        return;
    }
}

void check_host(struct checker *checker, const struct policy *policy)
{
    const uint32_t running = class_bit(CLASS_EXEC) | class_bit(CLASS_NATIVE);
    struct inspection inspection = {.checker = checker,
                                    .options = checker->context->options,
                                    .policy = policy,
                                    .exec_floor = floor_of(policy, CLASS_EXEC)};

    if (!inspection.options)
        return;
    if (inspection.options->look) {
        find_users(&inspection);
        for (const struct rule *rule = policy->rules; rule; rule = rule->next)
            if (rule->effect == EFFECT_ALLOW && rule->checked && rule->condition &&
                (rule->checked->classes & running))
                look_at_files(&inspection, rule, rule->condition);
    }
    if (inspection.options->platforms != 0 || inspection.options->pythons != 0)
        check_events(&inspection);
    if (!inspection.options->notes)
        return;
    note_open(&inspection);
    note_hosts(&inspection);
    if (inspection.options->resolve)
        show_all_resolved(&inspection);
}
