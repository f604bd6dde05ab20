/* Tests of policies: what an expectation holds, what is said where it does not, what they reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policies/scene/policy_suite.h"

enum { TEXTS_MAX = 4, OUTCOMES_MAX = 2048 };

static const char media[] = "policy media {\n"
                            "    applies { user is \"media\" }\n"
                            "    default deny exec, write\n"
                            "    allow exec where file is \"/usr/bin/ffprobe\" as probe\n"
                            "    deny exec where file is \"/bin/sh\" as no-shell\n"
                            "    kill ffi where symbol is \"system\" as no-system\n"
                            "    log read where path under \"/etc\" as etc-reads\n"
                            "}\n";

/* A suite of one directory, and what came of one test file. */
struct tried {
    struct diagnostics *diagnostics;
    struct policy_suite *suite;
    struct suite_counts counts;
    char outcomes[OUTCOMES_MAX]; /* `3 deny no-shell; …`: line, `!` if it does not hold, found */
    char *said;
};

static void note(void *context, const struct suite_outcome *outcome)
{
    struct tried *tried = context;
    const size_t length = strlen(tried->outcomes);

    assert_string_equal(outcome->place.file, "p.test.warder");
    (void)snprintf(tried->outcomes + length, OUTCOMES_MAX - length, "%s%u%s %s %s%s@%u",
                   length > 0 ? "; " : "", (unsigned)outcome->place.line, outcome->holds ? "" : "!",
                   outcome->found.verdict, outcome->found.by, outcome->found.unknown ? "?" : "",
                   (unsigned)outcome->found.place.line);
}

static void note_unreached(void *context, const struct suite_unreached *unreached)
{
    struct tried *tried = context;
    const size_t length = strlen(tried->outcomes);

    (void)snprintf(tried->outcomes + length, OUTCOMES_MAX - length, "%s%s %s.%s@%u",
                   length > 0 ? "; " : "", unreached->kind, unreached->policy, unreached->name,
                   (unsigned)unreached->place.line);
}

static struct policy_text text_of(const char *file, const char *text, enum policy_tier tier)
{
    return (struct policy_text){.file = file, .text = text, .length = strlen(text), .tier = tier};
}

struct given_policies {
    const char *local;
    const char *vendor; /* NULL: none */
    int32_t today;
    bool observed; /* outcomes go to an observer, not into what is said */
    bool coverage;
};

static void try(struct tried *tried, const struct given_policies *policies, const char *test)
{
    const struct policy_text texts[] = {
        text_of("p.warder", policies->local, TIER_LOCAL),
        text_of("vendor/p.warder", policies->vendor ? policies->vendor : "", TIER_VENDOR)};
    const struct policy_text file = text_of("p.test.warder", test, TIER_LOCAL);
    const struct suite_observer observer = {tried, note, note_unreached};
    const struct suite_observer *asked = policies->observed ? &observer : NULL;

    *tried = (struct tried){.diagnostics = diagnostics_new()};
    tried->suite = policy_suite_new(texts, 2, policies->today, tried->diagnostics);
    if (tried->suite) {
        policy_suite_run(tried->suite, &file, asked);
        if (policies->coverage)
            policy_suite_coverage(tried->suite, asked);
        policy_suite_untested(tried->suite);
        tried->counts = policy_suite_counts(tried->suite);
    }
    tried->said = diagnostics_render(tried->diagnostics, NULL, false);
    assert_non_null(tried->said);
}

static void done(struct tried *tried)
{
    policy_suite_free(tried->suite);
    diagnostics_free(tried->diagnostics);
    free(tried->said);
}

/* The outcomes of all expectations. */
static void assert_outcomes(const struct given_policies *policies, const char *test,
                            const char *expected)
{
    struct given_policies observed = *policies;
    struct tried tried;

    observed.observed = true;
    try(&tried, &observed, test);
    if (strcmp(tried.outcomes, expected) != 0)
        fail_msg("%s\nis       %s\nexpected %s\n%s", test, tried.outcomes, expected, tried.said);
    done(&tried);
}

