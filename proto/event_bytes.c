/* Fields are written in falling order of their numbers, and lists from their end, because a message
 * is written from its end (wire_writer.h). Reading is a recursion whose depth is bounded by
 * VALUE_DEPTH_MAX; what it allocates is bounded by the bytes that are left, of which each node
 * takes two at least. */
#include "proto/event_bytes.h"

#include <string.h>

#include "policies/catalogue/catalogue.h"
#include "proto/event_node.h"
#include "proto/wire_reader.h"
#include "proto/wire_writer.h"

/* Of proto/warder.proto; the tests compare with what protobuf-c makes of it. */
enum {
    CLIENT_MESSAGE_ASK = 5,
    ASK_EVENT = 1,
    ASK_CONTINUES = 2,
    RECORD_TIME = 1,
    RECORD_EVENT = 2,
    EVENT_NAME = 1,
    EVENT_NAME_CUT = 2,
    EVENT_ARGUMENT_COUNT = 3,
    EVENT_ARGUMENTS = 4,
    EVENT_OPERATIONS = 5,
    OPERATION_CLASS = 1,
    OPERATION_ATTRIBUTES = 2,
    ATTRIBUTE_NAME_NUMBER = 1,
    ATTRIBUTE_VALUE = 2,
    ATTRIBUTE_RESOLVED = 3,
    ATTRIBUTE_RESOLVED_KNOWN = 4,
    ATTRIBUTE_GIVEN = 5,
    ATTRIBUTE_HAS_GIVEN = 6,
    ATTRIBUTE_NAMELESS = 7,
    NODE_KIND = 1,
    NODE_MARKS = 2,
    NODE_INTEGER = 3,
    NODE_REAL = 4,
    NODE_BYTES = 5,
    NODE_COUNT = 6,
    NODE_SIZE_LEAST = 2, /* a tag and a length */
};

/* ------------------------------------------------------------------------------------------ out */

/* Numbers near 0 take few bytes, whatever their sign. */
static uint64_t zigzag(int64_t number)
{
    return (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0);
}

static void write_real(struct wire_writer *writer, double real)
{
    uint64_t bits;
    unsigned char bytes[8];

    if (real == 0) /* protobuf-c leaves out -0.0, too */
        return;
    memcpy(&bits, &real, sizeof(bits));
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(bits >> (8 * i));
    wire_put_raw(writer, bytes, sizeof(bytes));
    wire_put_number(writer, wire_tag(NODE_REAL, WIRE_EIGHT_BYTES));
}

static void write_node(struct wire_writer *writer, unsigned field, const struct value *value)
{
    const unsigned char *end = wire_end_of_part(writer);

    switch (value->kind) {
    case VALUE_BOOL:
        wire_number(writer, NODE_INTEGER, zigzag(value->truth));
        break;
    case VALUE_INT:
        wire_number(writer, NODE_INTEGER, zigzag(value->integer));
        break;
    case VALUE_FLOAT:
        write_real(writer, value->real);
        break;
    case VALUE_LIST:
    case VALUE_MAP:
        wire_number(writer, NODE_COUNT, value->count);
        break;
    case VALUE_BIG_INT:
    case VALUE_TEXT:
    case VALUE_BYTES:
    case VALUE_OBJECT:
        wire_bytes(writer, NODE_BYTES, value->bytes, value->count);
        break;
    default:
        break;
    }
    wire_number(writer, NODE_MARKS, value->marks);
    wire_number(writer, NODE_KIND, value->kind);
    wire_begin_part(writer, field, end);
}

static void write_value(struct wire_writer *writer, unsigned field, const struct value *value)
{
    for (size_t i = event_child_count((enum value_kind)value->kind, value->count); i > 0; i--)
        write_value(writer, field, &value->items[i - 1]);
    write_node(writer, field, value);
}

