#include "tests/unit/unit_test.h"

#include <stdio.h>
#include <string.h>

#include "policies/engine/policy_guard.h"
#include "tests/unit/policy_fixture.h"

enum { EXEC = 1U << CLASS_EXEC, FORK = 1U << CLASS_FORK, WRITE = 1U << CLASS_WRITE, LIBC = 1U };

static struct policy_guard guard_of(const char *text)
{
    struct policy_block *block = compiled(text);
    const struct policy_guard guard = policy_guard(block, 0);

    policy_block_free(block);
    return guard;
}

static void what_allows_guards_nothing(void **state)
{
    (void)state;
    const struct policy_guard guard =
        guard_of("policy p { default allow all allow exec where file is \"/bin/true\" as a }");
    assert_int_equal(guard.guarded, 0);
    assert_int_equal(guard.held, 0);
    assert_int_equal(guard.flat, 0);
}

static void defaults_and_rules_that_deny_hold_their_classes(void **state)
{
    (void)state;
    struct policy_guard guard = guard_of("policy p { default deny exec kill fork as k }");
    assert_int_equal(guard.guarded, EXEC | FORK);
    assert_int_equal(guard.held, EXEC | FORK);
    guard = guard_of("policy p { deny write where path is \"/x\" as w }");
    assert_int_equal(guard.held, WRITE);
    assert_int_equal(guard.flat, 0);
}

static void what_is_logged_is_guarded_and_not_held(void **state)
{
    (void)state;
    const struct policy_guard guard = guard_of("policy p { log exec as l }");
    assert_int_equal(guard.guarded, EXEC);
    assert_int_equal(guard.held, 0);
}

static void rules_on_events_guard_what_the_events_are(void **state)
{
    (void)state;
    struct policy_guard guard = guard_of("policy p { deny event \"os.fork\" as f }");
    assert_int_equal(guard.held, FORK);
    guard = guard_of("policy p { log event \"libc.execve\" as f }");
    assert_int_equal(guard.guarded, EXEC | LIBC);
    guard = guard_of("policy p { deny event \"libc.*\" as f }");
    assert_int_equal(guard.held & (EXEC | FORK | LIBC), EXEC | FORK | LIBC);
    guard = guard_of("policy p { deny event \"sys._curr*\" as f }");
    assert_int_equal(guard.held & (EXEC | FORK | LIBC), 0);
}

static void a_class_is_flatly_denied_where_nothing_of_it_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(guard_of("policy p { default deny exec, fork }").flat, EXEC | FORK);
    assert_int_equal(guard_of("policy p { default deny exec, fork\n"
                              "allow exec where file is \"/bin/true\" as t }")
                         .flat,
                     FORK);
    assert_int_equal(guard_of("policy p { deny exec as no }").flat, EXEC);
    assert_int_equal(guard_of("policy p { default deny exec allow event \"os.exec\" as t }").flat,
                     0);
}

enum { NAMES_SIZE = 64 };

static void collect(void *context, const char *name, uint32_t length)
{
    char *all = context;
    const size_t used = strlen(all);
    snprintf(all + used, NAMES_SIZE - used, "%.*s ", (int)length, name);
}

static void names_of_variables_are_those_that_are_asked_for(void **state)
{
    (void)state;
    struct policy_block *block = compiled(
        "policy p { default deny exec\n"
        "allow exec where (env has \"LD_A\" or env has \"LD_B\") and not env has \"LD_C\" as a\n"
        "allow exec where file is \"/bin/true\" as b }");
    char names[NAMES_SIZE] = "";

    assert_string_equal(rule_name(block, 0), "a");
    policy_rule_environment(block, 0, collect, names);
    assert_string_equal(names, "LD_A LD_B ");
    names[0] = '\0';
    policy_rule_environment(block, 1, collect, names);
    assert_string_equal(names, "");
    policy_block_free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_allows_guards_nothing),
        cmocka_unit_test(defaults_and_rules_that_deny_hold_their_classes),
        cmocka_unit_test(what_is_logged_is_guarded_and_not_held),
        cmocka_unit_test(rules_on_events_guard_what_the_events_are),
        cmocka_unit_test(a_class_is_flatly_denied_where_nothing_of_it_is_allowed),
        cmocka_unit_test(names_of_variables_are_those_that_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
