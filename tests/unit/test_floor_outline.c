/* What the kernel can hold of policies, read off their conditions. Beside the cases, the evaluator
 * is asked about the same paths and ports: an outline never lacks what it allows, and has nothing
 * else where it says that it is exact. */
#include "policies/floor/floor_outline.h"

#include <stdio.h>
#include <string.h>

#include "policy_fixture.h"

#include "policies/engine/block_layout.h"
#include "policies/floor/network_outline.h"

static char memory[512 * 1024];
static struct arena arena;
static struct scene scene;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, memory, sizeof(memory));
    scene_init(&scene, "open");
    return 0;
}

static struct outline_question ask(const struct policy_block *block)
{
    return (struct outline_question){.block = block, .policy = 0, .subject = &scene.subject};
}

static void assert_set(const struct path_set *set, const char *expected)
{
    char text[1024] = "";
    size_t length = 0;

    assert_false(set->failed);
    for (size_t i = 0; i < set->count; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%.*s%s",
                                   i > 0 ? " " : "", (int)set->items[i].length, set->items[i].text,
                                   set->items[i].alone ? "!" : "");
    assert_string_equal(set->everywhere ? "everywhere" : text, expected);
}

static void assert_outline(const char *rules, enum operation_class operation_class,
                           const char *expected)
{
    char text[2048];
    (void)snprintf(text, sizeof(text), "policy p { default deny exec, read, write %s }", rules);
    CLEANUP(policy_block_free) struct policy_block *block = compiled(text);
    const struct outline_question question = ask(block);
    const struct path_set set = outline_paths(&question, operation_class, &arena);
    assert_set(&set, expected);
}

static void nothing_is_allowed_where_no_rule_allows(void **state)
{
    (void)state;
    assert_outline("", CLASS_WRITE, "");
    assert_outline("deny write where path under \"/etc\" as d log read as l", CLASS_WRITE, "");
    assert_outline("allow read where path under \"/srv\" as r", CLASS_WRITE, "");
}

static void directories_and_files_are_what_the_rules_name(void **state)
{
    (void)state;
    assert_outline("allow write where path under [\"/srv/a\", \"/srv/b\"] as w "
                   "allow read, write where path is \"/srv/c/file\" as f",
                   CLASS_WRITE, "/srv/a /srv/b /srv/c/file!");
    assert_outline("allow exec where file in [\"/usr/bin/git\", \"/bin/true\"] as e", CLASS_EXEC,
                   "/bin/true! /usr/bin/git!");
}

static void places_are_those_of_the_session(void **state)
{
    (void)state;
    static const char *const start[] = {"/home/alice/work"};
    static const char *const temp[] = {"/tmp", "/var/tmp"};
    scene.subject.places[PLACE_START] = (struct place_paths){1, start};
    scene.subject.places[PLACE_TEMP] = (struct place_paths){2, temp};
    scene.subject.places[PLACE_VENV] = (struct place_paths){0, NULL};

    assert_outline("allow write where path under [session.start \"/out\", session.temp] as w",
                   CLASS_WRITE, "/home/alice/work/out /tmp /var/tmp");
    assert_outline("allow write where path under session.venv as w", CLASS_WRITE, "");
}

static void root_as_a_place_opens_nothing_for_writing(void **state)
{
    (void)state;
    /* Clause K-15. */
    static const char *const start[] = {"/"};
    scene.subject.places[PLACE_START] = (struct place_paths){1, start};

    assert_outline("allow write where path under session.start as w", CLASS_WRITE, "");
    assert_outline("allow write where path under session.start \"/srv\" as w", CLASS_WRITE, "/srv");
    assert_outline("allow read where path under session.start as r", CLASS_READ, "everywhere");
}

