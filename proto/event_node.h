/* One node of a value as the contract has it, wherever it was read from, and what it may be: what
 * event_wire.c and event_bytes.c have in common. */
#ifndef WARDER_PROTO_EVENT_NODE_H
#define WARDER_PROTO_EVENT_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/event.h"

struct event_node {
    int kind;
    uint32_t marks;
    int64_t integer;
    double real;
    const char *bytes; /* never NULL */
    size_t size;
    uint32_t count; /* elements of a list, pairs of a map */
};

/* Children of a value: they follow it. */
static inline size_t event_child_count(enum value_kind kind, uint32_t count)
{
    if (kind == VALUE_MAP)
        return 2 * (size_t)count;
    return kind == VALUE_LIST ? count : 0;
}

/* The value without its children; false if there can be no such node. */
bool event_node_value(const struct event_node *node, struct value *value);

/* True if an operation can be of that class and have so many attributes. */
bool event_operation_can_be(int operation_class, size_t attribute_count);

/* True if an operation of that class can have this attribute behind the one before it. */
bool event_attribute_can_follow(enum operation_class operation_class, uint32_t name,
                                uint32_t before);

#endif
