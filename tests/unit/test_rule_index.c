/* Which rules an event leads to: no more than concern it, and never one less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policies/engine/block_layout.h"
#include "policies/engine/rule_index.h"
#include "policy_fixture.h"

enum { NAMES_SIZE = 512 };

struct visits {
    const struct policy_block *block;
    unsigned count;
    char names[NAMES_SIZE]; /* of the rules, each once, in order of name: "a b" */
    bool seen[4096];
};

static void visit(void *context, uint32_t rule)
{
    struct visits *visits = context;
    visits->count++;
    assert_true(rule < sizeof(visits->seen));
    visits->seen[rule] = true;
}

static void name_rules(struct visits *visits)
{
    visits->names[0] = '\0';
    for (uint32_t i = 0; i < policy_block_rule_count(visits->block); i++) {
        const size_t length = strlen(visits->names);
        if (visits->seen[i])
            (void)snprintf(visits->names + length, NAMES_SIZE - length, "%s%s",
                           length > 0 ? " " : "", rule_name(visits->block, i));
    }
}

/* The rules of the operation's class that the index leads to, with so many steps. */
static struct visits visited_within(const struct policy_block *block, const struct scene *scene,
                                    uint64_t steps)
{
    struct visits visits = {.block = block};
    struct budget budget = {steps};
    struct question question = {.block = block,
                                .subject = &scene->subject,
                                .event = &scene->event,
                                .operation = &scene->operations[0],
                                .budget = &budget};
    const enum operation_class operation_class = scene->operations[0].operation_class;

    rule_set_visit(&question, block_policy(block, 0)->class_rules[operation_class], visit, &visits);
    name_rules(&visits);
    return visits;
}

static struct visits visited(const struct policy_block *block, const struct scene *scene)
{
    return visited_within(block, scene, EVALUATION_STEPS_MAX);
}

#define assert_leads(block, scene, expected)                                                       \
    do {                                                                                           \
        const struct visits visits_ = visited((block), (scene));                                   \
        assert_string_equal(visits_.names, (expected));                                            \
    } while (0)

/* A scene points into itself: it is filled in where it stays. */
#define SCENE(name, event, operation_class)                                                        \
    struct scene name;                                                                             \
    scene_init(&(name), (event));                                                                  \
    scene_operation(&(name), (operation_class))

static void one_file_of_a_thousand_leads_to_its_rule_alone(void **state)
{
    (void)state;
    static char text[100 * 1000];
    size_t length = (size_t)snprintf(text, sizeof(text), "policy p {\n");
    for (int i = 0; i < 1000; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "deny write where path is \"/srv/f%d\" as r%d\n", i, i);
    (void)snprintf(text + length, sizeof(text) - length, "}\n");
    CLEANUP(policy_block_free) struct policy_block *block = compiled(text);

    SCENE(scene, "open", CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, "/srv/f517", "/srv/f517");
    assert_leads(block, &scene, "r517");
    assert_int_equal(visited(block, &scene).count, 1);

    SCENE(other, "open", CLASS_WRITE);
    scene_path(&other, ATTRIBUTE_PATH, "/srv/f1000", "/srv/f1000");
    assert_leads(block, &other, "");
}