static void glob_opens_the_directory_in_front_of_it(void **state)
{
    (void)state;
    static const char *const home[] = {"/home/alice"};
    scene.subject.places[PLACE_HOME] = (struct place_paths){1, home};

    assert_outline("allow write where path matches \"/srv/media/**/*.txt\" as w", CLASS_WRITE,
                   "/srv/media");
    assert_outline("allow write where path matches \"/srv/med*\" as w", CLASS_WRITE, "/srv");
    assert_outline("allow write where path matches session.home \"/work/*.txt\" as w", CLASS_WRITE,
                   "/home/alice/work");
}

static void conditions_are_met_and_joined(void **state)
{
    (void)state;
    assert_outline("allow write where path under \"/srv\" and action is \"open\" as w", CLASS_WRITE,
                   "/srv");
    assert_outline("allow write where path under \"/srv\" and path under \"/srv/in\" as w",
                   CLASS_WRITE, "/srv/in");
    assert_outline("allow write where path under \"/a\" or path is \"/b\" as w", CLASS_WRITE,
                   "/a /b!");
    assert_outline("allow write where path under \"/a\" and not path under \"/a/b\" as w",
                   CLASS_WRITE, "/a");
    assert_outline("allow write where (path under \"/a\" or path under \"/b\") and "
                   "(path under \"/b/c\" or path is \"/a/f\") as w",
                   CLASS_WRITE, "/a/f! /b/c");
}

static void condition_without_a_path_is_everywhere(void **state)
{
    (void)state;
    assert_outline("allow read where user is \"alice\" as r", CLASS_READ, "everywhere");
    assert_outline("allow read as r", CLASS_READ, "everywhere");
    assert_outline("allow read where path under \"/a\" or user is \"alice\" as r", CLASS_READ,
                   "everywhere");
    assert_outline("allow read where not path under \"/a\" as r", CLASS_READ, "everywhere");
}

static void rules_on_events_count_by_what_the_events_are(void **state)
{
    (void)state;
    assert_outline("allow event \"os.mkdir\" where path under \"/srv\" as m", CLASS_WRITE, "/srv");
    assert_outline("allow event \"os.mk*\" where path under \"/srv\" as m", CLASS_WRITE, "/srv");
    assert_outline("allow event \"os.mkdir\" where path under \"/srv\" as m", CLASS_EXEC, "");
    assert_outline("allow event \"sys.*\" as s", CLASS_EXEC, "");
}

static bool resolve_link(void *context, const char *path, char *resolved, size_t size)
{
    (void)context;
    if (strcmp(path, "/bin/sh") != 0)
        return false;
    (void)snprintf(resolved, size, "/usr/bin/dash");
    return true;
}

static void literal_stands_for_what_it_resolves_to_as_well(void **state)
{
    (void)state;
    const struct policy_text text =
        local_text("policy p { default deny exec allow exec where file is \"/bin/sh\" as sh }");
    const struct compile_options options = {.resolve = resolve_link};
    CLEANUP(policy_block_free)
    struct policy_block *block = compiled_texts(&text, 1, &options);
    const struct outline_question question = ask(block);
    const struct path_set set = outline_paths(&question, CLASS_EXEC, &arena);
    assert_set(&set, "/bin/sh! /usr/bin/dash!");
}

/* -------------------------------------------------------------------------------------- overrides
 */

static void assert_overridden(const char *rules, const char *override, int32_t today,
                              const char *expected)
{
    char text[2048];
    static const uint32_t both[] = {0, 1};
    const struct governing governing = {both, 2, .today = today};

    (void)snprintf(text, sizeof(text), "policy p { %s } policy q { override %s }", rules, override);
    CLEANUP(policy_block_free) struct policy_block *block = compiled(text);
    struct outline_question question = ask(block);
    question.overriding = &governing;
    const struct path_set set = outline_paths(&question, CLASS_EXEC, &arena);
    assert_set(&set, expected);
}

