/* Literals, read as the type of what they are compared with. A literal that came out of a set is
 * reported where it stands, with the use as the second place. */
#include "policies/language/check_value_internal.h"

#include <string.h>

#include "policies/engine/utf8.h"
#include "policies/language/foreign_words.h"
#include "policies/language/host_name.h"

const char *type_in_words(enum attribute_type type)
{
    switch (type) {
    case TYPE_PATH:
        return "a path";
    case TYPE_REGISTRY:
        return "a registry path";
    case TYPE_MODULE:
        return "a module";
    case TYPE_TEXT:
        return "a text";
    case TYPE_WORD:
        return "one of a few words";
    case TYPE_HOST:
        return "a host name";
    case TYPE_ADDRESS:
        return "an IP address";
    case TYPE_INT:
        return "an integer";
    case TYPE_SIGNAL:
        return "a signal";
    case TYPE_BOOL:
        return "true or false";
    case TYPE_TEXT_LIST:
        return "a list";
    case TYPE_TEXT_MAP:
        return "a map";
    case TYPE_VERSION:
        return "a version";
    case TYPE_ANY:
        break;
    }
    return "an argument";
}

static const char *kind_in_words(enum literal_kind kind)
{
    switch (kind) {
    case LITERAL_STRING:
        return "a string";
    case LITERAL_INTEGER:
        return "an integer";
    case LITERAL_RANGE:
        return "a range";
    case LITERAL_ADDRESS:
        return "an IP address";
    case LITERAL_CIDR:
        return "a block of IP addresses";
    case LITERAL_TRUTH:
        return "a truth value";
    case LITERAL_PLACE:
        return "a place";
    case LITERAL_WORD:
    case LITERAL_BAD:
        break;
    }
    return "no value";
}

/* Kinds that may stand in one list are of one family. */
static int family_of(enum literal_kind kind)
{
    switch (kind) {
    case LITERAL_STRING:
    case LITERAL_PLACE:
        return 1;
    case LITERAL_INTEGER:
    case LITERAL_RANGE:
        return 2;
    case LITERAL_ADDRESS:
    case LITERAL_CIDR:
        return 3;
    case LITERAL_TRUTH:
        return 4;
    default:
        return 0;
    }
}

/* `true`, `none` or `session.home`, as a slip of the finger or another language has it: true if
 * that was reported. */
static bool report_constant(struct checker *checker, const struct literal *literal)
{
    static const char *const constants[] = {"true", "false", "none", "absent"};
    const char *dot = memchr(literal->text, '.', literal->length);
    const size_t front = dot ? (size_t)(dot - literal->text) : 0;
    struct suggestion constant;
    struct suggestion place;
    const char *sentence;
    const char *instead = foreign_word(FOREIGN_VALUE, literal->text, literal->length, &sentence);

    suggestion_init(&constant, literal->text, literal->length);
    for (size_t i = 0; i < sizeof(constants) / sizeof(*constants); i++)
        suggestion_offer(&constant, constants[i], strlen(constants[i]));
    suggestion_init(&place, literal->text, front);
    if (dot)
        suggestion_offer(&place, "session", strlen("session"));
    if (!instead && !constant.best && !place.best)
        return false;
    struct diagnostic *error = report(checker->diagnostics, ERROR_BARE_WORD, literal->span,
                                      "`%.*s` is no value", (int)literal->length, literal->text);
    if (instead)
        diagnostic_label(error, "here that is `%s`", instead);
    else if (constant.best)
        diagnostic_label(error, "did you mean `%s`?", constant.best);
    else
        diagnostic_label(error, "did you mean `session%.*s`?", (int)(literal->length - front),
                         literal->text + front);
    if (sentence)
        diagnostic_help(error, "%s", sentence);
    return true;
}

