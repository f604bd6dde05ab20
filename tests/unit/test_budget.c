/* No policy and no event, nor the two together, make one evaluation long. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_fixture.h"

enum {
    LIST_LENGTH = 4096, /* VALUE_ITEMS_MAX */
    LONG_TEXT = 1000,
};

/* A policy's text, written piece by piece. */
struct writing {
    char text[POLICY_TEXT_MAX];
    size_t length;
};

static struct writing writing;

#define WRITE(...)                                                                                 \
    do {                                                                                           \
        const size_t left_ = sizeof(writing.text) - writing.length;                                \
        const int wrote_ = snprintf(writing.text + writing.length, left_, __VA_ARGS__);            \
        assert_true(wrote_ >= 0 && (size_t)wrote_ < left_);                                        \
        writing.length += (size_t)wrote_;                                                          \
    } while (0)

static char long_text[LONG_TEXT];

/* A list of `count` texts of LONG_TEXT bytes. */
static struct value long_list(uint32_t count)
{
    static struct value items[LIST_LENGTH];

    memset(long_text, 'a', sizeof(long_text));
    for (uint32_t i = 0; i < count; i++)
        items[i] = value_text(long_text, sizeof(long_text));
    return (struct value){.kind = VALUE_LIST, .count = count, .items = items};
}

/* `RULE where PREDICATE or PREDICATE or ... as r`; each has its number between the two texts. */
static void write_rule(const char *rule, const char *before, const char *after, int count)
{
    WRITE("%s where ", rule);
    for (int i = 0; i < count; i++)
        WRITE("%s%s%d%s", i > 0 ? " or " : "", before, i, after);
    WRITE(" as r\n");
}

static struct judgement judged(const char *expected, const struct scene *scene)
{
    CLEANUP(policy_block_free) struct policy_block *block = compiled(writing.text);
    const struct judgement judgement = judge(block, scene);

    assert_string_equal(described(block, &judgement), expected);
    return judgement;
}

static void list_scene(struct scene *scene, struct value list)
{
    scene_init(scene, "subprocess.Popen");
    scene_operation(scene, CLASS_EXEC);
    scene_value(scene, ATTRIBUTE_ARGV, list);
}

static void spent_steps_deny_as_what_is_unknown(void **state)
{
    struct scene scene;

    (void)state;
    list_scene(&scene, long_list(200));

    writing.length = 0;
    WRITE("policy p {\n");
    write_rule("deny exec", "argv has matches \"*a?*b", "?\"", 500);
    WRITE("}");
    assert_int_equal(judged("deny p.r?", &scene).steps, EVALUATION_STEPS_MAX);

    /* A kill that is not known to be meant denies. */
    writing.length = 0;
    WRITE("policy p {\n");
    write_rule("kill exec", "argv has matches \"*a?*b", "?\"", 500);
    WRITE("}");
    assert_int_equal(judged("deny p.r?", &scene).steps, EVALUATION_STEPS_MAX);
}

static void spent_steps_allow_nothing(void **state)
{
    struct scene scene;

    (void)state;
    list_scene(&scene, long_list(200));

    writing.length = 0;
    WRITE("policy p { default deny exec \n");
    write_rule("allow exec", "not argv has \"x", "\"", 500);
    WRITE("}");
    assert_true(judged("allow p.r", &scene).steps < EVALUATION_STEPS_MAX);

    writing.length = 0;
    WRITE("policy p { default deny exec\n");
    write_rule("allow exec", "argv has matches \"*a?*b", "?\"", 500);
    WRITE("}");
    assert_int_equal(judged("deny p.default?", &scene).steps, EVALUATION_STEPS_MAX);
}

static void spent_steps_log(void **state)
{
    struct scene scene;

    (void)state;
    list_scene(&scene, long_list(200));
    writing.length = 0;
    WRITE("policy p {\n");
    write_rule("log exec", "argv has matches \"*a?*b", "?\"", 500);
    WRITE("}");
    const struct judgement judgement = judged("allow", &scene);
    assert_true(judgement.log);
    assert_int_equal(judgement.steps, EVALUATION_STEPS_MAX);
}

