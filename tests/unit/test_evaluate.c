/* How rules, defaults and policies make one verdict. */
#include <string.h>

#include "policy_fixture.h"

static void exec_scene(struct scene *scene, const char *file)
{
    scene_init(scene, "subprocess.Popen");
    scene_operation(scene, CLASS_EXEC);
    scene_path(scene, ATTRIBUTE_FILE, file, file);
}

#define assert_text_judged(text, scene, expected)                                                  \
    do {                                                                                           \
        CLEANUP(policy_block_free) struct policy_block *block_ = compiled(text);                   \
        assert_judged(block_, (scene), (expected));                                                \
    } while (0)

static void without_a_policy_everything_is_allowed(void **state)
{
    (void)state;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/id");
    assert_text_judged("", &scene, "allow");
    assert_text_judged("policy p { }", &scene, "allow");
    assert_text_judged("policy p { deny fork as f }", &scene, "allow");
}

static void a_policy_that_is_not_governing_says_nothing(void **state)
{
    (void)state;
    struct scene scene;
    struct judgement judgement;
    exec_scene(&scene, "/usr/bin/id");
    CLEANUP(policy_block_free)
    struct policy_block *block =
        compiled("policy a { deny exec as x } policy b { allow exec as y }");
    const uint32_t second = 1;
    const struct governing governing = {.policies = &second, .count = 1};
    evaluate(block, &governing, &scene.subject, &scene.event, &judgement);
    assert_string_equal(described(block, &judgement), "allow b.y");
    const struct governing none = {.count = 0};
    evaluate(block, &none, &scene.subject, &scene.event, &judgement);
    assert_string_equal(described(block, &judgement), "allow");
    assert_int_equal(judgement.by.rule, RULE_DEFAULT);
}

static void kill_beats_deny_beats_allow_beats_default(void **state)
{
    (void)state;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/id");
    assert_text_judged("policy p { default deny exec }", &scene, "deny p.default");
    assert_text_judged("policy p { default deny exec  allow exec as a }", &scene, "allow p.a");
    assert_text_judged("policy p { default allow exec }", &scene, "allow p.default");
    assert_text_judged("policy p { allow exec where file under \"/usr\" as a"
                       "           deny exec where file is \"/usr/bin/id\" as d }",
                       &scene, "deny p.d");
    assert_text_judged("policy p { deny exec as d  kill exec where file under \"/usr\" as k }",
                       &scene, "kill p.k");
}

static void a_class_named_itself_beats_all(void **state)
{
    (void)state;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/id");
    assert_text_judged("policy p { default deny all  default allow exec }", &scene,
                       "allow p.default");
    assert_text_judged("policy p { default deny exec  default allow all }", &scene,
                       "deny p.default");
    assert_text_judged("policy p { default deny all }", &scene, "deny p.default");
}

static void defaults_carry_messages_of_their_own(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block =
        compiled("policy p { default deny all message \"nothing\"  default deny exec, fork"
                 " message \"no programs\"  default deny bind  deny read as r message \"no\" }");
    assert_string_equal(default_message(block, 0, CLASS_EXEC), "no programs");
    assert_string_equal(default_message(block, 0, CLASS_FORK), "no programs");
    assert_string_equal(default_message(block, 0, CLASS_WRITE), "nothing");
    assert_string_equal(default_message(block, 0, CLASS_BIND), "");
    assert_string_equal(rule_message(block, 0), "no");
}

static void the_strictest_policy_wins_and_each_judges_alone(void **state)
{
    (void)state;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/id");
    /* The allow of one opens nothing in another. */
    assert_text_judged("policy a { allow exec as yes } policy b { default deny exec }", &scene,
                       "deny b.default");
    assert_text_judged("policy a { deny exec as no } policy b { kill exec as stop }", &scene,
                       "kill b.stop");
    assert_text_judged("policy a { allow exec as yes } policy b { allow exec as too }", &scene,
                       "allow a.yes");
    assert_text_judged("policy a { deny fork as no } policy b { allow exec as yes }", &scene,
                       "allow b.yes");
}

