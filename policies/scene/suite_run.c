/* A file's tests, one after the other; an expectation with a mistake in it is told and not judged.
 */
#include "policies/scene/policy_suite_internal.h"

#include <stdlib.h>
#include <string.h>

#include "policies/engine/block_layout.h"
#include "policies/engine/explain.h"
#include "policies/language/report.h"
#include "policies/language/suggest.h"
#include "policies/scene/scene_event.h"
#include "policies/scene/value_text.h"

/* What a test's policies say, and who asks. */
struct run {
    struct policy_suite *suite;
    const struct suite_observer *observer;
    const struct policy_test *test;
    uint32_t policy; /* that is tested: its index in the block */
    struct storage *storage;
    struct givens givens;
    const struct policy_block *block;
    const struct source_map *map;
    /* The session of the expectation at hand, made when it is another than the last one's. */
    const struct session_statement *session;
    bool session_known;
    bool session_right;
    struct scene_subject subject;
    uint32_t *governing;
    size_t governing_count;
};

/* What `by` names. */
struct decider {
    uint32_t policy;
    uint32_t rule;                        /* RULE_DEFAULT: */
    enum operation_class operation_class; /* the default of this class; CLASS_NONE: of any */
};

struct finding {
    enum expected_verdict verdict;
    struct deciding by;
    bool spent; /* the steps of a decision */
};

/* ---------------------------------------------------------------- names */

static void no_rule(const struct run *run, const struct word *by, uint32_t policy, const char *name,
                    size_t length)
{
    const struct policy_block *block = run->block;
    const struct block_range rules = block_policy(block, policy)->rules;
    struct suggestion suggestion;

    suggestion_init(&suggestion, name, length);
    for (uint32_t i = rules.first; i < rules.first + rules.count; i++)
        suggestion_offer(&suggestion, rule_name(block, i), strlen(rule_name(block, i)));
    suggestion_offer(&suggestion, "default", strlen("default"));
    struct diagnostic *error =
        report(run->suite->diagnostics, ERROR_TEST_OF_NO_RULE, by->span,
               "policy `%s` has no rule `%.*s`", policy_name(block, policy), (int)length, name);
    if (suggestion.best)
        diagnostic_label(error, "did you mean `%s`?", suggestion.best);
    else
        diagnostic_help(error, "name the rule behind `as`, or `default`");
}

static void no_policy(const struct run *run, struct span span, const char *name, size_t length,
                      const char *help)
{
    const struct policy_block *block = run->suite->block;
    struct suggestion suggestion;

    suggestion_init(&suggestion, name, length);
    for (uint32_t i = 0; i < policy_block_policy_count(block); i++)
        suggestion_offer(&suggestion, policy_name(block, i), strlen(policy_name(block, i)));
    struct diagnostic *error =
        report(run->suite->diagnostics, ERROR_TEST_OF_NO_POLICY, span,
               "there is no policy `%.*s` beside this test", (int)length, name);
    if (suggestion.best)
        diagnostic_label(error, "did you mean `%s`?", suggestion.best);
    else
        diagnostic_help(error, "%s", help);
}

/* `default`, `default-CLASS`: true, and the class. */
static bool names_default(const char *name, size_t length, enum operation_class *operation_class)
{
    static const char word[] = "default";
    const size_t front = sizeof(word) - 1;

    *operation_class = CLASS_NONE;
    if (length < front || memcmp(name, word, front) != 0)
        return false;
    if (length == front)
        return true;
    if (name[front] == '-')
        *operation_class = vocabulary_class(name + front + 1, length - front - 1);
    return *operation_class != CLASS_NONE;
}

