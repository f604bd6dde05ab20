#include "tests/unit/unit_test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/hook/name_lookup.h"

enum { ANSWERS_SIZE = 64 * 1024 };

static struct address at(const char *text)
{
    struct address address;
    assert_true(address_parse(text, strlen(text), &address));
    return address;
}

static void note(const char *name, const char *address)
{
    const struct address noted = at(address);
    name_lookup_note(name, &noted);
}

/* The names as one text: "a b", with "..." behind if there may be more; "-" if there is none. */
static const char *names_of(const char *address)
{
    static char text[4096];
    static _Alignas(max_align_t) char memory[ANSWERS_SIZE];
    struct arena arena;
    struct value names;
    const struct address wanted = at(address);

    arena_init(&arena, memory, sizeof(memory));
    if (!name_lookup_names(&wanted, &arena, &names))
        return "-";
    assert_int_equal(names.kind, VALUE_LIST);
    text[0] = '\0';
    for (uint32_t i = 0; i < names.count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.*s", i > 0 ? " " : "",
                 (int)names.items[i].count, names.items[i].bytes);
    if (names.marks & VALUE_CUT)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "...");
    return text;
}

static int forget(void **state)
{
    (void)state;
    name_lookup_reset();
    return 0;
}

static void an_address_has_the_names_that_led_to_it(void **state)
{
    (void)state;
    note("db.example", "10.0.0.1");
    note("www.example", "10.0.0.2");
    note("alias.example", "10.0.0.1");
    note("db.example", "2001:db8::1");
    assert_string_equal(names_of("10.0.0.1"), "db.example alias.example");
    assert_string_equal(names_of("10.0.0.2"), "www.example");
    assert_string_equal(names_of("2001:db8::1"), "db.example");
    assert_string_equal(names_of("10.0.0.3"), "-");
}

static void a_name_counts_once_in_any_case(void **state)
{
    (void)state;
    note("db.example", "10.0.0.1");
    note("DB.example", "10.0.0.1");
    assert_string_equal(names_of("10.0.0.1"), "db.example");
}

static void a_mapped_address_is_its_ipv4_address(void **state)
{
    (void)state;
    note("db.example", "::ffff:10.0.0.1");
    assert_string_equal(names_of("10.0.0.1"), "db.example");
    assert_string_equal(names_of("::ffff:10.0.0.1"), "db.example");
}

static void an_address_is_no_name(void **state)
{
    (void)state;
    note("10.0.0.1", "10.0.0.1");
    note("0x0a000001", "10.0.0.1");
    note("::1", "::1");
    note("", "10.0.0.1");
    assert_string_equal(names_of("10.0.0.1"), "-");
    assert_string_equal(names_of("::1"), "-");
}

static void a_name_that_dns_cannot_have_is_passed_over(void **state)
{
    char name[NAME_LOOKUP_NAME_MAX + 2];
    (void)state;
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    note(name, "10.0.0.1");
    assert_string_equal(names_of("10.0.0.1"), "-");
    name[NAME_LOOKUP_NAME_MAX] = '\0';
    note(name, "10.0.0.1");
    assert_string_equal(names_of("10.0.0.1"), name);
}

static void a_full_table_forgets_the_oldest_and_says_so(void **state)
{
    char name[32];
    (void)state;
    note("first.example", "10.0.0.1");
    note("second.example", "10.0.0.2");
    for (int i = 0; i < NAME_LOOKUP_PAIRS_MAX - 2; i++) {
        snprintf(name, sizeof(name), "n%d.example", i);
        note(name, "10.9.9.9");
    }
    assert_string_equal(names_of("10.0.0.1"), "first.example");
    note("last.example", "10.0.0.3");
    assert_string_equal(names_of("10.0.0.1"), "-");
    assert_string_equal(names_of("10.0.0.2"), "second.example...");
    assert_string_equal(names_of("10.0.0.3"), "last.example...");
}

static void an_address_of_many_names_says_that_there_are_more(void **state)
{
    char name[32];
    size_t length;
    (void)state;
    for (int i = 0; i <= NAME_LOOKUP_ANSWER_MAX; i++) {
        snprintf(name, sizeof(name), "n%d.example", i);
        note(name, "10.0.0.1");
    }
    length = strlen(names_of("10.0.0.1"));
    assert_string_equal(names_of("10.0.0.1") + length - 3, "...");
}

