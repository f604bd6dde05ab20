/* The policies of a directory, the tests that are run against them, and what the tests reach.
 *
 * A test `test NAME { … }` is judged with every policy of the suite that governs its session: NAME,
 * and each other one whose `applies` selects it. NAME itself has to: by its `applies`, or, if it
 * has none, because the test names it. Of several policies of one name the one of the highest tier
 * is tested.
 *
 *   - The literals of the policies lead where the test's givens say; nothing is asked of the
 * machine.
 *   - It is the day before every override ends, so that a test which holds today holds next year;
 *     with `today` it is that day.
 *   - `by default` is the tested policy's default for the class or, where no governing policy has
 *     anything to say, the language's own: allowed. A default has its name too: default-exec.
 *   - Where the tested policy is in `mode observe`, what it says is what counts: `would-deny` where
 *     it would have denied or killed, and `allow` by the rule that would have allowed.
 *
 * Does no I/O. Texts are borrowed, and have to outlive the suite. For one thread. */
#ifndef WARDER_POLICIES_SCENE_POLICY_SUITE_H
#define WARDER_POLICIES_SCENE_POLICY_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/language/compile.h"
#include "policies/ownership.h"

struct policy_suite;

/* A place in a text, as people count: lines and characters from 1. */
struct suite_place {
    const char *file; /* NULL: nowhere */
    uint32_t line;
    uint32_t column;
};

/* A verdict, and who decided it. */
struct suite_answer {
    const char *verdict; /* allow, deny, kill, would-deny */
    const char *by;      /* RULE, default-CLASS, POLICY.RULE for another policy's; `default` where
                            nobody had anything to say */
    bool unknown;        /* because a condition could not be known, */
    bool spent;          /* and that because the steps of a decision were spent */
    struct suite_place place; /* of the rule or default that decided */
};

/* One expectation, judged. Good until the observer returns. */
struct suite_outcome {
    struct suite_place place;
    const char *policy; /* that is tested */
    bool holds;
    struct suite_answer expected; /* its `by` as it is written; no place */
    struct suite_answer found;
};

/* Something of a tested policy that no test reached. */
struct suite_unreached {
    struct suite_place place;
    const char *policy;
    const char *kind; /* rule, default, override */
    const char *name; /* RULE, default-CLASS, the override's target */
};

struct suite_observer {
    void *context;
    void (*judged)(void *context, const struct suite_outcome *outcome);
    void (*unreached)(void *context, const struct suite_unreached *unreached);
};

struct suite_counts {
    size_t expectations; /* that were judged */
    size_t failed;
    size_t tests;
    size_t parts; /* rules, defaults and overrides of tested policies, */
    size_t unreached;
};

/* NULL, and errors in `diagnostics`, if the policies do not check. Whatever is wrong later goes
 * there too: they have to outlive the suite. `today` in days since 1970-01-01 UTC; 0: before every
 * override ends. */
struct policy_suite *policy_suite_new(const struct policy_text *texts, size_t count, int32_t today,
                                      struct diagnostics *diagnostics);
void policy_suite_free(struct policy_suite *suite);
DEFINE_CLEANUP(struct policy_suite *, policy_suite_free);

/* Runs a test file; one with an error is not run. An expectation that does not hold is an error
 * too, or, where there is an observer for them, told to that one with all the others. */
void policy_suite_run(struct policy_suite *suite, const struct policy_text *test,
                      const struct suite_observer *observer);

/* Warns of what the tests did not reach, or tells the observer: rules that decided nothing,
 * defaults, overrides without which nothing would have been another. A `log` rule is reached where
 * it names an event. Once, behind every run. */
void policy_suite_coverage(struct policy_suite *suite, const struct suite_observer *observer);

/* Warns of policies that no test named, if every test file could be read. */
void policy_suite_untested(const struct policy_suite *suite);

struct suite_counts policy_suite_counts(const struct policy_suite *suite);

#endif
