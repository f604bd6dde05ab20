#include "daemon/audit/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 4096 };

void json_text_deinit(struct json_text *text)
{
    free(text->bytes);
    *text = (struct json_text){.bytes = NULL};
}

/* Room for so many bytes more, and a NUL. */
static char *room(struct json_text *text, size_t length)
{
    if (text->failed)
        return NULL;
    if (text->capacity - text->length <= length) {
        size_t capacity = text->capacity > 0 ? text->capacity : CAPACITY_MIN;
        while (capacity - text->length <= length)
            capacity *= 2;
        char *bytes = realloc(text->bytes, capacity);
        if (!bytes) {
            text->failed = true;
            return NULL;
        }
        text->bytes = bytes;
        text->capacity = capacity;
    }
    return text->bytes + text->length;
}

static void add(struct json_text *text, const char *bytes, size_t length)
{
    char *to = room(text, length);
    if (!to)
        return;
    memcpy(to, bytes, length);
    text->length += length;
}

static void add_character(struct json_text *text, char character)
{
    add(text, &character, 1);
}

/* The letter behind the backslash; 0: four digits follow. */
static char escape_of(unsigned char byte)
{
    switch (byte) {
    case '"':
    case '\\':
        return (char)byte;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static void add_string(struct json_text *text, const char *string, size_t length)
{
    size_t from = 0;

    add_character(text, '"');
    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)string[i];
        char escaped[8];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        add(text, string + from, i - from);
        from = i + 1;
        const char letter = escape_of(byte);
        const int size = letter ? snprintf(escaped, sizeof(escaped), "\\%c", letter)
                                : snprintf(escaped, sizeof(escaped), "\\u%04X", byte);
        add(text, escaped, (size_t)size);
    }
    add(text, string + from, length - from);
    add_character(text, '"');
}

/* Numbers are written as jansson writes them. */
static void add_number(struct json_text *text, const json_t *json)
{
    char number[64];
    size_t length;

    if (json_is_integer(json))
        length = (size_t)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
                                  json_integer_value(json));
    else
        length = json_dumpb(json, number, sizeof(number), JSON_COMPACT | JSON_ENCODE_ANY);
    add(text, number, length);
}

static void add_value(struct json_text *text, const json_t *json);

static void add_array(struct json_text *text, const json_t *json)
{
    add_character(text, '[');
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (i > 0)
            add_character(text, ',');
        add_value(text, json_array_get(json, i));
    }
    add_character(text, ']');
}

static void add_object(struct json_text *text, const json_t *json)
{
    json_t *object = (json_t *)json; /* iterating changes nothing */
    bool first = true;

    add_character(text, '{');
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        if (!first)
            add_character(text, ',');
        first = false;
        add_string(text, key, strlen(key));
        add_character(text, ':');
        add_value(text, json_object_iter_value(at));
    }
    add_character(text, '}');
}

static void add_value(struct json_text *text, const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        add_object(text, json);
        break;
    case JSON_ARRAY:
        add_array(text, json);
        break;
    case JSON_STRING:
        add_string(text, json_string_value(json), json_string_length(json));
        break;
    case JSON_TRUE:
        add(text, "true", 4);
        break;
    case JSON_FALSE:
        add(text, "false", 5);
        break;
    case JSON_NULL:
        add(text, "null", 4);
        break;
    default:
        add_number(text, json);
        break;
    }
}

const char *json_text_of(struct json_text *text, const json_t *json)
{
    text->length = 0;
    text->failed = false;
    add_value(text, json);
    if (!room(text, 0))
        return NULL;
    text->bytes[text->length] = '\0';
    return text->bytes;
}