static void write_attribute(struct wire_writer *writer, const struct attribute *attribute)
{
    const unsigned char *end = wire_end_of_part(writer);

    wire_number(writer, ATTRIBUTE_NAMELESS, attribute->nameless);
    if (attribute->given.kind == VALUE_TEXT) {
        wire_number(writer, ATTRIBUTE_HAS_GIVEN, 1);
        wire_bytes(writer, ATTRIBUTE_GIVEN, attribute->given.bytes, attribute->given.count);
    }
    if (vocabulary_attribute_type(attribute->name) == TYPE_PATH &&
        attribute->resolved.kind == VALUE_TEXT && !attribute->resolved.marks) {
        wire_number(writer, ATTRIBUTE_RESOLVED_KNOWN, 1);
        wire_bytes(writer, ATTRIBUTE_RESOLVED, attribute->resolved.bytes,
                   attribute->resolved.count);
    }
    write_value(writer, ATTRIBUTE_VALUE, &attribute->value);
    wire_number(writer, ATTRIBUTE_NAME_NUMBER, attribute->name);
    wire_begin_part(writer, OPERATION_ATTRIBUTES, end);
}

static void write_operation(struct wire_writer *writer, const struct operation *operation)
{
    const unsigned char *end = wire_end_of_part(writer);

    for (uint32_t i = operation->attribute_count; i > 0; i--)
        write_attribute(writer, &operation->attributes[i - 1]);
    wire_number(writer, OPERATION_CLASS, operation->operation_class);
    wire_begin_part(writer, EVENT_OPERATIONS, end);
}

static void write_event(struct wire_writer *writer, unsigned field, const struct event *event)
{
    const unsigned char *end = wire_end_of_part(writer);

    for (uint32_t i = event->operation_count; i > 0; i--)
        write_operation(writer, &event->operations[i - 1]);
    for (uint32_t i = event->argument_count; i > 0; i--)
        write_value(writer, EVENT_ARGUMENTS, &event->arguments[i - 1]);
    wire_number(writer, EVENT_ARGUMENT_COUNT, event->argument_count);
    wire_number(writer, EVENT_NAME_CUT, event->name_cut);
    wire_bytes(writer, EVENT_NAME, event->name, event->name_length);
    wire_begin_part(writer, field, end);
}

unsigned char *ask_bytes_write(const struct event *event, uint64_t continues, unsigned char *begin,
                               unsigned char *end)
{
    struct wire_writer writer = {.begin = begin, .at = end};

    wire_number(&writer, ASK_CONTINUES, continues);
    write_event(&writer, ASK_EVENT, event);
    wire_begin_part(&writer, CLIENT_MESSAGE_ASK, end);
    return writer.full ? NULL : writer.at;
}

unsigned char *record_bytes_write(const struct event *event, uint64_t time, unsigned char *begin,
                                  unsigned char *end)
{
    struct wire_writer writer = {.begin = begin, .at = end};

    write_event(&writer, RECORD_EVENT, event);
    wire_number(&writer, RECORD_TIME, time);
    return writer.full ? NULL : writer.at;
}

/* ------------------------------------------------------------------------------------------- in */

/* Values that stand one behind the other in a message, each as a field of this number. */
struct node_reader {
    struct wire_reader *reader;
    unsigned field;
    size_t most; /* nodes that may still come */
    struct arena *arena;
};

static double read_real(struct wire_reader *reader)
{
    uint64_t bits = 0;
    double real;

    if (!wire_is_next(reader, NODE_REAL, WIRE_EIGHT_BYTES))
        return 0;
    if (wire_left(reader) < sizeof(bits)) {
        reader->odd = true;
        return 0;
    }
    for (int i = 0; i < 8; i++)
        bits |= (uint64_t)reader->at[i] << (8 * i);
    reader->at += sizeof(bits);
    memcpy(&real, &bits, sizeof(real));
    return real;
}