/* False, and an error, if there is no such rule, or it decides nothing. */
static bool read_decider(const struct run *run, const struct word *by, struct decider *decider)
{
    const char *dot = memchr(by->text, '.', by->length);
    const char *name = dot ? dot + 1 : by->text;
    const size_t length = by->length - (size_t)(name - by->text);

    *decider = (struct decider){.policy = run->policy, .rule = RULE_DEFAULT};
    if (dot)
        decider->policy = suite_find_policy(run->suite, by->text, (size_t)(dot - by->text));
    if (decider->policy == POLICY_NO_INDEX) {
        no_policy(run, by->span, by->text, (size_t)(dot - by->text),
                  "`by POLICY.RULE` names a policy of the same directory");
        return false;
    }
    if (names_default(name, length, &decider->operation_class))
        return true;
    decider->rule = suite_find_rule(run->suite, decider->policy, name, length);
    if (decider->rule == POLICY_NO_INDEX) {
        no_rule(run, by, decider->policy, name, length);
        return false;
    }
    if (rule_effect(run->block, decider->rule) == EFFECT_LOG) {
        diagnostic_help(report(run->suite->diagnostics, ERROR_TEST_OF_NO_RULE, by->span,
                               "rule `%.*s` is a `log` rule: it decides nothing", (int)length,
                               name),
                        "name the rule or the default that decides; `--coverage` tells whether "
                        "the log rule was reached");
        return false;
    }
    return true;
}

/* ---------------------------------------------------------------- sessions */

static void find_governing(struct run *run)
{
    run->governing_count = 0;
    for (uint32_t i = 0; i < policy_block_policy_count(run->block); i++)
        if (i == run->policy || policy_applies(run->block, i, &run->subject.subject))
            run->governing[run->governing_count++] = i;
}

static bool check_governed(const struct run *run)
{
    const struct policy *tree = run->suite->policies[run->policy].tree;

    if (!policy_has_applies(run->block, run->policy) ||
        policy_applies(run->block, run->policy, &run->subject.subject))
        return true;
    struct diagnostic *error =
        report(run->suite->diagnostics, ERROR_TEST_NOT_GOVERNED,
               run->session ? run->session->span : run->test->span,
               "policy `%s` does not govern this session", policy_name(run->block, run->policy));
    diagnostic_second(error, tree->applies->span, "this does not select it");
    diagnostic_help(error, run->session
                               ? "let the session be what `applies` asks for"
                               : "say who asks: session user \"media\" unit \"media.service\"");
    return false;
}

/* False if nothing can be judged in this session; that was said. */
static bool enter_session(struct run *run, const struct session_statement *session)
{
    if (run->session_known && run->session == session)
        return run->session_right;
    run->session = session;
    run->session_known = true;
    run->session_right = scene_subject_make(session, &run->givens, run->storage,
                                            run->suite->diagnostics, &run->subject) &&
                         check_governed(run);
    if (run->session_right)
        find_governing(run);
    return run->session_right;
}

/* ---------------------------------------------------------------- answers */

static struct finding found(const struct run *run, enum expected_verdict expected,
                            const struct judgement *judgement)
{
    static const enum expected_verdict verdicts[] = {
        [VERDICT_ALLOW] = EXPECT_ALLOW, [VERDICT_DENY] = EXPECT_DENY, [VERDICT_KILL] = EXPECT_KILL};
    const bool observes = policy_observes(run->block, run->policy);
    const bool allowed = judgement->verdict == VERDICT_ALLOW;

    if (judgement->would != VERDICT_ALLOW &&
        (expected == EXPECT_WOULD_DENY || (observes && allowed)))
        return (struct finding){EXPECT_WOULD_DENY, judgement->would_by, judgement->spent};
    if (observes && allowed && judgement->by.policy == POLICY_NO_INDEX)
        return (struct finding){EXPECT_ALLOW, judgement->would_by, judgement->spent};
    return (struct finding){verdicts[judgement->verdict], judgement->by, judgement->spent};
}

static bool is_by(const struct run *run, const struct decider *decider, const struct deciding *by,
                  const struct event *event)
{
    if (by->policy == POLICY_NO_INDEX) /* the language's own default */
        return decider->policy == run->policy && decider->rule == RULE_DEFAULT &&
               decider->operation_class == CLASS_NONE;
    return by->policy == decider->policy && by->rule == decider->rule &&
           (decider->operation_class == CLASS_NONE ||
            decider->operation_class == suite_class_of(event, by));
}

static const char *const verdict_words[] = {
    [EXPECT_ALLOW] = "allow",
    [EXPECT_DENY] = "deny",
    [EXPECT_KILL] = "kill",
    [EXPECT_WOULD_DENY] = "would-deny",
};

