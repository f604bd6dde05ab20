#include "policies/engine/event_text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "policies/engine/address.h"

/* The length of the UTF-8 character at `bytes`, and the character; 0 if there is none (RFC 3629: no
 * overlong forms, no surrogates). */
static size_t utf8_character(const unsigned char *bytes, size_t length, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size;

    if (bytes[0] < 0x80)
        size = 1;
    else if (bytes[0] >= 0xc2 && bytes[0] < 0xe0)
        size = 2;
    else if (bytes[0] >= 0xe0 && bytes[0] < 0xf0)
        size = 3;
    else if (bytes[0] >= 0xf0 && bytes[0] < 0xf5)
        size = 4;
    else
        return 0;
    if (size > length)
        return 0;
    uint32_t value = size == 1 ? bytes[0] : bytes[0] & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        value = (value << 6) | (bytes[i] & 0x3f);
    }
    if (size > 1 &&
        (value < least[size] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)))
        return 0;
    *character = value;
    return size;
}

/* Characters that nobody sees, that change the direction of text or break lines (Unicode 15.1:
 * Cc, Cf, Co, Zl, Zp, Default_Ignorable_Code_Point), and from U+40000 on what is not assigned. */
static bool is_hidden(uint32_t character)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } hidden[] = {
        {0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},
        {0x600, 0x605},     {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},
        {0x890, 0x891},     {0x8e2, 0x8e2},     {0x115f, 0x1160},   {0x17b4, 0x17b5},
        {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},
        {0x3164, 0x3164},   {0xe000, 0xf8ff},   {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},
        {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},
        {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3},
        {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff}, {0x2fffe, 0x2ffff}, {0x3fffe, 0x10ffff},
    };

    for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden) && character >= hidden[i].first; i++)
        if (character <= hidden[i].last)
            return true;
    return false;
}

enum {
    CHARACTER_SHOWN_MAX = 20, /* four bytes as \xNN, and a terminator */
};

/* One character as it is shown; returns how many are written, and how many read. */
static size_t show_character(const unsigned char *bytes, size_t length, bool in_quotes, char *shown,
                             size_t *consumed)
{
    uint32_t character = 0;
    size_t width = utf8_character(bytes, length, &character);

    *consumed = width > 0 ? width : 1;
    if (width > 0 && !is_hidden(character)) {
        const size_t escape = in_quotes && (character == '"' || character == '\\') ? 1 : 0;
        shown[0] = '\\';
        memcpy(shown + escape, bytes, width);
        return escape + width;
    }
    width = 0;
    for (size_t i = 0; i < *consumed; i++)
        width += (size_t)snprintf(shown + width, CHARACTER_SHOWN_MAX - width, "\\x%02x", bytes[i]);
    return width;
}

static size_t show_text(const char *bytes, size_t length, bool in_quotes, char *buffer, size_t size)
{
    const unsigned char *next = (const unsigned char *)bytes;
    const size_t room = size - 4; /* for "..." and the terminator */
    size_t used = 0;

    while (length > 0) {
        char shown[CHARACTER_SHOWN_MAX];
        size_t consumed;
        const size_t width = show_character(next, length, in_quotes, shown, &consumed);

        if (used + width > room) {
            memcpy(buffer + used, "...", 3);
            used += 3;
            break;
        }
        memcpy(buffer + used, shown, width);
        used += width;
        next += consumed;
        length -= consumed;
    }
    buffer[used] = '\0';
    return used;
}

size_t printable_text(const char *bytes, size_t length, char *buffer, size_t size)
{
    return show_text(bytes, length, false, buffer, size);
}

size_t quoted_text(const char *bytes, size_t length, char *buffer, size_t size)
{
    buffer[0] = '"';
    const size_t used = 1 + show_text(bytes, length, true, buffer + 1, size - 2);
    buffer[used] = '"';
    buffer[used + 1] = '\0';
    return used + 1;
}

size_t column_text(const char *bytes, size_t length, char *buffer, size_t size)
{
    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)bytes[i];
        if (byte <= ' ' || byte >= 0x80 || byte == '"') /* there are blanks beyond ASCII */
            return quoted_text(bytes, length, buffer, size);
    }
    return printable_text(bytes, length, buffer, size);
}

