/* Any event, with any arguments, mapped for a process that answers anything: nothing is read or
 * written out of bounds, and what comes out has the form that the evaluator counts on.
 *
 * The input is a program for building an event: a number, then values, each a kind, marks and
 * content; the resolver's answers come from what is left. Texts are copied to blocks of their exact
 * size, so that AddressSanitizer sees the byte behind them. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policies/catalogue/catalogue.h"
#include "policies/engine/event_map.h"

enum {
    ARGUMENTS_MAX = 9,
    BLOCKS_MAX = 256,
    ITEMS_MAX = 12,
    ARENA_SIZE = EVENT_MAP_SCRATCH + 64 * 1024,
};

/* What is left of the input, and the blocks made from it. */
struct input {
    const uint8_t *data;
    size_t size;
    void *blocks[BLOCKS_MAX];
    size_t block_count;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t next_byte(struct input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

static int64_t next_number(struct input *input)
{
    uint64_t number = 0;
    const unsigned width = next_byte(input) % 9;
    for (unsigned i = 0; i < width; i++)
        number = number << 8 | next_byte(input);
    return (int64_t)(width < 8 ? number - (width > 0 ? 1 : 0) : number);
}

static void *new_block(struct input *input, size_t size)
{
    if (input->block_count == BLOCKS_MAX)
        return NULL;
    void *block = malloc(size > 0 ? size : 1);
    if (block)
        input->blocks[input->block_count++] = block;
    return block;
}

static struct value next_value(struct input *input, unsigned depth)
{
    struct value value = {.kind = (uint8_t)(next_byte(input) % (VALUE_OBJECT + 1))};
    value.marks = next_byte(input) & 0x80 ? next_byte(input) & 7 : 0;

    switch ((enum value_kind)value.kind) {
    case VALUE_NONE:
        break;
    case VALUE_BOOL:
        value.truth = next_byte(input) & 1;
        break;
    case VALUE_INT:
        value.integer = next_number(input);
        break;
    case VALUE_FLOAT:
        value.real = (double)next_number(input);
        break;
    case VALUE_BIG_INT:
    case VALUE_TEXT:
    case VALUE_BYTES:
    case VALUE_OBJECT: {
        const size_t step = next_byte(input) & 0xc0 ? 1 : 40;
        const size_t wanted = step * next_byte(input);
        const size_t length = wanted < input->size ? wanted : input->size;
        char *bytes = new_block(input, length);
        if (bytes) {
            memcpy(bytes, input->data, length);
            value.bytes = bytes;
            value.count = (uint32_t)length;
            input->data += length;
            input->size -= length;
        }
        if (value.kind == VALUE_OBJECT)
            value.marks |= VALUE_OPAQUE;
        break;
    }
    case VALUE_LIST:
    case VALUE_MAP: {
        const uint32_t count = depth < VALUE_DEPTH_MAX ? next_byte(input) % ITEMS_MAX : 0;
        const size_t nodes = value.kind == VALUE_MAP ? 2 * (size_t)count : count;
        struct value *items = new_block(input, nodes * sizeof(*items));
        if (items) {
            for (size_t i = 0; i < nodes; i++)
                items[i] = next_value(input, depth + 1);
            value.items = items;
            value.count = count;
        }
        break;
    }
    }
    return value;
}

/* ---------------------------------------------------------------- a process that says anything */

static bool any_text(struct input *input, char *buffer, size_t size)
{
    const uint8_t choice = next_byte(input);
    const size_t wanted = (size_t)choice * (next_byte(input) & 1 ? 1U : 16U);
    const size_t length = wanted < size - 1 ? wanted : size - 1;

    if (choice == 0)
        return false;
    buffer[0] = '/';
    for (size_t i = 1; i < length; i++) {
        const uint8_t byte = next_byte(input);
        memcpy(&buffer[i], byte ? (const void *)&byte : "a", 1);
    }
    buffer[length > 0 ? length : 1] = '\0';
    return true;
}

static bool caller_directory(void *context, char *buffer, size_t size)
{
    return any_text(context, buffer, size);
}

static enum resolver_answer answer_text(struct input *input, char *buffer, size_t size)
{
    const enum resolver_answer answer = (enum resolver_answer)(next_byte(input) % 3);
    if (answer != ANSWER_KNOWN)
        return answer;
    return any_text(input, buffer, size) ? ANSWER_KNOWN : ANSWER_UNKNOWN;
}

static int open_directories(void *context, int *descriptors, int max)
{
    const int count = next_byte(context) % (max + 3) - 1;

    for (int i = 0; i < count && i < max; i++)
        descriptors[i] = next_byte(context);
    return count;
}

static enum resolver_answer descriptor_path(void *context, int64_t descriptor, char *buffer,
                                            size_t size)
{
    (void)descriptor;
    return answer_text(context, buffer, size);
}

static bool resolve(void *context, const char *path, bool follow, char *buffer, size_t size)
{
    (void)follow;
    if (next_byte(context) & 1 && strlen(path) < size) {
        memcpy(buffer, path, strlen(path) + 1);
        return true;
    }
    return any_text(context, buffer, size);
}

static bool executable(void *context, const char *path)
{
    return strlen(path) > 0 && next_byte(context) & 1;
}

static enum resolver_answer variable(void *context, const char *name, char *buffer, size_t size)
{
    (void)name;
    return answer_text(context, buffer, size);
}

static bool environment(void *context, struct arena *arena, struct value *map)
{
    struct value *items = arena_zalloc(arena, 2, sizeof(*items));
    *map = (struct value){.kind = VALUE_MAP, .marks = VALUE_CUT, .count = items ? 1 : 0};
    map->items = items;
    return next_byte(context) & 1;
}

static int socket_family(void *context, unsigned argument)
{
    (void)argument;
    return (int)(next_byte(context) % 42) - 1;
}

static bool socket_is_tied(void *context, unsigned argument)
{
    (void)argument;
    return next_byte(context) & 1;
}

static bool code_filename(void *context, unsigned argument, char *buffer, size_t size)
{
    (void)argument;
    return any_text(context, buffer, size);
}

static enum process_relation relation(void *context, int64_t pid)
{
    (void)pid;
    return (enum process_relation)(next_byte(context) % 4);
}

/* ---------------------------------------------------------------- what must hold */

/* Reads every byte, so that the sanitizer does. */
static uint64_t read_value(const struct value *value)
{
    uint64_t sum = value->kind;
    switch ((enum value_kind)value->kind) {
    case VALUE_TEXT:
    case VALUE_BYTES:
    case VALUE_BIG_INT:
    case VALUE_OBJECT:
        for (uint32_t i = 0; i < value->count; i++)
            sum += (unsigned char)value->bytes[i];
        break;
    case VALUE_LIST:
        for (uint32_t i = 0; i < value->count; i++)
            sum += read_value(&value->items[i]);
        break;
    case VALUE_MAP:
        for (size_t i = 0; i < 2 * (size_t)value->count; i++)
            sum += read_value(&value->items[i]);
        break;
    default:
        break;
    }
    return sum;
}

static volatile uint64_t sink; /* so that no reading is left out */

static void check_operation(const struct operation *operation)
{
    unsigned last = ATTRIBUTE_NONE;

    if (operation->attribute_count > EVENT_ATTRIBUTES_MAX)
        abort();
    for (uint32_t i = 0; i < operation->attribute_count; i++) {
        const struct attribute *attribute = &operation->attributes[i];
        if (attribute->name <= last ||
            !vocabulary_class_has(operation->operation_class, attribute->name))
            abort();
        last = attribute->name;
        sink = read_value(&attribute->value) + read_value(&attribute->resolved) +
               read_value(&attribute->given);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(max_align_t) unsigned char memory[ARENA_SIZE];
    static struct input input;
    input = (struct input){.data = data, .size = size};

    const unsigned choice = (unsigned)next_byte(&input) << 8 | next_byte(&input);
    const uint16_t number = (uint16_t)(choice % (catalogue_event_count() + 2U));
    const uint8_t shape = next_byte(&input);
    const struct event_entry *entry = catalogue_event(number);
    struct event event = {
        .number = number,
        .name = entry ? entry->name : "unknown",
        .name_length = (uint32_t)strlen(entry ? entry->name : "unknown"),
        .argument_count = shape % (ARGUMENTS_MAX + 1),
    };
    struct value *arguments = new_block(&input, event.argument_count * sizeof(*arguments));
    if (!arguments)
        return 0;
    for (uint32_t i = 0; i < event.argument_count; i++)
        arguments[i] = next_value(&input, 0);
    event.arguments = arguments;

    const struct event_resolver resolver = {
        .context = &input,
        .windows = shape & 0x80,
        .python_minor = 8 + (shape >> 4 & 7),
        .caller_directory = caller_directory,
        .open_directories = open_directories,
        .descriptor_path = descriptor_path,
        .resolve = resolve,
        .executable = executable,
        .variable = variable,
        .environment = environment,
        .socket_family = socket_family,
        .socket_is_tied = socket_is_tied,
        .code_filename = code_filename,
        .relation = relation,
    };
    struct arena arena;
    arena_init(&arena, memory, next_byte(&input) & 3 ? sizeof(memory) : (size_t)shape * 128);

    const bool fits = event_map(&event, &resolver, &arena);
    if (event.operation_count > EVENT_OPERATIONS_MAX || (!fits && event.operation_count > 0))
        abort();
    for (uint32_t i = 0; i < event.operation_count; i++)
        check_operation(&event.operations[i]);
    while (input.block_count > 0)
        free(input.blocks[--input.block_count]);
    return 0;
}