static void override_in_force_opens_what_it_lets_through(void **state)
{
    (void)state;
    assert_overridden("default deny exec",
                      "local/p.default-exec where file is \"/usr/bin/ffmpeg\" reason \"r\" until "
                      "2027-01-31",
                      SCENE_TODAY, "/usr/bin/ffmpeg!");
    assert_overridden("default deny exec", "local/p.default-exec reason \"r\" until 2027-01-31",
                      SCENE_TODAY, "everywhere");
    assert_overridden("deny exec as d",
                      "local/p.d where file is \"/x\" reason \"r\" until "
                      "2027-01-31",
                      SCENE_TODAY, "/x!");
}

static void override_that_cancels_no_denial_opens_nothing(void **state)
{
    (void)state;
    /* Its day has passed; the day is not known; the default still denies. */
    assert_overridden("default deny exec", "local/p.default-exec reason \"r\" until 2027-01-31",
                      SCENE_TODAY + 1000, "");
    assert_overridden("default deny exec", "local/p.default-exec reason \"r\" until 2027-01-31", 0,
                      "");
    assert_overridden("default deny exec deny exec where file is \"/x\" as d",
                      "local/p.d reason \"r\" until 2027-01-31", SCENE_TODAY, "");
}

/* --------------------------------------------------------------------------------------- network
 */

/* `unix inet, 80 443`; ports that follow each other as `8000-8002`. */
static void assert_network(const char *rules, enum operation_class operation_class,
                           const char *expected)
{
    static const char *const names[] = {"unix", "inet", "inet6", "netlink", "packet", "other"};
    char policy[2048];
    char text[1024] = "";
    size_t length = 0;
    struct network_outline outline;

    (void)snprintf(policy, sizeof(policy), "policy p { default deny connect, bind %s }", rules);
    CLEANUP(policy_block_free) struct policy_block *block = compiled(policy);
    const struct outline_question question = ask(block);
    assert_true(outline_network(&question, operation_class, &outline));
    for (unsigned i = 0; i < 6; i++)
        if (outline.families >> i & 1)
            length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
                                       length > 0 ? " " : "", names[i]);
    for (uint32_t port = 0; port < 65536; port++) {
        uint32_t last = port;
        if (!network_outline_has_port(&outline, port))
            continue;
        while (last < 65535 && network_outline_has_port(&outline, last + 1))
            last++;
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   last > port ? ", %u-%u" : ", %u", port, last);
        port = last;
    }
    assert_string_equal(text, expected);
}

static void ports_and_families_are_what_the_rules_name(void **state)
{
    (void)state;
    assert_network("", CLASS_CONNECT, "");
    assert_network("allow connect where port in [443, 8000-8002] as c", CLASS_CONNECT,
                   "inet inet6, 443, 8000-8002");
    assert_network("allow connect where port is 443 as c", CLASS_BIND, "");
    assert_network("allow connect where port <= 2 or port > 65533 as c", CLASS_CONNECT,
                   "inet inet6, 0-2, 65534-65535");
    assert_network("allow connect where port < 1 or port >= 65535 as c", CLASS_CONNECT,
                   "inet inet6, 0, 65535");
    assert_network("allow connect where family is \"unix\" as c", CLASS_CONNECT, "unix");
    assert_network("allow connect where path under \"/run\" as c", CLASS_CONNECT, "unix");
    assert_network("allow bind where family is \"inet6\" and port is 80 as b", CLASS_BIND,
                   "inet6, 80");
    assert_network("allow connect where address in [2001:db8::/32] as c", CLASS_CONNECT,
                   "inet6, 0-65535");
    assert_network("allow connect where address in [10.0.0.0/8] and port is 5 as c", CLASS_CONNECT,
                   "inet inet6, 5");
    assert_network("allow connect where host is \"a.example\" and port is 443 as c", CLASS_CONNECT,
                   "inet inet6, 443");
    assert_network("allow connect as c", CLASS_CONNECT,
                   "unix inet inet6 netlink packet other, 0-65535");
    assert_network("allow connect where not port is 25 as c", CLASS_CONNECT,
                   "unix inet inet6 netlink packet other, 0-65535");
}