/* RULE, POLICY.RULE, default-CLASS, `default`. */
static void add_decider(struct text_buffer *out, const struct run *run, const struct deciding *by,
                        const struct event *event)
{
    const char *class = vocabulary_class_name(suite_class_of(event, by));

    if (by->policy != POLICY_NO_INDEX && by->policy != run->policy)
        text_buffer_format(out, "%s.", policy_name(run->block, by->policy));
    if (by->policy != POLICY_NO_INDEX && by->rule != RULE_DEFAULT)
        text_buffer_add_text(out, rule_name(run->block, by->rule));
    else
        text_buffer_format(out, "default%s%s", by->policy != POLICY_NO_INDEX && class ? "-" : "",
                           by->policy != POLICY_NO_INDEX && class ? class : "");
}

static void tell_observer(const struct run *run, const struct expectation *expectation,
                          const struct finding *finding, const struct event *event, const char *by,
                          bool holds)
{
    const struct span decided =
        suite_deciding_span(run->suite, &finding->by, suite_class_of(event, &finding->by));
    char expected_by[512];
    const size_t length = expectation->by.length < sizeof(expected_by) ? expectation->by.length
                                                                       : sizeof(expected_by) - 1;

    memcpy(expected_by, expectation->by.text, length);
    expected_by[length] = '\0';
    run->observer->judged(
        run->observer->context,
        &(struct suite_outcome){
            .place = suite_place_of(expectation->span),
            .policy = policy_name(run->block, run->policy),
            .holds = holds,
            .expected = {.verdict = verdict_words[expectation->verdict], .by = expected_by},
            .found = {.verdict = verdict_words[finding->verdict],
                      .by = by,
                      .unknown = finding->by.unknown,
                      .spent = finding->by.unknown && finding->spent,
                      .place = suite_place_of(decided)}});
}

/* Says what of the expected rule's condition did not hold, if that is why it did not fire. */
static void note_miss(const struct run *run, struct diagnostic *error,
                      const struct decider *decider, const struct event *event)
{
    static const char *const answers[] = {
        [TRUTH_FALSE] = "false", [TRUTH_UNKNOWN] = "unknown", [TRUTH_TRUE] = "true"};
    const struct governing governing = {
        .policies = run->governing, .count = run->governing_count, .today = run->suite->today};
    struct explanation *explanation = calloc(1, sizeof(*explanation));

    if (!explanation) {
        report_no_memory(run->suite->diagnostics);
        return;
    }
    explain(run->block, &governing, &run->subject.subject, event, explanation);
    for (uint32_t i = 0; i < explanation->miss_count; i++) {
        const struct near_miss *miss = &explanation->misses[i];
        struct source_excerpt excerpt;
        struct text_buffer seen = {0};
        if (miss->policy != decider->policy || miss->rule != decider->rule ||
            !source_map_node(run->map, miss->missed.node, &excerpt) ||
            memchr(excerpt.text, '\n', excerpt.length))
            continue;
        const struct block_node *node =
            (const struct block_node *)block_section(run->block, SECTION_NODES) + miss->missed.node;
        if (node->kind == NODE_PREDICATE)
            operand_text_add(&seen, &miss->missed.operand, (enum attribute_type)node->type);
        const bool told = seen.bytes && seen.length > 0 && !seen.failed;
        diagnostic_note(error, "rule `%s` does not fire: `%.*s` is %s%s%s",
                        rule_name(run->block, miss->rule), (int)excerpt.length, excerpt.text,
                        answers[miss->missed.answer], told ? ": it was " : "",
                        told ? seen.bytes : "");
        text_buffer_deinit(&seen);
        break;
    }
    free(explanation);
}

static void tell_failure(const struct run *run, const struct expectation *expectation,
                         const struct decider *decider, const struct finding *finding,
                         const struct event *event, const char *by)
{
    const struct span decided =
        suite_deciding_span(run->suite, &finding->by, suite_class_of(event, &finding->by));
    struct diagnostic *error = report(
        run->suite->diagnostics, ERROR_TEST_FAILED, expectation->span,
        "expected %s by `%.*s`, found %s by `%s`", verdict_words[expectation->verdict],
        (int)expectation->by.length, expectation->by.text, verdict_words[finding->verdict], by);

    if (decided.source)
        diagnostic_second(error, decided, "this decided");
    else
        diagnostic_note(error, "no rule fires, and no policy that governs the session has a "
                               "default for it: allowed");
    if (finding->by.unknown)
        diagnostic_note(error, finding->spent
                                   ? "it could not be judged in the steps that a decision may take"
                                   : "it fired because its condition could not be known");
    if (decider->rule != RULE_DEFAULT)
        note_miss(run, error, decider, event);
}

