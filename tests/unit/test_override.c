/* Overrides: what they cancel, for whom, until when, and what they never do. */
#include "policy_fixture.h"

#include <stdio.h>
#include <string.h>

#include "policies/language/text_buffer.h"

#define FFMPEG "/usr/bin/ffmpeg"

static const char vendor_text[] = "policy untrusted {\n"
                                  "  default deny exec, connect\n"
                                  "  deny write where path under \"/etc\" as no-etc\n"
                                  "  deny write as no-write\n"
                                  "  deny event \"os.fork\" as no-fork\n"
                                  "  kill signal as no-signal\n"
                                  "}\n";

static struct policy_text vendor(const char *text)
{
    return (struct policy_text){
        .file = "vendor.warder", .text = text, .length = strlen(text), .tier = TIER_VENDOR};
}

/* The block of the vendor policy and a local one. */
static struct policy_block *with(const char *local)
{
    const struct policy_text texts[] = {vendor(vendor_text), local_text(local)};
    return compiled_texts(texts, 2, NULL);
}

static void exec_scene(struct scene *scene, const char *file)
{
    scene_init(scene, "subprocess.Popen");
    scene_operation(scene, CLASS_EXEC);
    scene_path(scene, ATTRIBUTE_FILE, file, file);
}

static void write_scene(struct scene *scene, const char *path)
{
    scene_init(scene, "open");
    scene_operation(scene, CLASS_WRITE);
    scene_path(scene, ATTRIBUTE_PATH, path, path);
}

static void a_default_is_cancelled_where_the_condition_is_true(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block =
        with("policy thesis { override vendor/untrusted.default-exec where file is \"" FFMPEG
             "\" reason \"thesis, ticket 4411\" until 2026-06-15 }");
    struct scene scene;

    exec_scene(&scene, FFMPEG);
    const struct judgement judgement = judge(block, &scene);
    assert_string_equal(described(block, &judgement), "allow");
    assert_int_equal(policy_block_override_count(block), 1);
    assert_int_equal(judgement.override, 0);
    assert_int_equal(judgement.overridden.rule, RULE_DEFAULT);
    const struct override_facts facts = override_facts(block, 0);
    assert_string_equal(policy_name(block, facts.by), "thesis");
    assert_string_equal(policy_name(block, facts.target), "untrusted");
    assert_int_equal(facts.rule, RULE_DEFAULT);
    assert_int_equal(facts.operation_class, CLASS_EXEC);
    assert_int_equal(facts.until, SCENE_TODAY);
    assert_string_equal(facts.reason, "thesis, ticket 4411");

    exec_scene(&scene, "/usr/bin/id");
    assert_judged(block, &scene, "deny untrusted.default");
    assert_int_equal(judge(block, &scene).override, OVERRIDE_NONE);
}

static void a_condition_may_end_with_a_truth_value_alone(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block =
        with("policy l { override vendor/untrusted.default-exec where shell reason \"r\""
             " until 2026-06-15 }");
    struct scene scene;

    exec_scene(&scene, "/bin/sh");
    assert_judged(block, &scene, "deny untrusted.default");
    (void)scene_value(&scene, ATTRIBUTE_SHELL, value_bool(true));
    assert_judged(block, &scene, "allow");
}

static void one_class_of_a_default_is_cancelled_and_no_other(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block =
        with("policy l { override vendor/untrusted.default-exec reason \"r\" until 2026-06-15 }");
    struct scene scene;

    exec_scene(&scene, "/usr/bin/id");
    assert_judged(block, &scene, "allow");
    scene_init(&scene, "socket.connect");
    scene_operation(&scene, CLASS_CONNECT);
    assert_judged(block, &scene, "deny untrusted.default");
}

static void one_deny_is_cancelled_and_the_others_stay(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block =
        with("policy l { override vendor/untrusted.no-etc reason \"r\" until 2026-06-15 }");
    CLEANUP(policy_block_free)
    struct policy_block *both =
        with("policy l { override vendor/untrusted.no-etc reason \"r\" until 2026-06-15"
             " override vendor/untrusted.no-write where path under \"/etc/x\" reason \"r\""
             " until 2026-06-15 }");
    struct scene scene;

    write_scene(&scene, "/etc/x/y");
    assert_judged(block, &scene, "deny untrusted.no-write");
    assert_judged(both, &scene, "allow");
    write_scene(&scene, "/etc/y");
    assert_judged(both, &scene, "deny untrusted.no-write");
    assert_int_equal(judge(both, &scene).override, OVERRIDE_NONE);
}

