/* What an explanation tells, and that its verdict is the evaluator's. */
#include "policy_fixture.h"

#include <stdio.h>
#include <string.h>

#include "policies/engine/block_layout.h"
#include "policies/engine/explain.h"
#include "policies/language/source_map.h"

static void assert_same_deciding(const struct deciding *a, const struct deciding *b)
{
    assert_int_equal(a->policy, b->policy);
    assert_int_equal(a->rule, b->rule);
    assert_int_equal(a->operation, b->operation);
    assert_int_equal(a->unknown, b->unknown);
}

static void assert_same_judgement(const struct judgement *a, const struct judgement *b)
{
    assert_int_equal(a->verdict, b->verdict);
    assert_same_deciding(&a->by, &b->by);
    assert_int_equal(a->would, b->would);
    assert_same_deciding(&a->would_by, &b->would_by);
    assert_int_equal(a->override, b->override);
    if (a->override != OVERRIDE_NONE)
        assert_same_deciding(&a->overridden, &b->overridden);
    assert_int_equal(a->log, b->log);
    assert_int_equal(a->log_count, b->log_count);
    for (uint32_t i = 0; i < a->log_count; i++)
        assert_same_deciding(&a->log_by[i], &b->log_by[i]);
}

/* A policy, compiled with its map. */
struct explained_policy {
    struct policy_block *block;
    struct source_map *map;
    struct explanation explanation;
};

static void explain_texts(struct explained_policy *policy, const struct policy_text *texts,
                          size_t count, const struct scene *scene)
{
    uint32_t policies[SCENE_GOVERNING_MAX];
    struct judgement judgement;

    policy->map = source_map_new();
    assert_non_null(policy->map);
    const struct compile_options options = {.map = policy->map};
    policy->block = compiled_texts(texts, count, &options);
    const uint32_t all = policy_block_policy_count(policy->block);
    assert_true(all <= SCENE_GOVERNING_MAX);
    for (uint32_t i = 0; i < all; i++)
        policies[i] = i;
    const struct governing governing = {.policies = policies, .count = all, .today = SCENE_TODAY};
    evaluate(policy->block, &governing, &scene->subject, &scene->event, &judgement);
    explain(policy->block, &governing, &scene->subject, &scene->event, &policy->explanation);
    assert_same_judgement(&policy->explanation.judgement, &judgement);
}

static void explain_text(struct explained_policy *policy, const char *text,
                         const struct scene *scene)
{
    const struct policy_text one = local_text(text);
    explain_texts(policy, &one, 1, scene);
}

static void explained_deinit(struct explained_policy *policy)
{
    policy_block_free(policy->block);
    source_map_free(policy->map);
}

static const char *node_text(const struct explained_policy *policy, uint32_t node)
{
    static char text[200];
    struct source_excerpt excerpt;

    assert_true(source_map_node(policy->map, node, &excerpt));
    assert_true(excerpt.length < sizeof(text));
    memcpy(text, excerpt.text, excerpt.length);
    text[excerpt.length] = '\0';
    return text;
}

/* `a: file is "/x"; b: not shell?`: each miss with the predicate that failed, `!` where it should
 * have been false, `?` where it was unknown, and how many would have to turn, if not one. */
static const char *misses_of(const struct explained_policy *policy)
{
    static char text[1000];
    size_t used = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < policy->explanation.miss_count; i++) {
        const struct near_miss *miss = &policy->explanation.misses[i];
        const struct missed_predicate *missed = &miss->missed;
        const bool by_name = missed->node == (uint32_t)BLOCK_NONE;
        used +=
            (size_t)snprintf(text + used, sizeof(text) - used, "%s%s: %s%s%s", i > 0 ? "; " : "",
                             rule_name(policy->block, miss->rule), missed->wanted ? "" : "!",
                             by_name ? "name" : node_text(policy, missed->node),
                             missed->answer == TRUTH_UNKNOWN ? "?" : "");
        if (missed->misses != 1)
            used += (size_t)snprintf(text + used, sizeof(text) - used, " (%u)", missed->misses);
    }
    return text;
}

