/* The policies on the specification's first page, without the statements that come later (`floor`,
 * `override`): each rule firing and not firing. */
#include <string.h>

#include "policy_fixture.h"

static const char media_plugins[] =
    "# A media service that runs other people's plug-ins.\n"
    "set probes = [\"ffprobe\", \"-v\", \"error\"]\n"
    "\n"
    "policy media-plugins \"Plug-ins of the media service\" {\n"
    "    applies { unit is \"media.service\" and user is \"media\" }\n"
    "    applies { label role is \"plugin\" }\n"
    "\n"
    "    mode enforce\n"
    "    default deny exec, write, connect, bind, native, ffi, hook\n"
    "        message \"Not allowed for plug-ins; ask ops@example.org\"\n"
    "\n"
    "    allow native  where path under session.python                             as "
    "interpreter-modules\n"
    "    allow write   where path under [\"/srv/media/cache\", session.temp]         as scratch\n"
    "    deny  write   where path matches \"/srv/media/cache/**/*.py\"               as no-code\n"
    "        message \"Plug-ins may not write Python files\"\n"
    "    allow exec    where file is \"/usr/bin/ffprobe\" and argv starts probes     as probe\n"
    "    allow connect where address in [10.20.0.0/16, 2001:db8:7::/48]\n"
    "                    and port in [443, 8000-8100]                              as storage\n"
    "    allow connect where host in [\"api.example.org\", \"*.cdn.example.org\"]\n"
    "                    and port is 443                                           as api\n"
    "    deny  event \"sys._current_frames\"                                         as no-frames\n"
    "    log   read    where path under \"/etc\"                                     as etc-reads\n"
    "}\n"
    "\n"
    "policy thesis {\n"
    "    applies { user is \"alice\" }\n"
    "}\n";

/* What media-plugins alone says. */
static const char *verdict(const struct scene *scene)
{
    CLEANUP(policy_block_free) struct policy_block *block = compiled(media_plugins);
    const uint32_t first = 0;
    const struct governing governing = {.policies = &first, .count = 1};
    struct judgement judgement;
    evaluate(block, &governing, &scene->subject, &scene->event, &judgement);
    return described(block, &judgement);
}

static void its_sessions_are_the_services_and_the_labelled(void **state)
{
    (void)state;
    static const struct label role[] = {{"role", "plugin"}};
    CLEANUP(policy_block_free) struct policy_block *block = compiled(media_plugins);
    struct scene scene;
    scene_init(&scene, "open");
    assert_string_equal(policy_name(block, 0), "media-plugins");
    assert_false(policy_applies(block, 0, &scene.subject));
    assert_true(policy_applies(block, 1, &scene.subject));
    scene.subject.user = "media";
    assert_true(policy_applies(block, 0, &scene.subject));
    assert_false(policy_applies(block, 1, &scene.subject));
    scene.subject.unit = "other.service";
    assert_false(policy_applies(block, 0, &scene.subject));
    scene.subject.labels = role;
    scene.subject.label_count = 1;
    assert_true(policy_applies(block, 0, &scene.subject));
}

static void the_checker_warns_of_the_label_and_of_nothing_else(void **state)
{
    (void)state;
    size_t errors;
    size_t warnings;
    CLEANUP(free) char *shown = messages_of(media_plugins, &errors, &warnings);
    assert_int_equal(errors, 0);
    assert_int_equal(warnings, 1);
    assert_non_null(strstr(shown, "warning[W002]: `applies` rests on `label role`"));
}

static void defaults_deny_what_no_rule_names(void **state)
{
    (void)state;
    static const enum operation_class denied[] = {
        CLASS_EXEC, CLASS_WRITE, CLASS_CONNECT, CLASS_BIND, CLASS_NATIVE, CLASS_FFI, CLASS_HOOK};
    CLEANUP(policy_block_free) struct policy_block *block = compiled(media_plugins);
    struct scene scene;
    for (size_t i = 0; i < sizeof(denied) / sizeof(*denied); i++) {
        scene_init(&scene, "open");
        scene_operation(&scene, denied[i]);
        assert_string_equal(verdict(&scene), "deny media-plugins.default");
        assert_string_equal(default_message(block, 0, denied[i]),
                            "Not allowed for plug-ins; ask ops@example.org");
    }
    scene_init(&scene, "os.fork");
    scene_operation(&scene, CLASS_FORK);
    assert_string_equal(verdict(&scene), "allow");
}

static void native_code_comes_from_the_interpreter(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "import");
    scene_operation(&scene, CLASS_NATIVE);
    struct attribute *path =
        scene_path(&scene, ATTRIBUTE_PATH, "/usr/lib/python3/a.so", "/usr/lib/python3/a.so");
    assert_string_equal(verdict(&scene), "allow media-plugins.interpreter-modules");
    path->resolved = text_of("/srv/a.so");
    assert_string_equal(verdict(&scene), "deny media-plugins.default");
}