/* What is said holds every part; the parts end with NULL. */
static void assert_said(const struct given_policies *policies, const char *test, ...)
{
    struct tried tried;
    va_list parts;

    try(&tried, policies, test);
    va_start(parts, test);
    for (const char *part = va_arg(parts, const char *); part; part = va_arg(parts, const char *))
        if (!strstr(tried.said, part))
            fail_msg("missing: %s\nin:\n%s", part, tried.said);
    va_end(parts);
    done(&tried);
}

static void expectations_hold_by_the_rule_or_default_that_decides(void **state)
{
    /* Clause T-17. */
    const struct given_policies policies = {.local = media};
    (void)state;
    assert_outcomes(&policies,
                    "test media { session user \"media\"\n"
                    "expect allow exec \"/usr/bin/ffprobe\" by probe\n"
                    "expect deny exec \"/bin/sh\" by no-shell\n"
                    "expect deny exec \"/bin/sh\" by media.no-shell\n"
                    "expect deny exec \"/x\" by default\n"
                    "expect deny exec \"/x\" by default-exec\n"
                    "expect deny exec \"/x\" by media.default\n"
                    "expect kill ffi symbol \"system\" by no-system\n"
                    "expect deny ffi symbol unknown by no-system\n"
                    "expect allow fork by default }",
                    "2 allow probe@4; 3 deny no-shell@5; 4 deny no-shell@5; 5 deny default-exec@3; "
                    "6 deny default-exec@3; 7 deny default-exec@3; 8 kill no-system@6; "
                    "9 deny no-system?@6; 10 allow default@0");
}

static void expectations_fail_by_verdict_and_by_rule(void **state)
{
    const struct given_policies policies = {.local = media};
    (void)state;
    assert_outcomes(&policies,
                    "test media { session user \"media\"\n"
                    "expect deny exec \"/usr/bin/ffprobe\" by probe\n"
                    "expect deny exec \"/bin/sh\" by default\n"
                    "expect deny exec \"/x\" by no-shell\n"
                    "expect deny exec \"/x\" by default-write\n"
                    "expect would-deny exec \"/x\" by default\n"
                    "expect deny ffi symbol \"system\" by no-system\n"
                    "expect allow fork by default-fork }",
                    "2! allow probe@4; 3! deny no-shell@5; 4! deny default-exec@3; "
                    "5! deny default-exec@3; 6! deny default-exec@3; 7! kill no-system@6; "
                    "8! allow default@0");
}

static void what_is_given_is_also_where_the_policys_literals_lead(void **state)
{
    /* Clause T-12. */
    const struct given_policies policies = {.local = media};
    (void)state;
    assert_outcomes(&policies,
                    "test media { session user \"media\" expect deny exec \"/usr/bin/dash\" by "
                    "default }\n"
                    "test media { given \"/bin/sh\" resolves to \"/usr/bin/dash\"\n"
                    "session user \"media\" expect deny exec \"/usr/bin/dash\" by no-shell }",
                    "1 deny default-exec@3; 3 deny no-shell@5");
}

static void policies_govern_by_applies_and_the_tested_one_by_its_name(void **state)
{
    /* Clause T-11. */
    const struct given_policies policies = {
        .local = "policy named { deny fork as no-fork }\n"
                 "policy guard { applies { group has \"staff\" } }\n"
                 "policy other { applies { user is \"a\" } deny exec as no-exec default deny "
                 "thread }\n"};
    (void)state;
    assert_outcomes(&policies,
                    "test named {\n"
                    "expect deny fork by no-fork\n"
                    "expect allow exec by default\n"
                    "session user \"a\"\n"
                    "expect deny exec by other.no-exec\n"
                    "expect deny exec by no-fork\n"
                    "expect deny thread by other.default\n"
                    "expect deny thread by default\n"
                    "session user \"b\"\n"
                    "expect allow exec by default }\n"
                    "test other { session user \"a\" expect allow fork by default }",
                    "2 deny no-fork@1; 3 allow default@0; 5 deny other.no-exec@3; "
                    "6! deny other.no-exec@3; 7 deny other.default-thread@3; "
                    "8! deny other.default-thread@3; 10 allow default@0; 11 allow default@0");
}