static void tell(const struct run *run, const struct expectation *expectation,
                 const struct decider *decider, const struct finding *finding,
                 const struct event *event)
{
    const bool holds =
        finding->verdict == expectation->verdict && is_by(run, decider, &finding->by, event);
    struct text_buffer by = {0};

    run->suite->counts.expectations++;
    run->suite->counts.failed += holds ? 0 : 1;
    add_decider(&by, run, &finding->by, event);
    if (by.failed)
        report_no_memory(run->suite->diagnostics);
    else if (run->observer && run->observer->judged)
        tell_observer(run, expectation, finding, event, by.bytes, holds);
    else if (!holds)
        tell_failure(run, expectation, decider, finding, event, by.bytes);
    text_buffer_deinit(&by);
}

/* ---------------------------------------------------------------- tests */

static void judge(struct run *run, const struct expectation *expectation,
                  const struct decider *decider, const struct event *event)
{
    const struct governing governing = {
        .policies = run->governing, .count = run->governing_count, .today = run->suite->today};
    struct judgement judgement;

    evaluate(run->block, &governing, &run->subject.subject, event, &judgement);
    suite_reach(run->suite, &judgement, event);
    const struct finding finding = found(run, expectation->verdict, &judgement);
    tell(run, expectation, decider, &finding, event);
}

static void run_expectation(struct run *run, const struct expectation *expectation)
{
    struct storage storage = {0};
    struct decider decider;
    struct event event;

    const bool named = read_decider(run, &expectation->by, &decider);
    if (enter_session(run, expectation->session) && named &&
        scene_event_make(&expectation->happens, &run->subject, &storage, run->suite->diagnostics,
                         &event))
        judge(run, expectation, &decider, &event);
    if (storage.failed)
        report_no_memory(run->suite->diagnostics);
    storage_deinit(&storage);
}

static struct policy_block *compile(const struct policy_suite *suite, struct givens *givens,
                                    struct source_map *map)
{
    const struct compile_options options = {
        .resolve = givens_resolve_literal, .context = givens, .map = map};
    /* They were checked: there is nothing more to say. */
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();

    return diagnostics ? policy_compile(suite->texts, suite->count, &options, diagnostics) : NULL;
}

static void run_test(struct run *run)
{
    const struct policy_test *test = run->test;
    struct policy_suite *suite = run->suite;

    run->policy = suite_find_policy(suite, test->policy.text, test->policy.length);
    if (run->policy == POLICY_NO_INDEX) {
        no_policy(run, test->policy.span, test->policy.text, test->policy.length,
                  "a test is for a policy in a .warder file of the same directory, or of the "
                  "directories mandatory, local and vendor in that one");
        return;
    }
    suite->policies[run->policy].tested = true;
    suite->counts.tests++;
    if (!givens_make(test->givens, run->storage, suite->diagnostics, &run->givens))
        return;
    CLEANUP(source_map_free) struct source_map *map = source_map_new();
    CLEANUP(policy_block_free) struct policy_block *block = compile(suite, &run->givens, map);
    run->governing = storage_take(run->storage, (size_t)policy_block_policy_count(suite->block) + 1,
                                  sizeof(*run->governing));
    if (!map || !block || !run->governing) {
        report_no_memory(suite->diagnostics);
        return;
    }
    run->block = block;
    run->map = map;
    for (const struct expectation *each = test->expectations; each; each = each->next)
        run_expectation(run, each);
}

void policy_suite_run(struct policy_suite *suite, const struct policy_text *test,
                      const struct suite_observer *observer)
{
    const size_t errors = diagnostics_error_count(suite->diagnostics);
    struct storage storage = {0};
    struct source source;
    const struct test_tree *tree = NULL;

    if (source_init(&source, test, suite->diagnostics))
        tree = parse_tests(&source, &storage, suite->diagnostics);
    if (!tree || diagnostics_error_count(suite->diagnostics) != errors) {
        suite->unread = true;
        tree = NULL;
    }
    for (const struct policy_test *each = tree ? tree->tests : NULL; each; each = each->next) {
        struct run run = {.suite = suite, .observer = observer, .test = each, .storage = &storage};
        run_test(&run);
    }
    if (storage.failed)
        report_no_memory(suite->diagnostics);
    storage_deinit(&storage);
}
