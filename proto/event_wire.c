/* Values travel in preorder: a list's node, then its children. Reading them back is a recursion
 * whose depth is bounded by VALUE_DEPTH_MAX and whose work is bounded by the number of nodes, each
 * of which is read exactly once. */
#include "proto/event_wire.h"

#include <string.h>

#include "policies/catalogue/catalogue.h"
#include "proto/event_node.h"

#define SAME(a, b) _Static_assert((int)(a) == (int)(b), "the contract repeats the engine's numbers")
SAME(WARDER__V1__VALUE_KIND__VALUE_KIND_NONE, VALUE_NONE);
SAME(WARDER__V1__VALUE_KIND__VALUE_KIND_BOOL, VALUE_BOOL);
SAME(WARDER__V1__VALUE_KIND__VALUE_KIND_INT, VALUE_INT);
SAME(WARDER__V1__VALUE_KIND__VALUE_KIND_BIG_INT, VALUE_BIG_INT);
SAME(WARDER__V1__VALUE_KIND__VALUE_KIND_FLOAT, VALUE_FLOAT);
SAME(WARDER__V1__VALUE_KIND__VALUE_KIND_TEXT, VALUE_TEXT);
SAME(WARDER__V1__VALUE_KIND__VALUE_KIND_BYTES, VALUE_BYTES);
SAME(WARDER__V1__VALUE_KIND__VALUE_KIND_LIST, VALUE_LIST);
SAME(WARDER__V1__VALUE_KIND__VALUE_KIND_MAP, VALUE_MAP);
SAME(WARDER__V1__VALUE_KIND__VALUE_KIND_OBJECT, VALUE_OBJECT);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_NONE, CLASS_NONE);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_EXEC, CLASS_EXEC);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_FORK, CLASS_FORK);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_SIGNAL, CLASS_SIGNAL);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_READ, CLASS_READ);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_WRITE, CLASS_WRITE);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_CONNECT, CLASS_CONNECT);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_BIND, CLASS_BIND);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_SOCKET, CLASS_SOCKET);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_RESOLVE, CLASS_RESOLVE);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_IMPORT, CLASS_IMPORT);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_NATIVE, CLASS_NATIVE);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_FFI, CLASS_FFI);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_CODE, CLASS_CODE);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_PICKLE, CLASS_PICKLE);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_INTROSPECT, CLASS_INTROSPECT);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_HOOK, CLASS_HOOK);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_RUN, CLASS_RUN);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_ENVIRON, CLASS_ENVIRON);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_CONTROL, CLASS_CONTROL);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_THREAD, CLASS_THREAD);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_REGISTRY, CLASS_REGISTRY);
SAME(WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_OTHER, CLASS_OTHER);

/* ------------------------------------------------------------------------------------------ out */

static size_t child_count(const struct value *value)
{
    return event_child_count((enum value_kind)value->kind, value->count);
}

static size_t node_count(const struct value *value)
{
    size_t nodes = 1;
    for (size_t i = 0; i < child_count(value); i++)
        nodes += node_count(&value->items[i]);
    return nodes;
}

static void write_node(const struct value *value, Warder__V1__Value *node)
{
    warder__v1__value__init(node);
    node->kind = (Warder__V1__ValueKind)value->kind;
    node->marks = value->marks;
    switch (value->kind) {
    case VALUE_BOOL:
        node->integer = value->truth;
        break;
    case VALUE_INT:
        node->integer = value->integer;
        break;
    case VALUE_FLOAT:
        node->real = value->real;
        break;
    case VALUE_LIST:
    case VALUE_MAP:
        node->count = value->count;
        break;
    case VALUE_BIG_INT:
    case VALUE_TEXT:
    case VALUE_BYTES:
    case VALUE_OBJECT:
        node->bytes = bytes_field(value->bytes, value->count);
        break;
    default:
        break;
    }
}

static void write_value(const struct value *value, Warder__V1__Value *nodes, size_t *next)
{
    write_node(value, &nodes[(*next)++]);
    for (size_t i = 0; i < child_count(value); i++)
        write_value(&value->items[i], nodes, next);
}