static void address_text(const struct value *value, char *buffer, size_t size)
{
    struct address address;
    char text[ADDRESS_TEXT_MAX] = "";

    if (address_from_bytes(value->bytes, value->count, &address))
        address_format(&address, text);
    (void)snprintf(buffer, size, "%s", text);
}

/* An attribute in the words of the caller; false if it has none that can be shown. */
static bool attribute_text(const struct operation *operation, enum attribute_name name,
                           char *buffer, size_t size)
{
    const struct attribute *attribute = operation_attribute(operation, name);
    if (!attribute)
        return false;
    const struct value *value =
        attribute->given.kind == VALUE_TEXT ? &attribute->given : &attribute->value;
    if (value->kind == VALUE_TEXT) {
        quoted_text(value->bytes, value->count, buffer, size);
        return true;
    }
    if (value->kind == VALUE_INT) {
        snprintf(buffer, size, "%lld", (long long)value->integer);
        return true;
    }
    if (value->kind == VALUE_BYTES && vocabulary_attribute_type(name) == TYPE_ADDRESS) {
        address_text(value, buffer, size);
        return true;
    }
    return false;
}

/* The main attribute is there and cannot be shown: any other in its place would be taken for it. */
static bool is_unreadable(const struct operation *operation, enum attribute_name name)
{
    const struct attribute *attribute = operation_attribute(operation, name);
    return attribute && value_is_marked(&attribute->value);
}

/* `exec of an unreadable PosixPath`; of a type that is not known, `of something unreadable`. */
static void unreadable_text(const struct operation *operation, enum attribute_name name,
                            char *buffer, size_t size)
{
    const struct value *value = &operation_attribute(operation, name)->value;
    char type[EVENT_TEXT_MAX / 2];

    if (value->kind == VALUE_OBJECT && value->count > 0) {
        printable_text(value->bytes, value->count, type, sizeof(type));
        (void)snprintf(buffer, size, "of an unreadable %s", type);
    } else {
        (void)snprintf(buffer, size, "of something unreadable");
    }
}

/* The main attribute, or the one that says most where it is absent: a Unix socket has no address,
 * but a path. */
static bool main_attribute(const struct operation *operation, char *buffer, size_t size)
{
    const enum attribute_name *names = vocabulary_class_attributes(operation->operation_class);

    if (names[0] == ATTRIBUTE_NONE)
        return false;
    if (attribute_text(operation, names[0], buffer, size) ||
        attribute_text(operation, ATTRIBUTE_PATH, buffer, size))
        return true;
    if (is_unreadable(operation, names[0])) {
        unreadable_text(operation, names[0], buffer, size);
        return true;
    }
    for (names++; *names != ATTRIBUTE_NONE; names++)
        if (attribute_text(operation, *names, buffer, size))
            return true;
    return false;
}

/* As the tests of policies say it: `connect 10.0.0.1 port 443`. */
static void add_port(const struct operation *operation, char *text, size_t size)
{
    const struct attribute *port = operation_attribute(operation, ATTRIBUTE_PORT);
    const size_t length = strlen(text);

    if (port && port->value.kind == VALUE_INT)
        (void)snprintf(text + length, size - length, " port %lld", (long long)port->value.integer);
}

size_t event_text(const struct event *event, uint32_t operation, char *buffer, size_t size)
{
    char detail[EVENT_TEXT_MAX - 32];

    if (operation < event->operation_count) {
        const struct operation *of = &event->operations[operation];
        const char *name = vocabulary_class_name(of->operation_class);
        if (of->operation_class != CLASS_OTHER && name) {
            if (main_attribute(of, detail, sizeof(detail))) {
                add_port(of, detail, sizeof(detail));
                return (size_t)snprintf(buffer, size, "%s %s", name, detail);
            }
            return (size_t)snprintf(buffer, size, "%s", name);
        }
    }
    quoted_text(event->name, event->name_length, detail, sizeof(detail));
    return (size_t)snprintf(buffer, size, "event %s", detail);
}