/* `deny d; allow a?; deny x/cancelled`: what fired. */
static const char *fired_by(const struct explained_policy *policy)
{
    static const char *const effects[] = {"allow", "deny", "kill", "log"};
    static char text[1000];
    size_t used = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < policy->explanation.fired_count; i++) {
        const struct fired_rule *fired = &policy->explanation.fired[i];
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s%s%s", i > 0 ? "; " : "",
                                 effects[rule_effect(policy->block, fired->rule)],
                                 rule_name(policy->block, fired->rule),
                                 fired->truth == TRUTH_UNKNOWN ? "?" : "",
                                 fired->override != OVERRIDE_NONE ? "/cancelled" : "");
    }
    return text;
}

#define assert_explained(policy, text, scene, verdict, fired, misses)                              \
    do {                                                                                           \
        explain_text(&(policy), (text), (scene));                                                  \
        assert_string_equal(described((policy).block, &(policy).explanation.judgement), verdict);  \
        assert_string_equal(fired_by(&(policy)), fired);                                           \
        assert_string_equal(misses_of(&(policy)), misses);                                         \
        explained_deinit(&(policy));                                                               \
    } while (0)

static void exec_scene(struct scene *scene, const char *file)
{
    scene_init(scene, "subprocess.Popen");
    scene_operation(scene, CLASS_EXEC);
    scene_path(scene, ATTRIBUTE_FILE, file, file);
    scene_value(scene, ATTRIBUTE_ARGV, list_of(scene, "git", "push", NULL));
    scene_value(scene, ATTRIBUTE_SHELL, value_bool(false));
}

static void every_outcome_is_told_as_the_evaluator_finds_it(void **state)
{
    (void)state;
    struct explained_policy policy;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/git");
    assert_explained(policy, "policy p { }", &scene, "allow", "", "");
    assert_explained(policy, "policy p { deny fork as f }", &scene, "allow", "", "");
    assert_explained(policy, "policy p { default deny exec }", &scene, "deny p.default", "", "");
    assert_explained(policy, "policy p { default allow exec }", &scene, "allow p.default", "", "");
    assert_explained(policy, "policy p { default deny exec  allow exec as a }", &scene, "allow p.a",
                     "allow a", "");
    assert_explained(policy,
                     "policy p { default deny exec  allow exec where file under \"/usr\" as a"
                     " deny exec where file is \"/usr/bin/git\" as d }",
                     &scene, "deny p.d", "allow a; deny d", "");
    assert_explained(policy,
                     "policy p { deny exec as d  kill exec where argv has \"push\" as k"
                     " log exec as l }",
                     &scene, "kill p.k", "deny d; kill k; log l", "");
}

static void what_fires_in_doubt_is_marked(void **state)
{
    (void)state;
    struct explained_policy policy;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/git");
    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    scene_value(&scene, ATTRIBUTE_FILE, value_unknown())->resolved = value_unknown();
    assert_explained(policy,
                     "policy p { deny exec where file is \"/x\" as d  kill exec where file is"
                     " \"/x\" as k  log exec where file is \"/x\" as l }",
                     &scene, "deny p.d?", "deny d?; kill k?; log l?", "");
    assert_explained(policy,
                     "policy p { default deny exec  allow exec where file is \"/x\" as a"
                     " allow exec where not file is \"/x\" as b }",
                     &scene, "deny p.default", "", "a: file is \"/x\"?; b: !file is \"/x\"?");
}

static void misses_name_the_first_predicate_and_how_many_there_are(void **state)
{
    (void)state;
    struct explained_policy policy;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/git");
    /* The nearest first, whatever its name. */
    assert_explained(policy,
                     "policy p { default deny exec"
                     " allow exec where file is \"/bin/a\" and user is \"bob\" as a"
                     " allow exec where file is \"/usr/bin/git\" and argv[1] is \"pull\" as b"
                     " allow exec where shell and (user is \"bob\" or argv[0] is \"git\") as c }",
                     &scene, "deny p.default", "",
                     "b: argv[1] is \"pull\"; c: shell; a: file is \"/bin/a\" (2)");
    /* Behind a `not`, and inside of one. */
    assert_explained(policy,
                     "policy p { default deny exec"
                     " allow exec where not argv has \"push\" as a"
                     " allow exec where not (user is \"alice\" and argv[0] is \"git\") as b"
                     " allow exec where not (user is \"bob\" or argv[0] is \"git\") as c"
                     " allow exec where not (not (user is \"bob\")) as d }",
                     &scene, "deny p.default", "",
                     "a: !argv has \"push\"; b: !user is \"alice\"; c: !argv[0] is \"git\";"
                     " d: user is \"bob\"");
    /* Of alternatives the one with the least to turn. */
    assert_explained(policy,
                     "policy p { default deny exec  allow exec where"
                     " (user is \"bob\" and shell) or argv[1] is \"pull\" as a }",
                     &scene, "deny p.default", "", "a: argv[1] is \"pull\"");
}

