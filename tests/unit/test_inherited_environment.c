/* What is taken is taken once in a process: each test is a child of its own. */
#include "tests/unit/unit_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/hook/inherited_environment.h"

static void in_child(bool (*holds)(void))
{
    int status = 0;
    const pid_t child = fork();

    if (child == 0)
        _exit(holds() ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static bool child_must_have(const char *entry)
{
    size_t count;
    const char *const *list = inherited_environment(&count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], entry) == 0)
            return true;
    return false;
}

static bool is_value(const char *name, const char *expected)
{
    const char *value = inherited_environment_value(name);
    return expected ? value && strcmp(value, expected) == 0 : !value;
}

static bool variables_are_taken(void)
{
    setenv("WARDER_SOCKET", "/run/s", 1);
    setenv("WARDER_RUN", "ab12", 1);
    unsetenv("WARDER_DOOR");
    inherited_environment_take();
    setenv("WARDER_RUN", "forged", 1);
    setenv("WARDER_DOOR", "7:1", 1);
    inherited_environment_take();
    return is_value("WARDER_SOCKET", "/run/s") && is_value("WARDER_RUN", "ab12") &&
           is_value("WARDER_DOOR", NULL) && is_value("WARDER", NULL) &&
           child_must_have("WARDER_SOCKET=/run/s") && child_must_have("WARDER_RUN=ab12");
}

static void what_stands_there_first_is_taken_and_nothing_after(void **state)
{
    (void)state;
    in_child(variables_are_taken);
}

static bool nothing_taken_is_read_as_it_stands(void)
{
    size_t count;

    setenv("WARDER_RUN", "ab12", 1);
    inherited_environment(&count);
    return count == 0 && is_value("WARDER_RUN", "ab12");
}

static void before_it_is_taken_it_is_read_from_the_environment(void **state)
{
    (void)state;
    in_child(nothing_taken_is_read_as_it_stands);
}

static bool only_what_was_taken_is_hidden(void)
{
    clearenv();
    setenv("HOME", "/root", 1);
    setenv("WARDER_SOCKET", "/run/s", 1);
    setenv("WARDER_OTHER", "1", 1);
    setenv("LD_PRELOAD", "/nonexistent/other.so", 1);
    setenv("LAST", "1", 1);
    inherited_environment_take();
    inherited_environment_hide();
    const char *preload = getenv("LD_PRELOAD");
    return !getenv("WARDER_SOCKET") && getenv("HOME") && getenv("WARDER_OTHER") && getenv("LAST") &&
           preload && strcmp(preload, "/nonexistent/other.so") == 0 &&
           is_value("WARDER_SOCKET", "/run/s");
}

static void what_is_not_the_hooks_stays_visible(void **state)
{
    (void)state;
    in_child(only_what_was_taken_is_hidden);
}

static bool hiding_before_taking_changes_nothing(void)
{
    setenv("WARDER_SOCKET", "/run/s", 1);
    inherited_environment_hide();
    return getenv("WARDER_SOCKET") != NULL;
}

static void nothing_is_hidden_that_was_not_taken(void **state)
{
    (void)state;
    in_child(hiding_before_taking_changes_nothing);
}

static bool too_long_is_left(void)
{
    char value[1024];

    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    setenv("WARDER_SOCKET", value, 1);
    inherited_environment_take();
    inherited_environment_hide();
    return is_value("WARDER_SOCKET", NULL) && getenv("WARDER_SOCKET");
}

static void a_value_that_warder_never_writes_is_not_taken(void **state)
{
    (void)state;
    in_child(too_long_is_left);
}

static bool no_environment_at_all(void)
{
    size_t count;

    clearenv();
    inherited_environment_take();
    inherited_environment_hide();
    inherited_environment(&count);
    return count == 0;
}

static void an_empty_environment_has_nothing(void **state)
{
    (void)state;
    in_child(no_environment_at_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_there_first_is_taken_and_nothing_after),
        cmocka_unit_test(before_it_is_taken_it_is_read_from_the_environment),
        cmocka_unit_test(what_is_not_the_hooks_stays_visible),
        cmocka_unit_test(nothing_is_hidden_that_was_not_taken),
        cmocka_unit_test(a_value_that_warder_never_writes_is_not_taken),
        cmocka_unit_test(an_empty_environment_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