static bool read_node(struct node_reader *nodes, struct value *value)
{
    if (nodes->most == 0 || !wire_is_next(nodes->reader, nodes->field, WIRE_BYTES))
        return false;
    nodes->most--;
    struct wire_reader reader = wire_reader_of(wire_take_part(nodes->reader));
    struct event_node node;
    node.kind = (int)wire_read_number(&reader, NODE_KIND, VALUE_OBJECT);
    node.marks = (uint32_t)wire_read_number(&reader, NODE_MARKS, UINT32_MAX);
    const uint64_t folded = wire_read_number(&reader, NODE_INTEGER, UINT64_MAX);
    node.integer = (int64_t)(folded >> 1 ^ (folded & 1 ? UINT64_MAX : 0));
    node.real = read_real(&reader);
    const struct wire_part bytes = wire_read_bytes(&reader, NODE_BYTES);
    node.bytes = (const char *)bytes.bytes;
    node.size = bytes.size;
    node.count = (uint32_t)wire_read_number(&reader, NODE_COUNT, UINT32_MAX);
    return wire_is_done(&reader) && event_node_value(&node, value);
}

/* `count` values, which the bytes that are left have room for. */
static struct value *room_for(const struct node_reader *nodes, size_t count)
{
    if (count > wire_left(nodes->reader) / NODE_SIZE_LEAST)
        return NULL;
    return arena_alloc(nodes->arena, count * sizeof(struct value));
}

static bool read_value(struct node_reader *nodes, struct value *value, int depth)
{
    if (!read_node(nodes, value))
        return false;
    if (value->kind != VALUE_LIST && value->kind != VALUE_MAP)
        return true;
    const size_t children = event_child_count((enum value_kind)value->kind, value->count);
    if (children > 0 && depth >= VALUE_DEPTH_MAX)
        return false;
    struct value *items = room_for(nodes, children);
    if (!items)
        return false;
    for (size_t i = 0; i < children; i++)
        if (!read_value(nodes, &items[i], depth + 1))
            return false;
    value->items = items;
    return true;
}

static bool read_attribute(struct wire_reader *reader, struct arena *arena,
                           struct attribute *attribute)
{
    struct node_reader nodes = {
        .reader = reader, .field = ATTRIBUTE_VALUE, .most = SIZE_MAX, .arena = arena};

    attribute->name =
        (enum attribute_name)wire_read_number(reader, ATTRIBUTE_NAME_NUMBER, ATTRIBUTE_COUNT);
    if (!read_value(&nodes, &attribute->value, 0))
        return false;
    const struct wire_part resolved = wire_read_bytes(reader, ATTRIBUTE_RESOLVED);
    const bool resolved_known = wire_read_number(reader, ATTRIBUTE_RESOLVED_KNOWN, 1) != 0;
    const struct wire_part given = wire_read_bytes(reader, ATTRIBUTE_GIVEN);
    const bool has_given = wire_read_number(reader, ATTRIBUTE_HAS_GIVEN, 1) != 0;
    attribute->nameless = wire_read_number(reader, ATTRIBUTE_NAMELESS, 1) != 0;
    attribute->resolved =
        resolved_known ? value_text((const char *)resolved.bytes, resolved.size) : value_unknown();
    attribute->given = has_given ? value_text((const char *)given.bytes, given.size) : value_none();
    return resolved.size <= VALUE_BYTES_MAX && given.size <= VALUE_BYTES_MAX &&
           wire_is_done(reader);
}

static bool read_operation(struct wire_reader *reader, struct arena *arena,
                           struct operation *operation)
{
    struct attribute attributes[EVENT_ATTRIBUTES_MAX];
    uint32_t count = 0;
    uint32_t before = ATTRIBUTE_NONE;
    const int class_of = (int)wire_read_number(reader, OPERATION_CLASS, CLASS_COUNT);

    while (wire_is_next(reader, OPERATION_ATTRIBUTES, WIRE_BYTES)) {
        struct wire_reader part = wire_reader_of(wire_take_part(reader));
        if (count == EVENT_ATTRIBUTES_MAX || !read_attribute(&part, arena, &attributes[count]) ||
            !event_operation_can_be(class_of, count) ||
            !event_attribute_can_follow((enum operation_class)class_of, attributes[count].name,
                                        before))
            return false;
        before = attributes[count++].name;
    }
    if (!wire_is_done(reader) || !event_operation_can_be(class_of, count))
        return false;
    struct attribute *kept = arena_alloc(arena, count * sizeof(*kept));
    if (!kept)
        return false;
    memcpy(kept, attributes, count * sizeof(*kept));
    *operation = (struct operation){.operation_class = (enum operation_class)class_of,
                                    .attribute_count = count,
                                    .attributes = kept};
    return true;
}

