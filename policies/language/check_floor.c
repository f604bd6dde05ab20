/* Floors: which classes the kernel can hold, and whether the policy's own rules let it. What is
 * wrong with one class is said once, the most telling reason first. */
#include "policies/language/check_internal.h"

enum {
    /* Of one class of one policy. A process is handed twice as many (daemon/session/floor.h), for
     * each may resolve to something else and count as both. */
    FLOOR_NAMES_MAX = 1024,
};

/* One class of a floor, and where it stands. */
struct floored {
    struct checker *checker;
    const struct policy *policy;
    enum operation_class operation_class;
    const char *name;
    struct span span;
};

/* The rule's target has operations of the class. Of events, by name or by a glob: all that they can
 * be. */
static bool is_about(const struct rule *rule, enum operation_class operation_class)
{
    const uint32_t classes = !rule->checked          ? 0
                             : rule->checked->target ? rule->checked->target->classes
                                                     : rule->checked->classes;
    return (classes & class_bit(operation_class)) != 0;
}

static const struct rule *first_allow(const struct policy *policy,
                                      enum operation_class operation_class)
{
    for (const struct rule *rule = policy->rules; rule; rule = rule->next)
        if (rule->effect == EFFECT_ALLOW && is_about(rule, operation_class))
            return rule;
    return NULL;
}

const struct class_word *floor_of(const struct policy *policy, enum operation_class operation_class)
{
    for (const struct floor_statement *floor = policy->floors; floor; floor = floor->next)
        for (const struct class_word *class = floor->classes.first; class; class = class->next)
            if (vocabulary_class(class->word.text, class->word.length) == operation_class)
                return class;
    return NULL;
}

/* A value that names a part of the file system, not all of it. */
static bool is_part(const struct typed_value *value)
{
    const bool root = value->length == 0 || (value->length == 1 && value->text[0] == '/');
    return value->kind == BLOCK_VALUE_PLACE || value->kind == BLOCK_VALUE_PLACE_GLOB || !root;
}

/* Where the condition is true, the file or path is one of those that it names. */
static bool names_files(const struct condition *condition)
{
    const struct checked_predicate *checked;

    switch (condition->kind) {
    case CONDITION_PREDICATE:
        checked = condition->predicate->checked;
        if (!checked || !checked->values ||
            (checked->attribute != ATTRIBUTE_PATH && checked->attribute != ATTRIBUTE_FILE))
            return false;
        for (const struct typed_value *value = checked->values; value; value = value->next)
            if (!is_part(value))
                return false;
        return true;
    case CONDITION_AND:
        for (const struct condition *child = condition->first; child; child = child->next)
            if (names_files(child))
                return true;
        return false;
    case CONDITION_OR:
        for (const struct condition *child = condition->first; child; child = child->next)
            if (!names_files(child))
                return false;
        return true;
    default:
        return false;
    }
}

/* Files and directories that a condition names. */
static size_t count_names(const struct condition *condition)
{
    size_t count = 0;

    if (condition->kind == CONDITION_PREDICATE) {
        const struct checked_predicate *checked = condition->predicate->checked;
        for (const struct typed_value *value = checked ? checked->values : NULL; value;
             value = value->next)
            count += checked->attribute == ATTRIBUTE_PATH || checked->attribute == ATTRIBUTE_FILE;
        return count;
    }
    for (const struct condition *child = condition->first; child; child = child->next)
        count += count_names(child);
    return count;
}

/* A program is started by a fork, and a fork that is allowed is one. */
static bool check_fork(const struct floored *floored)
{
    const struct rule *exec = first_allow(floored->policy, CLASS_EXEC);
    const struct rule *fork = exec ? exec : first_allow(floored->policy, CLASS_FORK);

    if (!fork)
        return true;
    struct diagnostic *error =
        report(floored->checker->diagnostics, ERROR_FLOOR_CONTRADICTED, floored->span,
               exec ? "floor `fork` would stop the programs that rule `%.*s` allows"
                    : "floor `fork` would stop what rule `%.*s` allows",
               (int)fork->name.length, fork->name.text);
    diagnostic_second(error, fork->name.span, exec ? "needs a fork" : "allows forks");
    if (exec)
        diagnostic_help(error,
                        "remove `fork` from the floor; `floor exec` %sholds every other "
                        "program",
                        floor_of(floored->policy, CLASS_EXEC) ? "already " : "");
    else
        diagnostic_help(error, "remove `fork` from the floor, or the rule");
    return false;
}

/* Landlock opens what allows name: one that names nothing opens everything. */
static bool check_files(const struct floored *floored)
{
    const bool runs = floored->operation_class == CLASS_EXEC;

    for (const struct rule *rule = floored->policy->rules; rule; rule = rule->next) {
        if (rule->effect != EFFECT_ALLOW || !is_about(rule, floored->operation_class) ||
            (rule->condition && names_files(rule->condition)))
            continue;
        struct diagnostic *error =
            report(floored->checker->diagnostics, ERROR_FLOOR_CONTRADICTED, floored->span,
                   runs ? "floor `%s` could hold nothing: rule `%.*s` allows any program"
                        : "floor `%s` could hold nothing: rule `%.*s` allows it everywhere",
                   floored->name, (int)rule->name.length, rule->name.text);
        diagnostic_second(error, rule->name.span, runs ? "names no program" : "names no directory");
        diagnostic_help(error, runs ? "name the programs: where file in [\"…\"]"
                                    : "name the directories: where path under [\"…\"]");
        return false;
    }
    return true;
}

