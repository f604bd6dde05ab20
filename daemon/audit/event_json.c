#include "daemon/audit/event_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "policies/catalogue/catalogue.h"

/* A number beyond 64 bits, little-endian as it came: 0x..., highest byte first. */
static json_t *big_int_json(const char *bytes, size_t length)
{
    char text[2 * RECORD_BYTES_MAX + 3];
    size_t used = (size_t)snprintf(text, sizeof(text), "0x");

    for (size_t i = length < RECORD_BYTES_MAX ? length : RECORD_BYTES_MAX; i > 0; i--)
        used +=
            (size_t)snprintf(text + used, sizeof(text) - used, "%02x", (unsigned char)bytes[i - 1]);
    return json_pack("{s:s}", "int", text);
}

/* Bytes as in a Python literal: readable where they are ASCII, exact everywhere. */
static json_t *literal_json(const char *name, const char *bytes, size_t length)
{
    char text[4 * RECORD_TEXT_MAX + 1];
    size_t used = 0;

    for (size_t i = 0; i < length && i < RECORD_TEXT_MAX; i++) {
        const unsigned char byte = (unsigned char)bytes[i];
        if (byte == '\\' || byte == '\'') {
            text[used++] = '\\';
            text[used++] = (char)byte;
        } else if (byte >= 0x20 && byte < 0x7f) {
            text[used++] = (char)byte;
        } else {
            used += (size_t)snprintf(text + used, sizeof(text) - used, "\\x%02x", byte);
        }
    }
    text[used] = '\0';
    return json_pack("{s:s}", name, text);
}

json_t *text_json(const char *bytes, size_t length)
{
    json_t *text = json_stringn(bytes, length);
    return text ? text : literal_json("text", bytes, length);
}

/* A value with what is to be said about it. Steals `json`. */
static json_t *wrapped(json_t *json, uint8_t marks, size_t whole_length)
{
    json_t *object = json_pack("{s:o}", "value", json);
    if (!object)
        return NULL;
    if (marks & VALUE_CUT)
        json_object_set_new(object, "cut", json_true());
    if (marks & VALUE_SUBCLASS)
        json_object_set_new(object, "subclass", json_true());
    if (marks & VALUE_OPAQUE)
        json_object_set_new(object, "opaque", json_true());
    if (whole_length > 0)
        json_object_set_new(object, "length", json_integer((json_int_t)whole_length));
    return object;
}

/* Cuts before a character, not inside one. */
static size_t cut_length(const char *bytes, size_t length, size_t most)
{
    if (length <= most)
        return length;
    while (most > 0 && ((unsigned char)bytes[most] & 0xc0) == 0x80)
        most--;
    return most;
}

static json_t *value_json(const struct value *value);

static json_t *list_json(const struct value *value)
{
    json_t *list = json_array();
    for (uint32_t i = 0; list && i < value->count && i < RECORD_ITEMS_MAX; i++)
        json_array_append_new(list, value_json(&value->items[i]));
    return list;
}

/* Names of JSON objects end at a NUL here. A map with a key of these could be taken for something
 * that is said about a value. */
static bool is_own_word(const struct value *key)
{
    static const char *const words[] = {"text",   "bytes",   "int",   "float", "map",
                                        "object", "unknown", "value", "secret"};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (key->count == strlen(words[i]) && memcmp(key->bytes, words[i], key->count) == 0)
            return true;
    return false;
}

static bool keys_are_text(const struct value *map)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct value *key = &map->items[2 * (size_t)i];
        if (key->kind != VALUE_TEXT || key->marks || key->count > RECORD_TEXT_MAX ||
            (key->count > 0 && memchr(key->bytes, '\0', key->count)) || is_own_word(key))
            return false;
        json_t *text = json_stringn(key->bytes, key->count);
        if (!text)
            return false;
        json_decref(text);
    }
    return true;
}

static json_t *map_json(const struct value *value)
{
    const uint32_t count = value->count < RECORD_ITEMS_MAX ? value->count : RECORD_ITEMS_MAX;

    if (!keys_are_text(value)) {
        json_t *pairs = json_array();
        for (uint32_t i = 0; pairs && i < count; i++)
            json_array_append_new(pairs,
                                  json_pack("[o,o]", value_json(&value->items[2 * (size_t)i]),
                                            value_json(&value->items[2 * (size_t)i + 1])));
        return json_pack("{s:o}", "map", pairs);
    }
    json_t *object = json_object();
    for (uint32_t i = 0; object && i < count; i++) {
        const struct value *key = &value->items[2 * (size_t)i];
        char name[RECORD_TEXT_MAX + 1];
        memcpy(name, key->bytes, key->count);
        name[key->count] = '\0';
        json_object_set_new(object, name, value_json(&value->items[2 * (size_t)i + 1]));
    }
    return object;
}

static json_t *plain_json(const struct value *value, size_t *whole_length)
{
    size_t length = value->count;

    switch (value->kind) {
    case VALUE_BOOL:
        return json_boolean(value->truth);
    case VALUE_INT:
        return json_integer(value->integer);
    case VALUE_BIG_INT:
        return big_int_json(value->bytes, value->count);
    case VALUE_FLOAT:
        if (isfinite(value->real))
            return json_real(value->real);
        return json_pack("{s:s}", "float",
                         isnan(value->real) ? "nan"
                         : value->real > 0  ? "inf"
                                            : "-inf");
    case VALUE_TEXT:
        length = cut_length(value->bytes, length, RECORD_TEXT_MAX);
        *whole_length = length < value->count ? value->count : 0;
        return text_json(value->bytes, length);
    case VALUE_BYTES:
        length = length < RECORD_BYTES_MAX ? length : RECORD_BYTES_MAX;
        *whole_length = length < value->count ? value->count : 0;
        return literal_json("bytes", value->bytes, length);
    case VALUE_LIST:
    case VALUE_MAP:
        *whole_length = value->count > RECORD_ITEMS_MAX ? value->count : 0;
        return value->kind == VALUE_LIST ? list_json(value) : map_json(value);
    case VALUE_OBJECT:
        if (value->count == 0) /* not even its type is known */
            return json_pack("{s:b}", "unknown", 1);
        return json_pack("{s:o}", "object", text_json(value->bytes, value->count));
    default:
        return json_null();
    }
}

