#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event_examples.h"
#include "event_map_fixture.h"
#include "policies/catalogue/catalogue.h"
#include "policies/catalogue/mapping.h"

static void every_event_is_the_operations_of_its_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < event_example_count; i++) {
        const struct event_example *example = &event_examples[i];
        struct process process = usual_process();
        if (example->socket_family)
            process.socket_family = example->socket_family;
        assert_mapping(&process, example->event, example->arguments, example->argument_count,
                       example->expected, __FILE__, __LINE__);
    }
}

/* The most operations of a class that an example of the event shows. */
static size_t shown(const char *name, unsigned operation_class)
{
    size_t most = 0;
    for (size_t i = 0; i < event_example_count; i++) {
        const struct event_example *example = &event_examples[i];
        struct process process = usual_process();
        if (strcmp(example->event, name) != 0)
            continue;
        if (example->socket_family)
            process.socket_family = example->socket_family;
        const struct event event =
            map_event(&process, name, example->arguments, example->argument_count);
        size_t count = 0;
        for (uint32_t j = 0; j < event.operation_count; j++)
            count += event.operations[j].operation_class == operation_class;
        most = count > most ? count : most;
    }
    return most;
}

static void every_row_of_the_table_has_an_example(void **state)
{
    (void)state;
    for (uint16_t number = 1; number <= catalogue_event_count(); number++) {
        const char *name = catalogue_event(number)->name;
        size_t rule_count;
        const struct mapping_rule *rules = catalogue_rules(number, &rule_count);
        bool found = false;
        for (size_t i = 0; i < event_example_count; i++)
            found = found || strcmp(event_examples[i].event, name) == 0;
        if (!found)
            fail_msg("%s has no example", name);

        for (size_t i = 0; i < rule_count; i++) {
            size_t of_class = 0;
            for (size_t j = 0; j < rule_count; j++)
                of_class += rules[j].operation_class == rules[i].operation_class;
            if (shown(name, rules[i].operation_class) != of_class)
                fail_msg("%s: no example shows every row of class %s", name,
                         vocabulary_class_name(rules[i].operation_class));
        }
    }
}