/* Each is a rule of Landlock's, and goes to the process when it starts. */
static bool check_size(const struct floored *floored)
{
    size_t count = 0;

    for (const struct rule *rule = floored->policy->rules; rule; rule = rule->next)
        if (rule->effect == EFFECT_ALLOW && rule->condition &&
            is_about(rule, floored->operation_class))
            count += count_names(rule->condition);
    if (count <= FLOOR_NAMES_MAX)
        return true;
    struct diagnostic *error =
        report(floored->checker->diagnostics, ERROR_FLOOR_TOO_LARGE, floored->span,
               "floor `%s` has %zu files and directories in its allows, and the kernel is handed "
               "%d at most",
               floored->name, count, FLOOR_NAMES_MAX);
    diagnostic_help(error, "name the directories that they are in: where %s under [\"…\"]",
                    floored->operation_class == CLASS_EXEC ? "file" : "path");
    return false;
}

/* Where a statement speaks of the class: by its name, or by `all`. */
static bool speaks_of(const struct default_statement *statement,
                      enum operation_class operation_class, struct span *where)
{
    *where = statement->classes.span;
    for (const struct class_word *class = statement->classes.first; class; class = class->next) {
        if (class->operation_class == operation_class) {
            *where = class->word.span;
            return true;
        }
    }
    return false;
}

/* A class named itself beats `all`. */
static bool check_default(const struct floored *floored)
{
    struct span allowed;
    bool by_all = false;
    bool named = false;

    for (const struct default_statement *statement = floored->policy->defaults; statement && !named;
         statement = statement->next) {
        struct span where;
        named = speaks_of(statement, floored->operation_class, &where);
        if (named && statement->deny)
            return true;
        if (named || (statement->classes.all && !statement->deny)) {
            by_all |= !named;
            allowed = where;
        }
    }
    if (!named && !by_all)
        return true;
    struct diagnostic *error =
        report(floored->checker->diagnostics, ERROR_FLOOR_CONTRADICTED, floored->span,
               "floor `%s` would stop what the policy allows by default", floored->name);
    diagnostic_second(error, allowed, "allowed here");
    diagnostic_help(error, "write `default deny %s`, or remove `%s` from the floor", floored->name,
                    floored->name);
    return false;
}

/* The kernel would deny what neither a rule nor a default denies. */
static void warn_without_denial(const struct floored *floored)
{
    struct span where;

    if (floored->policy->flawed ||
        default_denies(floored->policy, floored->operation_class, &where))
        return;
    for (const struct rule *rule = floored->policy->rules; rule; rule = rule->next)
        if ((rule->effect == EFFECT_DENY || rule->effect == EFFECT_KILL) &&
            (!rule->checked || is_about(rule, floored->operation_class)))
            return;
    struct diagnostic *warning = report(
        floored->checker->diagnostics, WARNING_FLOOR_WITHOUT_DENIAL, floored->span,
        "no rule and no default here denies `%s`, and the floor would stop it", floored->name);
    diagnostic_help(warning,
                    "add `default deny %s`: the interpreter and the kernel then say the "
                    "same",
                    floored->name);
}

static void check_class(const struct floored *floored)
{
    const bool files = floored->operation_class == CLASS_EXEC ||
                       floored->operation_class == CLASS_READ ||
                       floored->operation_class == CLASS_WRITE;

    if (!vocabulary_class_has_floor(floored->operation_class)) {
        struct diagnostic *error =
            report(floored->checker->diagnostics, ERROR_NO_FLOOR_OF_CLASS, floored->span,
                   "the kernel cannot hold `%s`: there is no floor of it", floored->name);
        diagnostic_help(error, "floors are of exec, fork, read, write, connect and bind");
        return;
    }
    if (!check_default(floored) ||
        (floored->operation_class == CLASS_FORK && !check_fork(floored)) ||
        (files && (!check_files(floored) || !check_size(floored))))
        return;
    warn_without_denial(floored);
}

void check_floors(struct checker *checker, const struct policy *policy)
{
    uint32_t seen = 0; /* a class is judged where it first stands */

    for (const struct floor_statement *floor = policy->floors; floor; floor = floor->next) {
        for (struct class_word *class = floor->classes.first; class; class = class->next) {
            class->operation_class = find_class(checker->diagnostics, &class->word);
            if (class->operation_class == CLASS_NONE || (seen & class_bit(class->operation_class)))
                continue;
            seen |= class_bit(class->operation_class);
            const struct floored floored = {checker, policy, class->operation_class,
                                            vocabulary_class_name(class->operation_class),
                                            class->word.span};
            check_class(&floored);
        }
    }
}
