#define _GNU_SOURCE
#include "client/cli/recorded_event.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "policies/catalogue/catalogue.h"

struct reading {
    struct storage *storage;
    struct recorded_event *out;
    bool lost; /* something of the value that is read */
};

/* ---------------------------------------------------------------------------------------- values
 */

static struct value lost_value(struct reading *reading)
{
    reading->lost = true;
    return value_unknown();
}

/* What a secret in a command line was replaced with: `<12 bytes>`. A text that came with such words
 * is taken for one too. */
static bool has_mask(const char *text, size_t length)
{
    static const char words[] = " bytes>";

    for (size_t i = 0; i + 1 < length; i++) {
        size_t end = i + 1;
        while (text[i] == '<' && end < length && isdigit((unsigned char)text[end]))
            end++;
        if (end > i + 1 && length - end >= strlen(words) &&
            memcmp(text + end, words, strlen(words)) == 0)
            return true;
    }
    return false;
}

static struct value text_value(struct reading *reading, const char *text, size_t length)
{
    const char *copy = storage_copy(reading->storage, text, length);
    struct value value = value_text(copy ? copy : "", copy ? length : 0);

    if (has_mask(text, length)) {
        reading->lost = true;
        value.marks = VALUE_OPAQUE;
    }
    return value;
}

/* 16 of what is none. */
static unsigned hex_digit(char digit)
{
    if (!isxdigit((unsigned char)digit))
        return 16;
    return (unsigned)(isdigit((unsigned char)digit) ? digit - '0'
                                                    : tolower((unsigned char)digit) - 'a' + 10);
}

/* A Python literal's inside, as event_json writes it. */
static struct value literal_value(struct reading *reading, const json_t *json, enum value_kind kind)
{
    const char *text = json_string_value(json);
    size_t used = 0;
    char *bytes = text ? storage_take(reading->storage, strlen(text) + 1, 1) : NULL;

    if (!bytes)
        return lost_value(reading);
    for (const char *at = text; *at; at++) {
        if (*at == '\\' && at[1] == 'x' && hex_digit(at[2]) < 16 && hex_digit(at[3]) < 16) {
            bytes[used++] = (char)(hex_digit(at[2]) << 4 | hex_digit(at[3]));
            at += 3;
        } else if (*at == '\\' && at[1]) {
            bytes[used++] = *++at;
        } else {
            bytes[used++] = *at;
        }
    }
    struct value value = text_value(reading, bytes, used);
    value.kind = (uint8_t)kind;
    return value;
}

static struct value read_value(struct reading *reading, const json_t *json, unsigned depth);

static struct value list_value(struct reading *reading, const json_t *json, unsigned depth)
{
    const size_t count = json_array_size(json);
    struct value *items = storage_take(reading->storage, count + 1, sizeof(*items));

    if (!items)
        return lost_value(reading);
    for (size_t i = 0; i < count; i++)
        items[i] = read_value(reading, json_array_get(json, i), depth + 1);
    return (struct value){.kind = VALUE_LIST, .count = (uint32_t)count, .items = items};
}

/* {"map": [[key, value], ...]} */
static struct value pairs_value(struct reading *reading, const json_t *pairs, unsigned depth)
{
    const size_t count = json_array_size(pairs);
    struct value *items = storage_take(reading->storage, 2 * count + 1, sizeof(*items));

    if (!items)
        return lost_value(reading);
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(pairs, i);
        items[2 * i] = read_value(reading, json_array_get(pair, 0), depth + 1);
        items[2 * i + 1] = read_value(reading, json_array_get(pair, 1), depth + 1);
    }
    return (struct value){.kind = VALUE_MAP, .count = (uint32_t)count, .items = items};
}

static struct value map_value(struct reading *reading, const json_t *json, unsigned depth)
{
    struct value *items =
        storage_take(reading->storage, 2 * json_object_size(json) + 1, sizeof(*items));
    uint32_t count = 0;
    const char *key;
    json_t *item;

    if (!items)
        return lost_value(reading);
    json_object_foreach((json_t *)json, key, item)
    {
        items[2 * (size_t)count] = text_value(reading, key, strlen(key));
        items[2 * (size_t)count + 1] = read_value(reading, item, depth + 1);
        count++;
    }
    return (struct value){.kind = VALUE_MAP, .count = count, .items = items};
}

/* {"value": ..., "cut": true, ...} */
static struct value marked_value(struct reading *reading, const json_t *json, unsigned depth)
{
    struct value value = read_value(reading, json_object_get(json, "value"), depth + 1);

    if (json_is_true(json_object_get(json, "cut"))) {
        value.marks |= VALUE_CUT;
        reading->lost |= json_object_get(json, "length") != NULL;
    }
    if (json_is_true(json_object_get(json, "subclass")))
        value.marks |= VALUE_SUBCLASS;
    if (json_is_true(json_object_get(json, "opaque")))
        value.marks |= VALUE_OPAQUE;
    return value;
}