static bool read_arguments(struct wire_reader *reader, struct arena *arena, struct event *event)
{
    struct node_reader nodes = {
        .reader = reader, .field = EVENT_ARGUMENTS, .most = VALUE_NODES_MAX, .arena = arena};
    struct value *arguments = room_for(&nodes, event->argument_count);

    if (!arguments)
        return false;
    for (uint32_t i = 0; i < event->argument_count; i++)
        if (!read_value(&nodes, &arguments[i], 0))
            return false;
    event->arguments = arguments;
    return true;
}

static bool read_operations(struct wire_reader *reader, struct arena *arena, struct event *event)
{
    struct operation operations[EVENT_OPERATIONS_MAX];
    uint32_t count = 0;

    while (wire_is_next(reader, EVENT_OPERATIONS, WIRE_BYTES)) {
        struct wire_reader part = wire_reader_of(wire_take_part(reader));
        if (count == EVENT_OPERATIONS_MAX || !read_operation(&part, arena, &operations[count]))
            return false;
        count++;
    }
    struct operation *kept = arena_alloc(arena, count * sizeof(*kept));
    if (!kept)
        return false;
    memcpy(kept, operations, count * sizeof(*kept));
    event->operation_count = count;
    event->operations = kept;
    return true;
}

static bool read_event(struct wire_part part, struct arena *arena, struct sent_event *sent)
{
    struct wire_reader reader = wire_reader_of(part);
    struct event *event = &sent->event;
    const struct wire_part name = wire_read_bytes(&reader, EVENT_NAME);

    sent->bytes = part.bytes;
    sent->size = part.size;
    if (name.size > EVENT_NAME_MAX)
        return false;
    event->name = (const char *)name.bytes;
    event->name_length = (uint32_t)name.size;
    event->name_cut = wire_read_number(&reader, EVENT_NAME_CUT, 1) != 0;
    event->argument_count = (uint32_t)wire_read_number(&reader, EVENT_ARGUMENT_COUNT, UINT32_MAX);
    const struct event_entry *entry =
        event->name_cut ? NULL : catalogue_find(event->name, event->name_length);
    event->number = entry ? entry->number : EVENT_UNKNOWN;
    return read_arguments(&reader, arena, event) && read_operations(&reader, arena, event) &&
           wire_is_done(&reader);
}

bool ask_bytes_read(const void *bytes, size_t length, struct arena *arena, struct sent_event *sent)
{
    struct wire_reader message = wire_reader_of((struct wire_part){bytes, length});
    struct wire_reader ask = wire_reader_of(wire_read_bytes(&message, CLIENT_MESSAGE_ASK));

    if (!wire_is_done(&message) || !wire_is_next(&ask, ASK_EVENT, WIRE_BYTES))
        return false;
    const struct wire_part event = wire_take_part(&ask);
    sent->continues = wire_read_number(&ask, ASK_CONTINUES, UINT64_MAX);
    sent->time = 0;
    return wire_is_done(&ask) && read_event(event, arena, sent);
}

bool record_bytes_read(const void *bytes, size_t length, struct arena *arena,
                       struct sent_event *sent)
{
    struct wire_reader record = wire_reader_of((struct wire_part){bytes, length});

    sent->time = wire_read_number(&record, RECORD_TIME, UINT64_MAX);
    if (!wire_is_next(&record, RECORD_EVENT, WIRE_BYTES))
        return false;
    const struct wire_part event = wire_take_part(&record);
    sent->continues = 0;
    return wire_is_done(&record) && read_event(event, arena, sent);
}