static void deny_fires_on_what_is_unknown_and_allow_does_not(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    scene_value(&scene, ATTRIBUTE_FILE, value_unknown())->resolved = value_unknown();
    assert_text_judged("policy p { deny exec where file is \"/x\" as d }", &scene, "deny p.d?");
    assert_text_judged("policy p { kill exec where file is \"/x\" as k }", &scene, "deny p.k?");
    assert_text_judged("policy p { default deny exec  allow exec where file is \"/x\" as a }",
                       &scene, "deny p.default");
    assert_text_judged("policy p { default deny exec  allow exec where not file is \"/x\" as a }",
                       &scene, "deny p.default");
    /* What can be decided all the same is decided. */
    assert_text_judged("policy p { deny exec where file is \"/x\" and user is \"bob\" as d }",
                       &scene, "allow");
}

static void a_known_kill_ends_whatever_else_is_doubted(void **state)
{
    (void)state;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/id");
    scene_value(&scene, ATTRIBUTE_SHELL, value_unknown());
    assert_text_judged(
        "policy p { kill exec where shell as a  kill exec where user is \"alice\" as b }", &scene,
        "kill p.b");
}

static void allow_counts_the_resolved_path_and_deny_either(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "open");
    scene_operation(&scene, CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, "/srv/cache/link", "/etc/passwd");
    assert_text_judged(
        "policy p { default deny write  allow write where path under \"/srv\" as a }", &scene,
        "deny p.default");
    assert_text_judged(
        "policy p { default deny write  allow write where path under \"/etc\" as a }", &scene,
        "allow p.a");
    assert_text_judged("policy p { deny write where path under \"/srv\" as d }", &scene,
                       "deny p.d");
    assert_text_judged("policy p { deny write where path under \"/etc\" as d }", &scene,
                       "deny p.d");
    assert_text_judged("policy p { deny write where path under \"/var\" as d }", &scene, "allow");
    assert_text_judged("policy p { kill write where path under \"/etc\" as k }", &scene,
                       "kill p.k");
    /* A whole condition is evaluated in one form: no form is under both. */
    assert_text_judged(
        "policy p { deny write where path under \"/srv\" and path under \"/etc\" as d }", &scene,
        "allow");
    assert_text_judged("policy p { deny write where not path under \"/srv\" as d }", &scene,
                       "deny p.d");
}

static void a_path_whose_links_are_unknown_is_doubted_in_that_form(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "open");
    scene_operation(&scene, CLASS_WRITE);
    struct attribute *path = scene_path(&scene, ATTRIBUTE_PATH, "/srv/x", NULL);
    assert_text_judged(
        "policy p { default deny write  allow write where path under \"/srv\" as a }", &scene,
        "deny p.default");
    assert_text_judged("policy p { deny write where path under \"/etc\" as d }", &scene,
                       "deny p.d?");
    assert_text_judged("policy p { deny write where path under \"/srv\" as d }", &scene,
                       "deny p.d");
    /* A resolved form that was not filled in is not known either. */
    path->resolved = value_none();
    assert_text_judged(
        "policy p { default deny write  allow write where not path under \"/etc\" as a }", &scene,
        "deny p.default");
}

static bool resolve_sh(void *context, const char *path, char *resolved, size_t size)
{
    (void)context;
    if (strcmp(path, "/bin/sh") == 0)
        memcpy(resolved, "/usr/bin/dash", sizeof("/usr/bin/dash"));
    else if (strcmp(path, "/var/run") == 0)
        memcpy(resolved, "/run", sizeof("/run"));
    else
        return false;
    return size > 0;
}

