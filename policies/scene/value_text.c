#include "policies/scene/value_text.h"

#include <inttypes.h>
#include <string.h>

#include "policies/engine/address.h"
#include "policies/engine/event_text.h"

enum {
    SHOWN_BYTES_MAX = 240, /* of one text */
    SHOWN_ITEMS_MAX = 12,  /* of one list */
    SHOWN_DEPTH_MAX = 3,
};

static void add_quoted(struct text_buffer *buffer, const char *bytes, size_t length)
{
    char printable[SHOWN_BYTES_MAX];

    quoted_text(bytes, length, printable, sizeof(printable));
    text_buffer_add_text(buffer, printable);
}

static void add_address(struct text_buffer *buffer, const struct value *value)
{
    char text[ADDRESS_TEXT_MAX];
    struct address address;

    if (!address_from_bytes(value->bytes, value->count, &address))
        return;
    address_format(&address, text);
    text_buffer_add_text(buffer, text);
}

static void add_value(struct text_buffer *buffer, const struct value *value,
                      enum attribute_type type, unsigned depth);

static void add_items(struct text_buffer *buffer, const struct value *value, unsigned depth)
{
    const bool is_map = value->kind == VALUE_MAP;

    text_buffer_add_text(buffer, is_map ? "{" : "[");
    for (uint32_t i = 0; i < value->count; i++) {
        if (i == SHOWN_ITEMS_MAX || depth == SHOWN_DEPTH_MAX) {
            text_buffer_format(buffer, "%s... %u in all", i > 0 ? ", " : "", value->count);
            break;
        }
        text_buffer_add_text(buffer, i > 0 ? ", " : "");
        add_value(buffer, &value->items[is_map ? 2 * (size_t)i : i], TYPE_ANY, depth + 1);
        if (!is_map)
            continue;
        text_buffer_add_text(buffer, ": ");
        add_value(buffer, &value->items[2 * (size_t)i + 1], TYPE_ANY, depth + 1);
    }
    text_buffer_add_text(buffer, is_map ? "}" : "]");
}

static void add_object(struct text_buffer *buffer, const struct value *value)
{
    char name[SHOWN_BYTES_MAX];

    if (value->count == 0) {
        text_buffer_add_text(buffer, "(not known)");
        return;
    }
    printable_text(value->bytes, value->count, name, sizeof(name));
    text_buffer_format(buffer, "(a %s)", name);
}

static void add_plain(struct text_buffer *buffer, const struct value *value,
                      enum attribute_type type, unsigned depth)
{
    switch ((enum value_kind)value->kind) {
    case VALUE_NONE:
        text_buffer_add_text(buffer, "none");
        break;
    case VALUE_BOOL:
        text_buffer_add_text(buffer, value->truth ? "true" : "false");
        break;
    case VALUE_INT:
        text_buffer_format(buffer, "%" PRId64, value->integer);
        break;
    case VALUE_FLOAT:
        text_buffer_format(buffer, "%g", value->real);
        break;
    case VALUE_BIG_INT:
        text_buffer_add_text(buffer, "(a number of more than 64 bits)");
        break;
    case VALUE_TEXT:
        add_quoted(buffer, value->bytes, value->count);
        break;
    case VALUE_BYTES:
        if (type == TYPE_ADDRESS && (value->count == 4 || value->count == 16)) {
            add_address(buffer, value);
            break;
        }
        text_buffer_add_text(buffer, "b");
        add_quoted(buffer, value->bytes, value->count);
        break;
    case VALUE_LIST:
    case VALUE_MAP:
        add_items(buffer, value, depth);
        break;
    case VALUE_OBJECT:
        add_object(buffer, value);
        break;
    }
}

static void add_value(struct text_buffer *buffer, const struct value *value,
                      enum attribute_type type, unsigned depth)
{
    add_plain(buffer, value, type, depth);
    if (value->marks & VALUE_CUT)
        text_buffer_add_text(buffer, " (cut)");
    if (value->marks & VALUE_SUBCLASS)
        text_buffer_add_text(buffer, " (of a subclass, which may answer otherwise)");
    if ((value->marks & VALUE_OPAQUE) && value->kind != VALUE_OBJECT)
        text_buffer_add_text(buffer, " (not certain)");
}

void value_text_add(struct text_buffer *buffer, const struct value *value, enum attribute_type type)
{
    add_value(buffer, value, type, 0);
}

void operand_text_add(struct text_buffer *buffer, const struct operand *operand,
                      enum attribute_type type)
{
    if (operand->state == OPERAND_ABSENT) {
        text_buffer_add_text(buffer, "absent");
        return;
    }
    if (operand->state == OPERAND_UNKNOWN) {
        text_buffer_add_text(buffer, "not known");
        return;
    }
    if (!operand->names) {
        value_text_add(buffer, &operand->value, type);
        return;
    }
    text_buffer_add_text(buffer, "[");
    for (uint32_t i = 0; i < operand->value.count; i++) {
        text_buffer_add_text(buffer, i > 0 ? ", " : "");
        add_quoted(buffer, operand->names[i], strlen(operand->names[i]));
    }
    text_buffer_add_text(buffer, "]");
}