/* A policy that cannot be told whether it governs does. */
static void spent_steps_let_a_policy_apply(void **state)
{
    struct scene scene;
    static char script[200 * 1000];

    (void)state;
    scene_init(&scene, "subprocess.Popen");
    memset(script, 'a', sizeof(script) - 1);
    memcpy(script, "/usr/", strlen("/usr/")); // NOLINT(bugprone-not-null-terminated-result)
    scene.subject.script = script;
    writing.length = 0;
    WRITE("policy p {\n");
    WRITE("applies { script matches \"/usr/**\" and (script matches \"**a*?b\"");
    for (int i = 0; i < 50; i++)
        WRITE(" or script matches \"**a*?%db\"", i);
    WRITE(") }\ndeny exec as d }");
    CLEANUP(policy_block_free) struct policy_block *block = compiled(writing.text);
    assert_true(policy_applies(block, 0, &scene.subject));
    scene.subject.script = "/usr/bin/tool";
    assert_false(policy_applies(block, 0, &scene.subject));
}

/* Each kind of repeated work, in the shape that repeats it most. */
static void every_kind_of_work_is_paid_for(void **state)
{
    static const struct {
        const char *before;
        const char *after;
    } predicates[] = {
        {"argv has \"aaaaaaaaaaaaaaaa", "\""}, {"argv has [\"b\", \"c\", \"d\", \"e\", \"f", "\"]"},
        {"env[\"X", "\"] is \"1\""},           {"env has \"Y", "\""},
        {"env has matches \"*?Z", "\""},
    };
    static struct value pairs[2 * LIST_LENGTH];
    struct scene scene;

    (void)state;
    list_scene(&scene, long_list(LIST_LENGTH));
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
        pairs[i] = text_of("X???");
    scene_value(&scene, ATTRIBUTE_ENV,
                (struct value){.kind = VALUE_MAP, .count = LIST_LENGTH, .items = pairs});
    for (size_t i = 0; i < sizeof(predicates) / sizeof(*predicates); i++) {
        writing.length = 0;
        WRITE("policy p {\n");
        write_rule("deny exec", predicates[i].before, predicates[i].after, 1000);
        WRITE("}");
        assert_int_equal(judged("deny p.r?", &scene).steps, EVALUATION_STEPS_MAX);
    }
}

/* One budget for all: what the second block asks comes out of what the first one left. */
static void blocks_of_one_event_share_the_steps_of_their_caller(void **state)
{
    struct scene scene;
    struct judgement judgement;
    struct budget budget = {EVALUATION_STEPS_MAX};
    const uint32_t policy = 0;
    const struct governing governing = {.policies = &policy, .count = 1};

    (void)state;
    list_scene(&scene, long_list(200));
    writing.length = 0;
    WRITE("policy p {\n");
    write_rule("deny exec", "argv has \"x", "\"", 500);
    WRITE("}");
    CLEANUP(policy_block_free) struct policy_block *block = compiled(writing.text);
    evaluate_within(block, &governing, &scene.subject, &scene.event, &budget, &judgement);
    assert_int_equal(judgement.verdict, VERDICT_ALLOW);
    assert_false(judgement.spent);
    assert_int_equal(budget.left, EVALUATION_STEPS_MAX - judgement.steps);

    budget.left = judgement.steps / 2;
    evaluate_within(block, &governing, &scene.subject, &scene.event, &budget, &judgement);
    assert_string_equal(described(block, &judgement), "deny p.r?");
    assert_true(judgement.spent);
    assert_int_equal(budget.left, 0);
}