/* `type` is that of what it is compared with; TYPE_ANY where that is not known. */
static void bare_word(struct checker *checker, const struct literal *literal,
                      enum attribute_type type)
{
    if (report_constant(checker, literal))
        return;
    struct diagnostic *error = report(checker->diagnostics, ERROR_BARE_WORD, literal->span,
                                      "`%.*s` is a bare word; a text stands in quotes",
                                      (int)literal->length, literal->text);
    if (name_table_find(&checker->policy_sets, literal->text, literal->length) ||
        name_table_find(&checker->file_sets, literal->text, literal->length))
        diagnostic_help(error,
                        "the set `%.*s` is used alone, behind in, under, matches, starts "
                        "or has",
                        (int)literal->length, literal->text);
    else if (type == TYPE_PATH)
        diagnostic_help(error, "write the whole path: \"/usr/bin/%.*s\"", (int)literal->length,
                        literal->text);
    else
        diagnostic_help(error, "write \"%.*s\"", (int)literal->length, literal->text);
}

bool check_list(struct checker *checker, const struct literal *literals, struct span span)
{
    if (!literals) {
        diagnostic_help(
            report(checker->diagnostics, ERROR_EMPTY_LIST, span, "an empty list: nothing is in it"),
            "give it a value, or remove what uses it");
        return false;
    }
    bool good = true;
    for (const struct literal *literal = literals; literal; literal = literal->next) {
        if (literal->kind == LITERAL_WORD)
            bare_word(checker, literal, TYPE_ANY);
        if (family_of(literal->kind) == 0)
            good = false;
    }
    for (const struct literal *literal = literals; literal && good; literal = literal->next) {
        if (family_of(literal->kind) == family_of(literals->kind))
            continue;
        struct diagnostic *error = report(checker->diagnostics, ERROR_MIXED_LIST, literal->span,
                                          "a list of several types");
        diagnostic_label(error, "%s", kind_in_words(literal->kind));
        diagnostic_second(error, literals->span, kind_in_words(literals->kind));
        diagnostic_help(error, "a list is of one type throughout; make two of it");
        good = false;
    }
    return good;
}

struct diagnostic *wrong(const struct reading *reading, enum diagnostic_code code,
                         const char *format, ...)
{
    va_list list;
    va_start(list, format);
    struct diagnostic *error =
        report_list(reading->checker->diagnostics, code, reading->literal->span, format, list);
    va_end(list);
    if (reading->predicate && reading->predicate->form == FORM_SET)
        diagnostic_second(error, reading->predicate->set.span, "used here");
    return error;
}

/* The literal is of a kind that the attribute is never compared with. */
static void does_not_fit(const struct reading *reading)
{
    const struct literal *literal = reading->literal;
    const struct span of = reading->predicate->operand_of;
    struct address address;
    const bool elements = reading->checked->operator_kind == OPERATOR_LIST_EQUALS ||
                          reading->checked->operator_kind == OPERATOR_STARTS ||
                          reading->checked->operator_kind == OPERATOR_HAS ||
                          reading->checked->operator_kind == OPERATOR_HAS_MATCHES;
    struct diagnostic *error =
        wrong(reading, ERROR_VALUE_DOES_NOT_FIT,
              elements ? "each element of `%.*s` is %s, this is %s" : "`%.*s` is %s, this is %s",
              (int)of.length, span_text(of), type_in_words(reading->checked->type),
              kind_in_words(literal->kind));

    switch (reading->checked->type) {
    case TYPE_ADDRESS:
        if (literal->kind == LITERAL_STRING &&
            address_parse(literal->text, literal->length, &address))
            diagnostic_help(error, "addresses stand without quotes: %.*s", (int)literal->length,
                            literal->text);
        else
            diagnostic_help(error, "write an address or a block of them: 10.20.0.0/16");
        break;
    case TYPE_INT:
        diagnostic_help(error, "integers stand without quotes: 443, 8000-8100, 0o755, 0x5413");
        break;
    case TYPE_SIGNAL:
        diagnostic_help(error, "write its name or number: \"TERM\", 15");
        break;
    case TYPE_BOOL:
        diagnostic_help(error, "write `%.*s`, or `not %.*s`", (int)of.length, span_text(of),
                        (int)of.length, span_text(of));
        break;
    case TYPE_ANY:
        if (literal->kind == LITERAL_ADDRESS || literal->kind == LITERAL_CIDR)
            diagnostic_help(error, "an argument is compared as it was passed: as text; the class "
                                   "has `address`");
        break;
    default:
        if (literal->kind != LITERAL_PLACE)
            diagnostic_help(error, "texts stand in quotes: \"%.*s\"", (int)literal->span.length,
                            span_text(literal->span));
        else
            diagnostic_help(error, "places are directories: compare a path with them");
    }
}

