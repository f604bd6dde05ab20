/* The bytes that are written without protobuf-c are protobuf-c's own, and what is read without it
 * is what it reads: of every event of the catalogue as CPython raises it, and of all that becomes
 * of those bytes when one of them is changed, cut off or added. */
#include "unit_test.h"

#include <string.h>

#include "event_examples.h"
#include "event_map_fixture.h"
#include "proto/event_bytes.h"
#include "proto/event_wire.h"
#include "proto/verdict_bytes.h"

enum { BYTES_MAX = 16 * 1024 };

static _Alignas(max_align_t) unsigned char memory[4][256 * 1024];

/* An Ask as protobuf-c writes it; its length. */
static size_t packed_ask(const struct event *event, uint64_t continues, unsigned char *bytes)
{
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Ask ask = WARDER__V1__ASK__INIT;
    Warder__V1__Event wire;
    struct arena arena;

    arena_init(&arena, memory[0], sizeof(memory[0]));
    assert_true(event_to_wire(event, &arena, &wire));
    ask.event = &wire;
    ask.continues = continues;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_ASK;
    message.ask = &ask;
    assert_true(warder__v1__client_message__get_packed_size(&message) <= BYTES_MAX);
    return warder__v1__client_message__pack(&message, bytes);
}

static size_t written_ask(const struct event *event, uint64_t continues, unsigned char *bytes)
{
    unsigned char *end = bytes + BYTES_MAX;
    unsigned char *begin = ask_bytes_write(event, continues, bytes, end);

    assert_non_null(begin);
    memmove(bytes, begin, (size_t)(end - begin));
    return (size_t)(end - begin);
}

/* Reads the bytes both ways. What is taken without protobuf-c is the same event to it. True if it
 * was taken. */
static bool is_read_alike(const unsigned char *bytes, size_t length)
{
    static unsigned char once[BYTES_MAX];
    static unsigned char again[BYTES_MAX];
    struct arena arena;
    struct arena message_arena;
    struct sent_event sent;
    struct event event;

    arena_init(&arena, memory[1], sizeof(memory[1]));
    if (!ask_bytes_read(bytes, length, &arena, &sent))
        return false;
    arena_init(&message_arena, memory[2], sizeof(memory[2]));
    const Warder__V1__ClientMessage *message = client_message_decode(&message_arena, bytes, length);
    assert_non_null(message);
    assert_int_equal(message->body_case, WARDER__V1__CLIENT_MESSAGE__BODY_ASK);
    assert_non_null(message->ask->event);
    assert_true(event_from_wire(message->ask->event, &message_arena, &event));
    assert_int_equal(message->ask->continues, sent.continues);
    assert_int_equal(event.number, sent.event.number);
    const size_t size = written_ask(&sent.event, sent.continues, once);
    assert_int_equal(written_ask(&event, sent.continues, again), size);
    assert_memory_equal(once, again, size);
    /* Its own bytes are an event, and this one. */
    arena_init(&message_arena, memory[2], sizeof(memory[2]));
    const Warder__V1__Event *own = (const Warder__V1__Event *)message_decode(
        &warder__v1__event__descriptor, &message_arena, sent.bytes, sent.size);
    assert_non_null(own);
    assert_true(event_from_wire(own, &message_arena, &event));
    assert_int_equal(written_ask(&event, sent.continues, again), size);
    assert_memory_equal(once, again, size);
    return true;
}

static struct event example_event(size_t i)
{
    const struct event_example *example = &event_examples[i];
    struct process process = usual_process();

    if (example->socket_family != 0)
        process.socket_family = example->socket_family;
    return map_event(&process, example->event, example->arguments, example->argument_count);
}

static void every_event_is_written_and_read_as_protobuf_does(void **state)
{
    static unsigned char expected[BYTES_MAX];
    static unsigned char bytes[BYTES_MAX];
    const uint64_t numbers[] = {0, 1, 127, 128, UINT32_MAX, UINT64_C(1) << 62};

    (void)state;
    for (size_t i = 0; i < event_example_count; i++) {
        const struct event event = example_event(i);
        const uint64_t continues = numbers[i % (sizeof(numbers) / sizeof(*numbers))];
        const size_t length = packed_ask(&event, continues, expected);
        assert_int_equal(written_ask(&event, continues, bytes), length);
        assert_memory_equal(bytes, expected, length);
        assert_true(is_read_alike(bytes, length));
    }
}