static void after_doubt_nothing_is_added(void **state)
{
    (void)state;
    note("before.example", "10.0.0.1");
    assert_false(name_lookup_is_doubted());
    name_lookup_doubt();
    note("after.example", "10.0.0.1");
    assert_true(name_lookup_is_doubted());
    assert_string_equal(names_of("10.0.0.1"), "before.example");
}

static bool doubted_after(const char *event, const struct value *argument)
{
    const struct event said = {.name = event,
                               .name_length = (uint32_t)strlen(event),
                               .argument_count = argument ? 1 : 0,
                               .arguments = argument};
    name_lookup_reset();
    name_lookup_note_event(&said);
    return name_lookup_is_doubted();
}

static void variables_that_steer_lookups_are_a_reason_for_doubt(void **state)
{
    const struct value search = value_text("LOCALDOMAIN", strlen("LOCALDOMAIN"));
    const struct value options = value_text("RES_OPTIONS", strlen("RES_OPTIONS"));
    const struct value aliases = value_text("HOSTALIASES", strlen("HOSTALIASES"));
    const struct value trim = value_text("RESOLV_ADD_TRIM_DOMAINS", 23);
    const struct value other = value_text("PATH", strlen("PATH"));
    const struct value unread = value_unknown();
    (void)state;
    assert_true(doubted_after("os.putenv", &search));
    assert_true(doubted_after("os.putenv", &options));
    assert_true(doubted_after("os.unsetenv", &aliases));
    assert_true(doubted_after("os.putenv", &trim));
    assert_true(doubted_after("os.putenv", &unread));
    assert_true(doubted_after("os.putenv", NULL));
    assert_false(doubted_after("os.putenv", &other));
    assert_false(doubted_after("os.chdir", &search));
}

static void variables_that_were_there_at_the_start_are_one_too(void **state)
{
    (void)state;
    unsetenv("LOCALDOMAIN");
    name_lookup_begin();
    assert_false(name_lookup_is_doubted());
    setenv("LOCALDOMAIN", "evil.example", 1);
    name_lookup_begin();
    assert_true(name_lookup_is_doubted());
    unsetenv("LOCALDOMAIN");
}

static void *note_many(void *data)
{
    char name[48];
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "t%d.%d.example", *(int *)data, i % 4);
        note(name, "10.0.0.1");
    }
    return NULL;
}

static void threads_note_at_once(void **state)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    int numbers[THREADS];
    size_t names = 1;
    (void)state;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, note_many, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (const char *at_name = names_of("10.0.0.1"); *at_name; at_name++)
        names += *at_name == ' ' ? 1 : 0;
    assert_int_equal(names, THREADS * 4);
}

static void a_forked_child_has_its_parents_names(void **state)
{
    int status = 0;
    (void)state;
    note("db.example", "10.0.0.1");
    const pid_t child = fork();
    if (child == 0) {
        note("own.example", "10.0.0.2");
        _exit(strcmp(names_of("10.0.0.1"), "db.example") != 0 ||
              strcmp(names_of("10.0.0.2"), "own.example") != 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_string_equal(names_of("10.0.0.2"), "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_address_has_the_names_that_led_to_it, forget),
        cmocka_unit_test_setup(a_name_counts_once_in_any_case, forget),
        cmocka_unit_test_setup(a_mapped_address_is_its_ipv4_address, forget),
        cmocka_unit_test_setup(an_address_is_no_name, forget),
        cmocka_unit_test_setup(a_name_that_dns_cannot_have_is_passed_over, forget),
        cmocka_unit_test_setup(a_full_table_forgets_the_oldest_and_says_so, forget),
        cmocka_unit_test_setup(an_address_of_many_names_says_that_there_are_more, forget),
        cmocka_unit_test_setup(after_doubt_nothing_is_added, forget),
        cmocka_unit_test_setup(variables_that_steer_lookups_are_a_reason_for_doubt, forget),
        cmocka_unit_test_setup(variables_that_were_there_at_the_start_are_one_too, forget),
        cmocka_unit_test_setup(threads_note_at_once, forget),
        cmocka_unit_test_setup(a_forked_child_has_its_parents_names, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