struct typed_value *new_value(const struct reading *reading, enum block_value_kind kind)
{
    struct typed_value *value = storage_take(reading->checker->storage, 1, sizeof(*value));
    if (value) {
        value->kind = kind;
        value->text = "";
        value->glob = "";
        value->span = reading->literal->span;
    }
    return value;
}

struct typed_value *text_value(const struct reading *reading)
{
    struct typed_value *value = new_value(reading, BLOCK_VALUE_TEXT);
    if (value) {
        value->text = reading->literal->text;
        value->length = reading->literal->length;
    }
    return value;
}

void warn_wildcard(const struct reading *reading, const char *text, size_t length)
{
    if (!memchr(text, '*', length))
        return;
    const struct span of = reading->predicate->operand_of;
    diagnostic_help(wrong(reading, WARNING_WILDCARD_IS_LITERAL,
                          "`*` is an ordinary character here: only `matches` reads globs"),
                    "write %.*s matches %.*s", (int)of.length, span_text(of),
                    (int)reading->literal->span.length, span_text(reading->literal->span));
}

static struct typed_value *module_value(const struct reading *reading)
{
    const struct literal *literal = reading->literal;
    bool dot = true; /* a part must begin */

    for (size_t i = 0; i < literal->length; i++) {
        const char c = literal->text[i];
        if ((c == '.' && dot) || c == '/' || c == '\\' || c == ' ')
            break;
        dot = c == '.';
        if (i + 1 == literal->length && !dot) {
            warn_wildcard(reading, literal->text, literal->length);
            return text_value(reading);
        }
    }
    diagnostic_help(wrong(reading, ERROR_VALUE_DOES_NOT_FIT, "this is no module's name"),
                    "modules are named as in `import`: \"xml.etree\"");
    return NULL;
}

/* The word is one of a list with commas. */
static bool is_among(const char *list, const char *word)
{
    const size_t length = strlen(word);

    for (const char *at = list; at && *at; at += strspn(at, ", ")) {
        const size_t part = strcspn(at, ", ");
        if (part == length && memcmp(at, word, length) == 0)
            return true;
        at += part;
    }
    return false;
}

static struct typed_value *word_value(const struct reading *reading)
{
    const struct literal *literal = reading->literal;
    const struct target *target = &reading->checker->target;
    struct suggestion suggestion;
    struct text_buffer known = {0};
    bool found = false;

    suggestion_init(&suggestion, literal->text, literal->length);
    for (int i = CLASS_NONE; i < CLASS_COUNT; i++) {
        const enum operation_class operation_class = (enum operation_class)i;
        const bool asked =
            target->kind == TARGET_SESSION
                ? operation_class == CLASS_NONE
                : (target->classes & class_bit(operation_class)) &&
                      vocabulary_class_has(operation_class, reading->checked->attribute);
        const char *const *words = vocabulary_words(operation_class, reading->checked->attribute);
        for (; asked && words && *words; words++) {
            suggestion_offer(&suggestion, *words, strlen(*words));
            text_buffer_format(&known, "%s%s", known.length > 0 ? ", " : "", *words);
            found |= strlen(*words) == literal->length &&
                     memcmp(*words, literal->text, literal->length) == 0;
        }
    }
    if (!found) {
        const struct span of = reading->predicate->operand_of;
        struct diagnostic *error =
            wrong(reading, ERROR_UNKNOWN_WORD, "`%.*s` is never \"%.*s\"", (int)of.length,
                  span_text(of), (int)literal->length, literal->text);
        const char *other = foreign_value(literal->text, literal->length);
        if (other && is_among(known.bytes, other))
            diagnostic_label(error, "here that is \"%s\"", other);
        else if (suggestion.best)
            diagnostic_label(error, "did you mean \"%s\"?", suggestion.best);
        diagnostic_help(error, "it is one of %s", known.bytes ? known.bytes : "");
    }
    text_buffer_deinit(&known);
    return found ? text_value(reading) : NULL;
}