static json_t *value_json(const struct value *value)
{
    size_t whole_length = 0;
    json_t *json = plain_json(value, &whole_length);
    uint8_t marks = value->marks;

    if (value->kind == VALUE_OBJECT)
        marks &= (uint8_t)~VALUE_OPAQUE; /* an object by its type says that already */
    if (whole_length > 0)
        marks |= VALUE_CUT;
    return json && marks ? wrapped(json, marks, whole_length) : json;
}

static const char *kind_name(const struct value *value)
{
    static const char *const names[] = {"none", "bool",  "int",  "int", "float",
                                        "text", "bytes", "list", "map", "object"};
    return value->kind < sizeof(names) / sizeof(*names) ? names[value->kind] : "object";
}

static json_t *secret_json(const struct value *value)
{
    const bool sized = value->kind != VALUE_NONE && value->kind != VALUE_BOOL &&
                       value->kind != VALUE_INT && value->kind != VALUE_FLOAT &&
                       value->kind != VALUE_OBJECT;
    if (value->kind == VALUE_NONE)
        return json_null();
    json_t *secret = json_pack("{s:s}", "secret", kind_name(value));
    if (secret && sized)
        json_object_set_new(secret, "length", json_integer(value->count));
    return secret;
}

json_t *event_arguments_json(const struct event *event)
{
    const struct event_entry *entry = catalogue_event(event->number);
    json_t *arguments = json_object();

    for (uint32_t i = 0; arguments && i < event->argument_count; i++) {
        const struct value *value = &event->arguments[i];
        char number[16];
        const char *name = number;

        snprintf(number, sizeof(number), "%u", i);
        if (entry && i < entry->argument_count)
            name = catalogue_argument_name(entry, (uint8_t)i);
        if (entry && i < 32 && (entry->secret >> i & 1)) {
            json_object_set_new(arguments, name, secret_json(value));
            continue;
        }
        json_object_set_new(arguments, name, value_json(value));
    }
    return arguments;
}

/* Addresses as people write them. */
static json_t *address_json(const struct value *value)
{
    const unsigned char *byte = (const unsigned char *)value->bytes;
    char text[64];

    if (value->kind != VALUE_BYTES || (value->count != 4 && value->count != 16))
        return value_json(value);
    if (value->count == 4)
        snprintf(text, sizeof(text), "%u.%u.%u.%u", byte[0], byte[1], byte[2], byte[3]);
    size_t used = 0;
    for (size_t i = 0; value->count == 16 && i < 16; i += 2)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%x", i > 0 ? ":" : "",
                                 (unsigned)(byte[i] << 8 | byte[i + 1]));
    return json_string(text);
}

static json_t *attribute_json(const struct attribute *attribute)
{
    const struct value *value = &attribute->value;

    if (attribute->name == ATTRIBUTE_ENV)
        return secret_json(value);
    if (vocabulary_attribute_type(attribute->name) == TYPE_ADDRESS)
        return address_json(value);
    return value_json(value);
}

/* The form of a path with links resolved, where it is not the one as written: whoever reads the
 * record may rely on that. One that nobody filled in is not known. */
static json_t *resolved_json(const struct attribute *attribute)
{
    const struct value *written = &attribute->value;
    const struct value unfilled = value_unknown();
    const struct value *resolved =
        attribute->resolved.kind == VALUE_NONE ? &unfilled : &attribute->resolved;

    if (written->kind == VALUE_NONE)
        return NULL;
    if (resolved->kind != written->kind || resolved->marks != written->marks)
        return value_json(resolved);
    if (resolved->kind != VALUE_TEXT ||
        (resolved->count == written->count &&
         memcmp(resolved->bytes, written->bytes, resolved->count) == 0))
        return NULL;
    return value_json(resolved);
}

static json_t *operation_json(const struct operation *operation)
{
    json_t *object = json_pack("{s:s}", "class", vocabulary_class_name(operation->operation_class));

    for (uint32_t i = 0; object && i < operation->attribute_count; i++) {
        const struct attribute *attribute = &operation->attributes[i];
        const char *name = vocabulary_attribute_name(attribute->name);
        char key[64];

        json_object_set_new(object, name, attribute_json(attribute));
        if (attribute->nameless) {
            (void)snprintf(key, sizeof(key), "%s.nameless", name);
            json_object_set_new(object, key, json_true());
        }
        /* The path of a registry operation has one form alone. */
        if (vocabulary_attribute_type(attribute->name) != TYPE_PATH ||
            operation->operation_class == CLASS_REGISTRY)
            continue;
        json_t *resolved = resolved_json(attribute);
        (void)snprintf(key, sizeof(key), "%s.resolved", name);
        if (resolved)
            json_object_set_new(object, key, resolved);
    }
    return object;
}

json_t *event_operations_json(const struct event *event)
{
    json_t *operations = json_array();
    for (uint32_t i = 0; operations && i < event->operation_count; i++)
        json_array_append_new(operations, operation_json(&event->operations[i]));
    return operations;
}