static struct value float_value(const json_t *json)
{
    const char *text = json_string_value(json);
    const double real = text && strcmp(text, "inf") == 0    ? (double)INFINITY
                        : text && strcmp(text, "-inf") == 0 ? -(double)INFINITY
                                                            : (double)NAN;
    return (struct value){.kind = VALUE_FLOAT, .real = real};
}

static struct value object_value(struct reading *reading, const json_t *json, unsigned depth)
{
    if (json_object_get(json, "secret") || json_object_get(json, "int"))
        return lost_value(reading);
    if (json_object_get(json, "value"))
        return marked_value(reading, json, depth);
    if (json_object_get(json, "text"))
        return literal_value(reading, json_object_get(json, "text"), VALUE_TEXT);
    if (json_object_get(json, "bytes"))
        return literal_value(reading, json_object_get(json, "bytes"), VALUE_BYTES);
    if (json_object_get(json, "float"))
        return float_value(json_object_get(json, "float"));
    if (json_object_get(json, "map"))
        return pairs_value(reading, json_object_get(json, "map"), depth);
    if (json_object_get(json, "unknown"))
        return value_unknown();
    if (json_object_get(json, "object")) {
        struct value value = read_value(reading, json_object_get(json, "object"), depth + 1);
        value.kind = VALUE_OBJECT;
        value.marks = VALUE_OPAQUE;
        return value;
    }
    return map_value(reading, json, depth);
}

static struct value read_value(struct reading *reading, const json_t *json, unsigned depth)
{
    if (depth > 2 * VALUE_DEPTH_MAX || !json)
        return lost_value(reading);
    switch (json_typeof(json)) {
    case JSON_NULL:
        return value_none();
    case JSON_TRUE:
    case JSON_FALSE:
        return value_bool(json_is_true(json));
    case JSON_INTEGER:
        return value_int(json_integer_value(json));
    case JSON_REAL:
        return (struct value){.kind = VALUE_FLOAT, .real = json_real_value(json)};
    case JSON_STRING:
        return text_value(reading, json_string_value(json), json_string_length(json));
    case JSON_ARRAY:
        return list_value(reading, json, depth);
    default:
        return object_value(reading, json, depth);
    }
}

static void note_lost(struct reading *reading, const char *what, const char *name)
{
    struct recorded_event *out = reading->out;
    char text[200];

    if (!reading->lost || out->lost_count == RECORDED_LOST_MAX)
        return;
    (void)snprintf(text, sizeof(text), "%s %s", what, name);
    const char *copy = storage_copy(reading->storage, text, strlen(text));
    if (copy)
        out->lost[out->lost_count++] = copy;
}

/* ----------------------------------------------------------------------------------------- event
 */

static struct value address_value(struct reading *reading, const json_t *json)
{
    const char *text = json_string_value(json);
    unsigned char *bytes = text ? storage_take(reading->storage, 16, 1) : NULL;

    if (bytes && inet_pton(AF_INET, text, bytes) == 1)
        return (struct value){.kind = VALUE_BYTES, .count = 4, .bytes = (char *)bytes};
    if (bytes && inet_pton(AF_INET6, text, bytes) == 1)
        return (struct value){.kind = VALUE_BYTES, .count = 16, .bytes = (char *)bytes};
    return read_value(reading, json, 0);
}

static struct attribute read_attribute(struct reading *reading, const json_t *operation,
                                       enum attribute_name name)
{
    const char *word = vocabulary_attribute_name(name);
    const json_t *json = json_object_get(operation, word);
    struct attribute attribute = {.name = name};
    char key[64];

    attribute.value = vocabulary_attribute_type(name) == TYPE_ADDRESS
                          ? address_value(reading, json)
                          : read_value(reading, json, 0);
    (void)snprintf(key, sizeof(key), "%s.nameless", word);
    attribute.nameless = json_is_true(json_object_get(operation, key));
    (void)snprintf(key, sizeof(key), "%s.resolved", word);
    json = json_object_get(operation, key);
    if (vocabulary_attribute_type(name) == TYPE_PATH)
        attribute.resolved = json ? read_value(reading, json, 0) : attribute.value;
    return attribute;
}

static struct operation read_operation(struct reading *reading, const json_t *json)
{
    const char *class = json_string_value(json_object_get(json, "class"));
    struct attribute *attributes =
        storage_take(reading->storage, ATTRIBUTE_COUNT, sizeof(*attributes));
    struct operation operation = {
        .operation_class = vocabulary_class(class ? class : "", class ? strlen(class) : 0),
        .attributes = attributes};

    for (int name = ATTRIBUTE_NONE + 1; attributes && name < ATTRIBUTE_COUNT; name++) {
        const char *word = vocabulary_attribute_name((enum attribute_name)name);
        if (!word || !json_object_get(json, word))
            continue;
        reading->lost = false;
        attributes[operation.attribute_count++] =
            read_attribute(reading, json, (enum attribute_name)name);
        note_lost(reading, class ? class : "", word);
    }
    return operation;
}

