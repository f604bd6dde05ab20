/* Predicates: whether the attribute is one, whether what the rule is about has it, whether the
 * operator fits its type. The literals are check_value.c's. */
#include "policies/language/check_internal.h"

#include <string.h>

static const struct {
    const char *word;
    enum node_operator operator_kind;
} tests[] = {
    [TEST_ALONE] = {"", OPERATOR_EQUALS},
    [TEST_IS] = {"is", OPERATOR_EQUALS},
    [TEST_IS_NONE] = {"is none", OPERATOR_NONE},
    [TEST_IS_ABSENT] = {"is absent", OPERATOR_ABSENT},
    [TEST_IN] = {"in", OPERATOR_EQUALS},
    [TEST_UNDER] = {"under", OPERATOR_UNDER},
    [TEST_MATCHES] = {"matches", OPERATOR_MATCHES},
    [TEST_STARTS] = {"starts", OPERATOR_STARTS},
    [TEST_HAS] = {"has", OPERATOR_HAS},
    [TEST_HAS_MATCHES] = {"has matches", OPERATOR_HAS_MATCHES},
    [TEST_LESS] = {"<", OPERATOR_LESS},
    [TEST_LESS_OR_EQUAL] = {"<=", OPERATOR_LESS_OR_EQUAL},
    [TEST_GREATER] = {">", OPERATOR_GREATER},
    [TEST_GREATER_OR_EQUAL] = {">=", OPERATOR_GREATER_OR_EQUAL},
};

static bool is_possible(const struct target *target, enum attribute_name attribute)
{
    if (target->kind == TARGET_SESSION)
        return is_selector(attribute);
    if (is_common_attribute(attribute))
        return true;
    for (int i = CLASS_NONE + 1; i < CLASS_COUNT; i++)
        if ((target->classes & class_bit((enum operation_class)i)) &&
            vocabulary_class_has((enum operation_class)i, attribute))
            return true;
    return false;
}

static void unknown_attribute(struct checker *checker, const struct word *word)
{
    struct suggestion suggestion;
    suggestion_init(&suggestion, word->text, word->length);
    for (int i = ATTRIBUTE_NONE + 1; i < ATTRIBUTE_COUNT; i++) {
        const char *name = vocabulary_attribute_name((enum attribute_name)i);
        if (is_possible(&checker->target, (enum attribute_name)i))
            suggestion_offer(&suggestion, name, strlen(name));
    }
    struct diagnostic *error =
        report(checker->diagnostics, ERROR_UNKNOWN_ATTRIBUTE, word->span,
               "there is no attribute `%.*s`", (int)word->length, word->text);
    if (suggestion.best) {
        diagnostic_label(error, "did you mean `%s`?", suggestion.best);
        return;
    }
    if (checker->target.kind == TARGET_SESSION) {
        diagnostic_help(error, "`applies` asks about user, group, exe, unit, label NAME, platform, "
                               "python and script");
        return;
    }
    struct text_buffer known = {0};
    for (int i = ATTRIBUTE_NONE + 1; i < ATTRIBUTE_COUNT; i++)
        if (is_possible(&checker->target, (enum attribute_name)i) &&
            !is_common_attribute((enum attribute_name)i))
            text_buffer_format(&known, "%s, ", vocabulary_attribute_name((enum attribute_name)i));
    diagnostic_help(error, "a rule on this has %sevent, arg, user, group, label NAME and script",
                    known.bytes ? known.bytes : "");
    text_buffer_deinit(&known);
}

/* How the main attribute of a class is called by people. */
static const char *main_attribute_in_words(enum operation_class operation_class)
{
    switch (operation_class) {
    case CLASS_EXEC:
        return "the program of an exec";
    case CLASS_RESOLVE:
        return "the name that is looked up";
    case CLASS_IMPORT:
        return "the module of an import";
    default:
        return NULL;
    }
}

static void help_with_class(struct diagnostic *error, const struct predicate *predicate,
                            enum operation_class operation_class, enum attribute_name wrong)
{
    const enum attribute_name first = *vocabulary_class_attributes(operation_class);
    const char *in_words = main_attribute_in_words(operation_class);
    struct text_buffer known = {0};