static void every_kind_of_value_is_written_and_read_as_protobuf_does(void **state)
{
    static unsigned char expected[BYTES_MAX];
    static unsigned char bytes[BYTES_MAX];
    const struct value inner[] = {NONE, BOOL(true), INT(-1), EMPTY_LIST};
    const struct value pairs[] = {TEXT("a"), INT(300), TEXT(""), BYTES("\0\xff")};
    const struct value values[] = {
        NONE,
        BOOL(false),
        BOOL(true),
        INT(0),
        INT(63),
        INT(-64),
        INT(64),
        INT(INT32_MIN),
        INT(INT64_MAX / 4),
        {.kind = VALUE_BIG_INT, .count = 9, .bytes = "123456789"},
        {.kind = VALUE_FLOAT, .real = 0.0},
        {.kind = VALUE_FLOAT, .real = -0.0},
        {.kind = VALUE_FLOAT, .real = 1.5},
        TEXT("text"),
        BYTES("bytes"),
        OBJECT("module.Class"),
        SUBCLASS_TEXT("s"),
        CUT_TEXT("c"),
        {.kind = VALUE_LIST, .count = 4, .items = inner},
        {.kind = VALUE_MAP, .count = 2, .items = pairs},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        const struct event event = {
            .name = "e", .name_length = 1, .argument_count = 1, .arguments = &values[i]};
        const size_t length = packed_ask(&event, 0, expected);
        assert_int_equal(written_ask(&event, 0, bytes), length);
        assert_memory_equal(bytes, expected, length);
        assert_true(is_read_alike(bytes, length));
    }
    /* Ten bytes of a number: protobuf-c reads those. */
    const struct value largest = INT(INT64_MIN);
    const struct event event = {
        .name = "e", .name_length = 1, .argument_count = 1, .arguments = &largest};
    const size_t length = packed_ask(&event, 0, expected);
    assert_int_equal(written_ask(&event, 0, bytes), length);
    assert_memory_equal(bytes, expected, length);
    assert_false(is_read_alike(bytes, length));
}

static void changed_bytes_are_read_as_protobuf_does_or_not_at_all(void **state)
{
    static unsigned char bytes[2 * BYTES_MAX];
    static const unsigned char changes[] = {0x01, 0x02, 0x08, 0x80, 0xff};
    unsigned taken = 0;
    unsigned left = 0;

    (void)state;
    for (size_t i = 0; i < event_example_count; i += 3) {
        const struct event event = example_event(i);
        const size_t length = written_ask(&event, i, bytes);
        for (size_t at = 0; at < length; at++) {
            for (size_t j = 0; j < sizeof(changes); j++) {
                bytes[at] ^= changes[j];
                const bool alike = is_read_alike(bytes, length);
                taken += alike;
                left += !alike;
                bytes[at] ^= changes[j];
            }
            assert_false(is_read_alike(bytes, at)); /* cut */
        }
        memcpy(bytes + length, bytes, length);
        assert_false(is_read_alike(bytes, 2 * length)); /* twice */
        assert_false(is_read_alike(bytes, length + 1));
    }
    assert_true(taken > 1000 && left > 1000);
}

static void what_has_no_room_is_not_written(void **state)
{
    static unsigned char bytes[BYTES_MAX];
    const struct event event = example_event(0);
    const size_t length = written_ask(&event, 7, bytes);

    (void)state;
    for (size_t room = 0; room < length; room++)
        assert_null(ask_bytes_write(&event, 7, bytes, bytes + room));
    assert_ptr_equal(ask_bytes_write(&event, 7, bytes, bytes + length), bytes);
}

static void values_in_values_are_read_to_their_bound(void **state)
{
    static unsigned char bytes[BYTES_MAX];
    struct value nested[VALUE_DEPTH_MAX + 2];

    (void)state;
    for (size_t i = 0; i < VALUE_DEPTH_MAX + 2; i++)
        nested[i] = (struct value){
            .kind = VALUE_LIST, .count = i > 0, .items = i > 0 ? &nested[i - 1] : NULL};
    struct event event = {.name = "e", .name_length = 1, .argument_count = 1};
    event.arguments = &nested[VALUE_DEPTH_MAX];
    assert_true(is_read_alike(bytes, written_ask(&event, 0, bytes)));
    event.arguments = &nested[VALUE_DEPTH_MAX + 1];
    assert_false(is_read_alike(bytes, written_ask(&event, 0, bytes)));
}

static void records_are_written_and_read_as_protobuf_does(void **state)
{
    static unsigned char expected[BYTES_MAX];
    static unsigned char bytes[BYTES_MAX];
    Warder__V1__Record record = WARDER__V1__RECORD__INIT;
    Warder__V1__Event wire;
    struct sent_event sent;
    struct arena arena;

    (void)state;
    for (size_t i = 0; i < event_example_count; i++) {
        const struct event event = example_event(i);
        arena_init(&arena, memory[0], sizeof(memory[0]));
        assert_true(event_to_wire(&event, &arena, &wire));
        record.time = UINT64_C(1700000000000000000) * (i % 2);
        record.event = &wire;
        const size_t length = warder__v1__record__pack(&record, expected);
        unsigned char *end = bytes + BYTES_MAX;
        unsigned char *begin = record_bytes_write(&event, record.time, bytes, end);
        assert_int_equal(end - begin, length);
        assert_memory_equal(begin, expected, length);
        arena_init(&arena, memory[1], sizeof(memory[1]));
        assert_true(record_bytes_read(begin, length, &arena, &sent));
        assert_int_equal(sent.time, record.time);
        assert_int_equal(sent.event.operation_count, event.operation_count);
        assert_false(record_bytes_read(begin, length - 1, &arena, &sent));
    }
}