/* No number from 0 to `most` can meet the comparison. */
static bool is_beyond(const struct reading *reading, int64_t most)
{
    const struct literal *literal = reading->literal;

    switch (reading->checked->operator_kind) {
    case OPERATOR_LESS:
        return literal->low <= 0;
    case OPERATOR_LESS_OR_EQUAL:
        return literal->low < 0;
    case OPERATOR_GREATER:
        return literal->low >= most;
    case OPERATOR_GREATER_OR_EQUAL:
        return literal->low > most;
    default:
        return literal->low > most || literal->high < 0;
    }
}

static struct typed_value *range_value(const struct reading *reading)
{
    const struct literal *literal = reading->literal;
    struct typed_value *value = new_value(reading, BLOCK_VALUE_RANGE);
    if (value) {
        value->low = literal->low;
        value->high = literal->high;
    }
    /* RFC 9293: a port has 16 bits. signal(7): the real-time signals end at 64. */
    if (reading->checked->attribute == ATTRIBUTE_PORT && is_beyond(reading, 65535))
        diagnostic_help(
            wrong(reading, WARNING_NEVER_MATCHES, "no port is that: ports are 0 to 65535"),
            "write the port that was meant");
    if (reading->checked->type == TYPE_SIGNAL && is_beyond(reading, 64))
        diagnostic_help(
            wrong(reading, WARNING_NEVER_MATCHES, "no signal is that: signals are 1 to 64"),
            "write its name: \"TERM\"");
    return value;
}

static struct typed_value *signal_value(const struct reading *reading)
{
    const struct literal *literal = reading->literal;
    const int number = vocabulary_signal(literal->text, literal->length);
    if (number == 0) {
        diagnostic_help(wrong(reading, ERROR_UNKNOWN_WORD, "there is no signal of this name"),
                        "signals are named as in signal(7): \"TERM\" or \"SIGTERM\"");
        return NULL;
    }
    struct typed_value *value = new_value(reading, BLOCK_VALUE_RANGE);
    if (value) {
        value->low = number;
        value->high = number;
    }
    return value;
}

/* Linux takes who connects there to the loopback, and what is judged is that. */
static void warn_unspecified(const struct reading *reading, struct address address, unsigned prefix)
{
    if (reading->checker->target.kind == TARGET_SESSION ||
        reading->checker->target.classes != class_bit(CLASS_CONNECT) ||
        reading->predicate->form != FORM_ONE || prefix != address_bits(&address) ||
        !address_reach(&address))
        return;
    char loopback[ADDRESS_TEXT_MAX];
    address_format(&address, loopback);
    diagnostic_help(wrong(reading, WARNING_NEVER_MATCHES,
                          "no connection on Linux has this address: it stands for the loopback"),
                    "write what it leads to: %s", loopback);
}

static struct typed_value *address_value(const struct reading *reading)
{
    struct typed_value *value = new_value(reading, BLOCK_VALUE_ADDRESS);
    if (value) {
        value->address = reading->literal->address;
        value->prefix = reading->literal->prefix;
        address_fold(&value->address, &value->prefix);
        warn_unspecified(reading, value->address, value->prefix);
    }
    return value;
}

