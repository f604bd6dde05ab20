/* What a floor comes to on a kernel, before anything of it is taken. */
#define _GNU_SOURCE
#include "floor_fixture.h"

#include <string.h>
#include <sys/syscall.h>

static void each_abi_holds_what_it_can_and_names_the_rest(void **state)
{
    const uint32_t all =
        CLASS(EXEC) | CLASS(READ) | CLASS(WRITE) | CLASS(CONNECT) | CLASS(BIND) | CLASS(FORK);
    const uint32_t files = CLASS(EXEC) | CLASS(READ);
    const uint32_t ports = CLASS(CONNECT) | CLASS(BIND);
    static const struct {
        uint64_t files;
        uint64_t ports;
        uint64_t scopes;
        size_t missing;
    } expected[ABI_NEWEST + 2] = {
        {0, 0, 0, 1},      {0x1fff, 0, 0, 6}, {0x3fff, 0, 0, 5},
        {0x7fff, 0, 0, 4}, {0x7fff, 3, 0, 2}, {0xffff, 3, 0, 1},
        {0xffff, 3, 3, 0}, {0xffff, 3, 3, 0}, {0xffff, 3, 3, 0}, /* and a newer one */
    };
    struct example example;

    (void)state;
    example_init(&example, all);
    example.floor.any_connect_port = example.floor.any_bind_port = false;
    example_path(&example, "/usr/bin/env", CLASS(EXEC));
    for (int abi = 0; abi <= ABI_NEWEST + 1; abi++) {
        struct landlock_plan plan;
        struct missing_words missing = {.count = 0};
        landlock_plan_make(&plan, &example.floor, FLOOR_INTERPRETER, abi, &missing);
        assert_int_equal(plan.files, expected[abi].files);
        assert_int_equal(plan.ports, expected[abi].ports);
        assert_int_equal(plan.scopes, expected[abi].scopes);
        assert_int_equal(missing.count, expected[abi].missing);
        const uint32_t held =
            (abi >= 1 ? files : 0) | (abi >= 3 ? CLASS(WRITE) : 0) | (abi >= 4 ? ports : 0);
        assert_int_equal(plan.held, held);
        assert_int_equal(landlock_plan_is_needed(&plan), abi >= 1);
    }
}

static void missing_rights_are_named_with_the_kernel_that_has_them(void **state)
{
    struct example example;
    struct landlock_plan plan;
    struct missing_words missing = {.count = 0};

    (void)state;
    example_init(&example, CLASS(WRITE));
    landlock_plan_make(&plan, &example.floor, FLOOR_INTERPRETER, 2, &missing);
    assert_int_equal(missing.count, 3);
    assert_non_null(strstr(missing.texts[0], "truncate"));
    assert_non_null(strstr(missing.texts[0], "Linux 6.2"));
    assert_non_null(strstr(missing.texts[1], "ioctl"));
    assert_non_null(strstr(missing.texts[2], "signals"));
}

static void before_the_program_processes_outside_alone_are_held(void **state)
{
    struct example example;
    struct landlock_plan plan;
    struct missing_words missing = {.count = 0};

    (void)state;
    example_init(&example, CLASS(EXEC) | CLASS(WRITE) | CLASS(CONNECT));
    example.floor.any_connect_port = false;
    landlock_plan_make(&plan, &example.floor, FLOOR_BEFORE_PROGRAM, ABI_NEWEST, &missing);
    assert_int_equal(plan.files, LANDLOCK_REFER);
    assert_int_equal(plan.ports, 0);
    assert_int_equal(plan.scopes, LANDLOCK_SCOPE_SIGNALS | LANDLOCK_SCOPE_ABSTRACT);
    assert_int_equal(plan.held, 0);
}