static void verdicts_are_written_and_read_as_protobuf_does(void **state)
{
    const struct plain_verdict verdicts[] = {
        {.decision = 0},
        {.decision = 1, .guarded = 1, .held = 300, .flat = UINT32_MAX, .only_exec = true},
        {.decision = UINT64_C(1) << 62, .guarded = UINT32_MAX, .held = UINT32_MAX},
    };
    unsigned char bytes[VERDICT_BYTES_MAX];
    unsigned char expected[2 * VERDICT_BYTES_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++) {
        Warder__V1__DaemonMessage message = WARDER__V1__DAEMON_MESSAGE__INIT;
        Warder__V1__Verdict verdict = WARDER__V1__VERDICT__INIT;
        struct plain_verdict read;
        verdict.outcome = WARDER__V1__OUTCOME__OUTCOME_ALLOW;
        verdict.decision = verdicts[i].decision;
        verdict.guarded = verdicts[i].guarded;
        verdict.held = verdicts[i].held;
        verdict.flat = verdicts[i].flat;
        verdict.only_exec = verdicts[i].only_exec;
        message.body_case = WARDER__V1__DAEMON_MESSAGE__BODY_VERDICT;
        message.verdict = &verdict;
        const size_t length = warder__v1__daemon_message__pack(&message, expected);
        unsigned char *begin = verdict_bytes_write(&verdicts[i], bytes + sizeof(bytes));
        assert_int_equal(bytes + sizeof(bytes) - begin, length);
        assert_memory_equal(begin, expected, length);
        assert_true(verdict_bytes_read(begin, length, &read));
        assert_int_equal(read.decision, verdicts[i].decision);
        assert_int_equal(read.guarded, verdicts[i].guarded);
        assert_int_equal(read.held, verdicts[i].held);
        assert_int_equal(read.flat, verdicts[i].flat);
        assert_int_equal(read.only_exec, verdicts[i].only_exec);
        for (size_t cut = 0; cut < length; cut++)
            assert_false(verdict_bytes_read(begin, cut, &read));
        memcpy(expected + length, expected, length);
        assert_false(verdict_bytes_read(expected, 2 * length, &read));
    }
}

static void only_verdicts_that_allow_are_read(void **state)
{
    unsigned char bytes[VERDICT_BYTES_MAX];
    Warder__V1__DaemonMessage message = WARDER__V1__DAEMON_MESSAGE__INIT;
    Warder__V1__Verdict verdict = WARDER__V1__VERDICT__INIT;
    struct plain_verdict read;

    (void)state;
    message.body_case = WARDER__V1__DAEMON_MESSAGE__BODY_VERDICT;
    message.verdict = &verdict;
    verdict.decision = 3;
    for (int outcome = 0; outcome < 4; outcome++) {
        verdict.outcome = (Warder__V1__Outcome)outcome;
        const size_t length = warder__v1__daemon_message__pack(&message, bytes);
        assert_int_equal(verdict_bytes_read(bytes, length, &read),
                         outcome == WARDER__V1__OUTCOME__OUTCOME_ALLOW);
    }
    verdict.outcome = WARDER__V1__OUTCOME__OUTCOME_ALLOW;
    verdict.text = text_field("more");
    assert_false(
        verdict_bytes_read(bytes, warder__v1__daemon_message__pack(&message, bytes), &read));
    verdict.text = text_field("");
    ProtobufCBinaryData name = text_field("PATH");
    verdict.environment = &name;
    verdict.n_environment = 1;
    assert_false(
        verdict_bytes_read(bytes, warder__v1__daemon_message__pack(&message, bytes), &read));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_is_written_and_read_as_protobuf_does),
        cmocka_unit_test(every_kind_of_value_is_written_and_read_as_protobuf_does),
        cmocka_unit_test(changed_bytes_are_read_as_protobuf_does_or_not_at_all),
        cmocka_unit_test(what_has_no_room_is_not_written),
        cmocka_unit_test(values_in_values_are_read_to_their_bound),
        cmocka_unit_test(records_are_written_and_read_as_protobuf_does),
        cmocka_unit_test(verdicts_are_written_and_read_as_protobuf_does),
        cmocka_unit_test(only_verdicts_that_allow_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