static void directories_lead_to_what_is_below_by_whole_components(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block = compiled("policy p {\n"
                                          "deny write where path under \"/a\" as a\n"
                                          "deny write where path under \"/a/b/c\" as abc\n"
                                          "deny write where path under \"/a/b/d\" as abd\n"
                                          "deny write where path under \"/ab\" as ab\n"
                                          "deny write where path under \"/\" as root\n"
                                          "deny write where path under \"/a/b/c/e/f\" as abcef\n"
                                          "}\n");
    static const struct {
        const char *path;
        const char *rules;
    } cases[] = {
        {"/a", "a root"},
        {"/a/b", "a root"},
        {"/a/b/c", "a abc root"},
        {"/a/b/c/x", "a abc root"},
        {"/a/b/cx", "a root"},
        {"/a/b/c/e/f", "a abc abcef root"},
        {"/a/b/c/e/fx", "a abc root"},
        {"/ab/c", "ab root"},
        {"/abc", "root"},
        {"/", "root"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        SCENE(scene, "open", CLASS_WRITE);
        scene_path(&scene, ATTRIBUTE_PATH, cases[i].path, cases[i].path);
        assert_leads(block, &scene, cases[i].rules);
    }
}

static void both_forms_of_a_path_lead_to_rules(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block = compiled("policy p {\n"
                                          "deny write where path under \"/a\" as a\n"
                                          "deny write where path under \"/b\" as b\n"
                                          "deny write where path is \"/b/x\" as bx\n"
                                          "deny write where path under \"/c\" as c\n"
                                          "}\n");
    SCENE(scene, "open", CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, "/a/x", "/b/x");
    assert_leads(block, &scene, "a b bx");
}

static void globs_stand_under_the_directory_that_they_begin_with(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block = compiled(
        "policy p {\n"
        "deny write where path matches \"/a/*/x\" as star\n"
        "deny write where path matches \"/a/b**\" as cross\n"
        "deny write where path matches \"/d/**/x\" as folders\n"
        "deny write where path matches \"**/x\" as anywhere\n"
        "deny write where path matches \"/e/literal\" as literal\n"
        "deny write where path matches [session.home \"/w/*.py\", session.temp \"/**\"] as places\n"
        "}\n");
    static const struct {
        const char *path;
        const char *rules;
    } cases[] = {
        {"/a/b/c", "cross star"},          {"/a/b/x", "anywhere cross star"},
        {"/d/x", "anywhere folders"},      {"/e/literal", "literal"},
        {"/home/alice/w/a.py", "places"},  {"/home/alice/v/a.py", ""},
        {"/var/tmp/x", "anywhere places"}, {"/f", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        SCENE(scene, "open", CLASS_WRITE);
        scene_path(&scene, ATTRIBUTE_PATH, cases[i].path, cases[i].path);
        assert_leads(block, &scene, cases[i].rules);
    }
}

static void networks_lead_to_the_blocks_that_hold_an_address(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block =
        compiled("policy p {\n"
                 "deny connect where address is 10.0.0.0/8 as ten\n"
                 "deny connect where address is 10.1.0.0/16 as ten-one\n"
                 "deny connect where address in [10.1.2.3, 2001:db8::/32] as one\n"
                 "deny connect where address is 0.0.0.0/0 as all-four\n"
                 "deny connect where address is 192.168.0.0/17 as half\n"
                 "}\n");
    static const struct {
        const char *address;
        size_t length;
        const char *rules;
    } cases[] = {
        {"\x0a\x01\x02\x03", 4, "all-four one ten ten-one"},
        {"\x0a\x01\x02\x04", 4, "all-four ten ten-one"},
        {"\x0a\x02\x02\x03", 4, "all-four ten"},
        {"\x0b\x01\x02\x03", 4, "all-four"},
        {"\xc0\xa8\x7f\xff", 4, "all-four half"},
        {"\xc0\xa8\x80\x00", 4, "all-four"},
        {"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16, "one"},
        {"\x20\x01\x0d\xb9\0\0\0\0\0\0\0\0\0\0\0\1", 16, ""},
        {"\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x02\x02\x03", 16, "all-four ten"},
        {"\x0a\x01", 2, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        SCENE(scene, "socket.connect", CLASS_CONNECT);
        struct value address = value_text(cases[i].address, cases[i].length);
        address.kind = VALUE_BYTES;
        scene_value(&scene, ATTRIBUTE_ADDRESS, address);
        assert_leads(block, &scene, cases[i].rules);
    }
}

static void hosts_lead_by_name_and_by_domain(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block =
        compiled("policy p {\n"
                 "deny resolve where host is \"api.example.org\" as api\n"
                 "deny resolve where host is \"*.example.org\" as below\n"
                 "deny resolve where host in [\"*.b.example.org\", \"other.net\"] as deeper\n"
                 "allow resolve where host is \"*.c.example.org\" as allowed\n"
                 "}\n");
    static const struct {
        const char *host;
        const char *rules;
    } cases[] = {
        {"api.example.org", "api below"},
        {"API.Example.ORG.", "api below"},
        {"x.b.example.org", "below deeper"},
        {"xb.example.org", "below"},
        {"other.net", "deeper"},
        {"another.net", ""},
        {"x.c.example.org", "allowed below"},
        {"\xc3\xbc.net", "api below deeper"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        SCENE(scene, "socket.getaddrinfo", CLASS_RESOLVE);
        scene_text(&scene, ATTRIBUTE_HOST, cases[i].host);
        assert_leads(block, &scene, cases[i].rules);
    }
}

static void modules_lead_by_their_parts(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block = compiled("policy p {\n"
                                          "deny import where module under \"numpy\" as numpy\n"
                                          "deny import where module under \"numpy.core\" as core\n"
                                          "deny import where module is \"json\" as json\n"
                                          "deny import where module matches \"xml.*\" as xml\n"
                                          "}\n");
    static const struct {
        const char *module;
        const char *rules;
    } cases[] = {
        {"numpy", "numpy"}, {"numpy.core.multiarray", "core numpy"},
        {"numpyx", ""},     {"json", "json"},
        {"xml.dom", "xml"}, {"xmlx", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        SCENE(scene, "import", CLASS_IMPORT);
        scene_text(&scene, ATTRIBUTE_MODULE, cases[i].module);
        assert_leads(block, &scene, cases[i].rules);
    }
}

static void numbers_lead_as_python_compares_them(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block = compiled("policy p {\n"
                                          "deny connect where port is 1 as one\n"
                                          "deny connect where port in [443, 8443] as https\n"
                                          "deny connect where port is 22 as ssh\n"
                                          "deny connect where port in [5000-5010] as range\n"
                                          "}\n");
    const struct {
        struct value port;
        const char *rules;
    } cases[] = {
        {value_int(443), "https range"},
        {value_bool(true), "one range"},
        {{.kind = VALUE_FLOAT, .real = 22.0}, "range ssh"},
        {{.kind = VALUE_FLOAT, .real = 1e300}, "range"},
        {text_of("443"), "range"},
        {marked(value_int(443), VALUE_SUBCLASS), "https one range ssh"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        SCENE(scene, "socket.connect", CLASS_CONNECT);
        scene_value(&scene, ATTRIBUTE_PORT, cases[i].port);
        assert_leads(block, &scene, cases[i].rules);
    }
}

static const char *const list_rules = "policy p {\n"
                                      "deny exec where argv starts [\"git\", \"push\"] as push\n"
                                      "deny exec where argv is [\"id\"] as id\n"
                                      "deny exec where argv has \"--evil\" as evil\n"
                                      "deny exec where argv[-1] is \"last\" as last\n"
                                      "deny exec where env has \"LD_PRELOAD\" as preload\n"
                                      "allow exec where argv has \"good\" as good\n"
                                      "}\n";

static void lists_lead_by_their_elements(void **state)
{
    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = compiled(list_rules);

    SCENE(git, "subprocess.Popen", CLASS_EXEC);
    scene_value(&git, ATTRIBUTE_ARGV, list_of(&git, "git", "--evil", "last", NULL));
    assert_leads(block, &git, "evil last push");

    SCENE(id, "subprocess.Popen", CLASS_EXEC);
    scene_value(&id, ATTRIBUTE_ARGV, list_of(&id, "id", "good", NULL));
    scene_value(&id, ATTRIBUTE_ENV, map_of(&id, "LD_PRELOAD", "x", NULL));
    assert_leads(block, &id, "good id preload");
}

static void a_list_that_is_not_certain_leads_to_whatever_does_not_allow(void **state)
{
    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = compiled(list_rules);

    SCENE(cut, "subprocess.Popen", CLASS_EXEC);
    scene_value(&cut, ATTRIBUTE_ARGV, marked(list_of(&cut, "ls", "good", NULL), VALUE_CUT));
    assert_leads(block, &cut, "evil good id last push");

    SCENE(subclass, "subprocess.Popen", CLASS_EXEC);
    scene_value(&subclass, ATTRIBUTE_ARGV,
                marked(list_of(&subclass, "ls", "good", NULL), VALUE_SUBCLASS));
    assert_leads(block, &subclass, "evil id last push");
}

static void what_is_not_known_leads_to_whatever_does_not_allow(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block = compiled("policy p {\n"
                                          "kill write where path is \"/k\" as k\n"
                                          "deny write where path is \"/d\" as d\n"
                                          "allow write where path is \"/a\" as a\n"
                                          "allow write where path is \"/b\" as b\n"
                                          "log write where path under \"/l\" as l\n"
                                          "}\n");
    SCENE(opaque, "open", CLASS_WRITE);
    scene_value(&opaque, ATTRIBUTE_PATH, value_unknown());
    assert_leads(block, &opaque, "d k l");

    SCENE(half, "open", CLASS_WRITE);
    scene_path(&half, ATTRIBUTE_PATH, "/a", "/a")->resolved = value_unknown();
    assert_leads(block, &half, "a d k l");

    SCENE(none, "open", CLASS_WRITE);
    assert_leads(block, &none, "");
}

static void a_connection_without_a_name_leads_to_denials_by_name_alone(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block = compiled("policy p {\n"
                                          "deny resolve where host is \"x.org\" as names\n"
                                          "deny connect where host is \"x.org\" as x\n"
                                          "allow connect where host is \"y.org\" as y\n"
                                          "allow connect where host is \"z.org\" as z\n"
                                          "allow connect where host is \"*.z.org\" as below\n"
                                          "}\n");
    SCENE(nameless, "socket.connect", CLASS_CONNECT);
    scene_value(&nameless, ATTRIBUTE_HOST, value_none())->nameless = true;
    assert_leads(block, &nameless, "x");

    SCENE(named, "socket.connect", CLASS_CONNECT);
    scene_value(&named, ATTRIBUTE_HOST, list_of(&named, "a.org", "b.z.org", "y.org", NULL));
    assert_leads(block, &named, "below y");
}

static void conditions_stand_under_what_must_hold_of_them(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block = compiled(
        "policy p {\n"
        "deny write where path is \"/a\" and action is \"remove\" as both\n"
        "deny write where path is \"/b\" or action is \"chmod\" as either\n"
        "deny write where not path is \"/c\" as unless\n"
        "deny write where not (path is \"/c\" or path is \"/d\") and path under \"/e\" as part\n"
        "deny write where path is \"/f\" or not action is \"open\" as open-ended\n"
        "}\n");
    static const struct {
        const char *path;
        const char *action;
        const char *rules;
    } cases[] = {
        {"/a", "open", "both open-ended unless"},    {"/b", "open", "either open-ended unless"},
        {"/x", "chmod", "either open-ended unless"}, {"/e/x", "open", "open-ended part unless"},
        {"/c", "remove", "open-ended unless"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        SCENE(scene, "open", CLASS_WRITE);
        scene_path(&scene, ATTRIBUTE_PATH, cases[i].path, cases[i].path);
        scene_text(&scene, ATTRIBUTE_ACTION, cases[i].action);
        assert_leads(block, &scene, cases[i].rules);
    }
}

static void spent_steps_lead_to_whatever_does_not_allow(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block = compiled("policy p {\n"
                                          "deny write where path is \"/d\" as d\n"
                                          "deny write where path under \"/e\" as e\n"
                                          "allow write where path is \"/a\" as a\n"
                                          "deny write where path under \"/f\" as f\n"
                                          "}\n");
    SCENE(scene, "open", CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, "/a", "/a");
    for (uint64_t steps = 0; steps < 3; steps++) {
        const struct visits visits = visited_within(block, &scene, steps);
        assert_non_null(strstr(visits.names, "d"));
        assert_non_null(strstr(visits.names, "e f"));
    }
}

static void rules_on_every_class_are_kept_once(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block = compiled("policy p {\n"
                                          "deny all where event is \"open\" as opens\n"
                                          "deny write, read where path is \"/a\" as a\n"
                                          "}\n");
    const struct policy_record *policy = block_policy(block, 0);
    assert_int_not_equal(policy->all_rules, 0);
    assert_int_equal(policy->class_rules[CLASS_THREAD], 0);

    SCENE(thread, "_thread.start_new_thread", CLASS_THREAD);
    assert_judged(block, &thread, "allow");
    SCENE(open, "open", CLASS_THREAD);
    assert_judged(block, &open, "deny p.opens");
}

static void more_kinds_of_keys_than_are_looked_up_are_asked_all_the_same(void **state)
{
    (void)state;
    static char text[64 * 1024];
    size_t length = (size_t)snprintf(text, sizeof(text), "policy p {\n");
    for (int i = 0; i < 100; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "deny exec where argv[%d] is \"x%d\" as r%02d\n", i, i, i);
    (void)snprintf(text + length, sizeof(text) - length, "}\n");
    CLEANUP(policy_block_free) struct policy_block *block = compiled(text);

    for (int i = 0; i < 60; i += 7) {
        SCENE(one, "subprocess.Popen", CLASS_EXEC);
        char word[8];
        char expected[16];
        (void)snprintf(word, sizeof(word), "x%d", i);
        (void)snprintf(expected, sizeof(expected), "deny p.r%02d", i);
        struct value *items = one.items;
        for (int j = 0; j <= i; j++)
            items[j] = text_of(j == i ? word : "other");
        scene_value(&one, ATTRIBUTE_ARGV,
                    (struct value){.kind = VALUE_LIST, .count = (uint32_t)i + 1, .items = items});
        assert_judged(block, &one, expected);
    }
}

/* A policy of 1,000 rules, each with its number in the places of #. */
static struct policy_block *thousand(const char *rule)
{
    static char text[256 * 1024];
    size_t length = (size_t)snprintf(text, sizeof(text), "policy p {\n");
    for (int i = 0; i < 1000; i++)
        for (const char *at = rule; *at; at++)
            length += *at == '#' ? (size_t)snprintf(text + length, 8, "%03d", i)
                                 : (size_t)snprintf(text + length, 8, "%c", *at);
    (void)snprintf(text + length, sizeof(text) - length, "}\n");
    return compiled(text);
}

static void rules_stand_under_what_they_share_with_the_fewest(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *users =
        thousand("deny write where path under \"/srv\" and user is \"u#\" as r#\n");
    SCENE(user, "open", CLASS_WRITE);
    scene_path(&user, ATTRIBUTE_PATH, "/srv/x", "/srv/x");
    user.subject.user = "u517";
    assert_int_equal(visited(users, &user).count, 1);
    assert_leads(users, &user, "r517");

    CLEANUP(policy_block_free)
    struct policy_block *commands = thousand(
        "allow exec where file is \"/usr/bin/git\" and argv starts [\"git\", \"c#\"] as r#\n");
    SCENE(command, "subprocess.Popen", CLASS_EXEC);
    scene_path(&command, ATTRIBUTE_FILE, "/usr/bin/git", "/usr/bin/git");
    scene_value(&command, ATTRIBUTE_ARGV, list_of(&command, "git", "c042", "x", NULL));
    assert_leads(commands, &command, "r042");
    SCENE(shorter, "subprocess.Popen", CLASS_EXEC);
    scene_value(&shorter, ATTRIBUTE_ARGV, list_of(&shorter, "git", NULL));
    assert_leads(commands, &shorter, "");

    CLEANUP(policy_block_free)
    struct policy_block *names =
        thousand("deny read where path matches [\"**/f#.py\", \"/srv/*/g#\"] as r#\n");
    SCENE(file, "open", CLASS_READ);
    scene_path(&file, ATTRIBUTE_PATH, "/any/where/f003.py", "/any/where/f003.py");
    assert_int_equal(visited(names, &file).count, 1);
    assert_leads(names, &file, "r003");
    SCENE(other, "open", CLASS_READ);
    scene_path(&other, ATTRIBUTE_PATH, "/srv/x/g999", "/srv/x/g999");
    assert_leads(names, &other, "r999");
}

static void names_behind_globs_are_whole(void **state)
{
    (void)state;
    CLEANUP(policy_block_free)
    struct policy_block *block = compiled("policy p {\n"
                                          "deny read where path matches \"**/[/a]x\" as set\n"
                                          "deny read where path matches \"**/b*x\" as star\n"
                                          "deny read where path matches \"/c/**x\" as cross\n"
                                          "deny read where path matches \"/d/*/x/*\" as open\n"
                                          "deny read where path matches \"**/\xc3\xa9\" as accent\n"
                                          "deny read where path matches \"/e?/x\" as name\n"
                                          "}\n");
    static const struct {
        const char *path;
        const char *verdict;
    } cases[] = {
        {"/q/ax", "deny p.set"},     {"/q/bx", "deny p.star"},         {"/c/dx", "deny p.cross"},
        {"/d/q/x/y", "deny p.open"}, {"/q/\xc3\xa9", "deny p.accent"}, {"/ee/x", "deny p.name"},
        {"/ee/y", "allow"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        SCENE(scene, "open", CLASS_READ);
        scene_path(&scene, ATTRIBUTE_PATH, cases[i].path, cases[i].path);
        assert_judged(block, &scene, cases[i].verdict);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_file_of_a_thousand_leads_to_its_rule_alone),
        cmocka_unit_test(directories_lead_to_what_is_below_by_whole_components),
        cmocka_unit_test(both_forms_of_a_path_lead_to_rules),
        cmocka_unit_test(globs_stand_under_the_directory_that_they_begin_with),
        cmocka_unit_test(networks_lead_to_the_blocks_that_hold_an_address),
        cmocka_unit_test(hosts_lead_by_name_and_by_domain),
        cmocka_unit_test(modules_lead_by_their_parts),
        cmocka_unit_test(numbers_lead_as_python_compares_them),
        cmocka_unit_test(lists_lead_by_their_elements),
        cmocka_unit_test(a_list_that_is_not_certain_leads_to_whatever_does_not_allow),
        cmocka_unit_test(what_is_not_known_leads_to_whatever_does_not_allow),
        cmocka_unit_test(a_connection_without_a_name_leads_to_denials_by_name_alone),
        cmocka_unit_test(conditions_stand_under_what_must_hold_of_them),
        cmocka_unit_test(spent_steps_lead_to_whatever_does_not_allow),
        cmocka_unit_test(rules_on_every_class_are_kept_once),
        cmocka_unit_test(rules_stand_under_what_they_share_with_the_fewest),
        cmocka_unit_test(names_behind_globs_are_whole),
        cmocka_unit_test(more_kinds_of_keys_than_are_looked_up_are_asked_all_the_same),
    };
    return cmocka_run_group_tests_name("rule_index", tests, NULL, NULL);
}
