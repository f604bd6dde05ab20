#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/event_wire.h"

static _Alignas(max_align_t) unsigned char memory[256 * 1024];

/* The event that comes out of the other's decoder; NULL if it is refused. */
static const struct event *sent(const struct event *event, struct arena *arena)
{
    static struct event received;
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Ask ask = WARDER__V1__ASK__INIT;
    Warder__V1__Event wire;

    arena_init(arena, memory, sizeof(memory));
    assert_true(event_to_wire(event, arena, &wire));
    ask.event = &wire;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_ASK;
    message.ask = &ask;
    const size_t size = warder__v1__client_message__get_packed_size(&message);
    unsigned char *bytes = arena_alloc(arena, size);
    assert_non_null(bytes);
    warder__v1__client_message__pack(&message, bytes);
    const Warder__V1__ClientMessage *decoded = client_message_decode(arena, bytes, size);
    assert_non_null(decoded);
    return event_from_wire(decoded->ask->event, arena, &received) ? &received : NULL;
}

static void an_event_comes_out_as_it_went_in(void **state)
{
    const struct value items[] = {value_text("id", 2), {.kind = VALUE_INT, .integer = -3}};
    const struct value arguments[] = {
        value_text("/bin/id", 7),
        {.kind = VALUE_LIST, .marks = VALUE_CUT, .count = 2, .items = items},
        {.kind = VALUE_OBJECT, .marks = VALUE_OPAQUE, .count = 3, .bytes = "Foo"},
        {.kind = VALUE_NONE},
    };
    const struct event event = {
        .name = "subprocess.Popen", .name_length = 16, .argument_count = 4, .arguments = arguments};
    struct arena arena;

    (void)state;
    const struct event *out = sent(&event, &arena);
    assert_non_null(out);
    assert_int_equal(out->argument_count, 4);
    assert_memory_equal(out->arguments[0].bytes, "/bin/id", 7);
    assert_int_equal(out->arguments[1].marks, VALUE_CUT);
    assert_int_equal(out->arguments[1].count, 2);
    assert_int_equal(out->arguments[1].items[1].integer, -3);
    assert_int_equal(out->arguments[2].kind, VALUE_OBJECT);
    assert_int_equal(out->arguments[3].kind, VALUE_NONE);
}

/* protobuf-c has NULL for a field without bytes, and what compares texts must not meet it. */
static void empty_texts_of_a_path_have_bytes_to_point_at(void **state)
{
    const struct attribute path = {.name = ATTRIBUTE_PATH,
                                   .value = value_text("", 0),
                                   .resolved = value_text("", 0),
                                   .given = value_text("", 0)};
    const struct operation operation = {
        .operation_class = CLASS_READ, .attribute_count = 1, .attributes = &path};
    const struct event event = {
        .name = "", .name_length = 0, .operation_count = 1, .operations = &operation};
    struct arena arena;

    (void)state;
    const struct event *out = sent(&event, &arena);
    assert_non_null(out);
    assert_non_null(out->name);
    assert_int_equal(out->operation_count, 1);
    const struct attribute *attribute = &out->operations[0].attributes[0];
    assert_non_null(attribute->value.bytes);
    assert_int_equal(attribute->resolved.kind, VALUE_TEXT);
    assert_non_null(attribute->resolved.bytes);
    assert_int_equal(attribute->given.kind, VALUE_TEXT);
    assert_non_null(attribute->given.bytes);
}

/* One node, and what becomes of the event that has it for its only argument. */
static bool is_taken(Warder__V1__Value node)
{
    Warder__V1__Event wire = WARDER__V1__EVENT__INIT;
    Warder__V1__Value *nodes[] = {&node};
    struct event event;
    struct arena arena;

    arena_init(&arena, memory, sizeof(memory));
    wire.argument_count = 1;
    wire.n_arguments = 1;
    wire.arguments = nodes;
    return event_from_wire(&wire, &arena, &event);
}