static void misses_of_what_was_allowed_are_the_rules_that_nearly_denied(void **state)
{
    (void)state;
    struct explained_policy policy;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/git");
    assert_explained(policy,
                     "policy p { allow exec where user is \"bob\" as a"
                     " deny exec where argv[1] is \"pull\" as d"
                     " kill exec where shell and user is \"bob\" as k"
                     " log exec where shell as l }",
                     &scene, "allow", "", "d: argv[1] is \"pull\"; k: shell (2); l: shell");
    /* Against a rule no allow helps; what nearly denied in addition tells nothing. */
    assert_explained(
        policy,
        "policy p { deny exec where argv[0] is \"git\" as d  deny exec where shell as e"
        " allow exec where argv[1] is \"pull\" as a }",
        &scene, "deny p.d", "deny d", "a: argv[1] is \"pull\"");
}

static void a_miss_has_the_value_that_it_saw(void **state)
{
    (void)state;
    struct explained_policy policy;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/git");
    explain_text(&policy,
                 "policy p { default deny exec  allow exec where file is \"/bin/a\" as a"
                 " allow exec where group has \"wheel\" as b"
                 " allow exec where env has \"X\" as c }",
                 &scene);
    const struct near_miss *miss = policy.explanation.misses;
    assert_int_equal(policy.explanation.miss_count, 3);
    assert_int_equal(miss[0].missed.operand.state, OPERAND_HERE);
    assert_int_equal(miss[0].missed.operand.value.count, strlen("/usr/bin/git"));
    assert_memory_equal(miss[0].missed.operand.value.bytes, "/usr/bin/git", 12);
    assert_true(miss[0].missed.resolved);
    assert_int_equal(miss[1].missed.operand.value.count, 2);
    assert_string_equal(miss[1].missed.operand.names[0], "staff");
    assert_int_equal(miss[2].missed.operand.state, OPERAND_ABSENT);
    explained_deinit(&policy);
}

static void both_forms_of_a_path_are_told(void **state)
{
    (void)state;
    struct explained_policy policy;
    struct scene scene;
    scene_init(&scene, "open");
    scene_operation(&scene, CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, "/srv/link", "/etc/passwd");
    explain_text(&policy,
                 "policy p { default deny write  allow write where path under \"/srv\" as a"
                 " deny write where path under \"/etc\" as d"
                 " deny write where path under \"/srv\" and action is absent as e }",
                 &scene);
    assert_string_equal(fired_by(&policy), "deny d; deny e");
    const struct fired_rule *fired = policy.explanation.fired;
    assert_true(fired[0].has_paths && fired[1].has_paths);
    assert_int_equal(fired[0].written, TRUTH_FALSE);
    assert_int_equal(fired[0].resolved, TRUTH_TRUE);
    assert_int_equal(fired[1].written, TRUTH_TRUE);
    assert_int_equal(fired[1].resolved, TRUTH_FALSE);
    /* The allow would have held for what was written, and that does not count. */
    assert_string_equal(misses_of(&policy), "a: path under \"/srv\"");
    assert_memory_equal(policy.explanation.misses[0].missed.operand.value.bytes, "/etc/passwd", 11);
    explained_deinit(&policy);

    /* A denial that missed did so in both forms: the nearer one is told. */
    explain_text(&policy,
                 "policy p { deny write where path under \"/srv\" and path matches \"/srv/*.py\""
                 " as d }",
                 &scene);
    assert_string_equal(misses_of(&policy), "d: path matches \"/srv/*.py\"");
    assert_false(policy.explanation.misses[0].missed.resolved);
    explained_deinit(&policy);
}

static void a_form_that_is_not_known_is_unknown(void **state)
{
    (void)state;
    struct explained_policy policy;
    struct scene scene;
    scene_init(&scene, "open");
    scene_operation(&scene, CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, "/srv/link", NULL);
    assert_explained(policy,
                     "policy p { default deny write  allow write where path under \"/srv\" as a"
                     " deny write where path under \"/etc\" as d }",
                     &scene, "deny p.d?", "deny d?", "a: path under \"/srv\"?");
}

