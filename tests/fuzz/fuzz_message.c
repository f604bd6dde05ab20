/* Any packet to the daemon, from its header to what the handlers make of the message without a
 * socket; and the same bytes as a message from the daemon.
 *
 * The first byte says what follows: a packet as it is, or a program that builds an event, which is
 * put into an Ask, packed, and damaged by what is left. Beyond memory errors: an event that is
 * accepted is well formed, says the same when it is sent again, can be judged, shown and recorded.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz_scene.h"

#include "daemon/audit/audit_item.h"
#include "daemon/audit/event_json.h"
#include "daemon/session/session.h"
#include "daemon/session/session_facts.h"
#include "policies/engine/evaluate.h"
#include "policies/engine/event_text.h"
#include "policies/language/compile.h"
#include "proto/event_bytes.h"
#include "proto/event_wire.h"
#include "proto/packet.h"

enum {
    ARENA_SIZE = MESSAGE_ARENA_SIZE + EVENT_ARENA_SIZE, /* as the server's */
    PACKED_MAX = 256 * 1024,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static volatile unsigned sink;

static void read_value(const struct value *value, int depth)
{
    const size_t children = value->kind == VALUE_MAP    ? 2 * (size_t)value->count
                            : value->kind == VALUE_LIST ? value->count
                                                        : 0;

    require(value->kind <= VALUE_OBJECT && depth <= VALUE_DEPTH_MAX);
    require(value->kind != VALUE_OBJECT || (value->marks & VALUE_OPAQUE));
    if (value->kind == VALUE_TEXT || value->kind == VALUE_BYTES || value->kind == VALUE_BIG_INT ||
        value->kind == VALUE_OBJECT)
        for (uint32_t i = 0; i < value->count; i++)
            sink += (unsigned char)value->bytes[i];
    for (size_t i = 0; i < children; i++)
        read_value(&value->items[i], depth + 1);
}

static void read_event(const struct event *event)
{
    require(event->name_length <= EVENT_NAME_MAX);
    require(event->operation_count <= EVENT_OPERATIONS_MAX);
    for (uint32_t i = 0; i < event->argument_count; i++)
        read_value(&event->arguments[i], 0);
    for (uint32_t i = 0; i < event->operation_count; i++) {
        const struct operation *operation = &event->operations[i];
        uint32_t last = ATTRIBUTE_NONE;
        require(operation->operation_class > CLASS_NONE &&
                operation->operation_class < CLASS_COUNT);
        for (uint32_t j = 0; j < operation->attribute_count; j++) {
            require(operation->attributes[j].name > last);
            last = operation->attributes[j].name;
            read_value(&operation->attributes[j].value, 0);
            read_value(&operation->attributes[j].resolved, 0);
            read_value(&operation->attributes[j].given, 0);
        }
    }
}

/* Policies that look at every kind of attribute. */
static const struct policy_block *policies(void)
{
    static const char text[] =
        "policy a { default deny exec  allow exec where file is \"/bin/id\" and argv has \"-u\" "
        "and env[\"PATH\"] is \"/bin\" as a }\n"
        "policy b { deny write where not path under session.start as w  "
        "deny connect where port < 1024 or address is 10.0.0.0/8 as c  "
        "deny resolve where host is \"*.example.org\" as h }\n"
        "policy c { log event \"open\" where arg[0] matches \"*x*\" as o  "
        "deny read where path matches \"/proc/**/mem\" as m }\n";
    static struct policy_block *block;

    if (!block) {
        const struct policy_text policy = {
            .file = "fuzz.warder", .text = text, .length = sizeof(text) - 1, .tier = TIER_LOCAL};
        struct diagnostics *diagnostics = diagnostics_new();
        block = policy_compile(&policy, 1, NULL, diagnostics);
        require(block != NULL);
        diagnostics_free(diagnostics);
    }
    return block;
}

static void judge(const struct event *event)
{
    static const uint32_t all[] = {0, 1, 2};
    static const char *const roots[] = {"/srv"};
    struct subject subject = {.user = "alice", .platform = "linux", .python = "3.11.7"};
    const struct governing governing = {.policies = all, .count = 3};
    struct judgement judgement;
    char text[EVENT_TEXT_MAX];

    subject.places[PLACE_START] = (struct place_paths){1, roots};
    evaluate(policies(), &governing, &subject, event, &judgement);
    require(judgement.verdict >= VERDICT_ALLOW && judgement.verdict <= VERDICT_KILL);
    for (uint32_t i = 0; i <= event->operation_count; i++)
        require(event_text(event, i, text, sizeof(text)) < sizeof(text));
}