static void a_session_that_the_policy_does_not_govern_is_an_error(void **state)
{
    /* Clause T-11. */
    const struct given_policies policies = {.local = media};
    (void)state;
    assert_said(&policies,
                "test media {\n"
                "    session user \"bob\"\n"
                "    expect deny exec by default\n"
                "    expect deny exec by no-shell\n"
                "}\n",
                "p.test.warder:2:5: error[E092]: policy `media` does not govern this session",
                "::: p.warder:2:5", "this does not select it", "1 error in 1 file", NULL);
    assert_said(&policies, "test media { expect deny exec by default }",
                "p.test.warder:1:1: error[E092]", "say who asks: session user", NULL);
}

static void failures_name_what_decided_and_what_did_not_fire(void **state)
{
    const struct given_policies policies = {.local = media};
    (void)state;
    assert_said(
        &policies,
        "test media { session user \"media\"\n"
        "    expect allow exec \"/usr/bin/ffmpeg\" by probe\n"
        "}\n",
        "p.test.warder:2:5: error[E100]: expected allow by `probe`, found deny by "
        "`default-exec`\n",
        "expect allow exec \"/usr/bin/ffmpeg\" by probe\n", "::: p.warder:3:5",
        "default deny exec, write\n", "this decided",
        "= note: rule `probe` does not fire: `file is \"/usr/bin/ffprobe\"` is false: it was "
        "\"/usr/bin/ffmpeg\"\n",
        NULL);
    assert_said(&policies,
                "test media { session user \"media\"\n"
                "    expect allow ffi symbol unknown by default\n"
                "    expect deny fork by default\n"
                "}\n",
                "expected allow by `default`, found deny by `no-system`",
                "= note: it fired because its condition could not be known",
                "expected deny by `default`, found allow by `default`",
                "= note: no rule fires, and no policy that governs the session has a default",
                NULL);
}

static void failures_for_want_of_steps_say_so(void **state)
{
    enum { RULES = 100 };
    static char policy[RULES * 80 + 80];
    static char test[4096];
    const struct given_policies policies = {.local = policy};
    size_t used = (size_t)snprintf(policy, sizeof(policy), "policy p {\n");
    char path[3001] = "";
    (void)state;

    for (int i = 0; i < RULES; i++)
        used +=
            (size_t)snprintf(policy + used, sizeof(policy) - used,
                             "deny exec where file matches \"/*a*a*a*a%03d*\" as r%03d\n", i, i);
    (void)snprintf(policy + used, sizeof(policy) - used, "}\n");
    memset(path, 'a', sizeof(path) - 1);
    (void)snprintf(test, sizeof(test), "test p { expect allow exec \"/%s\" by default }\n", path);
    assert_said(&policies, test, "expected allow by `default`, found deny by `r",
                "= note: it could not be judged in the steps that a decision may take", NULL);
}

static void names_that_are_not_there_are_errors(void **state)
{
    const struct given_policies policies = {.local = media};
    (void)state;
    assert_said(&policies, "test medja { expect deny exec by default }",
                "error[E091]: there is no policy `medja` beside this test", "did you mean `media`?",
                NULL);
    assert_said(&policies, "test somewhere-else { expect deny exec by default }",
                "error[E091]: there is no policy `somewhere-else`", "= help:", NULL);
    assert_said(&policies, "test media { session user \"media\" expect deny exec by no-shel }",
                "error[E093]: policy `media` has no rule `no-shel`", "did you mean `no-shell`?",
                NULL);
    assert_said(&policies, "test media { session user \"media\" expect deny exec by nothing.rule }",
                "error[E091]: there is no policy `nothing` beside this test", NULL);
    assert_said(&policies,
                "test media { session user \"media\" expect allow read \"/etc/x\" by etc-reads }",
                "error[E093]: rule `etc-reads` is a `log` rule: it decides nothing", NULL);
    assert_said(&policies, "test media { session user \"media\" expect deny exec by default-exce }",
                "error[E093]: policy `media` has no rule `default-exce`", NULL);
}