    if (first == ATTRIBUTE_NONE) {
        diagnostic_help(error, "`%s` has no attributes of its own",
                        vocabulary_class_name(operation_class));
    } else if (in_words && predicate->index == INDEX_NONE &&
               vocabulary_attribute_type(first) == vocabulary_attribute_type(wrong)) {
        const uint32_t skip = predicate->attribute.span.length;
        diagnostic_help(error, "%s is `%s`:  where %s%.*s", in_words,
                        vocabulary_attribute_name(first), vocabulary_attribute_name(first),
                        (int)(predicate->span.length - skip), span_text(predicate->span) + skip);
    } else {
        add_attributes_of(&known, operation_class);
        diagnostic_help(error, "`%s` has %s", vocabulary_class_name(operation_class),
                        known.bytes ? known.bytes : "");
    }
    text_buffer_deinit(&known);
}

static void report_missing(struct checker *checker, const struct predicate *predicate,
                           enum operation_class operation_class, enum attribute_name attribute)
{
    const char *name = vocabulary_attribute_name(attribute);
    struct text_buffer classes = {0};
    struct diagnostic *error;

    add_classes_with(&classes, attribute);
    if (checker->target.kind == TARGET_EVENTS)
        error = report(checker->diagnostics, ERROR_CLASS_HAS_NO_ATTRIBUTE,
                       predicate->attribute.span, "no operation of these events has `%s`", name);
    else if (checker->target.all)
        error = report(checker->diagnostics, ERROR_CLASS_HAS_NO_ATTRIBUTE,
                       predicate->attribute.span, "not every class has an attribute `%s`", name);
    else
        error = report(checker->diagnostics, ERROR_CLASS_HAS_NO_ATTRIBUTE,
                       predicate->attribute.span, "class `%s` has no attribute `%s`",
                       vocabulary_class_name(operation_class), name);
    diagnostic_label(error, "`%s` belongs to %s", name, classes.bytes ? classes.bytes : "nothing");
    if (checker->target.kind == TARGET_EVENTS)
        diagnostic_help(error, "the arguments of an event are arg[0], arg.NAME");
    else if (checker->target.all)
        diagnostic_help(error, "name the classes that have it instead of `all`: %s",
                        classes.bytes ? classes.bytes : "");
    else
        help_with_class(error, predicate, operation_class, attribute);
    text_buffer_deinit(&classes);
}

/* Every listed class must have it; of events, at least one operation that a matched one can be. */
static bool target_has(struct checker *checker, const struct predicate *predicate,
                       enum attribute_name attribute)
{
    const struct target *target = &checker->target;

    if (is_common_attribute(attribute))
        return true;
    if (target->kind == TARGET_EVENTS) {
        if (is_possible(target, attribute))
            return true;
        report_missing(checker, predicate, CLASS_NONE, attribute);
        return false;
    }
    for (int i = CLASS_NONE + 1; i < CLASS_COUNT; i++) {
        const enum operation_class operation_class = (enum operation_class)i;
        if ((target->classes & class_bit(operation_class)) &&
            !vocabulary_class_has(operation_class, attribute)) {
            report_missing(checker, predicate, operation_class, attribute);
            return false;
        }
    }
    return true;
}

static bool check_attribute(struct checker *checker, const struct predicate *predicate,
                            struct checked_predicate *checked)
{
    const struct word *word = &predicate->attribute;
    const enum attribute_name attribute = vocabulary_attribute(word->text, word->length);

    checked->attribute = attribute;
    if (attribute == ATTRIBUTE_NONE) {
        unknown_attribute(checker, word);
        return false;
    }
    if (checker->target.kind == TARGET_SESSION) {
        if (is_selector(attribute))
            return true;
        diagnostic_help(report(checker->diagnostics, ERROR_ATTRIBUTE_ELSEWHERE, word->span,
                               "`%.*s` belongs to operations, and stands in rules",
                               (int)word->length, word->text),
                        "`applies` asks about user, group, exe, unit, label NAME, platform, python "
                        "and script");
        return false;
    }
    if (is_selector(attribute) && !is_common_attribute(attribute)) {
        diagnostic_help(report(checker->diagnostics, ERROR_ATTRIBUTE_ELSEWHERE, word->span,
                               "`%.*s` selects sessions, and stands in `applies`",
                               (int)word->length, word->text),
                        "rules ask about user, group, label NAME and script");
        return false;
    }
    return target_has(checker, predicate, attribute);
}

static void bad_index(struct checker *checker, const struct predicate *predicate, const char *why,
                      const char *help)
{
    struct diagnostic *error =
        report(checker->diagnostics, ERROR_BAD_INDEX, predicate->index_span, "%s", why);
    diagnostic_help(error, "%s", help);
}

/* `path` names files and, in class registry, keys. A rule on both kinds would compare one of them
 * with what it can never be; of events, the literal says which is meant. */