static void record(const struct event *event)
{
    json_t *arguments = event_arguments_json(event);
    json_t *operations = event_operations_json(event);

    require(arguments && operations);
    char *text = json_dumps(arguments, JSON_COMPACT | JSON_ENCODE_ANY);
    require(text != NULL);
    free(text);
    text = json_dumps(operations, JSON_COMPACT | JSON_ENCODE_ANY);
    require(text != NULL);
    free(text);
    json_decref(arguments);
    json_decref(operations);
}

/* What was understood is understood the same when it is said again. */
static void say_again(const struct event *event)
{
    static _Alignas(max_align_t) unsigned char memory[2 * ARENA_SIZE];
    struct arena arena;
    Warder__V1__Event first;
    Warder__V1__Event second;
    struct event again;

    arena_init(&arena, memory, sizeof(memory));
    if (!event_to_wire(event, &arena, &first))
        return;
    const size_t size = warder__v1__event__get_packed_size(&first);
    unsigned char *bytes = arena_alloc(&arena, 2 * size);
    if (!bytes || !event_from_wire(&first, &arena, &again) ||
        !event_to_wire(&again, &arena, &second)) {
        require(arena.exhausted);
        return;
    }
    require(warder__v1__event__get_packed_size(&second) == size);
    warder__v1__event__pack(&first, bytes);
    warder__v1__event__pack(&second, bytes + size);
    require(memcmp(bytes, bytes + size, size) == 0);
}

/* What is read without protobuf-c is what protobuf-c reads. */
static void read_alike(const void *bytes, size_t size, const Warder__V1__ClientMessage *message,
                       struct arena *arena)
{
    static _Alignas(max_align_t) unsigned char memory[ARENA_SIZE];
    static unsigned char once[PACKED_MAX];
    static unsigned char again[PACKED_MAX];
    struct sent_event sent;
    struct event event;
    struct arena own;

    arena_init(&own, memory, sizeof(memory));
    if (!ask_bytes_read(bytes, size, &own, &sent))
        return;
    read_event(&sent.event);
    /* Unless the other's arena is the smaller one. */
    if (!message || !message->ask->event || !event_from_wire(message->ask->event, arena, &event)) {
        require(arena->exhausted);
        return;
    }
    require(message->ask->continues == sent.continues && event.number == sent.event.number);
    const unsigned char *first =
        ask_bytes_write(&sent.event, sent.continues, once, once + sizeof(once));
    const unsigned char *second =
        ask_bytes_write(&event, sent.continues, again, again + sizeof(again));
    require(!first == !second);
    require(!first || (first - once == second - again &&
                       memcmp(first, second, (size_t)(once + sizeof(once) - first)) == 0));
}

static void take_event(const Warder__V1__Event *message, struct arena *arena)
{
    struct event event;

    if (!message || !event_from_wire(message, arena, &event))
        return;
    read_event(&event);
    judge(&event);
    record(&event);
    say_again(&event);
}

static void take_wishes(const Warder__V1__Wishes *message)
{
    char *words = NULL;
    struct wishes *wishes = wishes_new(message, &words);

    require(!wishes || !words);
    wishes_release(wishes);
    free(words);
}

static void take_hello(const Warder__V1__Hello *hello)
{
    struct session_facts facts = {
        .identity = {.pid = getpid(), .uid = getuid(), .gid = getgid(), .pidfd = -1}};
    const struct facts_source source = {.executable = -1, .directory = -1};
    const char *refusal = NULL;

    if (session_facts_learn(&facts, hello, &source, &refusal))
        require(facts.argv_count <= SESSION_ARGUMENTS_MAX && facts.python && facts.hook);
    else
        require(refusal != NULL);
    session_facts_deinit(&facts);
    take_wishes(hello->wishes);
}

static void take_denied(const Warder__V1__Denied *denied)
{
    const struct audit_decision decision = {.number = 1,
                                            .count = 1,
                                            .verdict = "deny",
                                            .policy = "local/a",
                                            .rule = "r",
                                            .message = "",
                                            .event = ""};
    struct audit_item *item = audit_item_decision(1, &decision);

    if (item && denied->file.len <= 4096)
        item = audit_item_with_place(item, (const char *)denied->file.data, denied->file.len,
                                     denied->line);
    audit_item_free(item);
}