static struct typed_value *version_value(const struct reading *reading)
{
    const struct literal *literal = reading->literal;
    bool digit = false;

    for (size_t i = 0; i < literal->length; i++) {
        const char c = literal->text[i];
        if (!(c >= '0' && c <= '9') && !(c == '.' && digit)) {
            digit = false;
            break;
        }
        digit = c != '.';
    }
    if (!digit) {
        diagnostic_help(wrong(reading, ERROR_BAD_VERSION, "this is no version"),
                        "a version is numbers with dots between: \"3.9\"");
        return NULL;
    }
    struct typed_value *value = text_value(reading);
    if (value)
        value->kind = BLOCK_VALUE_VERSION;
    return value;
}

static void bad_host(const struct reading *reading, const char *text, size_t length)
{
    struct diagnostic *error = wrong(reading, ERROR_BAD_HOST, "this is no host name");
    struct address address;
    bool ascii = true;

    for (size_t i = 0; i < length; i++)
        ascii = ascii && (unsigned char)text[i] < 0x80;
    if (!ascii)
        diagnostic_help(error, "not every letter can be told apart here: write the name as DNS has "
                               "it, in its xn-- form");
    else if (address_parse(text, length, &address))
        diagnostic_help(error, "an address is compared with `address`: address is %.*s",
                        (int)length, text);
    else if (length > 0 && (memchr(text, '/', length) || memchr(text, ':', length)))
        diagnostic_help(error, "the name alone, without scheme, port or path");
    else if (length > 0 && memchr(text, '*', length))
        diagnostic_help(error,
                        "`*.` may stand in front, for one or more labels: \"*.example.org\"");
    else
        diagnostic_help(error, "labels of letters, digits and `-`, with dots between");
}

static struct typed_value *host_value(const struct reading *reading)
{
    const struct literal *literal = reading->literal;
    const char *text = literal->text;
    size_t length = literal->length;
    const bool below = length > 2 && text[0] == '*' && text[1] == '.';
    char name[HOST_NAME_MAX_LENGTH + 1];
    struct address address;

    if (below) {
        text += 2;
        length -= 2;
    }
    if (length > 1 && text[length - 1] == '.')
        length--;
    length = host_name_fold(text, length, name);
    if (!host_name_is_valid(name, length) || address_parse(name, length, &address)) {
        bad_host(reading, literal->text, literal->length);
        return NULL;
    }
    struct typed_value *value =
        new_value(reading, below ? BLOCK_VALUE_HOST_BELOW : BLOCK_VALUE_HOST);
    const char *folded = storage_copy(reading->checker->storage, name, length);
    if (!value || !folded)
        return NULL;
    value->text = folded;
    value->length = length;
    return value;
}

/* The kinds of literal that a type is compared with. */
static bool kind_fits(enum attribute_type type, enum literal_kind kind)
{
    switch (type) {
    case TYPE_PATH:
        return kind == LITERAL_STRING || kind == LITERAL_PLACE;
    case TYPE_ADDRESS:
        return kind == LITERAL_ADDRESS || kind == LITERAL_CIDR;
    case TYPE_INT:
        return kind == LITERAL_INTEGER || kind == LITERAL_RANGE;
    case TYPE_SIGNAL:
        return kind == LITERAL_INTEGER || kind == LITERAL_RANGE || kind == LITERAL_STRING;
    case TYPE_BOOL:
        return kind == LITERAL_TRUTH;
    case TYPE_ANY:
        return kind == LITERAL_STRING || kind == LITERAL_INTEGER || kind == LITERAL_RANGE ||
               kind == LITERAL_TRUTH;
    default:
        return kind == LITERAL_STRING;
    }
}

static bool is_order(enum node_operator operator_kind)
{
    return operator_kind == OPERATOR_LESS || operator_kind == OPERATOR_LESS_OR_EQUAL ||
           operator_kind == OPERATOR_GREATER || operator_kind == OPERATOR_GREATER_OR_EQUAL;
}