static bool is_word(unsigned operation_class, unsigned attribute, const char *word)
{
    const char *const *words = vocabulary_words(operation_class, attribute);
    for (; words && *words; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static void the_table_speaks_the_policy_language(void **state)
{
    (void)state;
    for (uint16_t number = 1; number <= catalogue_event_count(); number++) {
        const struct event_entry *entry = catalogue_event(number);
        size_t count;
        const struct mapping_rule *rules = catalogue_rules(number, &count);
        uint32_t classes = 0;

        for (size_t i = 0; i < count; i++) {
            unsigned last = ATTRIBUTE_NONE;
            classes |= UINT32_C(1) << rules[i].operation_class;
            for (uint8_t j = 0; j < rules[i].attribute_count; j++) {
                const struct mapping_attribute *attribute = &rules[i].attributes[j];
                if (!vocabulary_class_has(rules[i].operation_class, attribute->name))
                    fail_msg("%s: %s has no attribute %s", entry->name,
                             vocabulary_class_name(rules[i].operation_class),
                             vocabulary_attribute_name(attribute->name));
                assert_true(attribute->name > last);
                last = attribute->name;
                if (attribute->source == SOURCE_LITERAL &&
                    vocabulary_attribute_type(attribute->name) == TYPE_WORD &&
                    !is_word(rules[i].operation_class, attribute->name,
                             catalogue_literal(attribute)))
                    fail_msg("%s: %s is no word of the language", entry->name,
                             catalogue_literal(attribute));
            }
        }
        assert_int_equal(entry->classes, classes);
    }
}

/* Words that are computed are the language's too. */
static void words_in_operations_are_words_of_the_language(void **state)
{
    (void)state;
    for (size_t i = 0; i < event_example_count; i++) {
        const struct event_example *example = &event_examples[i];
        struct process process = usual_process();
        const struct event event =
            map_event(&process, example->event, example->arguments, example->argument_count);
        for (uint32_t j = 0; j < event.operation_count; j++) {
            const struct operation *operation = &event.operations[j];
            for (uint32_t k = 0; k < operation->attribute_count; k++) {
                const struct attribute *attribute = &operation->attributes[k];
                char word[32];
                if (vocabulary_attribute_type(attribute->name) != TYPE_WORD ||
                    attribute->value.marks)
                    continue;
                assert_int_equal(attribute->value.kind, VALUE_TEXT);
                assert_true(attribute->value.count < sizeof(word));
                memcpy(word, attribute->value.bytes, attribute->value.count);
                word[attribute->value.count] = '\0';
                assert_true(is_word(operation->operation_class, attribute->name, word));
            }
        }
    }
}

static void an_event_that_nobody_knows_is_other(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "numpy.random", "other name=numpy.random", INT(1));
    assert_mapping(&process, "no.arguments", NULL, 0, "other name=no.arguments", __FILE__,
                   __LINE__);
}

static void a_name_that_was_cut_is_marked(void **state)
{
    (void)state;
    static _Alignas(max_align_t) unsigned char memory[4096];
    struct arena arena;
    const struct event_resolver resolver = {.context = NULL};
    struct event event = {.name = "long", .name_length = 4, .name_cut = true};
    arena_init(&arena, memory, sizeof(memory));
    assert_true(event_map(&event, &resolver, &arena));
    assert_string_equal(operations_text(&event), "other name=long?");
}

/* A number from a peer with another catalogue. */
static void a_number_beyond_the_catalogue_is_an_unknown_event(void **state)
{
    (void)state;
    static _Alignas(max_align_t) unsigned char memory[4096];
    struct arena arena;
    const struct event_resolver resolver = {.context = NULL};
    struct event event = {.number = UINT16_MAX, .name = "open", .name_length = 4};
    arena_init(&arena, memory, sizeof(memory));
    assert_true(event_map(&event, &resolver, &arena));
    assert_string_equal(operations_text(&event), "other name=open");
}

static void an_arena_that_is_too_small_refuses_the_event(void **state)
{
    (void)state;
    static _Alignas(max_align_t) unsigned char memory[64 * 1024];
    const struct value arguments[] = {TEXT("/bin/sh"), LIST(BYTES("sh"), BYTES("-c")),
                                      MAP(BYTES("A"), BYTES("1"))};
    const struct event_resolver resolver = {.context = NULL};
    bool fitted = false;

    for (size_t size = 0; size <= sizeof(memory); size += 16) {
        struct arena arena;
        struct event event = {.number = catalogue_find("os.exec", 7)->number,
                              .name = "os.exec",
                              .name_length = 7,
                              .argument_count = 3,
                              .arguments = arguments};
        arena_init(&arena, memory, size);
        const bool fits = event_map(&event, &resolver, &arena);
        assert_true(fits || !fitted);
        assert_int_equal(arena.exhausted, !fits);
        assert_int_equal(event.operation_count, fits ? 1 : 0);
        assert_true(fits || event.operations == NULL);
        fitted = fits;
    }
    assert_true(fitted);
}

/* Room is for results: what the mapping needs on its way it gives back. */
static void the_arena_keeps_what_the_operations_need_alone(void **state)
{
    (void)state;
    static _Alignas(max_align_t) unsigned char memory[64 * 1024];
    static const struct value arguments[] = {TEXT("/etc/hosts"), TEXT("r+"), INT(2)};
    struct arena arena;
    struct event event = {.number = catalogue_find("open", 4)->number,
                          .name = "open",
                          .name_length = 4,
                          .argument_count = 3,
                          .arguments = arguments};
    const struct event_resolver resolver = {.context = NULL};
    arena_init(&arena, memory, sizeof(memory));
    assert_true(event_map(&event, &resolver, &arena));
    assert_int_equal(event.operation_count, 2);
    assert_true(arena.used < 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_is_the_operations_of_its_rows),
        cmocka_unit_test(every_row_of_the_table_has_an_example),
        cmocka_unit_test(the_table_speaks_the_policy_language),
        cmocka_unit_test(words_in_operations_are_words_of_the_language),
        cmocka_unit_test(an_event_that_nobody_knows_is_other),
        cmocka_unit_test(a_name_that_was_cut_is_marked),
        cmocka_unit_test(a_number_beyond_the_catalogue_is_an_unknown_event),
        cmocka_unit_test(an_arena_that_is_too_small_refuses_the_event),
        cmocka_unit_test(the_arena_keeps_what_the_operations_need_alone),
    };
    return cmocka_run_group_tests_name("event_map", tests, NULL, NULL);
}