static void take_message(const void *bytes, size_t size, size_t arena_size)
{
    static _Alignas(max_align_t) unsigned char memory[ARENA_SIZE];
    struct arena arena;

    arena_init(&arena, memory, arena_size < ARENA_SIZE ? arena_size : ARENA_SIZE);
    sink += daemon_message_decode(&arena, bytes, size) != NULL;
    arena_reset(&arena);
    const Warder__V1__ClientMessage *message = client_message_decode(&arena, bytes, size);
    const bool is_ask = message && message->body_case == WARDER__V1__CLIENT_MESSAGE__BODY_ASK;
    const size_t used = arena.used;
    read_alike(bytes, size, is_ask ? message : NULL, &arena);
    arena.used = used;
    if (!message)
        return;
    switch (message->body_case) {
    case WARDER__V1__CLIENT_MESSAGE__BODY_ASK:
        take_event(message->ask->event, &arena);
        break;
    case WARDER__V1__CLIENT_MESSAGE__BODY_RECORDS:
        for (size_t i = 0; i < message->records->n_records; i++)
            take_event(message->records->records[i]->event, &arena);
        break;
    case WARDER__V1__CLIENT_MESSAGE__BODY_HELLO:
        take_hello(message->hello);
        break;
    case WARDER__V1__CLIENT_MESSAGE__BODY_LAUNCH:
        take_wishes(message->launch->wishes);
        break;
    case WARDER__V1__CLIENT_MESSAGE__BODY_DENIED:
        take_denied(message->denied);
        break;
    default:
        break;
    }
}

/* As a connection checks it: header, number, MAC. */
static void take_packet(const uint8_t *data, size_t size, size_t arena_size)
{
    static const unsigned char key[SIPHASH_KEY_SIZE] = {1};
    const struct packet_context context = {.key = key, .direction = TO_DAEMON, .connection = 7};
    struct packet_header header;
    unsigned char tag[SIPHASH_TAG_SIZE];

    if (size < PACKET_HEADER_SIZE || !packet_header_read(&header, data))
        return;
    const uint8_t *body = data + PACKET_HEADER_SIZE;
    const size_t length = size - PACKET_HEADER_SIZE;
    packet_tag(&context, &header, body, length, tag);
    require(packet_is_authentic(&context, &header, body, length) ==
            (memcmp(tag, header.tag, sizeof(tag)) == 0));
    take_message(body, length, arena_size);
}

/* An event that a hook could have sent, and then some bytes of it changed. */
static void take_built(struct input *input, size_t arena_size)
{
    static struct scene scene;
    static _Alignas(max_align_t) unsigned char memory[ARENA_SIZE];
    static unsigned char packed[PACKED_MAX];
    struct arena arena;
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Ask ask = WARDER__V1__ASK__INIT;
    Warder__V1__Event event;

    next_scene(input, &scene);
    for (unsigned i = next_byte(input) % EVENT_OPERATIONS_MAX; i > 0; i--)
        next_operation(input, &scene,
                       (enum operation_class)(1 + next_byte(input) % (CLASS_COUNT - 1)));
    arena_init(&arena, memory, sizeof(memory));
    require(event_to_wire(&scene.event, &arena, &event));
    ask.event = &event;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_ASK;
    message.ask = &ask;
    const size_t size = warder__v1__client_message__get_packed_size(&message);
    if (size == 0 || size > sizeof(packed))
        return;
    warder__v1__client_message__pack(&message, packed);
    while (input->size > 2) {
        const size_t at = (size_t)next_byte(input) << 8 | next_byte(input);
        packed[at % size] = next_byte(input);
    }
    /* A block of its own, so that a byte read behind the message is seen. */
    unsigned char *copy = malloc(size);
    require(copy != NULL);
    memcpy(copy, packed, size);
    take_message(copy, size, arena_size);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    const uint8_t choice = next_byte(&input);
    /* Now and then one that is soon exhausted. */
    const size_t arena_size = (choice & 0x0c) == 0x0c ? (size_t)choice * 32 : ARENA_SIZE;

    if (choice & 1)
        take_built(&input, arena_size);
    else
        take_packet(input.data, input.size, arena_size);
    return 0;
}