static void conditions_on_the_network_are_met_and_joined(void **state)
{
    (void)state;
    assert_network("allow connect where port in [1-10] and port in [5-20] as c", CLASS_CONNECT,
                   "inet inet6, 5-10");
    assert_network("allow connect where family is \"unix\" and port is 1 as c", CLASS_CONNECT, "");
    assert_network("allow connect where family is \"unix\" as a allow connect where port is 7 as b",
                   CLASS_CONNECT, "unix inet inet6, 7");
}

static void outlines_of_the_network_meet(void **state)
{
    (void)state;
    struct network_outline one = {.families = FLOOR_FAMILIES_INTERNET | FLOOR_FAMILY_UNIX};
    struct network_outline other = {.families = FLOOR_FAMILIES_INTERNET};

    one.ports[0] = 6;
    other.ports[0] = 12;
    network_outline_meet(&one, &other);
    assert_int_equal(one.families, FLOOR_FAMILIES_INTERNET);
    assert_int_equal(network_outline_port_count(&one), 1);
    other.ports[0] = 1;
    network_outline_meet(&one, &other);
    assert_int_equal(one.families, 0);
}

/* -------------------------------------------------------------------------- against the evaluator
 */

static const char *const conditions[] = {
    "path under \"/srv\"",
    "path is \"/srv/a\"",
    "path in [\"/srv/a\", \"/etc/b\"] or path under \"/var/x\"",
    "path under [\"/srv\", \"/etc\"] and path under [\"/srv/a\", \"/var\"]",
    "path under session.temp or path under session.start \"/in\"",
    "path is session.null",
    "path matches \"/srv/**/*.py\"",
    "path matches \"/sr*/a\"",
    "path under \"/srv\" and not path under \"/srv/a\"",
    "not path under \"/srv\"",
    "path under \"/srv\" and user is \"alice\"",
    "path under \"/srv\" and user is \"bob\"",
    "path under \"/srv\" or user is \"bob\"",
    "not (path under \"/srv\" or path under \"/etc\")",
};

static const char *const paths[] = {
    "/srv", "/srv/a", "/srv/a/b.py", "/srvx", "/etc/b", "/etc/b/c",       "/var/x/y",
    "/tmp", "/tmp/f", "/dev/null",   "/",     "/srx/a", "/proc/self/mem", "/home/alice/in/f",
};

static void outline_never_lacks_what_the_policy_allows(void **state)
{
    (void)state;
    unsigned allowed = 0;
    unsigned exact = 0;

    for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text),
                       "policy p { default deny write allow write where %s as w }", conditions[i]);
        CLEANUP(policy_block_free) struct policy_block *block = compiled(text);
        const struct outline_question question = ask(block);
        arena_reset(&arena);
        const struct path_set set = outline_paths(&question, CLASS_WRITE, &arena);
        const bool is_exact = outline_is_exact(block, block_rule(block, 0)->condition);
        for (size_t j = 0; j < sizeof(paths) / sizeof(*paths); j++) {
            struct scene asked;
            scene_init(&asked, "os.mkdir");
            asked.subject = scene.subject;
            scene_operation(&asked, CLASS_WRITE);
            scene_path(&asked, ATTRIBUTE_PATH, paths[j], paths[j]);
            const struct judgement judgement = judge(block, &asked);
            const struct floor_path path = {paths[j], strlen(paths[j]), true};
            const bool opened = path_set_has(&set, &path);
            if (judgement.verdict == VERDICT_ALLOW && !opened)
                fail_msg("%s allows %s, and the outline lacks it", conditions[i], paths[j]);
            if (is_exact && opened && judgement.verdict != VERDICT_ALLOW)
                fail_msg("%s denies %s, and the outline has it", conditions[i], paths[j]);
            allowed += judgement.verdict == VERDICT_ALLOW;
            exact += is_exact;
        }
    }
    assert_true(allowed > 30);
    assert_true(exact > 30);
}