static bool check_path_kind(struct checker *checker, const struct predicate *predicate,
                            struct checked_predicate *checked)
{
    const uint32_t classes = checker->target.classes;
    bool file = false;

    if (checked->attribute != ATTRIBUTE_PATH || checker->target.kind == TARGET_SESSION ||
        !(classes & class_bit(CLASS_REGISTRY)))
        return true;
    for (int i = CLASS_NONE + 1; i < CLASS_COUNT; i++)
        if (i != CLASS_REGISTRY && (classes & class_bit((enum operation_class)i)) &&
            vocabulary_class_has((enum operation_class)i, ATTRIBUTE_PATH))
            file = true;
    if (!file) {
        checked->type = TYPE_REGISTRY;
        return true;
    }
    if (checker->target.kind == TARGET_CLASSES) {
        diagnostic_help(report(checker->diagnostics, ERROR_CLASS_HAS_NO_ATTRIBUTE,
                               predicate->attribute.span,
                               "`path` of class `registry` is a key, of the others a file"),
                        "write a rule of its own for `registry`");
        return false;
    }
    const struct literal *literal = predicate->values;
    if (literal && literal->kind == LITERAL_STRING && literal->length >= 2 &&
        memcmp(literal->text, "HK", 2) == 0)
        checked->type = TYPE_REGISTRY;
    return true;
}

/* The part of the attribute that the index names, and the type that part has. */
static bool check_index(struct checker *checker, const struct predicate *predicate,
                        struct checked_predicate *checked)
{
    const enum attribute_type type = vocabulary_attribute_type(checked->attribute);

    checked->type = type;
    switch (predicate->index) {
    case INDEX_NONE:
        return check_path_kind(checker, predicate, checked);
    case INDEX_LABEL:
        checked->part = PART_LABEL;
        checked->key = predicate->key.text;
        checked->key_length = predicate->key.length;
        if (!memchr(predicate->key.text, '\0', predicate->key.length))
            return true;
        bad_index(checker, predicate, "the name of a label holds no NUL",
                  "label role is \"plugin\"");
        return false;
    case INDEX_ARGUMENT:
        checked->part = PART_ARGUMENT;
        return check_argument_name(checker, predicate, checked);
    case INDEX_NUMBER:
        checked->part = PART_ELEMENT;
        checked->index = (int32_t)predicate->number;
        if (checked->attribute == ATTRIBUTE_ARG)
            return check_argument_number(checker, predicate);
        if (type == TYPE_TEXT_LIST && predicate->number >= INT32_MIN &&
            predicate->number <= INT32_MAX) {
            checked->type = TYPE_TEXT;
            return true;
        }
        if (type == TYPE_TEXT_MAP)
            bad_index(checker, predicate, "a map is asked by name", "write env[\"PATH\"]");
        else
            bad_index(checker, predicate,
                      type == TYPE_TEXT_LIST ? "no list is so long" : "only lists have elements",
                      "lists are argv and group: argv[0], argv[-1]");
        return false;
    case INDEX_TEXT:
        checked->part = PART_KEY;
        checked->key = predicate->key.text;
        checked->key_length = predicate->key.length;
        checked->type = TYPE_TEXT;
        if (type == TYPE_TEXT_MAP && !memchr(predicate->key.text, '\0', predicate->key.length))
            return true;
        if (checked->attribute == ATTRIBUTE_ARG)
            bad_index(checker, predicate, "an argument is named behind a dot",
                      "write arg.\"NAME\", or its number: arg[0]");
        else
            bad_index(checker, predicate, "only a map is asked by name",
                      "the map is env: env[\"PATH\"]");
        return false;
    }
    return false;
}

/* Whether values of the type can be tested so. */
static bool test_fits(enum test test, enum attribute_type type)
{
    const bool list = type == TYPE_TEXT_LIST || type == TYPE_TEXT_MAP;

    switch (test) {
    case TEST_ALONE:
        return type == TYPE_BOOL || type == TYPE_ANY;
    case TEST_IS:
    case TEST_IS_NONE:
    case TEST_IS_ABSENT:
        return true;
    case TEST_IN:
        return !list;
    case TEST_UNDER:
        return type == TYPE_PATH || type == TYPE_REGISTRY || type == TYPE_MODULE;
    case TEST_MATCHES:
        return type == TYPE_PATH || type == TYPE_REGISTRY || type == TYPE_MODULE ||
               type == TYPE_TEXT || type == TYPE_WORD || type == TYPE_ANY;
    case TEST_STARTS:
        return type == TYPE_TEXT_LIST || type == TYPE_ANY;
    case TEST_HAS:
    case TEST_HAS_MATCHES:
        return list || type == TYPE_ANY;
    case TEST_LESS:
    case TEST_LESS_OR_EQUAL:
    case TEST_GREATER:
    case TEST_GREATER_OR_EQUAL:
        return type == TYPE_INT || type == TYPE_SIGNAL || type == TYPE_VERSION || type == TYPE_ANY;
    }
    return false;
}

