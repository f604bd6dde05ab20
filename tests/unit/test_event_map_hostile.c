/* Every program can raise every event with whatever it likes (sys.audit): nothing that comes may be
 * read as what it is not, and doubt may add operations and never lose one. Texts and arguments are
 * heap blocks of their exact size, so that AddressSanitizer sees the byte behind them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event_examples.h"
#include "event_map_fixture.h"
#include "policies/catalogue/catalogue.h"

enum {
    ARGUMENTS_MAX = 6,
    MARKS_MAX = 8,   /* every combination of three */
    BLOCKS_MAX = 64, /* of one hostile_values */
};

static const uint8_t every_mark[] = {VALUE_SUBCLASS, VALUE_CUT, VALUE_OPAQUE,
                                     VALUE_SUBCLASS | VALUE_CUT,
                                     VALUE_SUBCLASS | VALUE_CUT | VALUE_OPAQUE};

/* ---------------------------------------------------------------- values */

static void *blocks[BLOCKS_MAX];
static size_t block_count;

static void *block(const void *bytes, size_t size)
{
    assert_true(block_count < BLOCKS_MAX);
    void *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, bytes, size);
    blocks[block_count++] = copy;
    return copy;
}

static void free_blocks(void)
{
    while (block_count > 0)
        free(blocks[--block_count]);
}

static struct value bytes_value(enum value_kind kind, const char *bytes, size_t length)
{
    return (struct value){
        .kind = (uint8_t)kind, .count = (uint32_t)length, .bytes = block(bytes, length)};
}

static struct value list_value(enum value_kind kind, const struct value *items, uint32_t count)
{
    return (struct value){.kind = (uint8_t)kind,
                          .count = kind == VALUE_MAP ? count / 2 : count,
                          .items = block(items, count * sizeof(*items))};
}

enum { HOSTILE_COUNT = 27 };

/* One value of every kind and shape that a program could make, without marks. */
static size_t hostile_values(struct value *values)
{
    static const char nul[] = "/etc/\0passwd";
    static char path[5000];
    size_t count = 0;
    memset(path, '/', sizeof(path));

    values[count++] = value_none();
    values[count++] = value_bool(true);
    values[count++] = value_bool(false);
    values[count++] = value_int(0);
    values[count++] = value_int(-1);
    values[count++] = value_int(INT64_MIN);
    values[count++] = value_int(INT64_MAX);
    values[count++] = bytes_value(VALUE_BIG_INT, "\1\2\3\4\5\6\7\10\11", 9);
    values[count++] = bytes_value(VALUE_BIG_INT, "", 0);
    values[count++] = (struct value){.kind = VALUE_FLOAT, .real = 5.0};
    values[count++] = bytes_value(VALUE_TEXT, "", 0);
    values[count++] = (struct value){.kind = VALUE_TEXT};
    values[count++] = bytes_value(VALUE_TEXT, "x", 1);
    values[count++] = bytes_value(VALUE_TEXT, "/", 1);
    values[count++] = bytes_value(VALUE_TEXT, "%", 1);
    values[count++] = bytes_value(VALUE_TEXT, "../../x", 7);
    values[count++] = bytes_value(VALUE_BYTES, nul, sizeof(nul) - 1);
    values[count++] = bytes_value(VALUE_BYTES, "\0", 1);
    values[count++] = bytes_value(VALUE_BYTES, path, sizeof(path));
    values[count++] = bytes_value(VALUE_OBJECT, "PosixPath", 9);
    values[count++] = (struct value){.kind = VALUE_OBJECT};
    values[count++] = list_value(VALUE_LIST, NULL, 0);
    values[count++] = (struct value){.kind = VALUE_LIST};
    values[count] = list_value(VALUE_LIST, values, (uint32_t)count);
    count++;
    values[count] = list_value(VALUE_LIST, &values[10], 3); /* texts first, as an address has */
    count++;
    values[count] = list_value(VALUE_MAP, values, 22);
    count++;
    values[count++] = (struct value){.kind = VALUE_MAP};
    assert_int_equal(count, HOSTILE_COUNT);
    for (size_t i = 0; i < count; i++)
        if (values[i].kind == VALUE_OBJECT)
            values[i].marks = VALUE_OPAQUE;
    return count;
}

