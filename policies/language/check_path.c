/* Paths, registry paths and globs, read from literals. */
#include "policies/language/check_value_internal.h"

#include <string.h>

#include "policies/engine/path_text.h"

static bool is_windows_path(const char *text, size_t length)
{
    const bool letter =
        length >= 1 && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z'));
    return (length >= 3 && letter && text[1] == ':' && (text[2] == '\\' || text[2] == '/')) ||
           (length >= 2 && text[0] == '\\' && text[1] == '\\');
}

static void not_absolute(const struct reading *reading, const char *text, size_t length)
{
    struct diagnostic *error =
        wrong(reading, ERROR_PATH_NOT_ABSOLUTE, "a path begins with `/`: others never match");
    if (length >= 1 && text[0] == '~')
        diagnostic_help(error, "the home directory is session.home \"%.*s\"", (int)length - 1,
                        text + 1);
    else if (length >= 1 && text[0] == '$')
        diagnostic_help(error,
                        "there are no variables; the places are session.home, session.start, "
                        "session.temp, session.venv, session.python and session.null");
    else if (memchr(text, '/', length))
        diagnostic_help(error,
                        "below the directory where the session started: session.start "
                        "\"/%.*s\"",
                        (int)length, text);
    else if (length > 0)
        diagnostic_help(error, "write the whole path: \"/usr/bin/%.*s\"", (int)length, text);
    else
        diagnostic_help(error, "write a whole path, such as \"/srv\"; every path is under \"/\"");
}

/* A normalised copy; NULL, and an error, if it has none. */
static const char *normal_path(const struct reading *reading, const char *text, size_t length,
                               size_t *normal_length)
{
    char buffer[PATH_TEXT_MAX];
    *normal_length = path_normalise(NULL, text, length, buffer, sizeof(buffer));
    if (*normal_length == 0) {
        const bool holds_nul = memchr(text, '\0', length) != NULL;
        diagnostic_help(
            wrong(reading, ERROR_PATH_NOT_ABSOLUTE,
                  holds_nul ? "a path holds no NUL" : "longer than a path can be (4095 bytes)"),
            holds_nul ? "write it without: no file has such a name"
                      : "name a directory above it: path under \"…\"");
        return NULL;
    }
    return storage_copy(reading->checker->storage, buffer, *normal_length);
}

/* What stands behind a place: absolute in it, "" for the place itself. */
static bool below_place(const struct reading *reading, const char **below, size_t *length)
{
    const struct literal *literal = reading->literal;
    *below = "";
    *length = 0;
    if (!literal->has_below)
        return true;
    if (literal->below_length == 0 || literal->below[0] != '/') {
        diagnostic_help(
            wrong(reading, ERROR_PATH_NOT_ABSOLUTE, "what stands behind a place begins with `/`"),
            "write %.*s \"/%.*s\"", (int)literal->length, literal->text, (int)literal->below_length,
            literal->below);
        return false;
    }
    *below = literal->below;
    *length = literal->below_length;
    return true;
}

static struct typed_value *place_value(const struct reading *reading)
{
    const struct literal *literal = reading->literal;
    const enum place place =
        find_place(reading->checker->diagnostics, literal->text, literal->length, literal->span);
    const char *below;
    size_t length;

    if (place == PLACE_COUNT || !below_place(reading, &below, &length))
        return NULL;
    struct typed_value *value = new_value(reading, BLOCK_VALUE_PLACE);
    if (!value)
        return NULL;
    value->place = place;
    if (length > 0) {
        warn_wildcard(reading, below, length);
        value->text = normal_path(reading, below, length, &value->length);
        if (!value->text)
            return NULL;
        if (value->length == 1)
            value->length = 0;
    }
    return value;
}

struct typed_value *path_value(const struct reading *reading)
{
    const struct literal *literal = reading->literal;

    if (literal->kind == LITERAL_PLACE)
        return place_value(reading);
    if (literal->length == 0 ||
        (literal->text[0] != '/' && !is_windows_path(literal->text, literal->length))) {
        not_absolute(reading, literal->text, literal->length);
        return NULL;
    }
    warn_wildcard(reading, literal->text, literal->length);
    struct typed_value *value = text_value(reading);
    if (!value || literal->text[0] != '/')
        return value;
    value->is_path = true;
    value->text = normal_path(reading, literal->text, literal->length, &value->length);
    return value->text ? value : NULL;
}

static bool same_but_case(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char upper = a[i];
        if (upper >= 'a' && upper <= 'z')
            upper = (char)(upper - ('a' - 'A'));
        if (upper != b[i])
            return false;
    }
    return true;
}

/* Registry paths are written with the roots' long or short names; events have the short ones. NULL,
 * and an error, if there is no root. */