static void report_alone(struct checker *checker, const struct predicate *predicate,
                         const struct checked_predicate *checked)
{
    const struct span of = predicate->operand_of;
    struct diagnostic *error = report(checker->diagnostics, ERROR_TEST_MISSING, predicate->span,
                                      "`%.*s` alone is no condition: it is %s", (int)of.length,
                                      span_text(of), type_in_words(checked->type));
    diagnostic_help(error, "write %.*s is …, or in, under, matches, has", (int)of.length,
                    span_text(of));
}

static const char *operators_of(enum attribute_type type)
{
    switch (type) {
    case TYPE_PATH:
    case TYPE_REGISTRY:
    case TYPE_MODULE:
        return "it is compared with is, in, under and matches";
    case TYPE_TEXT:
    case TYPE_WORD:
        return "it is compared with is, in and matches";
    case TYPE_HOST:
    case TYPE_ADDRESS:
        return "it is compared with is and in";
    case TYPE_INT:
    case TYPE_SIGNAL:
    case TYPE_VERSION:
        return "it is compared with is, in, <, <=, > and >=";
    case TYPE_BOOL:
        return "it stands alone, or behind `not`";
    case TYPE_TEXT_LIST:
        return "it is compared with is […], starts, has and has matches; an element is argv[0]";
    case TYPE_TEXT_MAP:
        return "it is asked with has and has matches; a value is env[\"PATH\"]";
    case TYPE_ANY:
        break;
    }
    return "it is compared with is, in, matches, starts, has, <, <=, > and >=";
}

static void report_misfit(struct checker *checker, const struct predicate *predicate,
                          const struct checked_predicate *checked)
{
    const struct span of = predicate->operand_of;
    const char *instead = operators_of(checked->type);

    switch (predicate->test) {
    case TEST_ALONE:
        report_alone(checker, predicate, checked);
        return;
    case TEST_MATCHES:
        if (checked->type == TYPE_HOST)
            instead = "hosts take no globs but one: host is \"*.example.org\"";
        else if (checked->type == TYPE_TEXT_LIST || checked->type == TYPE_TEXT_MAP)
            instead = "some element: `has matches`; one of them: argv[1] matches";
        else if (checked->type == TYPE_ADDRESS)
            instead = "address is 10.20.0.0/16";
        break;
    case TEST_UNDER:
        if (checked->type == TYPE_ANY)
            instead =
                "an argument is compared as it was passed; the class's `path` is absolute and "
                "normalised";
        else if (checked->type == TYPE_ADDRESS)
            instead = "address is 10.20.0.0/16";
        else if (checked->type == TYPE_HOST)
            instead = "host is \"*.example.org\"";
        break;
    case TEST_IN:
        instead = "some element: `has […]`; the whole list: `is […]`";
        break;
    case TEST_STARTS:
        if (checked->type == TYPE_PATH)
            instead = "what is below a directory: `under`";
        else
            instead = "`starts` compares the first elements of a list; the front of a text is "
                      "matches \"front*\"";
        break;
    case TEST_HAS:
    case TEST_HAS_MATCHES:
        instead = "`has` looks into lists; a text is compared with is, in or matches";
        break;
    default:
        break;
    }
    struct diagnostic *error =
        report(checker->diagnostics, ERROR_OPERATOR_DOES_NOT_FIT, predicate->test_span,
               "`%s` does not fit `%.*s`, which is %s", tests[predicate->test].word, (int)of.length,
               span_text(of), type_in_words(checked->type));
    diagnostic_help(error, "%s", instead);
}

