/* The environment while it is changed: what is gone is noticed, and read by nobody. */
#include "tests/unit/unit_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "client/hook/process_environment.h"

extern char **environ;

enum { PAGE = 4096, VARIABLES = 1000, READS = 500 };

static unsigned char memory[1024 * 1024];

static struct arena arena_of_all(void)
{
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory));
    return arena;
}

/* Two pages, of which the second is gone. */
static char *page_with_an_end(void)
{
    char *pages =
        mmap(NULL, (size_t)2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(munmap(pages + PAGE, PAGE), 0);
    return pages;
}

static void variables_are_found_and_copied_as_they_are(void **state)
{
    static char *list[] = {"A=1", "B=", "no equals sign", "AB=2", "A=3", NULL};
    char **before = environ;
    bool known;

    (void)state;
    struct arena arena = arena_of_all();
    environ = list;
    assert_string_equal(process_environment_get("A", &known), "1");
    assert_string_equal(process_environment_get("B", &known), "");
    assert_string_equal(process_environment_get("AB", &known), "2");
    assert_true(known);
    assert_null(process_environment_get("C", &known));
    assert_true(known);
    char *const *copies = process_environment_copy(&arena);
    assert_true(process_environment_is(list) && !process_environment_is(copies));
    for (size_t i = 0; i < sizeof(list) / sizeof(*list) - 1; i++) {
        assert_string_equal(copies[i], list[i]);
        assert_ptr_not_equal(copies[i], list[i]);
    }
    assert_null(copies[5]);
    environ = NULL;
    assert_null(process_environment_get("A", &known));
    assert_true(known);
    assert_null(process_environment_copy(&arena)[0]);
    environ = before;
}

static void what_the_kernel_cannot_read_is_not_known(void **state)
{
    char **before = environ;
    char *page = page_with_an_end();
    char *unended = page + PAGE - 4;
    char *list[] = {"A=1", unended, NULL};
    bool known;

    (void)state;
    struct arena arena = arena_of_all();
    const char without_end[4] = {'B', '=', '2', '2'}; /* that is in the page which is gone */
    memcpy(unended, without_end, sizeof(without_end));
    environ = list;
    assert_null(process_environment_get("B", &known));
    assert_false(known);
    assert_null(process_environment_copy(&arena));
    assert_false(arena.exhausted);
    char **last = (char **)(void *)(page + PAGE) - 1;
    *last = list[0]; /* a list whose end is gone */
    environ = last;
    assert_null(process_environment_get("B", &known));
    assert_false(known);
    assert_null(process_environment_copy(&arena));
    environ = (char **)(void *)(page + PAGE);
    assert_null(process_environment_copy(&arena));
    /* Nothing is at the beginning of all addresses, but for the null that ends a list. */
    char *nowhere[] = {(char *)8, NULL};
    environ = nowhere;
    assert_null(process_environment_copy(&arena));
    environ = (char **)8;
    assert_null(process_environment_copy(&arena));
    environ = before;
    munmap(page, PAGE);
}

/* A list is read for as long as it is the process's. */
static void list_that_is_not_the_environment_any_more_is_not_read_on(void **state)
{
    static char *first[] = {"A=1", "B=2", NULL};
    static char *second[] = {"A=1", "B=3", NULL};
    char **before = environ;
    struct environment_walk walk;
    size_t length;

    (void)state;
    environ = first;
    environment_walk_begin(&walk);
    assert_string_equal(environment_walk_next(&walk, &length), "A=1");
    environ = second;
    assert_null(environment_walk_next(&walk, &length));
    assert_false(environment_walk_holds(&walk));
    environment_walk_over(&walk, first); /* which another's list need not be */
    assert_string_equal(environment_walk_next(&walk, &length), "A=1");
    assert_string_equal(environment_walk_next(&walk, &length), "B=2");
    assert_null(environment_walk_next(&walk, &length));
    assert_false(walk.broken);
    environ = before;
}

/* A list may begin at any address, and so may a page end within an element. */
static void list_of_any_address_is_read_as_far_as_it_goes(void **state)
{
    char *page = page_with_an_end();
    char *const list[] = {"A=1"};
    char *at = page + PAGE - sizeof(list) - 3;
    struct environment_walk walk;
    size_t length;

    (void)state;
    memcpy(at, list, sizeof(list));
    environment_walk_over(&walk, (char **)(void *)at);
    assert_string_equal(environment_walk_next(&walk, &length), "A=1");
    assert_null(environment_walk_next(&walk, &length)); /* the next ends in the page that is gone */
    assert_true(walk.broken);
    munmap(page, PAGE);
}

static void copy_that_does_not_fit_exhausts_the_arena(void **state)
{
    unsigned char little[64];
    struct arena arena;

    (void)state;
    arena_init(&arena, little, sizeof(little));
    assert_null(process_environment_copy(&arena));
    assert_true(arena.exhausted);
}

static atomic_bool done;

static void *change(void *data)
{
    char name[32];

    for (int i = 0; !done; i = (i + 1) % VARIABLES) {
        snprintf(name, sizeof(name), "CHANGED_%d", i);
        if (i == 0)
            for (int j = 0; j < VARIABLES; j++) {
                char old[32];
                snprintf(old, sizeof(old), "CHANGED_%d", j);
                unsetenv(old);
            }
        setenv(name, "value", 1);
    }
    return data;
}

/* setenv() of a libc that is not instrumented: what it does under its lock is a race to that. */
#ifdef __SANITIZE_THREAD__
static const bool races_are_reported = true;
#else
static const bool races_are_reported = false;
#endif

static void what_is_read_while_it_grows_is_whole(void **state)
{
    pthread_t thread;
    int whole = 0;

    (void)state;
    if (races_are_reported) {
        print_message("not run: the thread sanitizer takes what setenv() makes for a race\n");
        skip();
    }
    setenv("STAYS", "here", 1);
    assert_int_equal(pthread_create(&thread, NULL, change, NULL), 0);
    for (int i = 0; i < READS; i++) {
        struct arena arena = arena_of_all();
        char *const *copies = process_environment_copy(&arena);
        bool known;
        const char *value = process_environment_get("CHANGED_7", &known);
        assert_true(!known || !value || strcmp(value, "value") == 0);
        whole += copies != NULL;
        for (size_t j = 0; copies && copies[j]; j++)
            if (strncmp(copies[j], "CHANGED_", 8) == 0)
                assert_string_equal(strchr(copies[j], '='), "=value");
    }
    done = true;
    pthread_join(thread, NULL);
    assert_true(whole > 0);
}

static void copy_looks_no_further_than_what_fits(void **state)
{
    static char long_text[sizeof(memory) + 1];
    char *page = page_with_an_end();
    char *list[] = {long_text, page + PAGE, NULL};
    struct environment_walk walk;
    size_t count;

    (void)state;
    struct arena arena = arena_of_all();
    memset(long_text, 'A', sizeof(long_text) - 1);
    environment_walk_over(&walk, list);
    assert_null(environment_walk_copy(&walk, &arena, &count));
    assert_true(arena.exhausted);
    assert_false(walk.broken); /* the one behind it was not looked at */
    munmap(page, PAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_found_and_copied_as_they_are),
        cmocka_unit_test(what_the_kernel_cannot_read_is_not_known),
        cmocka_unit_test(list_that_is_not_the_environment_any_more_is_not_read_on),
        cmocka_unit_test(list_of_any_address_is_read_as_far_as_it_goes),
        cmocka_unit_test(copy_that_does_not_fit_exhausts_the_arena),
        cmocka_unit_test(copy_looks_no_further_than_what_fits),
        cmocka_unit_test(what_is_read_while_it_grows_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