static void the_strictest_policy_is_told_and_what_it_beat(void **state)
{
    (void)state;
    struct explained_policy policy;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/git");
    explain_text(&policy,
                 "policy a { allow exec as yes } policy b { default deny exec }"
                 " policy c { mode observe  kill exec as stop } policy d { deny fork as f }",
                 &scene);
    assert_string_equal(described(policy.block, &policy.explanation.judgement), "deny b.default");
    assert_int_equal(policy.explanation.judgement.would, VERDICT_KILL);
    assert_string_equal(fired_by(&policy), "allow yes; kill stop");
    const struct policy_opinion *opinions = policy.explanation.opinions;
    assert_int_equal(policy.explanation.opinion_count, 4);
    assert_true(opinions[0].said && opinions[0].verdict == VERDICT_ALLOW);
    assert_true(opinions[1].said && opinions[1].verdict == VERDICT_DENY);
    assert_int_equal(opinions[1].rule, RULE_DEFAULT);
    assert_true(opinions[2].observes && opinions[2].verdict == VERDICT_KILL);
    assert_false(opinions[3].said);
    explained_deinit(&policy);
}

static void each_operation_is_judged(void **state)
{
    (void)state;
    struct explained_policy policy;
    struct scene scene;
    scene_init(&scene, "os.rename");
    scene_operation(&scene, CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, "/srv/a", "/srv/a");
    scene_operation(&scene, CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, "/etc/b", "/etc/b");
    explain_text(&policy,
                 "policy p { default deny write  allow write where path under \"/srv\" as a }",
                 &scene);
    assert_string_equal(fired_by(&policy), "allow a");
    assert_int_equal(policy.explanation.fired[0].operation, 0);
    assert_int_equal(policy.explanation.judgement.by.operation, 1);
    assert_string_equal(misses_of(&policy), "a: path under \"/srv\"");
    assert_int_equal(policy.explanation.misses[0].operation, 1);
    explained_deinit(&policy);
}

static void raw_events_are_reached_by_name_and_by_glob(void **state)
{
    (void)state;
    struct explained_policy policy;
    struct scene scene;
    scene_init(&scene, "sys._current_frames");
    assert_explained(policy,
                     "policy p { deny event \"sys._current_frames\" as d"
                     " deny event \"sys.*\" where user is \"bob\" as e"
                     " deny event \"os.*\" as f  deny exec as g  log event \"sys.*\" as l }",
                     &scene, "deny p.d", "deny d; log l", "");
    scene.event.name_cut = true;
    scene.event.number = EVENT_UNKNOWN;
    assert_explained(policy,
                     "policy p { deny event \"sys._current_frames\" as d"
                     " deny event \"os.*\" where user is \"alice\" as f  deny exec as g"
                     " allow event \"x*\" as x }",
                     &scene, "deny p.f?", "deny f?", "x: name?");
}

static void overrides_are_told_with_what_became_of_them(void **state)
{
    (void)state;
    const struct policy_text texts[] = {
        {.file = "vendor.warder",
         .text = "policy v { default deny exec  deny exec where argv[1] is \"push\" as no }",
         .length = strlen("policy v { default deny exec  deny exec where argv[1] is \"push\""
                          " as no }"),
         .tier = TIER_VENDOR},
        local_text("policy l { override vendor/v.no where file is \"/usr/bin/git\" reason \"r\""
                   " until 2026-06-15"
                   " override vendor/v.no reason \"late\" until 2026-06-14"
                   " override vendor/v.default-exec where user is \"bob\" reason \"bob\""
                   " until 2026-06-15 }"),
    };
    struct explained_policy policy;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/git");
    explain_texts(&policy, texts, 2, &scene);
    assert_string_equal(described(policy.block, &policy.explanation.judgement), "deny v.default");
    assert_string_equal(fired_by(&policy), "deny no/cancelled");
    const struct explained_override *overrides = policy.explanation.overrides;
    assert_int_equal(policy.explanation.override_count, 3);
    enum override_fate fates[3];
    for (int i = 0; i < 3; i++)
        fates[i] = overrides[i].fate;
    assert_true((fates[0] == OVERRIDE_CANCELS) != (fates[1] == OVERRIDE_CANCELS));
    assert_true((fates[0] == OVERRIDE_EXPIRED) != (fates[1] == OVERRIDE_EXPIRED));
    assert_int_equal(fates[2], OVERRIDE_MISSED);
    assert_string_equal(node_text(&policy, overrides[2].missed.node), "user is \"bob\"");
    explained_deinit(&policy);

    scene.subject.user = "bob";
    explain_texts(&policy, texts, 2, &scene);
    assert_string_equal(described(policy.block, &policy.explanation.judgement), "allow");
    assert_int_not_equal(policy.explanation.judgement.override, OVERRIDE_NONE);
    explained_deinit(&policy);
}