static void a_literal_stands_for_itself_and_for_what_it_resolves_to(void **state)
{
    (void)state;
    const struct compile_options options = {.resolve = resolve_sh};
    const struct policy_text text =
        local_text("policy p { deny exec where file is \"/bin/sh\" as shell"
                   "           deny read where path under \"/var/run\" as run"
                   "           deny write where path matches \"/var/run/*.pid\" as pid }");
    CLEANUP(policy_block_free) struct policy_block *block = compiled_texts(&text, 1, &options);
    struct scene scene;
    exec_scene(&scene, "/bin/sh");
    assert_judged(block, &scene, "deny p.shell");
    exec_scene(&scene, "/usr/bin/dash");
    assert_judged(block, &scene, "deny p.shell");
    exec_scene(&scene, "/usr/bin/bash");
    assert_judged(block, &scene, "allow");

    scene_init(&scene, "open");
    scene_operation(&scene, CLASS_READ);
    scene_path(&scene, ATTRIBUTE_PATH, "/run/x", "/run/x");
    assert_judged(block, &scene, "deny p.run");
    scene_init(&scene, "open");
    scene_operation(&scene, CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, "/run/x.pid", "/run/x.pid");
    assert_judged(block, &scene, "deny p.pid");
}

static void a_host_that_no_lookup_gave_is_absent_for_allow_and_doubted_for_deny(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "socket.connect");
    scene_operation(&scene, CLASS_CONNECT);
    scene_value(&scene, ATTRIBUTE_HOST, value_none())->nameless = true;
    assert_text_judged(
        "policy p { default deny connect  allow connect where host is \"a.org\" as a }", &scene,
        "deny p.default");
    assert_text_judged("policy p { default deny connect  allow connect where host is absent as a }",
                       &scene, "allow p.a");
    assert_text_judged("policy p { allow resolve as r  deny connect where host is \"a.org\" as d }",
                       &scene, "deny p.d?");
    assert_text_judged("policy p { allow resolve as r  kill connect where host is \"a.org\" as k }",
                       &scene, "deny p.k?");
}

static void an_event_goes_ahead_only_if_every_operation_does(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "os.rename");
    scene_operation(&scene, CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, "/srv/a", "/srv/a");
    scene_operation(&scene, CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, "/etc/b", "/etc/b");
    CLEANUP(policy_block_free)
    struct policy_block *block =
        compiled("policy p { default deny write  allow write where path under \"/srv\" as srv }");
    const struct judgement judgement = judge(block, &scene);
    assert_string_equal(described(block, &judgement), "deny p.default");
    assert_int_equal(judgement.by.operation, 1);
}

static void ties_go_to_the_first_operation_then_tier_policy_and_rule_name(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "os.rename");
    scene_operation(&scene, CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, "/a", "/a");
    scene_operation(&scene, CLASS_READ);
    scene_path(&scene, ATTRIBUTE_PATH, "/b", "/b");
    struct policy_text texts[] = {
        local_text("policy b { deny write as z  deny write as y  deny read as a }"),
        local_text("policy c { deny write as a }"),
        local_text("policy a { deny write as a }"),
    };
    texts[2].tier = TIER_VENDOR;
    CLEANUP(policy_block_free) struct policy_block *block = compiled_texts(texts, 3, NULL);
    assert_judged(block, &scene, "deny b.y");
    /* A rule before a default, whatever the names. */
    assert_text_judged("policy p { default deny write  deny write where path is \"/a\" as zz }",
                       &scene, "deny p.zz");
    assert_text_judged("policy a { default deny read } policy b { deny write as d }", &scene,
                       "deny b.d");
}

static void order_of_rules_policies_and_texts_never_matters(void **state)
{
    (void)state;
    const struct policy_text forward[] = {
        local_text("set s = [\"/a\", \"/b\"] "
                   "policy p \"title\" { default deny write, read message \"m\" "
                   "allow write where path in s as a  deny write where path is \"/c\" as b "
                   "log read as c  deny event \"os.fork\", \"os.*\" as d }"),
        local_text(
            "policy q { applies { user is \"x\" } applies { user is \"y\" } kill exec as k }"),
    };
    const struct policy_text backward[] = {
        local_text(
            "policy q { kill exec as k applies { user is \"x\" } applies { user is \"y\" } }"),
        local_text("policy p \"title\" { deny event \"os.fork\", \"os.*\" as d  log read as c "
                   "deny write where path is \"/c\" as b  allow write where path in s as a "
                   "default deny write, read message \"m\" } set s = [\"/a\", \"/b\"]"),
    };
    CLEANUP(policy_block_free) struct policy_block *first = compiled_texts(forward, 2, NULL);
    CLEANUP(policy_block_free) struct policy_block *second = compiled_texts(backward, 2, NULL);
    assert_int_equal(policy_block_size(first), policy_block_size(second));
    assert_memory_equal(first, second, policy_block_size(first));
}