static void exact_is_what_paths_and_ports_alone_say(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        bool paths;
        bool network;
    } cases[] = {
        {"allow write where path under \"/srv\" as r", true, false},
        {"allow write where path matches \"/srv/*\" as r", false, false},
        {"allow write where path under \"/srv\" and action is \"open\" as r", false, false},
        {"allow connect where port is 443 and family in [\"inet\", \"inet6\"] as r", false, true},
        {"allow connect where family is \"unix\" as r", false, true},
        /* The kernel opens the port for IPv6, too. */
        {"allow connect where port is 443 and family is \"inet\" as r", false, false},
        {"allow connect where port is 443 and address in [10.0.0.0/8] as r", false, false},
        {"allow connect as r", true, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), "policy p { default deny write, connect %s }",
                       cases[i].rule);
        CLEANUP(policy_block_free) struct policy_block *block = compiled(text);
        const uint32_t condition = block_rule(block, 0)->condition;
        assert_int_equal(outline_is_exact(block, condition), cases[i].paths);
        assert_int_equal(network_outline_is_exact(block, condition), cases[i].network);
    }
}

static void outline_that_does_not_fit_fails(void **state)
{
    (void)state;
    char small[128];
    struct arena little;
    CLEANUP(policy_block_free)
    struct policy_block *block = compiled(
        "policy p { default deny write allow write where path under [\"/a\", \"/b\"] as w }");
    const struct outline_question question = ask(block);

    arena_init(&little, small, sizeof(small));
    assert_true(outline_paths(&question, CLASS_WRITE, &little).failed);
}

static void assert_names(unsigned count, bool good)
{
    static char text[64 * 1024];
    size_t length = (size_t)snprintf(text, sizeof(text),
                                     "policy p { floor write default deny write "
                                     "allow write where path in [");
    size_t errors;

    for (unsigned i = 0; i < count; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "\"/srv/%u\",", i);
    (void)snprintf(text + length, sizeof(text) - length, "] as w }");
    CLEANUP(free) char *said = messages_of(text, &errors, NULL);
    assert_int_equal(errors, good ? 0 : 1);
    if (!good)
        assert_non_null(strstr(said, "error[E068]"));
}

static void floor_of_more_names_than_a_process_is_handed_is_an_error(void **state)
{
    (void)state;
    /* Clause K-12. */
    assert_names(1024, true);
    assert_names(1025, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_allowed_where_no_rule_allows, begin),
        cmocka_unit_test_setup(directories_and_files_are_what_the_rules_name, begin),
        cmocka_unit_test_setup(places_are_those_of_the_session, begin),
        cmocka_unit_test_setup(root_as_a_place_opens_nothing_for_writing, begin),
        cmocka_unit_test_setup(glob_opens_the_directory_in_front_of_it, begin),
        cmocka_unit_test_setup(conditions_are_met_and_joined, begin),
        cmocka_unit_test_setup(condition_without_a_path_is_everywhere, begin),
        cmocka_unit_test_setup(rules_on_events_count_by_what_the_events_are, begin),
        cmocka_unit_test_setup(literal_stands_for_what_it_resolves_to_as_well, begin),
        cmocka_unit_test_setup(override_in_force_opens_what_it_lets_through, begin),
        cmocka_unit_test_setup(override_that_cancels_no_denial_opens_nothing, begin),
        cmocka_unit_test_setup(ports_and_families_are_what_the_rules_name, begin),
        cmocka_unit_test_setup(conditions_on_the_network_are_met_and_joined, begin),
        cmocka_unit_test_setup(outlines_of_the_network_meet, begin),
        cmocka_unit_test_setup(outline_never_lacks_what_the_policy_allows, begin),
        cmocka_unit_test_setup(exact_is_what_paths_and_ports_alone_say, begin),
        cmocka_unit_test_setup(outline_that_does_not_fit_fails, begin),
        cmocka_unit_test_setup(floor_of_more_names_than_a_process_is_handed_is_an_error, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
