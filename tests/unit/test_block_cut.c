/* A block without what is none of a session's business judges as it did, and shows no more. */
#define _GNU_SOURCE
#include "policies/engine/block_cut.h"

#include <stdlib.h>
#include <string.h>

#include "policy_fixture.h"

static const char two[] =
    "policy mine \"My title\" {\n"
    "default deny exec message \"Own message\"\n"
    "deny write where path under [\"/srv/own\", \"/srv/shared\"] as own-rule message \"Own text\"\n"
    "deny write where path matches \"/g/**/own-*.[ch]\" as own-glob\n"
    "deny connect where address in [10.0.0.0/8] and port in [443, 8000-8100] as own-net\n"
    "allow exec where argv has \"own-argument\" and env[\"OWN_KEY\"] is \"own-value\" as own-exec\n"
    "deny event \"os.own*\" where arg[0] is 3 as own-event\n"
    "}\n"
    "policy theirs \"Their title\" {\n"
    "default deny read message \"Their message\"\n"
    "deny write where path under [\"/srv/secret-project\", \"/srv/shared\"] as their-rule\n"
    "deny write where path matches \"/g/**/secret-*.[ch]\" as their-glob\n"
    "deny connect where address in [192.168.77.0/24] and port is 31337 as their-net\n"
    "allow exec where argv has \"secret-argument\" and env[\"SECRET_KEY\"] is \"x\" as their-exec\n"
    "deny event \"os.secret*\" as their-event\n"
    "}\n";

struct cut {
    struct policy_block *whole;
    struct policy_block *cut;
    uint32_t kept;
};

static void make(struct cut *cut)
{
    cut->whole = compiled(two);
    const size_t size = policy_block_size(cut->whole);
    cut->cut = aligned_alloc(8, (size + 7) / 8 * 8);
    memcpy(cut->cut, cut->whole, size);
    cut->kept = strcmp(policy_name(cut->whole, 0), "mine") == 0 ? 0 : 1;
    assert_true(policy_block_cut(cut->cut, &cut->kept, 1));
}

static void end(struct cut *cut)
{
    policy_block_free(cut->whole);
    free(cut->cut);
}

static bool holds(const struct policy_block *block, const char *text)
{
    return memmem(block, policy_block_size(block), text, strlen(text)) != NULL;
}

static void what_others_say_is_gone_and_what_is_compared_with_stays(void **state)
{
    static const char *const gone[] = {"secret",   "SECRET",      "theirs",   "their-",  "Their",
                                       "My title", "Own message", "Own text", "own-rule"};
    static const char *const kept[] = {"/srv/own", "/srv/shared", "own-argument", "OWN_KEY",
                                       "own-value"};
    struct cut cut;

    (void)state;
    make(&cut);
    for (size_t i = 0; i < sizeof(gone) / sizeof(*gone); i++) {
        assert_true(holds(cut.whole, gone[i]));
        assert_false(holds(cut.cut, gone[i]));
    }
    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        assert_true(holds(cut.cut, kept[i]));
    const uint8_t network[] = {192, 168, 77, 0};
    assert_non_null(memmem(cut.whole, policy_block_size(cut.whole), network, sizeof(network)));
    assert_null(memmem(cut.cut, policy_block_size(cut.cut), network, sizeof(network)));
    end(&cut);
}

static void block_is_one_still(void **state)
{
    struct cut cut;

    (void)state;
    make(&cut);
    assert_ptr_equal(policy_block_open(cut.cut, policy_block_size(cut.cut)), cut.cut);
    end(&cut);
}

static void same_judgement(const struct cut *cut, const struct scene *scene)
{
    const struct governing governing = {.policies = &cut->kept, .count = 1, .today = SCENE_TODAY};
    struct judgement before;
    struct judgement after;

    evaluate(cut->whole, &governing, &scene->subject, &scene->event, &before);
    evaluate(cut->cut, &governing, &scene->subject, &scene->event, &after);
    assert_int_equal(after.verdict, before.verdict);
    assert_int_equal(after.by.rule, before.by.rule);
    assert_int_equal(after.by.unknown, before.by.unknown);
    assert_int_equal(after.log, before.log);
}

static void policies_that_stay_judge_as_before(void **state)
{
    static const char *const paths[] = {"/srv/own/x",
                                        "/srv/shared",
                                        "/srv/secret-project/x",
                                        "/g/a/own-x.c",
                                        "/g/secret-x.c",
                                        "/srv/ownother",
                                        "/srv",
                                        "/"};
    static const char *const arguments[] = {"own-argument", "secret-argument", "", "own"};
    static const char *const addresses[] = {"\12\1\2\3", "\300\250\115\1", "\1\1\1\1"};
    struct scene scene;
    struct cut cut;

    (void)state;
    make(&cut);
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        for (size_t j = 0; j < sizeof(paths) / sizeof(*paths); j++) {
            scene_init(&scene, "os.remove");
            scene_operation(&scene, CLASS_WRITE);
            scene_path(&scene, ATTRIBUTE_PATH, paths[i], paths[j]);
            same_judgement(&cut, &scene);
        }
    for (size_t i = 0; i < sizeof(arguments) / sizeof(*arguments); i++) {
        scene_init(&scene, "os.exec");
        scene_operation(&scene, CLASS_EXEC);
        scene_value(&scene, ATTRIBUTE_ARGV, list_of(&scene, arguments[i], NULL));
        scene_value(&scene, ATTRIBUTE_ENV, map_of(&scene, "OWN_KEY", "own-value", NULL));
        same_judgement(&cut, &scene);
    }
    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++)
        for (int port = 440; port < 450; port++) {
            scene_init(&scene, "socket.connect");
            scene_operation(&scene, CLASS_CONNECT);
            scene_value(&scene, ATTRIBUTE_ADDRESS, ipv4(addresses[i]));
            scene_value(&scene, ATTRIBUTE_PORT, value_int(port));
            same_judgement(&cut, &scene);
        }
    end(&cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_say_is_gone_and_what_is_compared_with_stays),
        cmocka_unit_test(block_is_one_still),
        cmocka_unit_test(policies_that_stay_judge_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
