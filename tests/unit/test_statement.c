/* Statements found by the names under which records cite them. */
#include "policy_fixture.h"

#include <string.h>

#include "policies/language/statement.h"

static const char text[] = "policy a { deny exec as x }\n"
                           "policy p {\n"
                           "    default deny all message \"m\"\n"
                           "    default allow exec\n"
                           "    deny exec where file is \"/x\" as no-x\n"
                           "    deny fork as default-fork\n"
                           "    override vendor/gone.default-exec reason \"r\" until 2020-01-31\n"
                           "}\n";

static const char *found(const char *policy, const char *rule)
{
    static char statement[200];
    const struct policy_text one = local_text(text);
    struct source_excerpt excerpt;

    if (!policy_find_statement(&one, policy, rule, &excerpt))
        return NULL;
    assert_true(excerpt.length < sizeof(statement));
    memcpy(statement, excerpt.text, excerpt.length);
    statement[excerpt.length] = '\0';
    assert_string_equal(excerpt.file, "test.warder");
    assert_in_range(excerpt.line, 1, 7);
    return statement;
}

static void rules_are_found_in_their_policy(void **state)
{
    (void)state;
    assert_string_equal(found("p", "no-x"), "deny exec where file is \"/x\" as no-x");
    assert_string_equal(found("a", "x"), "deny exec as x");
    assert_null(found("a", "no-x"));
    assert_null(found("p", "no"));
    assert_null(found("b", "x"));
    assert_null(found("p", ""));
}

static void defaults_are_found_by_class(void **state)
{
    (void)state;
    assert_string_equal(found("p", "default-exec"), "default allow exec");
    assert_string_equal(found("p", "default-bind"), "default deny all message \"m\"");
    /* A rule of that name is the rule. */
    assert_string_equal(found("p", "default-fork"), "deny fork as default-fork");
    assert_null(found("a", "default-exec"));
}

static void overrides_are_found_whatever_became_of_their_target(void **state)
{
    (void)state;
    assert_string_equal(found("p", "override vendor/gone.default-exec"),
                        "override vendor/gone.default-exec reason \"r\" until 2020-01-31");
    assert_null(found("p", "override vendor/gone.default-fork"));
}

static void what_does_not_parse_is_searched_as_far_as_it_was_read(void **state)
{
    (void)state;
    const struct policy_text broken = local_text("policy p { deny exec as a  deny what }");
    const struct policy_text nothing = local_text("\"");
    struct source_excerpt excerpt;

    assert_true(policy_find_statement(&broken, "p", "a", &excerpt));
    assert_int_equal(excerpt.column, 12);
    assert_false(policy_find_statement(&nothing, "p", "a", &excerpt));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_found_in_their_policy),
        cmocka_unit_test(defaults_are_found_by_class),
        cmocka_unit_test(overrides_are_found_whatever_became_of_their_target),
        cmocka_unit_test(what_does_not_parse_is_searched_as_far_as_it_was_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