/* Not even the rules that cannot matter any more, the same ones for each of many elements. */
static void rules_that_are_passed_over_are_paid_for(void **state)
{
    static struct value items[LIST_LENGTH];
    struct scene scene;

    (void)state;
    for (size_t i = 0; i < LIST_LENGTH; i++)
        items[i] = text_of("x");
    list_scene(&scene, (struct value){.kind = VALUE_LIST, .count = LIST_LENGTH, .items = items});
    writing.length = 0;
    WRITE("policy p {\n");
    for (int i = 0; i < 1500; i++)
        WRITE("deny exec where argv has \"x\" as r%d\n", i);
    WRITE("}");
    CLEANUP(policy_block_free) struct policy_block *block = compiled(writing.text);
    struct judgement judgement = judge(block, &scene);
    assert_int_equal(judgement.verdict, VERDICT_DENY);
    assert_true(judgement.spent);

    /* What is not known is looked for once, and not once for each element that is not. */
    for (size_t i = 0; i < LIST_LENGTH; i++)
        items[i].marks = VALUE_OPAQUE;
    judgement = judge(block, &scene);
    assert_int_equal(judgement.verdict, VERDICT_DENY);
    assert_false(judgement.spent);
}

/* Policies that say nothing are asked all the same. */
static void every_policy_that_is_asked_is_paid_for(void **state)
{
    struct scene scene;

    (void)state;
    list_scene(&scene, long_list(1));
    writing.length = 0;
    for (int i = 0; i < SCENE_GOVERNING_MAX; i++)
        WRITE("policy p%d {}\n", i);
    CLEANUP(policy_block_free) struct policy_block *block = compiled(writing.text);
    const struct judgement judgement = judge(block, &scene);
    assert_in_range(judgement.steps, SCENE_GOVERNING_MAX, EVALUATION_STEPS_MAX);
}

/* A host's policy of some thousand rules, and events as programs make them. */
static void ordinary_policies_need_a_tenth(void **state)
{
    static struct value words[100];
    static struct value variables[200];
    struct scene scene;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        words[i] = text_of("--an-option-of-some-length=/and/a/path/for/its/value");
    for (size_t i = 0; i < 200; i++)
        variables[i] = text_of("A_VARIABLE_OF_THE_ENVIRONMENT");
    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    scene_path(&scene, ATTRIBUTE_FILE, "/opt/venv/some/program/with/a/long/path/bin/tool",
               "/opt/venv/some/program/with/a/long/path/bin/tool");
    scene_value(&scene, ATTRIBUTE_ARGV,
                (struct value){.kind = VALUE_LIST, .count = 100, .items = words});
    scene_value(&scene, ATTRIBUTE_ENV,
                (struct value){.kind = VALUE_MAP, .count = 100, .items = variables});

    writing.length = 0;
    WRITE("policy p {\n");
    for (int i = 0; i < 1000; i++)
        WRITE("deny exec where file under \"/srv/%d\" as u%d\n", i, i);
    for (int i = 0; i < 100; i++)
        WRITE("deny exec where file matches \"/opt/**/secret-%d/*\" as m%d\n", i, i);
    for (int i = 0; i < 5; i++)
        WRITE("deny exec where argv has \"--option-%d\" as h%d\n", i, i);
    WRITE("deny exec where env has \"LD_PRELOAD\" as e\n");
    WRITE("}");
    const struct judgement judgement = judged("allow", &scene);
    assert_in_range(judgement.steps, 1, EVALUATION_STEPS_MAX / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spent_steps_deny_as_what_is_unknown),
        cmocka_unit_test(spent_steps_allow_nothing),
        cmocka_unit_test(spent_steps_log),
        cmocka_unit_test(spent_steps_let_a_policy_apply),
        cmocka_unit_test(every_kind_of_work_is_paid_for),
        cmocka_unit_test(blocks_of_one_event_share_the_steps_of_their_caller),
        cmocka_unit_test(rules_that_are_passed_over_are_paid_for),
        cmocka_unit_test(every_policy_that_is_asked_is_paid_for),
        cmocka_unit_test(ordinary_policies_need_a_tenth),
    };
    return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