static void a_file_with_mistakes_of_form_is_not_run(void **state)
{
    const struct given_policies policies = {.local = media, .observed = true};
    struct tried tried;
    (void)state;
    try(&tried, &policies,
        "test media { session user \"media\" expect deny exec by default expect }");
    assert_string_equal(tried.outcomes, "");
    assert_int_equal(tried.counts.expectations, 0);
    assert_int_equal(diagnostics_error_count(tried.diagnostics), 1);
    assert_int_equal(diagnostics_warning_count(tried.diagnostics), 0);
    done(&tried);
    try(&tried, &policies, "test media { session user \"media\" }");
    assert_non_null(strstr(tried.said, "E090"));
    done(&tried);
}

static void policies_with_errors_make_no_suite(void **state)
{
    const struct given_policies policies = {.local = "policy p { deny exce as x }"};
    struct tried tried;
    (void)state;
    try(&tried, &policies, "test p { expect deny exec by x }");
    assert_null(tried.suite);
    assert_non_null(strstr(tried.said, "p.warder:1:17: error[E011]"));
    assert_int_equal(diagnostics_error_count(tried.diagnostics), 1);
    done(&tried);
}

static void an_observing_policy_is_tested_by_what_it_would_say(void **state)
{
    /* Clause T-19. */
    const struct given_policies policies = {
        .local = "policy p { mode observe default deny exec\n"
                 "allow exec where file is \"/a\" as a\n"
                 "kill fork as no-fork log read as reads }\n"
                 "policy strict { applies { user is \"s\" } deny thread as no-thread }"};
    (void)state;
    assert_outcomes(&policies,
                    "test p {\n"
                    "expect would-deny exec \"/b\" by default\n"
                    "expect would-deny fork by no-fork\n"
                    "expect allow exec \"/a\" by a\n"
                    "expect allow exec \"/b\" by default\n"
                    "expect allow thread by default\n"
                    "session user \"s\"\n"
                    "expect deny thread by strict.no-thread\n"
                    "expect would-deny exec \"/b\" by default }",
                    "2 would-deny default-exec@1; 3 would-deny no-fork@3; 4 allow a@2; "
                    "5! would-deny default-exec@1; 6 allow default@0; "
                    "8 deny strict.no-thread@4; 9 would-deny default-exec@1");
}

static const char exception[] = "policy thesis {\n"
                                "applies { user is \"alice\" }\n"
                                "override vendor/base.default-exec where file is \"/a\"\n"
                                "reason \"x\" until 2027-01-31\n"
                                "}\n";
static const char base[] = "policy base { default deny exec }";

static void overrides_count_as_before_their_end_or_as_of_a_day(void **state)
{
    /* Clause T-18. */
    struct given_policies policies = {.local = exception, .vendor = base};
    static const char test[] = "test base { session user \"alice\"\n"
                               "expect allow exec \"/a\" by default\n"
                               "expect deny exec \"/b\" by default\n"
                               "session user \"bob\"\n"
                               "expect deny exec \"/a\" by default }";
    (void)state;
    assert_outcomes(&policies, test,
                    "2 allow default@0; 3 deny default-exec@1; 5 deny default-exec@1");
    policies.today = 20849; /* 2027-01-31 */
    assert_outcomes(&policies, test,
                    "2 allow default@0; 3 deny default-exec@1; 5 deny default-exec@1");
    policies.today = 20850;
    assert_outcomes(&policies, test,
                    "2! deny default-exec@1; 3 deny default-exec@1; 5 deny default-exec@1");
}