/* `in` with one value, `is` with a list, `starts` with a string. */
static bool check_form(struct checker *checker, const struct predicate *predicate,
                       const struct checked_predicate *checked)
{
    const struct span of = predicate->operand_of;
    const struct span form = predicate->form_span;
    const bool takes_list = checked->type == TYPE_TEXT_LIST || checked->type == TYPE_ANY;
    struct diagnostic *error;

    if (predicate->form == FORM_ONE && (predicate->values->kind == LITERAL_BAD))
        return false;
    if (predicate->test == TEST_IN && predicate->form == FORM_ONE) {
        if (predicate->values->kind == LITERAL_WORD)
            return true; /* check_values says what it is */
        error = report(checker->diagnostics, ERROR_IN_WANTS_LIST, form,
                       "`in` needs a list or a set, this is one value");
        diagnostic_help(error, "write `%.*s is %.*s` or `%.*s in [%.*s]`", (int)of.length,
                        span_text(of), (int)form.length, span_text(form), (int)of.length,
                        span_text(of), (int)form.length, span_text(form));
        return false;
    }
    if (predicate->test == TEST_STARTS && predicate->form == FORM_ONE) {
        error = report(checker->diagnostics, ERROR_VALUE_DOES_NOT_FIT, form,
                       "`starts` needs a list or a set: the first elements");
        diagnostic_help(error, "write `%.*s starts [%.*s]`", (int)of.length, span_text(of),
                        (int)form.length, span_text(form));
        return false;
    }
    if (predicate->test == TEST_IS && predicate->form == FORM_LIST && !takes_list) {
        error = report(checker->diagnostics, ERROR_IS_WANTS_ONE, form,
                       "`is` compares with one value, this is a list");
        diagnostic_help(error, "write `%.*s %s %.*s`", (int)of.length, span_text(of),
                        checked->type == TYPE_TEXT_MAP ? "has" : "in", (int)form.length,
                        span_text(form));
        return false;
    }
    if (predicate->test == TEST_IS && predicate->form == FORM_ONE &&
        (checked->type == TYPE_TEXT_LIST || checked->type == TYPE_TEXT_MAP)) {
        const char *quote = predicate->values->kind == LITERAL_WORD ? "\"" : "";
        error = report(checker->diagnostics, ERROR_VALUE_DOES_NOT_FIT, form,
                       "`%.*s` is %s, this is one value", (int)of.length, span_text(of),
                       type_in_words(checked->type));
        diagnostic_help(error, "some element: `%.*s has %s%.*s%s`", (int)of.length, span_text(of),
                        quote, (int)form.length, span_text(form), quote);
        return false;
    }
    return true;
}

/* What the elements of a list are compared as. */
static void compare_elements(const struct predicate *predicate, struct checked_predicate *checked)
{
    if (predicate->test == TEST_IS && predicate->form == FORM_LIST)
        checked->operator_kind = OPERATOR_LIST_EQUALS;
    if (checked->type == TYPE_TEXT_LIST || checked->type == TYPE_TEXT_MAP)
        checked->type = TYPE_TEXT;
}

static bool check_operand(struct checker *checker, const struct predicate *predicate,
                          struct checked_predicate *checked)
{
    static const struct literal truth = {.kind = LITERAL_TRUTH, .low = 1};

    compare_elements(predicate, checked);
    switch (predicate->form) {
    case FORM_NOTHING:
        if (predicate->test == TEST_ALONE)
            return check_values(checker, predicate, &truth, checked);
        return true;
    case FORM_ONE:
        return check_values(checker, predicate, predicate->values, checked);
    case FORM_LIST:
        return check_list(checker, predicate->values, predicate->form_span) &&
               check_values(checker, predicate, predicate->values, checked);
    case FORM_SET: {
        const struct set *set = find_set(checker, &predicate->set);
        return set && check_values(checker, predicate, set->values, checked);
    }
    }
    return false;
}

static bool check_predicate(struct checker *checker, struct predicate *predicate)
{
    if (diagnostics_are_full(checker->diagnostics))
        return false;
    struct checked_predicate *checked = storage_take(checker->storage, 1, sizeof(*checked));
    if (!checked)
        return false;
    checked->operator_kind = tests[predicate->test].operator_kind;
    if (!check_attribute(checker, predicate, checked) || !check_index(checker, predicate, checked))
        return false;
    if (!test_fits(predicate->test, checked->type)) {
        report_misfit(checker, predicate, checked);
        return false;
    }
    if (!check_form(checker, predicate, checked) || !check_operand(checker, predicate, checked))
        return false;
    predicate->checked = checked;
    return true;
}

bool check_condition(struct checker *checker, struct condition *condition)
{
    bool good = !condition->mixed;

    if (condition->kind == CONDITION_PREDICATE)
        return check_predicate(checker, condition->predicate);
    for (struct condition *child = condition->first; child; child = child->next)
        good &= check_condition(checker, child);
    return good;
}