static struct typed_value *string_value(const struct reading *reading)
{
    switch (reading->checked->type) {
    case TYPE_REGISTRY:
        return registry_value(reading);
    case TYPE_MODULE:
        return module_value(reading);
    case TYPE_WORD:
        return word_value(reading);
    case TYPE_HOST:
        return host_value(reading);
    case TYPE_SIGNAL:
        return signal_value(reading);
    case TYPE_VERSION:
        return version_value(reading);
    case TYPE_TEXT:
        if (reading->checked->attribute == ATTRIBUTE_EVENT &&
            !find_event(reading->checker->diagnostics, reading->literal))
            return NULL;
        return text_value(reading);
    default:
        return text_value(reading);
    }
}

static struct typed_value *typed(const struct reading *reading)
{
    const struct literal *literal = reading->literal;
    const enum node_operator operator_kind = reading->checked->operator_kind;
    const bool globs = operator_kind == OPERATOR_MATCHES || operator_kind == OPERATOR_HAS_MATCHES;

    if (literal->kind == LITERAL_BAD)
        return NULL;
    if (literal->kind == LITERAL_WORD) {
        bare_word(reading->checker, literal, reading->checked->type);
        return NULL;
    }
    if (!kind_fits(reading->checked->type, literal->kind) ||
        (globs && literal->kind != LITERAL_STRING && literal->kind != LITERAL_PLACE) ||
        (is_order(operator_kind) && reading->checked->type == TYPE_ANY &&
         literal->kind != LITERAL_INTEGER && literal->kind != LITERAL_RANGE)) {
        does_not_fit(reading);
        return NULL;
    }
    if (literal->kind == LITERAL_RANGE && operator_kind != OPERATOR_EQUALS) {
        diagnostic_help(
            wrong(reading, ERROR_RANGE_DOES_NOT_FIT, "a range is compared with `is` and `in` only"),
            "write %.*s is %.*s", (int)reading->predicate->operand_of.length,
            span_text(reading->predicate->operand_of), (int)literal->span.length,
            span_text(literal->span));
        return NULL;
    }
    if (globs)
        return glob_value(reading);
    if (reading->checked->type == TYPE_PATH)
        return path_value(reading);

    struct typed_value *value;
    switch (literal->kind) {
    case LITERAL_INTEGER:
    case LITERAL_RANGE:
        return range_value(reading);
    case LITERAL_ADDRESS:
    case LITERAL_CIDR:
        return address_value(reading);
    case LITERAL_TRUTH:
        value = new_value(reading, BLOCK_VALUE_BOOL);
        if (value)
            value->low = literal->low;
        return value;
    default:
        return string_value(reading);
    }
}

bool check_values(struct checker *checker, const struct predicate *predicate,
                  const struct literal *literals, struct checked_predicate *checked)
{
    struct typed_value **last = &checked->values;
    bool good = true;

    for (const struct literal *literal = literals; literal; literal = literal->next) {
        if (diagnostics_are_full(checker->diagnostics))
            return false;
        const struct reading reading = {checker, predicate, checked, literal};
        struct typed_value *value = typed(&reading);
        if (value) {
            *last = value;
            last = &value->next;
        } else {
            good = false;
        }
    }
    return good;
}

void check_printable(struct checker *checker, const struct literal *literal, const char *what)
{
    if (!literal || literal->kind != LITERAL_STRING)
        return;
    for (size_t at = 0; at < literal->length;) {
        size_t size;
        const uint32_t c = utf8_decode(literal->text + at, literal->length - at, &size);
        if (utf8_is_raw(c) || character_is_control(c) || character_is_bidirectional(c)) {
            diagnostic_help(
                report(checker->diagnostics, ERROR_TEXT_NOT_PRINTABLE, literal->span,
                       "%s is shown to people: this one has bytes that cannot be", what),
                "write plain text, on one line: \\n and \\t are taken, and shown as \\x0a and "
                "\\x09");
            return;
        }
        at += size;
    }
}
