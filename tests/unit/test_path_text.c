#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policies/engine/path_text.h"

static const char *normalised(const char *directory, const char *path)
{
    static char buffer[PATH_TEXT_MAX];
    const size_t length = path_normalise(directory, path, strlen(path), buffer, sizeof(buffer));
    if (length == 0)
        return NULL;
    assert_int_equal(length, strlen(buffer));
    return buffer;
}

static void dots_and_separators_are_removed(void **state)
{
    (void)state;
    assert_string_equal(normalised(NULL, "/"), "/");
    assert_string_equal(normalised(NULL, "//usr///bin/"), "/usr/bin");
    assert_string_equal(normalised(NULL, "/usr/./bin/../lib/."), "/usr/lib");
    assert_string_equal(normalised(NULL, "/.."), "/");
    assert_string_equal(normalised(NULL, "/a/../../b"), "/b");
    assert_string_equal(normalised(NULL, "/a/...b/..c"), "/a/...b/..c");
}

static void relative_paths_stand_against_the_directory(void **state)
{
    (void)state;
    assert_string_equal(normalised("/srv/work", "x"), "/srv/work/x");
    assert_string_equal(normalised("/srv/work/", "../y"), "/srv/y");
    assert_string_equal(normalised("/", "x"), "/x");
    assert_string_equal(normalised("/srv", "."), "/srv");
    assert_null(normalised(NULL, "x"));
    assert_null(normalised("srv", "x"));
}

static void what_has_no_form_is_refused(void **state)
{
    (void)state;
    char buffer[8];
    assert_null(normalised("/srv", ""));
    assert_int_equal(path_normalise(NULL, "/a\0b", 4, buffer, sizeof(buffer)), 0);
    assert_int_equal(path_normalise(NULL, "/abcdef", 7, buffer, sizeof(buffer)), 7);
    assert_int_equal(path_normalise(NULL, "/abcdefg", 8, buffer, sizeof(buffer)), 0);
    assert_int_equal(path_normalise(NULL, "/", 1, buffer, 1), 0);
}

static void under_compares_whole_components(void **state)
{
    (void)state;
    assert_true(path_is_under("/srv/a", 6, "/srv", 4));
    assert_true(path_is_under("/srv", 4, "/srv", 4));
    assert_false(path_is_under("/srvx", 5, "/srv", 4));
    assert_false(path_is_under("/sr", 3, "/srv", 4));
    assert_true(path_is_under("/anything", 9, "/", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dots_and_separators_are_removed),
        cmocka_unit_test(relative_paths_stand_against_the_directory),
        cmocka_unit_test(what_has_no_form_is_refused),
        cmocka_unit_test(under_compares_whole_components),
    };
    return cmocka_run_group_tests_name("path_text", tests, NULL, NULL);
}