/* The processes that are asked: an answer changes what is looked at next. */
static size_t processes(struct process *list)
{
    list[0] = usual_process();
    list[1] = usual_process();
    list[1].knows_nothing = true;
    list[2] = usual_process();
    list[2].socket_family = UNIX;
    list[3] = usual_process();
    list[3].socket_family = INET6;
    list[3].windows = true;
    list[3].python_minor = 8;
    return 4;
}

/* ---------------------------------------------------------------- no crash */

static void check_form(const struct event *event)
{
    assert_true(event->operation_count <= EVENT_OPERATIONS_MAX);
    for (uint32_t i = 0; i < event->operation_count; i++) {
        const struct operation *operation = &event->operations[i];
        unsigned last = ATTRIBUTE_NONE;
        assert_true(operation->attribute_count <= EVENT_ATTRIBUTES_MAX);
        for (uint32_t j = 0; j < operation->attribute_count; j++) {
            assert_true(operation->attributes[j].name > last);
            last = operation->attributes[j].name;
            assert_true(vocabulary_class_has(operation->operation_class, last));
        }
    }
    (void)operations_text(event); /* reads every byte */
}

static void any_event_with_any_arguments_is_mapped(void **state)
{
    (void)state;
    struct value values[HOSTILE_COUNT];
    struct process process[4];
    const size_t process_count = processes(process);
    const size_t value_count = hostile_values(values);

    for (uint16_t number = 1; number <= catalogue_event_count(); number++)
        for (size_t i = 0; i < value_count; i++)
            for (unsigned marks = 0; marks < MARKS_MAX; marks++)
                for (size_t count = 0; count <= ARGUMENTS_MAX; count++) {
                    struct value *arguments = malloc((count + 1) * sizeof(*arguments));
                    assert_non_null(arguments);
                    for (size_t j = 0; j < count; j++) {
                        arguments[j] = values[i];
                        arguments[j].marks |= (uint8_t)marks;
                    }
                    const struct process *asked = &process[(i + count + marks) % process_count];
                    const struct event event =
                        map_event(asked, catalogue_event(number)->name, arguments, count);
                    check_form(&event);
                    free(arguments);
                }
    free_blocks();
}

static void any_argument_among_honest_ones_is_mapped(void **state)
{
    (void)state;
    struct value values[HOSTILE_COUNT];
    struct process process[4];
    const size_t process_count = processes(process);
    const size_t value_count = hostile_values(values);

    for (size_t i = 0; i < event_example_count; i++) {
        const struct event_example *example = &event_examples[i];
        for (uint32_t at = 0; at < example->argument_count; at++)
            for (size_t j = 0; j < value_count * MARKS_MAX * process_count; j++) {
                struct value *arguments = malloc(example->argument_count * sizeof(*arguments));
                assert_non_null(arguments);
                memcpy(arguments, example->arguments, example->argument_count * sizeof(*arguments));
                arguments[at] = values[j % value_count];
                arguments[at].marks |= (uint8_t)(j / value_count % MARKS_MAX);
                const struct process *asked = &process[j / value_count / MARKS_MAX];
                const struct event event =
                    map_event(asked, example->event, arguments, example->argument_count);
                check_form(&event);
                free(arguments);
            }
    }
    free_blocks();
}

/* ---------------------------------------------------------------- doubt loses nothing */

struct counts {
    size_t of_class[CLASS_COUNT];
};

static struct counts count_operations(const struct process *process, const char *name,
                                      const struct value *arguments, size_t count)
{
    struct counts counts = {{0}};
    const struct event event = map_event(process, name, arguments, count);
    for (uint32_t i = 0; i < event.operation_count; i++)
        counts.of_class[event.operations[i].operation_class]++;
    return counts;
}

static void assert_nothing_lost(const struct event_example *example, const struct counts *honest,
                                const struct counts *doubtful)
{
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        if (doubtful->of_class[i] < honest->of_class[i])
            fail_msg("%s lost an operation of class %s", example->event, vocabulary_class_name(i));
}

static struct process process_of(const struct event_example *example)
{
    struct process process = usual_process();
    if (example->socket_family)
        process.socket_family = example->socket_family;
    return process;
}