static const char *registry_text(const struct reading *reading, size_t *length)
{
    static const struct {
        const char *full;
        const char *brief;
    } roots[] = {
        {"HKEY_LOCAL_MACHINE", "HKLM"},  {"HKEY_CURRENT_USER", "HKCU"},
        {"HKEY_CLASSES_ROOT", "HKCR"},   {"HKEY_USERS", "HKU"},
        {"HKEY_CURRENT_CONFIG", "HKCC"},
    };
    const struct literal *literal = reading->literal;
    const char *text = literal->text;
    size_t root = 0;

    while (root < literal->length && text[root] != '\\' && text[root] != '/')
        root++;
    *length = literal->length;
    for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
        const size_t brief = strlen(roots[i].brief);
        if (root == brief && same_but_case(text, roots[i].brief, brief))
            return text;
        if (root != strlen(roots[i].full) || !same_but_case(text, roots[i].full, root))
            continue;
        *length = brief + literal->length - root;
        char *copy = storage_take(reading->checker->storage, *length + 1, 1);
        if (copy) {
            memcpy(copy, roots[i].brief, brief);
            memcpy(copy + brief, text + root, literal->length - root);
        }
        return copy;
    }
    diagnostic_help(wrong(reading, ERROR_PATH_NOT_ABSOLUTE, "a registry path begins with its root"),
                    "roots are HKLM, HKCU, HKCR, HKU and HKCC: 'HKLM\\Software'");
    return NULL;
}

struct typed_value *registry_value(const struct reading *reading)
{
    size_t length;
    const char *text = registry_text(reading, &length);
    struct typed_value *value = text ? new_value(reading, BLOCK_VALUE_TEXT) : NULL;

    if (!value)
        return NULL;
    while (text[length - 1] == '\\' || text[length - 1] == '/')
        length--;
    value->text = text;
    value->length = length;
    return value;
}

/* True if the pattern compiles; else what is wrong with it was said. */
static bool glob_is_good(struct checker *checker, const struct literal *literal,
                         enum glob_kind kind, const char *pattern, size_t length)
{
    uint32_t words[GLOB_WORDS_MAX];
    size_t count;
    size_t at;
    struct diagnostic *error;

    switch (glob_compile(kind, pattern, length, words, &count, &at)) {
    case GLOB_GOOD:
        return true;
    case GLOB_DOUBLE_STAR:
        error = report(checker->diagnostics, ERROR_GLOB_CROSSES_NOTHING, literal->span,
                       "`**` crosses separators, and this is no path");
        diagnostic_help(error, "here `*` matches everything");
        break;
    case GLOB_OPEN_BRACKET:
        error =
            report(checker->diagnostics, ERROR_BAD_GLOB, literal->span, "a `[` without its `]`");
        diagnostic_help(error, "a literal bracket is written [[]");
        break;
    case GLOB_EMPTY_RANGE:
        error = report(checker->diagnostics, ERROR_BAD_GLOB, literal->span,
                       "a range of characters whose end is before its start");
        diagnostic_help(error, "ranges ascend: [a-z]");
        break;
    case GLOB_TOO_LONG:
        error =
            report(checker->diagnostics, ERROR_BAD_GLOB, literal->span,
                   "a glob of more than %d characters behind its literal front", GLOB_WORDS_MAX);
        diagnostic_help(error, "`under` and `is` take longer texts");
        break;
    }
    return false;
}

/* A glob without a path's front: its literal characters, and the pattern behind them. */
static struct typed_value *plain_glob(const struct reading *reading, enum glob_kind kind,
                                      const char *text, size_t length)
{
    size_t front = glob_literal_length(text, length);

    /* A byte that is no character by itself may be the beginning of one in the text: "\xc3?" does
     * not match U+00E9. */
    while (front > 0 && front < length && (text[front - 1] & 0x80))
        front--;
    if (!glob_is_good(reading->checker, reading->literal, kind, text + front, length - front))
        return NULL;
    struct typed_value *value = new_value(reading, BLOCK_VALUE_GLOB);
    if (value) {
        value->text = text;
        value->length = front;
        value->glob_kind = kind;
        value->glob = text + front;
        value->glob_length = length - front;
    }
    return value;
}

struct typed_value *check_text_glob(struct checker *checker, const struct literal *literal)
{
    const struct reading reading = {.checker = checker, .literal = literal};
    return plain_glob(&reading, GLOB_TEXT, literal->text, literal->length);
}

/* A part of a path's glob, behind its literal front, that no normalised path has. */
static const char *impossible_part(const char *glob, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (glob[i] != '/')
            continue;
        const char *slash = i + 1 < length ? memchr(glob + i + 1, '/', length - i - 1) : NULL;
        const size_t part = slash ? (size_t)(slash - (glob + i + 1)) : length - i - 1;
        if (part == 0)
            return slash ? "`//`" : "`/` at the end";
        if ((part == 1 && glob[i + 1] == '.') ||
            (part == 2 && glob[i + 1] == '.' && glob[i + 2] == '.'))
            return "`.` and `..` as parts";
    }
    return NULL;
}

