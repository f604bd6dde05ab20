/* Which events a policy can have anything to say about. */
#include "policies/engine/policy_reach.h"

#include <string.h>

#include "policies/catalogue/catalogue.h"
#include "policy_fixture.h"

static struct policy_reach reach_of(const char *text)
{
    CLEANUP(policy_block_free) struct policy_block *block = compiled(text);
    struct policy_reach reach = {.classes = 0};

    for (uint32_t i = 0; i < policy_block_policy_count(block); i++)
        policy_reach_add(&reach, block, i);
    return reach;
}

static bool reaches(const char *text, const char *event)
{
    const struct policy_reach reach = reach_of(text);
    const struct event_entry *entry = event ? catalogue_find(event, strlen(event)) : NULL;

    assert_true(!event || entry);
    return policy_reaches(&reach, entry ? entry->number : EVENT_UNKNOWN);
}

static void policies_that_only_allow_reach_nothing(void **state)
{
    static const char text[] = "policy p { default allow all  allow exec where file is \"/x\" as x "
                               "allow event \"os.*\" as y }";

    (void)state;
    const struct policy_reach reach = reach_of(text);
    for (uint16_t number = 0; number <= catalogue_event_count(); number++)
        assert_false(policy_reaches(&reach, number));
}

static void rules_reach_the_events_of_their_classes(void **state)
{
    (void)state;
    static const char text[] =
        "policy p { deny write where path is \"/a\" as a  kill ffi as k  log connect as c }";
    assert_true(reaches(text, "os.remove"));
    assert_true(reaches(text, "open"));
    assert_true(reaches(text, "ctypes.dlsym"));
    assert_true(reaches(text, "socket.connect"));
    assert_false(reaches(text, "os.listdir"));
    assert_false(reaches(text, "import"));
    assert_false(reaches(text, NULL));
}

static void defaults_that_deny_reach_and_others_do_not(void **state)
{
    (void)state;
    assert_true(reaches("policy p { default deny import }", "import"));
    assert_false(reaches("policy p { default deny import }", "pickle.find_class"));
    assert_true(reaches("policy p { default deny all  default allow pickle }", "os.remove"));
    assert_false(
        reaches("policy p { default deny all  default allow pickle }", "pickle.find_class"));
    assert_true(reaches("policy p { default deny other }", NULL));
}

static void rules_on_every_class_reach_every_operation(void **state)
{
    (void)state;
    assert_true(reaches("policy p { deny all where user is \"x\" as a }", "import"));
    assert_true(reaches("policy p { deny all where user is \"x\" as a }", NULL));
    assert_true(reaches("policy p { log all as a }", "pickle.find_class"));
}

static void names_and_globs_of_events_reach_those(void **state)
{
    static const char by_name[] = "policy p { deny event \"sys._getframe\" as f }";
    static const char by_glob[] = "policy p { deny event \"sys._cur*\" where arg[0] is 3 as f }";
    static const char own[] = "policy p { log event \"mine.*\" as f }";

    (void)state;
    assert_true(reaches(by_name, "sys._getframe"));
    assert_false(reaches(by_name, "sys._current_frames"));
    assert_false(reaches(by_name, NULL));
    assert_true(reaches(by_glob, "sys._current_frames"));
    assert_false(reaches(by_glob, "sys._getframe"));
    assert_true(reaches(own, NULL));
    assert_false(reaches(own, "sys._getframe"));
}

static void observed_policies_reach_as_others_do(void **state)
{
    (void)state;
    assert_true(reaches("policy p { mode observe  deny import as i }", "import"));
}

static void numbers_beyond_the_catalogue_are_always_looked_at(void **state)
{
    (void)state;
    const struct policy_reach reach = {.classes = 0};
    assert_true(policy_reaches(&reach, REACH_EVENTS_MAX));
    assert_true(policy_reaches(&reach, UINT16_MAX));
    assert_true(catalogue_event_count() < REACH_EVENTS_MAX);
}

/* What is not reached is allowed, whatever its operations are: by the evaluator. */
static void what_is_not_reached_is_allowed(void **state)
{
    CLEANUP(policy_block_free)
    struct policy_block *block =
        compiled("policy p { default deny exec, native  deny read where path under \"/a\" as a  "
                 "kill event \"os.*\" where arg[0] is 1 as b  log import as c  deny hook as d }");
    struct policy_reach reach = {.classes = 0};
    unsigned unreached = 0;

    (void)state;
    policy_reach_add(&reach, block, 0);
    for (uint16_t number = 1; number <= catalogue_event_count(); number++) {
        const struct event_entry *entry = catalogue_event(number);
        if (policy_reaches(&reach, number))
            continue;
        unreached++;
        for (int class = CLASS_NONE; class < CLASS_COUNT; class ++) {
            struct scene scene;
            if (class != CLASS_NONE && !(entry->classes >> class & 1))
                continue;
            scene_init(&scene, entry->name);
            if (class != CLASS_NONE)
                scene_operation(&scene, (enum operation_class) class);
            const struct judgement judgement = judge(block, &scene);
            assert_int_equal(judgement.verdict, VERDICT_ALLOW);
            assert_false(judgement.log);
        }
    }
    assert_true(unreached > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_that_only_allow_reach_nothing),
        cmocka_unit_test(rules_reach_the_events_of_their_classes),
        cmocka_unit_test(defaults_that_deny_reach_and_others_do_not),
        cmocka_unit_test(rules_on_every_class_reach_every_operation),
        cmocka_unit_test(names_and_globs_of_events_reach_those),
        cmocka_unit_test(observed_policies_reach_as_others_do),
        cmocka_unit_test(numbers_beyond_the_catalogue_are_always_looked_at),
        cmocka_unit_test(what_is_not_reached_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