static void observing_policies_say_only_what_they_would(void **state)
{
    (void)state;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/id");
    CLEANUP(policy_block_free)
    struct policy_block *block = compiled("policy a { mode observe  kill exec as k  log exec as l }"
                                          "policy b { mode enforce  default deny fork }");
    struct judgement judgement = judge(block, &scene);
    assert_string_equal(described(block, &judgement), "allow");
    assert_int_equal(judgement.would, VERDICT_KILL);
    assert_int_equal(judgement.would_by.policy, 0);
    assert_string_equal(rule_name(block, judgement.would_by.rule), "k");
    assert_false(judgement.log);
    assert_true(policy_observes(block, 0));
    assert_false(policy_observes(block, 1));

    struct policy_text text = local_text("policy a { deny exec as d }");
    text.observe = true;
    CLEANUP(policy_block_free) struct policy_block *observed = compiled_texts(&text, 1, NULL);
    judgement = judge(observed, &scene);
    assert_int_equal(judgement.verdict, VERDICT_ALLOW);
    assert_int_equal(judgement.would, VERDICT_DENY);

    exec_scene(&scene, "/usr/bin/id");
    scene.operations[0].operation_class = CLASS_READ;
    judgement = judge(block, &scene);
    assert_int_equal(judgement.would, VERDICT_ALLOW);
    assert_int_equal(judgement.would_by.policy, POLICY_NO_INDEX);
}

static void log_records_and_changes_no_verdict(void **state)
{
    (void)state;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/id");
    scene_value(&scene, ATTRIBUTE_SHELL, value_unknown());
    CLEANUP(policy_block_free)
    struct policy_block *block =
        compiled("policy a { log exec where file is \"/x\" as none }"
                 "policy b { log exec where shell as doubted  deny exec as no"
                 "           log exec as always }");
    const struct judgement judgement = judge(block, &scene);
    assert_string_equal(described(block, &judgement), "deny b.no");
    assert_true(judgement.log);
    assert_int_equal(judgement.log_count, 2);
    assert_int_equal(judgement.log_by[0].policy, 1);
    assert_string_equal(rule_name(block, judgement.log_by[0].rule), "always");
    assert_string_equal(rule_name(block, judgement.log_by[1].rule), "doubted");
    CLEANUP(policy_block_free)
    struct policy_block *doubt = compiled("policy b { log exec where shell as doubted }");
    assert_true(judge(doubt, &scene).log);
    CLEANUP(policy_block_free)
    struct policy_block *other = compiled("policy b { log fork as f }");
    assert_false(judge(other, &scene).log);
}

static void log_rules_are_named_once_and_so_many_at_most(void **state)
{
    (void)state;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/id");
    scene.operations[1] = scene.operations[0];
    scene.event.operation_count = 2;
    CLEANUP(policy_block_free)
    struct policy_block *few = compiled("policy a { log exec as z  log event \"*\" as m }"
                                        "policy b { log exec as c }");
    struct judgement judgement = judge(few, &scene);
    assert_int_equal(judgement.log_count, 3);
    assert_string_equal(rule_name(few, judgement.log_by[0].rule), "m");
    assert_string_equal(rule_name(few, judgement.log_by[1].rule), "z");
    assert_string_equal(rule_name(few, judgement.log_by[2].rule), "c");

    CLEANUP(policy_block_free)
    struct policy_block *many = compiled(
        "policy a { log exec as d  log exec as e  log exec as f  log exec as g  log exec as h"
        "           log exec as i  log exec as j  log event \"*\" as b  log event \"*\" as c"
        "           log event \"*\" as k }"
        "policy b { log exec as a }");
    judgement = judge(many, &scene);
    assert_int_equal(judgement.log_count, JUDGEMENT_LOGS_MAX);
    for (uint32_t i = 0; i < JUDGEMENT_LOGS_MAX; i++) {
        const char name[] = {(char)('b' + i), '\0'};
        assert_int_equal(judgement.log_by[i].policy, 0);
        assert_string_equal(rule_name(many, judgement.log_by[i].rule), name);
    }
}

