#include "policies/engine/event_mapper.h"

#include <limits.h>
#include <string.h>

#include "policies/engine/path_text.h"

static const struct value unknown = {.kind = VALUE_OBJECT, .marks = VALUE_OPAQUE};

const struct value *mapper_argument(const struct mapper *mapper, uint8_t operand)
{
    if (operand >= mapper->event->argument_count)
        return &unknown;
    return &mapper->event->arguments[operand];
}

bool value_read_integer(const struct value *value, int64_t *integer)
{
    if (value->marks & ~VALUE_SUBCLASS)
        return false;
    switch ((enum value_kind)value->kind) {
    case VALUE_INT:
        *integer = value->integer;
        return true;
    case VALUE_BOOL:
        *integer = value->truth ? 1 : 0;
        return true;
    default:
        return false;
    }
}

bool value_read_descriptor(const struct value *value, int64_t *descriptor)
{
    return value->marks == 0 && value_read_integer(value, descriptor) && *descriptor >= 0 &&
           *descriptor <= INT_MAX;
}

bool value_is_plain_text(const struct value *value)
{
    return (value->kind == VALUE_TEXT || value->kind == VALUE_BYTES) && value->marks == 0;
}

bool value_is_none(const struct value *value)
{
    return value->kind == VALUE_NONE && value->marks == 0;
}

bool value_is_text(const struct value *value, const char *text)
{
    const size_t length = strlen(text);
    return (value->kind == VALUE_TEXT || value->kind == VALUE_BYTES) && value->count == length &&
           (length == 0 || memcmp(value->bytes, text, length) == 0);
}

struct value value_as_text(const struct value *value)
{
    if (value->kind != VALUE_TEXT && value->kind != VALUE_BYTES)
        return value_unknown_of(value);
    struct value text = *value;
    text.kind = VALUE_TEXT;
    if (text.count == 0)
        text.bytes = "";
    return text;
}

struct value value_as_texts(struct mapper *mapper, const struct value *value)
{
    if (value->kind != VALUE_LIST)
        return unknown;
    struct value list = *value;

    uint32_t texts = 0;
    while (texts < list.count && list.items[texts].kind == VALUE_TEXT)
        texts++;
    if (texts == list.count)
        return list;

    struct value *items = arena_zalloc(mapper->arena, list.count, sizeof(*items));
    if (!items)
        return unknown;
    for (uint32_t i = 0; i < list.count; i++)
        items[i] = value_as_text(&list.items[i]);
    list.items = items;
    return list;
}

struct value value_of_string(const char *text)
{
    return value_text(text, strlen(text));
}

const char *mapper_directory(struct mapper *mapper)
{
    if (mapper->directory_asked)
        return mapper->directory;
    mapper->directory_asked = true;
    if (!mapper->resolver->caller_directory)
        return NULL;

    char *buffer = arena_alloc(mapper->arena, PATH_TEXT_MAX);
    if (!buffer)
        return NULL;
    const bool known =
        mapper->resolver->caller_directory(mapper->resolver->context, buffer, PATH_TEXT_MAX);
    if (known && (buffer[0] == '/' || mapper->windows))
        mapper->directory = buffer;
    arena_trim(mapper->arena, buffer, mapper->directory ? strlen(buffer) + 1 : 0);
    return mapper->directory;
}

const struct attribute *mapper_attribute(const struct mapper *mapper, enum attribute_name name)
{
    for (uint32_t i = 0; i < mapper->attribute_count; i++)
        if (mapper->attributes[i].name == name)
            return &mapper->attributes[i];
    return NULL;
}