/* `count` values as one preorder list. */
static bool write_values(const struct value *values, size_t count, struct arena *arena,
                         Warder__V1__Value ***list, size_t *length)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += node_count(&values[i]);

    Warder__V1__Value *nodes = arena_zalloc(arena, total, sizeof(*nodes));
    Warder__V1__Value **pointers = arena_zalloc(arena, total, sizeof(Warder__V1__Value *));
    if (!nodes || !pointers)
        return false;
    size_t next = 0;
    for (size_t i = 0; i < count; i++)
        write_value(&values[i], nodes, &next);
    for (size_t i = 0; i < total; i++)
        pointers[i] = &nodes[i];
    *list = pointers;
    *length = total;
    return true;
}

static bool write_attribute(const struct attribute *attribute, struct arena *arena,
                            Warder__V1__Attribute *message)
{
    warder__v1__attribute__init(message);
    message->name = (uint32_t)attribute->name;
    message->nameless = attribute->nameless;
    if (vocabulary_attribute_type(attribute->name) == TYPE_PATH &&
        attribute->resolved.kind == VALUE_TEXT && !attribute->resolved.marks) {
        message->resolved = bytes_field(attribute->resolved.bytes, attribute->resolved.count);
        message->resolved_known = true;
    }
    if (attribute->given.kind == VALUE_TEXT) {
        message->given = bytes_field(attribute->given.bytes, attribute->given.count);
        message->has_given = true;
    }
    return write_values(&attribute->value, 1, arena, &message->value, &message->n_value);
}

static bool write_operation(const struct operation *operation, struct arena *arena,
                            Warder__V1__Operation *message)
{
    const uint32_t count = operation->attribute_count;

    warder__v1__operation__init(message);
    message->operation_class = (Warder__V1__OperationClass)operation->operation_class;
    message->attributes = arena_zalloc(arena, count, sizeof(Warder__V1__Attribute *));
    Warder__V1__Attribute *attributes = arena_zalloc(arena, count, sizeof(*attributes));
    if (!message->attributes || !attributes)
        return false;
    message->n_attributes = count;
    for (uint32_t i = 0; i < count; i++) {
        message->attributes[i] = &attributes[i];
        if (!write_attribute(&operation->attributes[i], arena, &attributes[i]))
            return false;
    }
    return true;
}

bool event_to_wire(const struct event *event, struct arena *arena, Warder__V1__Event *message)
{
    const uint32_t count = event->operation_count;

    warder__v1__event__init(message);
    message->name = bytes_field(event->name, event->name_length);
    message->name_cut = event->name_cut;
    message->argument_count = event->argument_count;
    if (!write_values(event->arguments, event->argument_count, arena, &message->arguments,
                      &message->n_arguments))
        return false;
    message->operations = arena_zalloc(arena, count, sizeof(Warder__V1__Operation *));
    Warder__V1__Operation *operations = arena_zalloc(arena, count, sizeof(*operations));
    if (!message->operations || !operations)
        return false;
    message->n_operations = count;
    for (uint32_t i = 0; i < count; i++) {
        message->operations[i] = &operations[i];
        if (!write_operation(&event->operations[i], arena, &operations[i]))
            return false;
    }
    return true;
}

/* ------------------------------------------------------------------------------------------- in */

struct reader {
    Warder__V1__Value *const *nodes;
    size_t count;
    size_t next;
    struct arena *arena;
};

static bool read_value(struct reader *reader, struct value *value, int depth);

static bool read_children(struct reader *reader, struct value *value, int depth)
{
    const size_t children = child_count(value);

    /* Every child is a node that is still there, which bounds the allocation too. */
    if (children > reader->count - reader->next)
        return false;
    if (children > 0 && depth >= VALUE_DEPTH_MAX)
        return false;
    struct value *items = arena_zalloc(reader->arena, children, sizeof(*items));
    if (!items)
        return false;
    for (size_t i = 0; i < children; i++)
        if (!read_value(reader, &items[i], depth + 1))
            return false;
    value->items = items;
    return true;
}