static void event_rules_match_every_operation_of_the_events_they_name(void **state)
{
    (void)state;
    struct scene scene;
    exec_scene(&scene, "/usr/bin/id");
    assert_text_judged("policy p { deny event \"subprocess.Popen\" as d }", &scene, "deny p.d");
    assert_text_judged("policy p { deny event \"os.system\", \"sub*\" as d }", &scene, "deny p.d");
    assert_text_judged("policy p { deny event \"os.system\", \"os.p*\" as d }", &scene, "allow");
    assert_text_judged("policy p { default deny exec  allow event \"subprocess.Popen\" as a }",
                       &scene, "allow p.a");
    assert_text_judged(
        "policy p { deny event \"subprocess.Popen\" where file under \"/usr\" as d }", &scene,
        "deny p.d");
    assert_text_judged("policy p { deny event \"*\" where file under \"/opt\" as d }", &scene,
                       "allow");
    assert_text_judged("policy p { kill event \"*\" as all  deny exec as d }", &scene,
                       "kill p.all");
}

static void an_event_that_is_no_operation_is_reached_by_event_rules_alone(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "urllib.Request");
    scene_argument(&scene, text_of("http://example.org/"));
    assert_text_judged("policy p { default deny all }", &scene, "allow");
    assert_text_judged("policy p { deny all as d }", &scene, "allow");
    assert_text_judged(
        "policy p { deny event \"urllib.*\" where arg.fullurl matches \"http:*\" as d }", &scene,
        "deny p.d");
    assert_text_judged(
        "policy p { deny event \"urllib.Request\" where arg[0] matches \"https:*\" as d }", &scene,
        "allow");
}

static void an_event_that_nobody_knows_is_class_other(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "someones.event");
    scene_operation(&scene, CLASS_OTHER);
    scene_text(&scene, ATTRIBUTE_NAME, "someones.event");
    assert_text_judged("policy p { deny other as d }", &scene, "deny p.d");
    assert_text_judged("policy p { default deny other }", &scene, "deny p.default");
    assert_text_judged("policy p { deny other where name matches \"some*\" as d }", &scene,
                       "deny p.d");
    assert_text_judged("policy p { deny event \"some*\" as d }", &scene, "deny p.d");
    assert_text_judged("policy p { deny event \"os.*\" as d }", &scene, "allow");
}

static void a_name_that_was_cut_is_doubted_by_globs(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "someones.event");
    scene_operation(&scene, CLASS_OTHER);
    scene.event.name_cut = true;
    assert_text_judged("policy p { deny event \"os.*\" as d }", &scene, "deny p.d?");
    assert_text_judged("policy p { default deny other  allow event \"some*\" as a }", &scene,
                       "deny p.default");
    assert_text_judged("policy p { deny event \"os.*\" where user is \"bob\" as d }", &scene,
                       "allow");
    assert_text_judged("policy p { deny event \"os.fork\" as d }", &scene, "allow");
    assert_text_judged("policy p { deny other where event is \"os.fork\" as d }", &scene,
                       "deny p.d?");
}