static void what_a_kernel_will_hold_is_known_before_filters_and_paths_are(void **state)
{
    struct example example;
    struct floor_taken taken;
    struct floor_failure failure;
    struct floor_terms terms = {
        .stage = FLOOR_INTERPRETER, .landlock_abi = ABI_NEWEST, .early = true};

    (void)state;
    example_init(&example, CLASS(EXEC) | CLASS(FORK) | CLASS(WRITE) | CLASS(CONNECT));
    example.floor.any_connect_port = false;
    example.floor.required = example.floor.classes;
    floor_foresee(&example.floor, &terms, &taken);
    assert_int_equal(taken.classes, example.floor.classes);
    terms.landlock_abi = 1;
    floor_foresee(&example.floor, &terms, &taken);
    assert_int_equal(taken.classes, example.floor.classes & ~CLASS(WRITE));
    assert_false(floor_is_enough(&example.floor, &taken, &failure));
}

static void floor_without_any_class_restricts_nothing(void **state)
{
    struct example example;
    struct landlock_plan plan;
    struct missing_words missing = {.count = 0};

    (void)state;
    example_init(&example, 0);
    landlock_plan_make(&plan, &example.floor, FLOOR_INTERPRETER, ABI_NEWEST, &missing);
    assert_false(landlock_plan_is_needed(&plan));
    assert_int_equal(missing.count, 0);
}

static void required_class_that_is_not_held_is_said_with_what_is_missing(void **state)
{
    struct example example;
    struct floor_taken taken;
    struct floor_failure failure = {.text = ""};
    const struct floor_terms old = {.stage = FLOOR_INTERPRETER, .landlock_abi = 2};
    const struct floor_terms new = {.stage = FLOOR_INTERPRETER, .landlock_abi = ABI_NEWEST};

    (void)state;
    example_init(&example, CLASS(WRITE) | CLASS(READ));
    example.floor.required = CLASS(WRITE);
    floor_foresee(&example.floor, &old, &taken);
    assert_int_equal(taken.classes, CLASS(READ));
    assert_int_equal(taken.landlock_abi, 2);
    assert_false(floor_is_enough(&example.floor, &taken, &failure));
    assert_non_null(strstr(failure.text, "`write`: its policy requires"));
    assert_non_null(strstr(failure.text, "truncate"));
    assert_null(strstr(failure.text, "`read`"));

    floor_foresee(&example.floor, &new, &taken);
    assert_int_equal(taken.classes, CLASS(WRITE) | CLASS(READ));
    assert_true(floor_is_enough(&example.floor, &taken, &failure));
}

static void class_counts_as_held_only_with_its_filter(void **state)
{
    struct example example;
    struct floor_taken taken;
    struct one_call_filter filter;
    const struct floor_terms terms = {.stage = FLOOR_INTERPRETER, .landlock_abi = ABI_NEWEST};
    const struct floor_terms threaded = {
        .stage = FLOOR_INTERPRETER, .landlock_abi = ABI_NEWEST, .threads = true};

    (void)state;
    example_init(&example, CLASS(EXEC) | CLASS(FORK) | CLASS(CONNECT) | CLASS(WRITE));
    floor_foresee(&example.floor, &terms, &taken);
    assert_int_equal(taken.classes, CLASS(WRITE));

    example.floor.interpreter_filter = one_call_filter(&filter, SYS_getppid, EACCES);
    floor_foresee(&example.floor, &terms, &taken);
    assert_int_equal(taken.classes, example.floor.classes);
    /* Landlock does not reach threads that are there, and a floor on ports needs it. */
    example.floor.any_connect_port = false;
    floor_foresee(&example.floor, &threaded, &taken);
    assert_int_equal(taken.classes, CLASS(EXEC) | CLASS(FORK));
    assert_int_equal(taken.landlock_abi, 0);
    assert_int_equal(taken.missing.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_abi_holds_what_it_can_and_names_the_rest),
        cmocka_unit_test(missing_rights_are_named_with_the_kernel_that_has_them),
        cmocka_unit_test(before_the_program_processes_outside_alone_are_held),
        cmocka_unit_test(what_a_kernel_will_hold_is_known_before_filters_and_paths_are),
        cmocka_unit_test(floor_without_any_class_restricts_nothing),
        cmocka_unit_test(required_class_that_is_not_held_is_said_with_what_is_missing),
        cmocka_unit_test(class_counts_as_held_only_with_its_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