static void coverage_lists_rules_defaults_and_overrides(void **state)
{
    /* Clause T-20. */
    struct given_policies policies = {.local = media, .observed = true, .coverage = true};
    struct tried tried;
    (void)state;
    try(&tried, &policies, "test media { session user \"media\" expect allow fork by default }");
    assert_string_equal(tried.outcomes,
                        "1 allow default@0; rule media.probe@4; rule media.no-shell@5; "
                        "rule media.no-system@6; rule media.etc-reads@7; "
                        "default media.default-exec@3; default media.default-write@3");
    assert_int_equal(tried.counts.parts, 6);
    assert_int_equal(tried.counts.unreached, 6);
    done(&tried);
    try(&tried, &policies,
        "test media { session user \"media\"\n"
        "expect allow exec \"/usr/bin/ffprobe\" by probe expect deny exec \"/bin/sh\" by no-shell\n"
        "expect kill ffi symbol \"system\" by no-system expect allow read \"/etc/x\" by default\n"
        "expect deny exec \"/x\" by default expect deny write \"/x\" by default }");
    assert_int_equal(tried.counts.parts, 6);
    assert_int_equal(tried.counts.unreached, 0);
    assert_int_equal(tried.counts.failed, 0);
    done(&tried);
    policies = (struct given_policies){exception, base, 0, true, true};
    try(&tried, &policies,
        "test base { expect deny exec by default }\n"
        "test thesis { session user \"alice\" expect allow exec by default }");
    assert_string_equal(tried.outcomes, "1 deny default-exec@1; 2 allow default@0; "
                                        "override thesis.vendor/base.default-exec@3");
    done(&tried);
    try(&tried, &policies,
        "test base { session user \"alice\" expect allow exec \"/a\" by default }\n"
        "test thesis { session user \"alice\" expect allow exec by default }");
    assert_string_equal(tried.outcomes, "1 allow default@0; 2 allow default@0");
    assert_int_equal(tried.counts.parts, 2);
    done(&tried);
}

static void a_default_for_all_is_one_and_those_beside_it_are_others(void **state)
{
    const struct given_policies policies = {
        .local = "policy p { default deny all\ndefault allow fork, thread }\n"
                 "policy untested { deny exec as x }",
        .observed = true,
        .coverage = true};
    struct tried tried;
    (void)state;
    try(&tried, &policies, "test p { expect allow fork by default }");
    assert_string_equal(tried.outcomes, "1 allow default-fork@2; default p.default-all@1; "
                                        "default p.default-thread@2");
    assert_non_null(strstr(tried.said, "warning[W031]: no test names policy `untested`"));
    done(&tried);
    try(&tried, &policies, "test p { expect allow thread by default expect deny exec by default }");
    assert_string_equal(tried.outcomes, "1 allow default-thread@2; 1 deny default-exec@1; "
                                        "default p.default-fork@2");
    done(&tried);
}

static void what_is_not_reached_is_warned_of(void **state)
{
    const struct given_policies policies = {.local = media, .coverage = true};
    (void)state;
    assert_said(&policies, "test media { session user \"media\" expect allow fork by default }",
                "p.warder:4:5: warning[W030]: no test reaches rule `probe` of policy `media`",
                "p.warder:3:24: warning[W030]: no test reaches default `default-write` of policy",
                "6 warnings in 1 file", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expectations_hold_by_the_rule_or_default_that_decides),
        cmocka_unit_test(expectations_fail_by_verdict_and_by_rule),
        cmocka_unit_test(what_is_given_is_also_where_the_policys_literals_lead),
        cmocka_unit_test(policies_govern_by_applies_and_the_tested_one_by_its_name),
        cmocka_unit_test(a_session_that_the_policy_does_not_govern_is_an_error),
        cmocka_unit_test(failures_name_what_decided_and_what_did_not_fire),
        cmocka_unit_test(failures_for_want_of_steps_say_so),
        cmocka_unit_test(names_that_are_not_there_are_errors),
        cmocka_unit_test(a_file_with_mistakes_of_form_is_not_run),
        cmocka_unit_test(policies_with_errors_make_no_suite),
        cmocka_unit_test(an_observing_policy_is_tested_by_what_it_would_say),
        cmocka_unit_test(overrides_count_as_before_their_end_or_as_of_a_day),
        cmocka_unit_test(coverage_lists_rules_defaults_and_overrides),
        cmocka_unit_test(a_default_for_all_is_one_and_those_beside_it_are_others),
        cmocka_unit_test(what_is_not_reached_is_warned_of),
    };
    return cmocka_run_group_tests_name("policy_suite", tests, NULL, NULL);
}