static bool read_operations(struct reading *reading, const json_t *list)
{
    struct event *event = &reading->out->event;
    const size_t count = json_array_size(list);
    struct operation *operations =
        storage_take(reading->storage, EVENT_OPERATIONS_MAX, sizeof(*operations));

    if (!operations || count > EVENT_OPERATIONS_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        operations[i] = read_operation(reading, json_array_get(list, i));
    event->operations = operations;
    event->operation_count = (uint32_t)count;
    return true;
}

static bool read_arguments(struct reading *reading, const json_t *object)
{
    struct event *event = &reading->out->event;
    const struct event_entry *entry = catalogue_event(event->number);
    const size_t count = json_object_size(object);
    struct value *arguments = storage_take(reading->storage, count + 1, sizeof(*arguments));

    if (!arguments)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        char number[16];
        const char *name = number;
        (void)snprintf(number, sizeof(number), "%u", i);
        if (entry && i < entry->argument_count)
            name = catalogue_argument_name(entry, (uint8_t)i);
        if (!json_object_get(object, name))
            break;
        reading->lost = false;
        arguments[event->argument_count++] = read_value(reading, json_object_get(object, name), 0);
        note_lost(reading, "argument", name);
    }
    event->arguments = arguments;
    return true;
}

static bool read_event(struct reading *reading, const json_t *row)
{
    struct event *event = &reading->out->event;
    const char *name = json_string_value(json_object_get(row, "event"));

    if (!name)
        return false;
    event->name = storage_copy(reading->storage, name, strlen(name));
    event->name_length = (uint32_t)strlen(name);
    /* The record keeps names as they can be shown. */
    event->name_cut = event->name_length >= EVENT_NAME_MAX || strchr(name, '\\') != NULL;
    const struct event_entry *entry = catalogue_find(name, strlen(name));
    event->number = entry ? entry->number : EVENT_UNKNOWN;
    return event->name && read_arguments(reading, json_object_get(row, "arguments")) &&
           read_operations(reading, json_object_get(row, "operations"));
}

/* --------------------------------------------------------------------------------------- subject
 */

/* NULL where there is none. */
static const char *read_text(struct reading *reading, const json_t *json)
{
    if (!json || json_is_null(json))
        return NULL;
    const struct value value = read_value(reading, json, 0);
    return value.kind == VALUE_TEXT ? storage_copy(reading->storage, value.bytes, value.count)
                                    : NULL;
}

static const char *const *read_texts(struct reading *reading, const json_t *list, size_t *count)
{
    const char **texts = storage_take(reading->storage, json_array_size(list) + 1, sizeof(*texts));

    *count = 0;
    for (size_t i = 0; texts && i < json_array_size(list); i++) {
        texts[*count] = read_text(reading, json_array_get(list, i));
        *count += texts[*count] != NULL;
    }
    return texts;
}

static void read_labels(struct reading *reading, const json_t *labels)
{
    struct subject *subject = &reading->out->subject;
    struct label *list =
        storage_take(reading->storage, json_object_size(labels) + 1, sizeof(*list));
    const char *key;
    json_t *value;

    subject->labels = list;
    json_object_foreach((json_t *)labels, key, value)
    {
        const char *text = read_text(reading, value);
        if (list && text)
            list[subject->label_count++] =
                (struct label){storage_copy(reading->storage, key, strlen(key)), text};
    }
}

static void read_subject(struct reading *reading, const json_t *facts)
{
    const json_t *proved = json_object_get(facts, "proved");
    const json_t *said = json_object_get(facts, "said");
    const json_t *places = json_object_get(said, "places");
    struct subject *subject = &reading->out->subject;

    *subject = (struct subject){
        .user = read_text(reading, json_object_get(proved, "user")),
        .exe = read_text(reading, json_object_get(said, "exe")),
        .unit = read_text(reading, json_object_get(proved, "unit")),
        .platform = "linux", /* whose daemon wrote the record */
        .python = read_text(reading, json_object_get(said, "python")),
        .script = read_text(reading, json_object_get(said, "script")),
    };
    subject->groups = read_texts(reading, json_object_get(proved, "groups"), &subject->group_count);
    read_labels(reading, json_object_get(said, "labels"));
    for (int place = 0; place < PLACE_COUNT; place++) {
        const json_t *paths = json_object_get(places, place_name((enum place)place));
        size_t count;
        const char *const *texts = read_texts(reading, paths, &count);
        subject->places[place] = (struct place_paths){count, texts};
    }
}

bool recorded_event_read(const json_t *row, struct storage *storage, struct recorded_event *out)
{
    struct reading reading = {.storage = storage, .out = out};

    *out = (struct recorded_event){.lost_count = 0};
    read_subject(&reading, json_object_get(row, "subject"));
    return read_event(&reading, row) && !storage->failed;
}