static void applies_selects_sessions_by_any_of_its_blocks(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block =
        compiled("policy a { applies { user is \"bob\" } applies { unit is \"media.service\" and "
                 "           group has \"audio\" } }"
                 "policy b { applies { user is \"alice\" unit is \"other.service\" } }"
                 "policy c { }"
                 "policy d { applies { } }"
                 "policy e { applies { exe under \"/usr/bin\" script under \"/srv\" "
                 "           platform is \"linux\" } }"
                 "policy f { applies { not label role is \"x\" } }");
    struct scene scene;
    exec_scene(&scene, "/x");
    assert_true(policy_applies(block, 0, &scene.subject));
    assert_false(policy_applies(block, 1, &scene.subject));
    assert_false(policy_applies(block, 2, &scene.subject));
    assert_true(policy_applies(block, 3, &scene.subject));
    assert_true(policy_applies(block, 4, &scene.subject));
    assert_true(policy_applies(block, 5, &scene.subject));
    assert_true(policy_has_applies(block, 0));
    assert_false(policy_has_applies(block, 2));
    scene.subject.unit = NULL;
    assert_false(policy_applies(block, 0, &scene.subject));
}

static void the_stricter_of_two_judgements_is_kept(void **state)
{
    (void)state;
    struct judgement deny = {.verdict = VERDICT_DENY, .by = {1, 2, 0, false}};
    const struct judgement allow = {.verdict = VERDICT_ALLOW, .by = {3, 4, 0, false}};
    const struct judgement kill = {.verdict = VERDICT_KILL, .by = {5, 6, 0, false}};
    assert_false(judgement_take_stricter(&deny, &allow));
    assert_false(judgement_take_stricter(&deny, &deny));
    assert_int_equal(deny.by.policy, 1);
    assert_true(judgement_take_stricter(&deny, &kill));
    assert_int_equal(deny.verdict, VERDICT_KILL);
    assert_int_equal(deny.by.rule, 6);
}

static void a_block_that_is_damaged_is_not_opened(void **state)
{
    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = compiled("policy p { deny exec as d }");
    const size_t size = policy_block_size(block);
    unsigned char *bytes = (unsigned char *)block;
    assert_null(policy_block_open(block, size - 1));
    assert_null(policy_block_open(block, 8));
    for (size_t i = 0; i < size; i += 3) {
        bytes[i] ^= 0x40;
        assert_null(policy_block_open(block, size));
        bytes[i] ^= 0x40;
    }
    assert_ptr_equal(policy_block_open(block, size), block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_policy_everything_is_allowed),
        cmocka_unit_test(a_policy_that_is_not_governing_says_nothing),
        cmocka_unit_test(kill_beats_deny_beats_allow_beats_default),
        cmocka_unit_test(a_class_named_itself_beats_all),
        cmocka_unit_test(defaults_carry_messages_of_their_own),
        cmocka_unit_test(the_strictest_policy_wins_and_each_judges_alone),
        cmocka_unit_test(deny_fires_on_what_is_unknown_and_allow_does_not),
        cmocka_unit_test(a_known_kill_ends_whatever_else_is_doubted),
        cmocka_unit_test(allow_counts_the_resolved_path_and_deny_either),
        cmocka_unit_test(a_path_whose_links_are_unknown_is_doubted_in_that_form),
        cmocka_unit_test(a_literal_stands_for_itself_and_for_what_it_resolves_to),
        cmocka_unit_test(a_host_that_no_lookup_gave_is_absent_for_allow_and_doubted_for_deny),
        cmocka_unit_test(an_event_goes_ahead_only_if_every_operation_does),
        cmocka_unit_test(ties_go_to_the_first_operation_then_tier_policy_and_rule_name),
        cmocka_unit_test(order_of_rules_policies_and_texts_never_matters),
        cmocka_unit_test(observing_policies_say_only_what_they_would),
        cmocka_unit_test(log_records_and_changes_no_verdict),
        cmocka_unit_test(log_rules_are_named_once_and_so_many_at_most),
        cmocka_unit_test(event_rules_match_every_operation_of_the_events_they_name),
        cmocka_unit_test(an_event_that_is_no_operation_is_reached_by_event_rules_alone),
        cmocka_unit_test(an_event_that_nobody_knows_is_class_other),
        cmocka_unit_test(a_name_that_was_cut_is_doubted_by_globs),
        cmocka_unit_test(applies_selects_sessions_by_any_of_its_blocks),
        cmocka_unit_test(the_stricter_of_two_judgements_is_kept),
        cmocka_unit_test(a_block_that_is_damaged_is_not_opened),
    };
    return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