static void overrides_of_policies_that_do_not_govern_do_not_count(void **state)
{
    (void)state;
    const struct policy_text texts[] = {
        local_text("policy a { deny exec as no } policy b { override local/a.no reason \"r\""
                   " until 2026-06-15 }"),
    };
    struct explanation explanation;
    struct judgement judgement;
    struct scene scene;
    const uint32_t first = 0;
    exec_scene(&scene, "/usr/bin/git");
    CLEANUP(policy_block_free) struct policy_block *block = compiled_texts(texts, 1, NULL);
    struct governing governing = {.policies = &first, .count = 1, .today = SCENE_TODAY};
    explain(block, &governing, &scene.subject, &scene.event, &explanation);
    evaluate(block, &governing, &scene.subject, &scene.event, &judgement);
    assert_same_judgement(&explanation.judgement, &judgement);
    assert_int_equal(explanation.overrides[0].fate, OVERRIDE_NOT_GOVERNING);

    static const uint32_t both[] = {0, 1};
    governing = (struct governing){.policies = both, .count = 2, .today = 0};
    explain(block, &governing, &scene.subject, &scene.event, &explanation);
    evaluate(block, &governing, &scene.subject, &scene.event, &judgement);
    assert_same_judgement(&explanation.judgement, &judgement);
    assert_int_equal(explanation.overrides[0].fate, OVERRIDE_DAY_UNKNOWN);
}

static void what_is_told_is_bounded_and_the_nearest_stay(void **state)
{
    (void)state;
    enum { RULES = 100 };
    static char text[RULES * 160];
    struct explained_policy policy;
    struct scene scene;
    size_t used = (size_t)snprintf(text, sizeof(text), "policy p { default deny exec\n");

    for (int i = 0; i < RULES; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "log exec as l%03d allow exec where user is \"u%d\"", i, i);
        if (i != 77)
            used += (size_t)snprintf(text + used, sizeof(text) - used, " and shell");
        used += (size_t)snprintf(text + used, sizeof(text) - used, " as a%03d\n", i);
    }
    (void)snprintf(text + used, sizeof(text) - used, "}");
    exec_scene(&scene, "/usr/bin/git");
    explain_text(&policy, text, &scene);
    assert_int_equal(policy.explanation.fired_total, RULES);
    assert_int_equal(policy.explanation.fired_count, EXPLAIN_FIRED_MAX);
    assert_int_equal(policy.explanation.miss_total, RULES);
    assert_int_equal(policy.explanation.miss_count, EXPLAIN_MISSES_MAX);
    assert_string_equal(rule_name(policy.block, policy.explanation.misses[0].rule), "a077");
    assert_string_equal(rule_name(policy.block, policy.explanation.misses[1].rule), "a000");
    assert_string_equal(rule_name(policy.block, policy.explanation.misses[7].rule), "a006");
    assert_int_equal(policy.explanation.judgement.log_count, JUDGEMENT_LOGS_MAX);
    explained_deinit(&policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_is_told_as_the_evaluator_finds_it),
        cmocka_unit_test(what_fires_in_doubt_is_marked),
        cmocka_unit_test(misses_name_the_first_predicate_and_how_many_there_are),
        cmocka_unit_test(misses_of_what_was_allowed_are_the_rules_that_nearly_denied),
        cmocka_unit_test(a_miss_has_the_value_that_it_saw),
        cmocka_unit_test(both_forms_of_a_path_are_told),
        cmocka_unit_test(a_form_that_is_not_known_is_unknown),
        cmocka_unit_test(the_strictest_policy_is_told_and_what_it_beat),
        cmocka_unit_test(each_operation_is_judged),
        cmocka_unit_test(raw_events_are_reached_by_name_and_by_glob),
        cmocka_unit_test(overrides_are_told_with_what_became_of_them),
        cmocka_unit_test(overrides_of_policies_that_do_not_govern_do_not_count),
        cmocka_unit_test(what_is_told_is_bounded_and_the_nearest_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