static void marks_lose_no_operation(void **state)
{
    (void)state;
    for (size_t i = 0; i < event_example_count; i++) {
        const struct event_example *example = &event_examples[i];
        const struct process process = process_of(example);
        const size_t count = example->argument_count;
        const struct counts honest =
            count_operations(&process, example->event, example->arguments, count);

        /* One bit for each argument: which are marked. */
        for (unsigned chosen = 1; chosen < 1U << (count < 5 ? count : 5); chosen++)
            for (size_t j = 0; j < sizeof(every_mark); j++) {
                struct value arguments[16];
                assert_true(count <= sizeof(arguments) / sizeof(*arguments));
                memcpy(arguments, example->arguments, count * sizeof(*arguments));
                for (size_t k = 0; k < count; k++)
                    if (chosen >> k & 1)
                        arguments[k].marks |= every_mark[j];
                const struct counts doubtful =
                    count_operations(&process, example->event, arguments, count);
                assert_nothing_lost(example, &honest, &doubtful);
            }
    }
}

static void marks_inside_lists_lose_no_operation(void **state)
{
    (void)state;
    for (size_t i = 0; i < event_example_count; i++) {
        const struct event_example *example = &event_examples[i];
        const struct process process = process_of(example);
        const size_t count = example->argument_count;
        const struct counts honest =
            count_operations(&process, example->event, example->arguments, count);

        for (size_t k = 0; k < count; k++) {
            const struct value *list = &example->arguments[k];
            if (list->kind != VALUE_LIST)
                continue;
            for (uint32_t at = 0; at < list->count; at++) {
                struct value arguments[16];
                struct value items[16];
                assert_true(count <= 16 && list->count <= 16);
                memcpy(arguments, example->arguments, count * sizeof(*arguments));
                memcpy(items, list->items, list->count * sizeof(*items));
                items[at].marks |= VALUE_OPAQUE;
                arguments[k].items = items;
                const struct counts doubtful =
                    count_operations(&process, example->event, arguments, count);
                assert_nothing_lost(example, &honest, &doubtful);
            }
        }
    }
}

static void missing_arguments_and_answers_lose_no_operation(void **state)
{
    (void)state;
    for (size_t i = 0; i < event_example_count; i++) {
        const struct event_example *example = &event_examples[i];
        struct process process = process_of(example);
        const struct counts honest =
            count_operations(&process, example->event, example->arguments, example->argument_count);
        for (size_t count = 0; count < example->argument_count; count++) {
            const struct counts doubtful =
                count_operations(&process, example->event, example->arguments, count);
            assert_nothing_lost(example, &honest, &doubtful);
        }
        process.knows_nothing = true;
        const struct counts doubtful =
            count_operations(&process, example->event, example->arguments, example->argument_count);
        assert_nothing_lost(example, &honest, &doubtful);
    }
}

/* What carries a mark gives no attribute that is known, but for the numbers that C code reads out
 * of any int (event_mapper.h). */
static void marked_arguments_make_no_attribute_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < event_example_count; i++) {
        const struct event_example *example = &event_examples[i];
        const struct process process = process_of(example);
        const size_t count = example->argument_count;
        struct value arguments[16];
        assert_true(count <= 16);
        for (size_t k = 0; k < count; k++) {
            arguments[k] = example->arguments[k];
            arguments[k].marks |= VALUE_OPAQUE;
        }
        const struct event event = map_event(&process, example->event, arguments, count);
        for (uint32_t j = 0; j < event.operation_count; j++)
            for (uint32_t k = 0; k < event.operations[j].attribute_count; k++) {
                const struct value *value = &event.operations[j].attributes[k].value;
                if (vocabulary_attribute_type(event.operations[j].attributes[k].name) == TYPE_WORD)
                    continue; /* the table's own text, which the linker may have merged */
                for (size_t l = 0; l < count && !value->marks; l++)
                    if (value->kind == example->arguments[l].kind &&
                        (value->kind == VALUE_TEXT || value->kind == VALUE_LIST) &&
                        value->count > 0 && value->bytes == example->arguments[l].bytes)
                        fail_msg("%s: a marked argument became known", example->event);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_event_with_any_arguments_is_mapped),
        cmocka_unit_test(any_argument_among_honest_ones_is_mapped),
        cmocka_unit_test(marks_lose_no_operation),
        cmocka_unit_test(marks_inside_lists_lose_no_operation),
        cmocka_unit_test(missing_arguments_and_answers_lose_no_operation),
        cmocka_unit_test(marked_arguments_make_no_attribute_known),
    };
    return cmocka_run_group_tests_name("event_map_hostile", tests, NULL, NULL);
}