/* A path's glob is a literal front, whole components and possibly resolved by the compiler, and the
 * pattern from the separator behind it on. */
static bool split_path_glob(const struct reading *reading, const char *text, size_t length,
                            struct typed_value *value)
{
    size_t front = is_windows_path(text, length) ? 0 : glob_literal_length(text, length);
    const bool wild = front < length;
    while (wild && front > 0 && text[front] != '/')
        front--;

    value->glob_kind = GLOB_PATH;
    value->glob = text + front;
    value->glob_length = length - front;
    const char *impossible = impossible_part(value->glob, value->glob_length);
    if (impossible) {
        struct diagnostic *error =
            wrong(reading, ERROR_BAD_GLOB, "this glob never matches: paths are normalised");
        diagnostic_help(error, "write it without: they have no %s", impossible);
        return false;
    }
    if (front > 0) {
        value->text = normal_path(reading, text, front, &value->length);
        if (!value->text)
            return false;
        if (wild && value->length == 1)
            value->length = 0; /* the root: the pattern begins with its separator */
    }
    return glob_is_good(reading->checker, reading->literal, GLOB_PATH, value->glob,
                        value->glob_length);
}

static struct typed_value *path_glob(const struct reading *reading)
{
    const struct literal *literal = reading->literal;
    const char *text = literal->text;
    size_t length = literal->length;
    struct typed_value *value = new_value(reading, BLOCK_VALUE_GLOB);

    if (!value)
        return NULL;
    if (literal->kind == LITERAL_PLACE) {
        value->kind = BLOCK_VALUE_PLACE_GLOB;
        value->place = find_place(reading->checker->diagnostics, literal->text, literal->length,
                                  literal->span);
        if (value->place == PLACE_COUNT || !below_place(reading, &text, &length))
            return NULL;
        return split_path_glob(reading, text, length, value) ? value : NULL;
    }
    const bool crosses = length >= 2 && text[0] == '*' && text[1] == '*';
    if (!crosses && (length == 0 || text[0] != '/') && !is_windows_path(text, length)) {
        struct diagnostic *error =
            wrong(reading, ERROR_PATH_NOT_ABSOLUTE, "the glob of a path begins with `/` or `**`");
        diagnostic_help(error, "anywhere: \"**/%.*s\"", (int)length, text);
        return NULL;
    }
    if (!split_path_glob(reading, text, length, value))
        return NULL;
    value->is_path = value->length > 0 && value->text[0] == '/';
    return value;
}

/* A glob over an attribute that has a few words, none of which it matches. */
static void warn_of_no_word(const struct reading *reading, const char *text, size_t length)
{
    const struct target *target = &reading->checker->target;
    const struct span of = reading->predicate->operand_of;
    uint32_t pattern[GLOB_WORDS_MAX];
    size_t count;
    size_t at;
    struct budget budget = {UINT64_MAX};

    if (glob_compile(GLOB_TEXT, text, length, pattern, &count, &at) != GLOB_GOOD)
        return;
    for (int i = CLASS_NONE; i < CLASS_COUNT; i++) {
        const char *const *words =
            vocabulary_words((enum operation_class)i, reading->checked->attribute);
        const bool asked = target->kind == TARGET_SESSION
                               ? i == CLASS_NONE
                               : (target->classes & class_bit((enum operation_class)i)) != 0;
        for (; asked && words && *words; words++)
            if (glob_match(GLOB_TEXT, pattern, count, *words, strlen(*words), &budget))
                return;
    }
    diagnostic_help(wrong(reading, WARNING_NEVER_MATCHES,
                          "this rule never matches: no word that `%.*s` takes is like that",
                          (int)of.length, span_text(of)),
                    "compare it with the word itself: %.*s is \"…\"", (int)of.length,
                    span_text(of));
}

struct typed_value *glob_value(const struct reading *reading)
{
    const char *text = reading->literal->text;
    size_t length = reading->literal->length;
    enum glob_kind kind = GLOB_TEXT;

    if (reading->literal->kind == LITERAL_PLACE || reading->checked->type == TYPE_PATH)
        return path_glob(reading);
    if (reading->checked->type == TYPE_REGISTRY) {
        kind = GLOB_REGISTRY;
        text = registry_text(reading, &length);
    }
    struct typed_value *value = text ? plain_glob(reading, kind, text, length) : NULL;
    if (value && reading->checked->type == TYPE_WORD)
        warn_of_no_word(reading, text, length);
    return value;
}
