#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policies/language/suggest.h"

/* What is suggested for `wrong` among names, ending with NULL. */
static const char *suggested(const char *wrong, const char *const *names)
{
    struct suggestion suggestion;
    suggestion_init(&suggestion, wrong, strlen(wrong));
    for (; *names; names++)
        suggestion_offer(&suggestion, *names, strlen(*names));
    return suggestion.best;
}

static const char *const words[] = {"exec", "fork", "read", "write", "resolve", "introspect", NULL};

static void one_slip_is_close(void **state)
{
    (void)state;
    assert_string_equal(suggested("exce", words), "exec"); /* two letters swapped */
    assert_string_equal(suggested("exc", words), "exec");
    assert_string_equal(suggested("execc", words), "exec");
    assert_string_equal(suggested("exac", words), "exec");
    assert_string_equal(suggested("Exec", words), "exec");
    assert_string_equal(suggested("WRITE", words), "write");
}

static void long_names_may_have_two(void **state)
{
    (void)state;
    assert_string_equal(suggested("inrospct", words), "introspect");
    assert_string_equal(suggested("resolvve", words), "resolve");
    assert_null(suggested("inspect", words));
}

static void what_is_not_close_is_not_suggested(void **state)
{
    (void)state;
    assert_null(suggested("spawn", words));
    assert_null(suggested("x", words));
    assert_null(suggested("ex", words));
    assert_null(suggested("", words));
    assert_null(suggested("foo", words));
}

static void the_nearest_wins_and_the_first_of_equals(void **state)
{
    (void)state;
    static const char *const near[] = {"modes", "moed", "mode", NULL};
    assert_string_equal(suggested("mode", near), "mode");
    static const char *const equal[] = {"aac", "aab", NULL};
    assert_string_equal(suggested("aaa", equal), "aac");
}

static void very_long_names_are_bounded(void **state)
{
    (void)state;
    char name[300];
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    const char *const names[] = {name, NULL};
    assert_string_equal(suggested(name, names), name);
    char other[300];
    memcpy(other, name, sizeof(other));
    other[5] = 'b';
    assert_null(suggested(other, names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_slip_is_close),
        cmocka_unit_test(long_names_may_have_two),
        cmocka_unit_test(what_is_not_close_is_not_suggested),
        cmocka_unit_test(the_nearest_wins_and_the_first_of_equals),
        cmocka_unit_test(very_long_names_are_bounded),
    };
    return cmocka_run_group_tests_name("suggest", tests, NULL, NULL);
}
