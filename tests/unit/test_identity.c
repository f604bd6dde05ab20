#include "daemon/session/identity.h"

#include <stdlib.h>
#include <unistd.h>

#include "unit_test.h"

static void assert_unit(const char *cgroup, const char *expected)
{
    char *unit = identity_unit(cgroup);

    if (expected)
        assert_string_equal(unit, expected);
    else
        assert_null(unit);
    free(unit);
}

static void unit_is_the_one_that_the_host_s_manager_made(void **state)
{
    (void)state;
    assert_unit("/system.slice/media.service", "media.service");
    assert_unit("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service");
    assert_unit("/user.slice/user-1000.slice/session-3.scope", "session-3.scope");
    assert_unit("/init.scope", "init.scope");
    assert_unit("media.service", "media.service");
}

/* Whoever has a subtree delegated to him can make any name below it. */
static void unit_is_none_that_was_made_below_another(void **state)
{
    (void)state;
    assert_unit("/system.slice/grader.service/media.service", "grader.service");
    assert_unit("/system.slice/grader.service/x/system.slice/media.service", "grader.service");
    assert_unit("/user.slice/user-1000.slice/user@1000.service/app.slice/media.service",
                "user@1000.service");
    assert_unit("/docker/0123/system.slice/media.service", NULL);
    assert_unit("/../media.service", NULL);
}

static void unit_is_none_where_there_is_none(void **state)
{
    (void)state;
    assert_unit("", NULL);
    assert_unit("/", NULL);
    assert_unit("//", NULL);
    assert_unit("/system.slice", NULL);
    assert_unit("/system.slice/", NULL);
    assert_unit("/.service", NULL);
    assert_unit("/lxc/a", NULL);
}

static void process_is_known_by_its_number_and_its_start(void **state)
{
    uint64_t start = 0;
    pid_t parent = -1;

    (void)state;
    assert_true(identity_start_time(getpid(), &start));
    assert_true(start > 0);
    assert_true(identity_parent(getpid(), &parent));
    assert_int_equal(parent, getppid());
    assert_false(identity_start_time(0, &start));
    assert_false(identity_parent(-1, &parent));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unit_is_the_one_that_the_host_s_manager_made),
        cmocka_unit_test(unit_is_none_that_was_made_below_another),
        cmocka_unit_test(unit_is_none_where_there_is_none),
        cmocka_unit_test(process_is_known_by_its_number_and_its_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
