#include "proto/message.h"

#include <stdlib.h>
#include <string.h>

#include "unit_test.h"

static const Warder__V1__ClientMessage *decode(struct arena *arena, const void *bytes,
                                               size_t length)
{
    arena_reset(arena);
    return client_message_decode(arena, bytes, length);
}

static void message_is_decoded_into_the_arena(void **state)
{
    (void)state;
    unsigned char memory[4096];
    struct arena arena;
    /* Open { purpose: CHILD } */
    const unsigned char bytes[] = {0x22, 0x02, 0x08, 0x01};

    arena_init(&arena, memory, sizeof(memory));
    const Warder__V1__ClientMessage *message = decode(&arena, bytes, sizeof(bytes));
    assert_non_null(message);
    assert_int_equal(message->body_case, WARDER__V1__CLIENT_MESSAGE__BODY_OPEN);
    assert_int_equal(message->open->purpose, WARDER__V1__OPEN_PURPOSE__OPEN_PURPOSE_CHILD);
    assert_in_range((uintptr_t)message, (uintptr_t)memory, (uintptr_t)memory + sizeof(memory));
    assert_in_range((uintptr_t)message->open, (uintptr_t)memory,
                    (uintptr_t)memory + sizeof(memory));
}

static void message_without_a_body_that_is_known_is_none(void **state)
{
    (void)state;
    unsigned char memory[4096];
    struct arena arena;

    arena_init(&arena, memory, sizeof(memory));
    assert_null(decode(&arena, "", 0));
    assert_null(decode(&arena, "\xea\x04\x00", 3)); /* field 77 */
    assert_null(decode(&arena, "\x22\x05\x08", 3)); /* shorter than it says */
    assert_null(decode(&arena, "\xff\xff\xff", 3));
    arena_reset(&arena);
    assert_null(daemon_message_decode(&arena, "", 0));
}

static void message_that_needs_more_than_the_arena_is_none(void **state)
{
    (void)state;
    enum { VALUES = 1000 };
    unsigned char bytes[3 * VALUES + 32];
    unsigned char *memory = malloc(MESSAGE_ARENA_SIZE);
    struct arena arena;
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Ask ask = WARDER__V1__ASK__INIT;
    Warder__V1__Event event = WARDER__V1__EVENT__INIT;
    Warder__V1__Value value = WARDER__V1__VALUE__INIT;
    Warder__V1__Value *values[VALUES];

    assert_non_null(memory);
    for (int i = 0; i < VALUES; i++)
        values[i] = &value;
    event.arguments = values;
    event.n_arguments = VALUES;
    ask.event = &event;
    message.ask = &ask;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_ASK;
    const size_t length = warder__v1__client_message__pack(&message, bytes);
    assert_true(length <= sizeof(bytes));

    /* Whatever the size, the whole message or none, and never a byte behind the arena. */
    size_t enough = 0;
    for (size_t size = 0; size < MESSAGE_ARENA_SIZE && !enough; size += 997) {
        memset(memory + size, 0x5a, 64);
        arena_init(&arena, memory, size);
        const Warder__V1__ClientMessage *decoded = decode(&arena, bytes, length);
        for (int i = 0; i < 64; i++)
            assert_int_equal(memory[size + (size_t)i], 0x5a);
        if (!decoded)
            continue;
        assert_int_equal(decoded->ask->event->n_arguments, VALUES);
        enough = size;
    }
    assert_in_range(enough, VALUES * sizeof(Warder__V1__Value), VALUES * 256);
    free(memory);
}

static void fields_with_nul_are_no_texts(void **state)
{
    (void)state;
    unsigned char memory[256];
    struct arena arena;
    const ProtobufCBinaryData good = bytes_field("text", 4);
    const ProtobufCBinaryData bad = bytes_field("te\0t", 4);
    const ProtobufCBinaryData none = text_field(NULL);

    arena_init(&arena, memory, sizeof(memory));
    assert_string_equal(field_text(&arena, &good), "text");
    assert_null(field_text(&arena, &bad));
    assert_string_equal(field_text(&arena, &none), "");
    assert_null(field_copy(&bad, SIZE_MAX));
}

static void copy_of_a_field_has_a_bound_and_lives_by_itself(void **state)
{
    (void)state;
    char bytes[] = "text";
    const ProtobufCBinaryData field = bytes_field(bytes, 4);
    const ProtobufCBinaryData none = text_field(NULL);
    char *copy = field_copy(&field, 4);
    char *empty = field_copy(&none, 0);

    bytes[0] = 'n';
    assert_string_equal(copy, "text");
    assert_string_equal(empty, "");
    assert_null(field_copy(&field, 3));
    free(copy);
    free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_is_decoded_into_the_arena),
        cmocka_unit_test(message_without_a_body_that_is_known_is_none),
        cmocka_unit_test(message_that_needs_more_than_the_arena_is_none),
        cmocka_unit_test(fields_with_nul_are_no_texts),
        cmocka_unit_test(copy_of_a_field_has_a_bound_and_lives_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
