#include "policies/floor/path_set.h"

#include <stdio.h>
#include <string.h>

#include "unit_test.h"

static char memory[256 * 1024];
static struct arena arena;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, memory, sizeof(memory));
    return 0;
}

/* Paths with a blank between; one that ends in `!` is alone. */
static struct path_set set_of(const char *paths)
{
    struct path_set set = path_set_empty(&arena);

    while (*paths) {
        size_t length = strcspn(paths, " ");
        const bool alone = paths[length - 1] == '!';
        path_set_add(&set, paths, alone ? length - 1 : length, alone);
        paths += length + strspn(paths + length, " ");
    }
    return set;
}

static void assert_set(const struct path_set *set, const char *expected)
{
    char text[512] = "";
    size_t length = 0;

    assert_false(set->failed);
    for (size_t i = 0; i < set->count; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%.*s%s",
                                   i > 0 ? " " : "", (int)set->items[i].length, set->items[i].text,
                                   set->items[i].alone ? "!" : "");
    if (set->everywhere)
        (void)snprintf(text, sizeof(text), "everywhere");
    assert_string_equal(text, expected);
}

static void assert_reduced(const char *paths, const char *expected)
{
    struct path_set set = set_of(paths);
    path_set_reduce(&set);
    assert_set(&set, expected);
}

static void reducing_takes_out_what_is_beneath_another(void **state)
{
    (void)state;
    assert_reduced("/a/b /a /a/b/c", "/a");
    assert_reduced("/a-b /a/c /a", "/a /a-b");
    assert_reduced("/a/x /a.b /ab /a/y", "/a/x /a/y /a.b /ab");
    assert_reduced("/a /a /a!", "/a");
}

static void path_alone_has_nothing_beneath_it(void **state)
{
    (void)state;
    assert_reduced("/a! /a/b", "/a! /a/b");
    assert_reduced("/a! /a!", "/a!");
    assert_reduced("/a /a/b!", "/a");
}

static void root_is_everywhere(void **state)
{
    (void)state;
    assert_reduced("/a /", "everywhere");
    assert_reduced("/!", "/!");
}

static void assert_common(const char *one, const char *other, const char *expected)
{
    struct path_set set = set_of(one);
    struct path_set with = set_of(other);
    path_set_meet(&set, &with);
    assert_set(&set, expected);

    set = set_of(other);
    with = set_of(one);
    path_set_meet(&set, &with);
    assert_set(&set, expected);
}

static void meeting_keeps_what_is_in_both(void **state)
{
    (void)state;
    assert_common("/a /b/c", "/a/x /b", "/a/x /b/c");
    assert_common("/a", "/ab /a-b", "");
    assert_common("/a", "/a", "/a");
    assert_common("/", "/a /b!", "/a /b!");
    assert_common("", "/a", "");
    assert_common("/", "", "");
    assert_common("/", "/", "everywhere");
}

static void meeting_is_never_wider_than_a_path_alone(void **state)
{
    (void)state;
    assert_common("/a", "/a!", "/a!");
    assert_common("/a", "/a/b!", "/a/b!");
    assert_common("/a!", "/a/b", "");
    assert_common("/a!", "/a!", "/a!");
    assert_common("/a! /a/b", "/a", "/a! /a/b");
    assert_common("/!", "/! /a", "/!");
}

static void joining_adds(void **state)
{
    (void)state;
    struct path_set set = set_of("/a");
    const struct path_set more = set_of("/b /c!");
    const struct path_set all = path_set_everywhere(&arena);

    path_set_join(&set, &more);
    path_set_reduce(&set);
    assert_set(&set, "/a /b /c!");
    path_set_join(&set, &all);
    assert_set(&set, "everywhere");
}

static void set_that_did_not_fit_says_so_whatever_it_meets(void **state)
{
    (void)state;
    char small[64];
    struct arena little;
    struct path_set other = set_of("/a");

    arena_init(&little, small, sizeof(small));
    struct path_set set = path_set_empty(&little);
    path_set_add(&set, "/a", 2, false);
    assert_true(set.failed);
    path_set_meet(&set, &other);
    assert_true(set.failed);
    other = set_of("/a");
    path_set_join(&other, &set);
    assert_true(other.failed);
}

static void many_paths_are_found_again(void **state)
{
    (void)state;
    static char texts[400][16];
    struct path_set set = path_set_empty(&arena);

    for (int i = 399; i >= 0; i--) {
        const int length = snprintf(texts[i], sizeof(texts[i]), "/d/%d", i);
        path_set_add(&set, texts[i], (size_t)length, false);
    }
    path_set_reduce(&set);
    assert_int_equal(set.count, 400);
    const struct floor_path beneath = {"/d/123/x/y", 10, false};
    const struct floor_path beside = {"/d/1234", 7, false};
    const struct floor_path above = {"/d", 2, false};
    assert_true(path_set_has(&set, &beneath));
    assert_false(path_set_has(&set, &beside));
    assert_false(path_set_has(&set, &above));
    const struct floor_path same = {"/d/77", 5, false};
    const struct floor_path alone = {"/d/77", 5, true};
    assert_non_null(path_set_find(&set, &same));
    assert_null(path_set_find(&set, &alone));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reducing_takes_out_what_is_beneath_another, begin),
        cmocka_unit_test_setup(path_alone_has_nothing_beneath_it, begin),
        cmocka_unit_test_setup(root_is_everywhere, begin),
        cmocka_unit_test_setup(meeting_keeps_what_is_in_both, begin),
        cmocka_unit_test_setup(meeting_is_never_wider_than_a_path_alone, begin),
        cmocka_unit_test_setup(joining_adds, begin),
        cmocka_unit_test_setup(set_that_did_not_fit_says_so_whatever_it_meets, begin),
        cmocka_unit_test_setup(many_paths_are_found_again, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