static void scratch_is_written_but_no_code(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *verdict;
    } cases[] = {
        {"/srv/media/cache/a.jpg", "allow media-plugins.scratch"},
        {"/srv/media/cache", "allow media-plugins.scratch"},
        {"/tmp/a.py", "allow media-plugins.scratch"},
        {"/srv/media/cache/a.py", "deny media-plugins.no-code"},
        {"/srv/media/cache/a/b/c.py", "deny media-plugins.no-code"},
        {"/srv/media/cached/a.jpg", "deny media-plugins.default"},
        {"/srv/media/a.py", "deny media-plugins.default"},
    };
    struct scene scene;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        scene_init(&scene, "open");
        scene_operation(&scene, CLASS_WRITE);
        scene_path(&scene, ATTRIBUTE_PATH, cases[i].path, cases[i].path);
        assert_string_equal(verdict(&scene), cases[i].verdict);
    }
}

static void only_the_probe_is_started(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    struct attribute *file =
        scene_path(&scene, ATTRIBUTE_FILE, "/usr/bin/ffprobe", "/usr/bin/ffprobe");
    struct attribute *argv = scene_value(&scene, ATTRIBUTE_ARGV,
                                         list_of(&scene, "ffprobe", "-v", "error", "a.mp4", NULL));
    assert_string_equal(verdict(&scene), "allow media-plugins.probe");
    argv->value.marks = VALUE_SUBCLASS;
    assert_string_equal(verdict(&scene), "deny media-plugins.default");
    argv->value = list_of(&scene, "ffprobe", "-v", "debug", NULL);
    assert_string_equal(verdict(&scene), "deny media-plugins.default");
    argv->value = list_of(&scene, "ffprobe", "-v", "error", NULL);
    assert_string_equal(verdict(&scene), "allow media-plugins.probe");
    file->resolved = text_of("/usr/bin/bash");
    assert_string_equal(verdict(&scene), "deny media-plugins.default");
}

static void storage_and_the_api_are_reached(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "socket.connect");
    scene_operation(&scene, CLASS_CONNECT);
    struct attribute *address = scene_value(&scene, ATTRIBUTE_ADDRESS, ipv4("\x0a\x14\x01\x02"));
    struct attribute *port = scene_value(&scene, ATTRIBUTE_PORT, value_int(8050));
    struct attribute *host = scene_value(&scene, ATTRIBUTE_HOST, value_none());
    host->nameless = true;
    assert_string_equal(verdict(&scene), "allow media-plugins.storage");
    port->value = value_int(22);
    assert_string_equal(verdict(&scene), "deny media-plugins.default");
    address->value = ipv4("\x01\x02\x03\x04");
    port->value = value_int(443);
    assert_string_equal(verdict(&scene), "deny media-plugins.default");
    *host = (struct attribute){.name = ATTRIBUTE_HOST,
                               .value = list_of(&scene, "x.org", "a.b.cdn.example.org", NULL)};
    assert_string_equal(verdict(&scene), "allow media-plugins.api");
    host->value = text_of("cdn.example.org");
    assert_string_equal(verdict(&scene), "deny media-plugins.default");
    host->value = text_of("API.example.org");
    assert_string_equal(verdict(&scene), "allow media-plugins.api");
    port->value = value_int(80);
    assert_string_equal(verdict(&scene), "deny media-plugins.default");
}

static void frames_are_out_of_sight(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "sys._current_frames");
    scene_operation(&scene, CLASS_INTROSPECT);
    assert_string_equal(verdict(&scene), "deny media-plugins.no-frames");
    scene_init(&scene, "sys._getframe");
    scene_operation(&scene, CLASS_INTROSPECT);
    assert_string_equal(verdict(&scene), "allow");
}

static void reads_below_etc_are_recorded(void **state)
{
    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = compiled(media_plugins);
    struct scene scene;
    scene_init(&scene, "open");
    scene_operation(&scene, CLASS_READ);
    struct attribute *path = scene_path(&scene, ATTRIBUTE_PATH, "/etc/hosts", "/etc/hosts");
    struct judgement judgement = judge(block, &scene);
    assert_int_equal(judgement.verdict, VERDICT_ALLOW);
    assert_true(judgement.log);
    assert_string_equal(rule_name(block, judgement.log_by[0].rule), "etc-reads");
    path->value = text_of("/srv/link");
    assert_true(judge(block, &scene).log); /* a link to it counts as well */
    path->resolved = text_of("/srv/x");
    assert_false(judge(block, &scene).log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_sessions_are_the_services_and_the_labelled),
        cmocka_unit_test(the_checker_warns_of_the_label_and_of_nothing_else),
        cmocka_unit_test(defaults_deny_what_no_rule_names),
        cmocka_unit_test(native_code_comes_from_the_interpreter),
        cmocka_unit_test(scratch_is_written_but_no_code),
        cmocka_unit_test(only_the_probe_is_started),
        cmocka_unit_test(storage_and_the_api_are_reached),
        cmocka_unit_test(frames_are_out_of_sight),
        cmocka_unit_test(reads_below_etc_are_recorded),
    };
    return cmocka_run_group_tests_name("policy_examples", tests, NULL, NULL);
}
