#include "policies/scene/scene_value.h"

#include <string.h>

#include "policies/language/names.h"
#include "policies/language/suggest.h"

static struct value list_of(const struct raw *list, struct storage *storage)
{
    struct value *items = storage_take(storage, (size_t)list->count + 1, sizeof(*items));
    uint32_t count = 0;

    if (!items)
        return value_unknown();
    for (const struct raw *raw = list->items; raw; raw = raw->next)
        items[count++] = scene_argument(raw, storage);
    return (struct value){.kind = VALUE_LIST, .count = count, .items = items};
}

static struct value address_text(const struct raw *raw, struct storage *storage)
{
    char text[ADDRESS_TEXT_MAX];

    address_format(&raw->address, text);
    const char *copy = storage_copy(storage, text, strlen(text));
    return copy ? value_text(copy, strlen(copy)) : value_unknown();
}

struct value scene_argument(const struct raw *raw, struct storage *storage)
{
    switch (raw->kind) {
    case RAW_STRING:
        return value_text(raw->text, raw->length);
    case RAW_INTEGER:
        return value_int(raw->integer);
    case RAW_ADDRESS:
        return address_text(raw, storage);
    case RAW_TRUTH:
        return value_bool(raw->integer != 0);
    case RAW_NONE:
        return value_none();
    case RAW_LIST:
        return list_of(raw, storage);
    case RAW_UNKNOWN:
    case RAW_BAD:
        break;
    }
    return value_unknown();
}

static const char *kind_in_words(enum raw_kind kind)
{
    switch (kind) {
    case RAW_STRING:
        return "a string";
    case RAW_INTEGER:
        return "an integer";
    case RAW_ADDRESS:
        return "an IP address";
    case RAW_TRUTH:
        return "true or false";
    case RAW_NONE:
        return "none";
    case RAW_LIST:
        return "a list";
    case RAW_UNKNOWN:
    case RAW_BAD:
        break;
    }
    return "nothing that is known";
}

/* How a value of the type is written in a test. */
static const char *example(enum attribute_type type)
{
    switch (type) {
    case TYPE_PATH:
        return "a path stands in quotes: \"/usr/bin/git\"";
    case TYPE_REGISTRY:
        return "a registry path stands in quotes: 'HKLM\\Software'";
    case TYPE_ADDRESS:
        return "addresses stand without quotes: 10.20.0.1";
    case TYPE_INT:
        return "integers stand without quotes: 443";
    case TYPE_SIGNAL:
        return "write its name or number: \"TERM\", 15";
    case TYPE_BOOL:
        return "write true or false";
    case TYPE_TEXT_LIST:
        return "write a list of strings: [\"git\", \"push\"]";
    case TYPE_TEXT_MAP:
        return "write a list of assignments: [\"LANG=C\", \"PATH=/usr/bin\"]";
    case TYPE_HOST:
        return "write a name, or a list of them: \"api.example.org\"";
    default:
        return "a text stands in quotes";
    }
}

/* The type as its attribute has it in this class. */
static enum attribute_type type_of(const struct scene_reading *reading)
{
    if (reading->operation_class == CLASS_REGISTRY && reading->attribute == ATTRIBUTE_PATH)
        return TYPE_REGISTRY;
    return vocabulary_attribute_type(reading->attribute);
}

void scene_value_does_not_fit(const struct scene_reading *reading, const struct raw *raw)
{
    const enum attribute_type type = type_of(reading);

    struct diagnostic *error =
        report(reading->diagnostics, ERROR_VALUE_DOES_NOT_FIT, raw->span, "`%s` is %s, this is %s",
               vocabulary_attribute_name(reading->attribute), type_in_words(type),
               kind_in_words(raw->kind));
    if (reading->operation_class == CLASS_CONNECT && reading->attribute == ATTRIBUTE_ADDRESS &&
        raw->kind == RAW_STRING)
        diagnostic_help(error, "the name that is reached is `host`: connect host \"%.*s\"",
                        (int)raw->length, raw->text);
    else
        diagnostic_help(error, "%s", example(type));
}

