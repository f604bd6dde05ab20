#include "proto/event_node.h"

bool event_node_value(const struct event_node *node, struct value *value)
{
    if (node->marks & ~(uint32_t)(VALUE_CUT | VALUE_SUBCLASS | VALUE_OPAQUE))
        return false;
    *value = (struct value){.kind = (uint8_t)node->kind, .marks = (uint8_t)node->marks};
    switch (node->kind) {
    case VALUE_NONE:
        return true;
    case VALUE_BOOL:
        value->truth = node->integer != 0;
        return true;
    case VALUE_INT:
        value->integer = node->integer;
        return true;
    case VALUE_FLOAT:
        value->real = node->real;
        return true;
    case VALUE_OBJECT:
        if (!(node->marks & VALUE_OPAQUE))
            return false;
        /* fall through */
    case VALUE_BIG_INT:
    case VALUE_TEXT:
    case VALUE_BYTES:
        if (node->size > VALUE_BYTES_MAX)
            return false;
        value->count = (uint32_t)node->size;
        value->bytes = node->bytes;
        return true;
    case VALUE_LIST:
    case VALUE_MAP:
        value->count = node->count;
        return node->count <= VALUE_ITEMS_MAX;
    default:
        return false;
    }
}

bool event_operation_can_be(int operation_class, size_t attribute_count)
{
    return operation_class > CLASS_NONE && operation_class < CLASS_COUNT &&
           attribute_count <= EVENT_ATTRIBUTES_MAX;
}

bool event_attribute_can_follow(enum operation_class operation_class, uint32_t name,
                                uint32_t before)
{
    return name > before && name < ATTRIBUTE_COUNT &&
           vocabulary_class_has(operation_class, (enum attribute_name)name);
}