static void a_cancelled_deny_leaves_the_default_standing(void **state)
{
    (void)state;
    const struct policy_text texts[] = {
        vendor("policy v { default deny exec  deny exec where file is \"/a\" as no }"),
        local_text("policy l { override vendor/v.no reason \"r\" until 2026-06-15 }"),
    };
    CLEANUP(policy_block_free) struct policy_block *block = compiled_texts(texts, 2, NULL);
    struct scene scene;

    exec_scene(&scene, "/a");
    assert_judged(block, &scene, "deny v.default");
}

static void the_day_ends_an_override_and_an_unknown_day_has_none(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block =
        with("policy l { override vendor/untrusted.default-exec reason \"r\" until 2026-06-14 }");
    static const struct {
        int32_t today;
        enum verdict verdict;
    } days[] = {{SCENE_TODAY, VERDICT_DENY}, {SCENE_TODAY - 1, VERDICT_ALLOW},
                {1, VERDICT_ALLOW},          {0, VERDICT_DENY},
                {-1, VERDICT_DENY},          {INT32_MAX, VERDICT_DENY}};
    const uint32_t all[] = {0, 1};
    struct scene scene;

    exec_scene(&scene, "/usr/bin/id");
    for (size_t i = 0; i < sizeof(days) / sizeof(*days); i++) {
        const struct governing governing = {.policies = all, .count = 2, .today = days[i].today};
        struct judgement judgement;
        evaluate(block, &governing, &scene.subject, &scene.event, &judgement);
        assert_int_equal(judgement.verdict, days[i].verdict);
    }
}

static void dates_are_days_of_the_calendar(void **state)
{
    (void)state;
    static const struct {
        const char *date;
        int32_t day;
    } dates[] = {{"1970-01-01", 0},       {"1969-12-31", -1},     {"2000-02-29", 11016},
                 {"2000-03-01", 11017},   {"2026-06-15", 20619},  {"2100-03-01", 47541},
                 {"9999-12-31", 2932896}, {"0001-01-01", -719162}};
    for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
        char text[160];
        (void)snprintf(text, sizeof(text),
                       "policy p { default deny exec override local/p.default-exec reason \"r\" "
                       "until %s }",
                       dates[i].date);
        CLEANUP(policy_block_free) struct policy_block *block = compiled(text);
        assert_int_equal(override_facts(block, 0).until, dates[i].day);
    }
}

static void it_counts_only_where_its_policy_governs(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block =
        with("policy l { override vendor/untrusted.default-exec reason \"r\" until 2026-06-15 }");
    const uint32_t target_alone[] = {1}; /* local comes before vendor */
    const uint32_t both[] = {0, 1};
    const struct governing alone = {.policies = target_alone, .count = 1, .today = SCENE_TODAY};
    const struct governing all = {.policies = both, .count = 2, .today = SCENE_TODAY};
    const struct governing observed = {
        .policies = target_alone, .count = 1, .today = SCENE_TODAY, .overriding = &all};
    struct judgement judgement;
    struct scene scene;

    exec_scene(&scene, "/usr/bin/id");
    evaluate(block, &alone, &scene.subject, &scene.event, &judgement);
    assert_string_equal(described(block, &judgement), "deny untrusted.default");
    evaluate(block, &all, &scene.subject, &scene.event, &judgement);
    assert_string_equal(described(block, &judgement), "allow");
    evaluate(block, &observed, &scene.subject, &scene.event, &judgement);
    assert_string_equal(described(block, &judgement), "allow");
}

static void what_observes_and_what_is_not_stored_cancels_nothing(void **state)
{
    (void)state;
    static const char override[] =
        "policy l { override vendor/untrusted.default-exec reason \"r\" until 2026-06-15 }";
    CLEANUP(policy_block_free)
    struct policy_block *observes =
        with("policy l { mode observe override vendor/untrusted.default-exec reason \"r\" until "
             "2026-06-15 }");
    struct policy_text texts[] = {vendor(vendor_text), local_text(override)};
    const struct compile_options session = {.session = true};
    CLEANUP(policy_block_free) struct policy_block *own = compiled_texts(texts, 2, &session);
    texts[1].observe = true;
    CLEANUP(policy_block_free) struct policy_block *told = compiled_texts(texts, 2, NULL);
    struct scene scene;

    exec_scene(&scene, "/usr/bin/id");
    assert_judged(observes, &scene, "deny untrusted.default");
    assert_judged(own, &scene, "deny untrusted.default");
    assert_judged(told, &scene, "deny untrusted.default");
    assert_int_equal(policy_block_override_count(own), 0);
}

static void doubt_opens_nothing(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block =
        with("policy l { override vendor/untrusted.default-exec where file is \"" FFMPEG
             "\" reason \"r\" until 2026-06-15 }");
    struct scene scene;

    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    scene_value(&scene, ATTRIBUTE_FILE, value_unknown())->resolved = value_unknown();
    assert_judged(block, &scene, "deny untrusted.default");

    /* What will be opened counts, not what is written. */
    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    scene_path(&scene, ATTRIBUTE_FILE, FFMPEG, "/home/alice/own");
    assert_judged(block, &scene, "deny untrusted.default");
}