static bool read_value(struct reader *reader, struct value *value, int depth)
{
    if (reader->next >= reader->count)
        return false;
    const Warder__V1__Value *message = reader->nodes[reader->next++];
    const struct event_node node = {
        .kind = (int)message->kind,
        .marks = message->marks,
        .integer = message->integer,
        .real = message->real,
        .bytes = field_bytes(&message->bytes),
        .size = message->bytes.len,
        .count = message->count,
    };
    if (!event_node_value(&node, value))
        return false;
    return (value->kind != VALUE_LIST && value->kind != VALUE_MAP) ||
           read_children(reader, value, depth);
}

/* Exactly `count` values, no node left over. */
static bool read_values(Warder__V1__Value *const *nodes, size_t node_total, uint32_t count,
                        struct arena *arena, const struct value **values)
{
    struct reader reader = {.nodes = nodes, .count = node_total, .arena = arena};

    if (count > node_total)
        return false;
    struct value *list = arena_zalloc(arena, count, sizeof(*list));
    if (!list)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!read_value(&reader, &list[i], 0))
            return false;
    *values = list;
    return reader.next == reader.count;
}

static bool read_attribute(const Warder__V1__Attribute *message, struct arena *arena,
                           struct attribute *attribute)
{
    const struct value *value = NULL;

    *attribute = (struct attribute){.name = (enum attribute_name)message->name,
                                    .resolved = value_unknown(),
                                    .nameless = message->nameless};
    if (!read_values(message->value, message->n_value, 1, arena, &value))
        return false;
    attribute->value = *value;
    if (message->resolved.len > VALUE_BYTES_MAX || message->given.len > VALUE_BYTES_MAX)
        return false;
    if (message->resolved_known)
        attribute->resolved = value_text(field_bytes(&message->resolved), message->resolved.len);
    if (message->has_given)
        attribute->given = value_text(field_bytes(&message->given), message->given.len);
    return true;
}

static bool read_operation(const Warder__V1__Operation *message, struct arena *arena,
                           struct operation *operation)
{
    const enum operation_class class_of = (enum operation_class)message->operation_class;

    if (!event_operation_can_be((int)message->operation_class, message->n_attributes))
        return false;
    struct attribute *attributes = arena_zalloc(arena, message->n_attributes, sizeof(*attributes));
    if (!attributes)
        return false;
    uint32_t last = ATTRIBUTE_NONE;
    for (size_t i = 0; i < message->n_attributes; i++) {
        const Warder__V1__Attribute *attribute = message->attributes[i];
        if (!event_attribute_can_follow(class_of, attribute->name, last))
            return false;
        last = attribute->name;
        if (!read_attribute(attribute, arena, &attributes[i]))
            return false;
    }
    *operation = (struct operation){.operation_class = class_of,
                                    .attribute_count = (uint32_t)message->n_attributes,
                                    .attributes = attributes};
    return true;
}

bool event_from_wire(const Warder__V1__Event *message, struct arena *arena, struct event *event)
{
    if (message->name.len > EVENT_NAME_MAX || message->n_operations > EVENT_OPERATIONS_MAX ||
        message->n_arguments > VALUE_NODES_MAX)
        return false;
    *event = (struct event){
        .name_cut = message->name_cut,
        .name = field_bytes(&message->name),
        .name_length = (uint32_t)message->name.len,
        .argument_count = message->argument_count,
    };
    const struct event_entry *entry = catalogue_find(event->name, event->name_length);
    event->number = entry && !event->name_cut ? entry->number : EVENT_UNKNOWN;
    if (!read_values(message->arguments, message->n_arguments, message->argument_count, arena,
                     &event->arguments))
        return false;
    struct operation *operations = arena_zalloc(arena, message->n_operations, sizeof(*operations));
    if (!operations)
        return false;
    for (size_t i = 0; i < message->n_operations; i++)
        if (!read_operation(message->operations[i], arena, &operations[i]))
            return false;
    event->operation_count = (uint32_t)message->n_operations;
    event->operations = operations;
    return true;
}