static void ill_formed_values_are_refused(void **state)
{
    Warder__V1__Value node = WARDER__V1__VALUE__INIT;

    (void)state;
    assert_true(is_taken(node));
    node.kind = (Warder__V1__ValueKind)10;
    assert_false(is_taken(node));
    node.kind = WARDER__V1__VALUE_KIND__VALUE_KIND_INT;
    node.marks = 8;
    assert_false(is_taken(node));
    node.marks = 0;
    node.kind = WARDER__V1__VALUE_KIND__VALUE_KIND_OBJECT; /* no object was ever read */
    assert_false(is_taken(node));
    node.marks = VALUE_OPAQUE;
    assert_true(is_taken(node));
    node = (Warder__V1__Value)WARDER__V1__VALUE__INIT;
    node.kind = WARDER__V1__VALUE_KIND__VALUE_KIND_LIST; /* of children that are not there */
    node.count = 1;
    assert_false(is_taken(node));
    node.count = UINT32_MAX;
    assert_false(is_taken(node));
    node.kind = WARDER__V1__VALUE_KIND__VALUE_KIND_MAP;
    assert_false(is_taken(node));
}

static void counts_that_do_not_match_are_refused(void **state)
{
    Warder__V1__Event wire = WARDER__V1__EVENT__INIT;
    struct event event;
    struct arena arena;

    (void)state;
    arena_init(&arena, memory, sizeof(memory));
    wire.argument_count = 1;
    assert_false(event_from_wire(&wire, &arena, &event));
    wire.argument_count = UINT32_MAX;
    assert_false(event_from_wire(&wire, &arena, &event));

    Warder__V1__Value node = WARDER__V1__VALUE__INIT;
    Warder__V1__Value *nodes[] = {&node};
    wire.argument_count = 0;
    wire.n_arguments = 1;
    wire.arguments = nodes;
    assert_false(event_from_wire(&wire, &arena, &event));
}

static bool operation_is_taken(uint32_t class, const uint32_t *names, size_t count)
{
    Warder__V1__Event wire = WARDER__V1__EVENT__INIT;
    Warder__V1__Operation operation = WARDER__V1__OPERATION__INIT;
    Warder__V1__Operation *operations[] = {&operation};
    Warder__V1__Value node = WARDER__V1__VALUE__INIT;
    Warder__V1__Value *nodes[] = {&node};
    Warder__V1__Attribute attributes[4];
    Warder__V1__Attribute *pointers[4];
    struct event event;
    struct arena arena;

    arena_init(&arena, memory, sizeof(memory));
    for (size_t i = 0; i < count; i++) {
        warder__v1__attribute__init(&attributes[i]);
        attributes[i].name = names[i];
        attributes[i].n_value = 1;
        attributes[i].value = nodes;
        pointers[i] = &attributes[i];
    }
    operation.operation_class = (Warder__V1__OperationClass) class;
    operation.n_attributes = count;
    operation.attributes = pointers;
    wire.n_operations = 1;
    wire.operations = operations;
    return event_from_wire(&wire, &arena, &event);
}

static void ill_formed_operations_are_refused(void **state)
{
    const uint32_t twice[] = {ATTRIBUTE_PATH, ATTRIBUTE_PATH};
    const uint32_t beyond[] = {ATTRIBUTE_COUNT};
    const uint32_t none[] = {ATTRIBUTE_NONE};
    const uint32_t of_another[] = {ATTRIBUTE_PORT};

    (void)state;
    assert_true(operation_is_taken(CLASS_READ, twice, 1));
    assert_false(operation_is_taken(CLASS_READ, twice, 2));
    assert_false(operation_is_taken(CLASS_READ, beyond, 1));
    assert_false(operation_is_taken(CLASS_READ, none, 1));
    assert_false(operation_is_taken(CLASS_READ, of_another, 1));
    assert_false(operation_is_taken(CLASS_NONE, NULL, 0));
    assert_false(operation_is_taken(CLASS_COUNT, NULL, 0));
    assert_false(operation_is_taken(UINT32_MAX, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_comes_out_as_it_went_in),
        cmocka_unit_test(empty_texts_of_a_path_have_bytes_to_point_at),
        cmocka_unit_test(ill_formed_values_are_refused),
        cmocka_unit_test(counts_that_do_not_match_are_refused),
        cmocka_unit_test(ill_formed_operations_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