static void a_kill_is_never_cancelled_not_even_where_it_only_denies(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block =
        with("policy l { override vendor/untrusted.no-signal reason \"r\" until 2026-06-15 }");
    struct scene scene;

    scene_init(&scene, "os.kill");
    scene_operation(&scene, CLASS_SIGNAL);
    assert_judged(block, &scene, "kill untrusted.no-signal");
    assert_int_equal(policy_block_override_count(block), 0);
}

static void a_rule_on_an_event_is_cancelled_by_its_arguments(void **state)
{
    (void)state;
    const struct policy_text texts[] = {
        vendor("policy v { deny event \"os.putenv\" as no-env }"),
        local_text("policy l { override vendor/v.no-env where arg[0] is \"LANG\" reason \"r\" "
                   "until 2026-06-15 }"),
    };
    CLEANUP(policy_block_free) struct policy_block *block = compiled_texts(texts, 2, NULL);
    struct scene scene;

    scene_init(&scene, "os.putenv");
    scene_argument(&scene, text_of("LANG"));
    assert_judged(block, &scene, "allow");
    scene_init(&scene, "os.putenv");
    scene_argument(&scene, text_of("PATH"));
    assert_judged(block, &scene, "deny v.no-env");
}

static void every_tier_overrides_its_own_and_lower_ones_alone(void **state)
{
    (void)state;
    static const struct {
        enum policy_tier by;
        enum policy_tier target;
        bool may;
    } cases[] = {
        {TIER_VENDOR, TIER_VENDOR, true},        {TIER_LOCAL, TIER_VENDOR, true},
        {TIER_MANDATORY, TIER_VENDOR, true},     {TIER_LOCAL, TIER_LOCAL, true},
        {TIER_MANDATORY, TIER_LOCAL, true},      {TIER_VENDOR, TIER_LOCAL, false},
        {TIER_VENDOR, TIER_MANDATORY, false},    {TIER_LOCAL, TIER_MANDATORY, false},
        {TIER_MANDATORY, TIER_MANDATORY, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        static const char target[] = "policy target { deny exec as no }";
        char by[160];
        (void)snprintf(by, sizeof(by),
                       "policy by { override %s/target.no reason \"r\" until 2026-06-15 }",
                       policy_tier_name(cases[i].target));
        const struct policy_text texts[] = {
            {.file = "t", .text = target, .length = strlen(target), .tier = cases[i].target},
            {.file = "b", .text = by, .length = strlen(by), .tier = cases[i].by},
        };
        CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
        CLEANUP(policy_block_free)
        struct policy_block *block = policy_compile(texts, 2, NULL, diagnostics);
        assert_int_equal(block != NULL, cases[i].may);
        struct scene scene;
        exec_scene(&scene, "/usr/bin/id");
        if (block)
            assert_judged(block, &scene, "allow");
    }
}

static void neither_the_order_of_files_nor_of_statements_shows(void **state)
{
    (void)state;
    static const char one[] =
        "policy a { deny exec as x  override local/b.y reason \"2\" until 2026-07-01"
        " override local/a.x where user is \"bob\" reason \"1\" until 2026-06-16 }";
    static const char two[] =
        "policy a { override local/a.x where user is \"bob\" reason \"1\" until 2026-06-16"
        " override local/b.y reason \"2\" until 2026-07-01  deny exec as x }";
    static const char other[] = "policy b { deny exec as y }";
    const struct policy_text forward[] = {local_text(one), local_text(other)};
    const struct policy_text backward[] = {local_text(other), local_text(two)};
    CLEANUP(policy_block_free) struct policy_block *first = compiled_texts(forward, 2, NULL);
    CLEANUP(policy_block_free) struct policy_block *second = compiled_texts(backward, 2, NULL);

    assert_int_equal(policy_block_size(first), policy_block_size(second));
    assert_memory_equal(first, second, policy_block_size(first));
}

static void an_override_shares_the_sets_of_its_policy_and_keeps_them_apart(void **state)
{
    (void)state;
    static const char text[] = "set tools = [\"/a\", \"/b\"]\n"
                               "policy p { deny exec as no }\n"
                               "policy q { set own = [\"/c\"]\n"
                               "  override local/p.no where file in tools or file in own"
                               " reason \"r\" until 2026-06-15 }\n";
    const struct policy_text one = local_text(text);
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    struct policy_parts parts;
    struct policy_text split[2];
    struct scene scene;

    CLEANUP(policy_block_free) struct policy_block *whole = compiled(text);
    assert_int_equal(policy_split(&one, &parts, diagnostics), 0);
    assert_int_equal(parts.count, 2);
    for (size_t i = 0; i < 2; i++)
        split[i] = local_text(parts.parts[i].text);
    CLEANUP(policy_block_free) struct policy_block *block = compiled_texts(split, 2, NULL);
    exec_scene(&scene, "/b");
    assert_judged(whole, &scene, "allow");
    assert_judged(block, &scene, "allow");
    exec_scene(&scene, "/c");
    assert_judged(block, &scene, "allow");
    exec_scene(&scene, "/d");
    assert_judged(block, &scene, "deny p.no");
    policy_parts_deinit(&parts);
}

/* A policy of as many rules as it has overrides, if any. */
static struct policy_block *with_many(int rules, bool overrides)
{
    struct text_buffer text = {0};

    text_buffer_add_text(&text, "policy p {\n");
    for (int i = 0; i < rules; i++) {
        text_buffer_format(&text, "deny exec where file is \"/%d\" as r%d\n", i, i);
        if (overrides)
            text_buffer_format(&text, "override local/p.r%d reason \"r\" until 2026-06-15\n", i);
    }
    text_buffer_add_text(&text, "}\n");
    struct policy_block *block = compiled(text.bytes);
    text_buffer_deinit(&text);
    return block;
}

static void overrides_cost_nothing_where_nothing_is_denied(void **state)
{
    (void)state;
    enum { RULES = 300 };
    CLEANUP(policy_block_free) struct policy_block *block = with_many(RULES, true);
    CLEANUP(policy_block_free) struct policy_block *without = with_many(RULES, false);
    struct scene scene;

    assert_int_equal(policy_block_override_count(block), RULES);
    exec_scene(&scene, "/17");
    const struct judgement judgement = judge(block, &scene);
    assert_string_equal(described(block, &judgement), "allow");
    assert_string_equal(rule_name(block, judgement.overridden.rule), "r17");
    exec_scene(&scene, "/none");
    assert_int_equal(judge(block, &scene).steps, judge(without, &scene).steps);
}

static void a_floor_is_carried(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block = compiled("policy p { default deny exec, write, bind\n"
                                          "  floor exec, write  floor bind required }\n"
                                          "policy q { deny exec as x }");
    const struct policy_floor floor = policy_floor(block, 0);

    assert_int_equal(floor.classes, 1U << CLASS_EXEC | 1U << CLASS_WRITE | 1U << CLASS_BIND);
    assert_int_equal(floor.required, 1U << CLASS_BIND);
    assert_int_equal(policy_floor(block, 1).classes, 0);
    assert_int_equal(policy_floor(block, 1).required, 0);
}

static void a_quiet_text_is_a_target_and_warns_of_nothing(void **state)
{
    (void)state;
    struct policy_text texts[] = {
        vendor("set unused = [1] policy v { deny exec as no }"),
        local_text("policy l { override vendor/v.no reason \"r\" until 2026-06-15 }")};
    const struct compile_options options = {.today = SCENE_TODAY};
    for (int quiet = 0; quiet < 2; quiet++) {
        CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
        texts[0].quiet = quiet;
        policy_block_free(policy_compile(texts, 2, &options, diagnostics));
        assert_int_equal(diagnostics_error_count(diagnostics), 0);
        assert_int_equal(diagnostics_warning_count(diagnostics), quiet ? 0 : 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_default_is_cancelled_where_the_condition_is_true),
        cmocka_unit_test(a_condition_may_end_with_a_truth_value_alone),
        cmocka_unit_test(one_class_of_a_default_is_cancelled_and_no_other),
        cmocka_unit_test(one_deny_is_cancelled_and_the_others_stay),
        cmocka_unit_test(a_cancelled_deny_leaves_the_default_standing),
        cmocka_unit_test(the_day_ends_an_override_and_an_unknown_day_has_none),
        cmocka_unit_test(dates_are_days_of_the_calendar),
        cmocka_unit_test(it_counts_only_where_its_policy_governs),
        cmocka_unit_test(what_observes_and_what_is_not_stored_cancels_nothing),
        cmocka_unit_test(doubt_opens_nothing),
        cmocka_unit_test(a_kill_is_never_cancelled_not_even_where_it_only_denies),
        cmocka_unit_test(a_rule_on_an_event_is_cancelled_by_its_arguments),
        cmocka_unit_test(every_tier_overrides_its_own_and_lower_ones_alone),
        cmocka_unit_test(neither_the_order_of_files_nor_of_statements_shows),
        cmocka_unit_test(an_override_shares_the_sets_of_its_policy_and_keeps_them_apart),
        cmocka_unit_test(overrides_cost_nothing_where_nothing_is_denied),
        cmocka_unit_test(a_floor_is_carried),
        cmocka_unit_test(a_quiet_text_is_a_target_and_warns_of_nothing),
    };
    return cmocka_run_group_tests_name("override", tests, NULL, NULL);
}