static void unknown_word(const struct scene_reading *reading, const struct raw *raw,
                         const char *const *words)
{
    struct text_buffer all = {0};
    struct suggestion suggestion;

    suggestion_init(&suggestion, raw->text, raw->length);
    for (size_t i = 0; words[i]; i++) {
        suggestion_offer(&suggestion, words[i], strlen(words[i]));
        text_buffer_format(&all, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    struct diagnostic *error =
        report(reading->diagnostics, ERROR_UNKNOWN_WORD, raw->span,
               "`%s` of `%s` is never \"%.*s\"", vocabulary_attribute_name(reading->attribute),
               vocabulary_class_name(reading->operation_class), (int)raw->length, raw->text);
    if (suggestion.best)
        diagnostic_label(error, "did you mean \"%s\"?", suggestion.best);
    else if (all.bytes)
        diagnostic_help(error, "it is one of %s", all.bytes);
    text_buffer_deinit(&all);
}

static bool read_word(const struct scene_reading *reading, const struct raw *raw)
{
    const char *const *words = vocabulary_words(reading->operation_class, reading->attribute);

    for (size_t i = 0; words && words[i]; i++)
        if (strlen(words[i]) == raw->length && memcmp(words[i], raw->text, raw->length) == 0)
            return true;
    if (words)
        unknown_word(reading, raw, words);
    return words == NULL;
}

static bool read_signal(const struct scene_reading *reading, const struct raw *raw,
                        struct value *value)
{
    const int number = vocabulary_signal(raw->text, raw->length);

    *value = value_int(number);
    if (number == 0)
        diagnostic_help(report(reading->diagnostics, ERROR_UNKNOWN_WORD, raw->span,
                               "there is no signal \"%.*s\"", (int)raw->length, raw->text),
                        "%s", example(TYPE_SIGNAL));
    return number != 0;
}

/* A list whose elements are strings, or unknown. */
static bool read_texts(const struct scene_reading *reading, const struct raw *list,
                       struct value *value)
{
    for (const struct raw *raw = list->items; raw; raw = raw->next)
        if (raw->kind != RAW_STRING && raw->kind != RAW_UNKNOWN) {
            diagnostic_help(report(reading->diagnostics, ERROR_VALUE_DOES_NOT_FIT, raw->span,
                                   "what `%s` lists are strings, this is %s",
                                   vocabulary_attribute_name(reading->attribute),
                                   kind_in_words(raw->kind)),
                            "%s", example(type_of(reading)));
            return false;
        }
    *value = scene_argument(list, reading->storage);
    return true;
}

static bool read_assignment(const struct scene_reading *reading, const struct raw *raw,
                            struct value *pair)
{
    const char *equals =
        raw->kind == RAW_STRING && raw->length > 0 ? memchr(raw->text, '=', raw->length) : NULL;

    if (raw->kind == RAW_UNKNOWN) {
        pair[0] = pair[1] = value_unknown();
        return true;
    }
    if (!equals) {
        diagnostic_help(report(reading->diagnostics, ERROR_VALUE_DOES_NOT_FIT, raw->span,
                               "what `env` lists are assignments"),
                        "%s", example(TYPE_TEXT_MAP));
        return false;
    }
    const size_t name = (size_t)(equals - raw->text);
    pair[0] = value_text(raw->text, name);
    pair[1] = value_text(equals + 1, raw->length - name - 1);
    return true;
}

static bool read_map(const struct scene_reading *reading, const struct raw *list,
                     struct value *value)
{
    struct value *pairs =
        storage_take(reading->storage, 2 * (size_t)list->count + 1, sizeof(*pairs));
    uint32_t count = 0;

    for (const struct raw *raw = list->items; raw && pairs; raw = raw->next)
        if (!read_assignment(reading, raw, &pairs[2 * (size_t)count++]))
            return false;
    *value = (struct value){.kind = VALUE_MAP, .count = count, .items = pairs};
    return pairs != NULL;
}

static bool read_address(const struct scene_reading *reading, const struct raw *raw,
                         struct value *value)
{
    struct address address = raw->address;
    unsigned prefix = address_bits(&address);

    address_fold(&address, &prefix);
    const char *bytes = storage_copy(reading->storage, (const char *)address.bytes, address.width);
    *value = (struct value){.kind = VALUE_BYTES, .count = address.width, .bytes = bytes};
    return bytes != NULL;
}

/* False, and an error, if it does not fit. */
static bool read_typed(const struct scene_reading *reading, const struct raw *raw,
                       struct value *value)
{
    const enum attribute_type type = type_of(reading);

    *value = value_unknown();
    switch (raw->kind) {
    case RAW_STRING:
        if (type == TYPE_SIGNAL)
            return read_signal(reading, raw, value);
        if (type == TYPE_WORD && !read_word(reading, raw))
            return false;
        if (type == TYPE_WORD || type == TYPE_TEXT || type == TYPE_MODULE || type == TYPE_HOST ||
            type == TYPE_REGISTRY) {
            *value = scene_argument(raw, reading->storage);
            return true;
        }
        break;
    case RAW_INTEGER:
    case RAW_TRUTH:
        if (raw->kind == RAW_TRUTH ? type == TYPE_BOOL : type == TYPE_INT || type == TYPE_SIGNAL) {
            *value = scene_argument(raw, reading->storage);
            return true;
        }
        break;
    case RAW_ADDRESS:
        if (type == TYPE_ADDRESS)
            return read_address(reading, raw, value);
        break;
    case RAW_LIST:
        if (type == TYPE_TEXT_LIST || type == TYPE_HOST)
            return read_texts(reading, raw, value);
        if (type == TYPE_TEXT_MAP)
            return read_map(reading, raw, value);
        break;
    default:
        break;
    }
    scene_value_does_not_fit(reading, raw);
    return false;
}

bool scene_attribute(const struct scene_reading *reading, const struct raw *raw,
                     struct value *value)
{
    /* What the environment is that a program inherits, no test says. */
    if (raw->kind == RAW_UNKNOWN ||
        (raw->kind == RAW_NONE && reading->attribute == ATTRIBUTE_ENV)) {
        *value = value_unknown();
        return true;
    }
    if (raw->kind == RAW_NONE) {
        *value = value_none();
        return true;
    }
    return read_typed(reading, raw, value);
}
