/* Events written into the record by the daemon, and read from it again by the command: they are
 * judged as they were, and what the record does not have is unknown. */
#include "policy_fixture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/recorded_event.h"
#include "daemon/audit/event_json.h"
#include "daemon/audit/redaction.h"

/* One event, through the record. */
struct passage {
    json_t *row;
    struct storage storage;
    struct recorded_event recorded;
};

static void pass(struct passage *passage, const struct scene *scene)
{
    struct redaction redaction;
    struct event shown;

    *passage = (struct passage){.row = NULL};
    redaction_init(&redaction);
    assert_true(redaction_mask_event(&redaction, &scene->event, &shown));
    passage->row = json_pack(
        "{s:s%, s:o, s:o, s:{s:{s:s, s:[s], s:s}, s:{s:s, s:{s:s}, s:{s:[s]}}}}", "event",
        scene->event.name, (int)scene->event.name_length, "arguments", event_arguments_json(&shown),
        "operations", event_operations_json(&shown), "subject", "proved", "user", "alice", "groups",
        "staff", "unit", "media.service", "said", "python", "3.11.7", "labels", "role", "plugin",
        "places", "home", "/home/alice");
    redaction_deinit(&redaction);
    assert_non_null(passage->row);
    /* As it is stored: as text. */
    char *text = json_dumps(passage->row, JSON_COMPACT);
    json_decref(passage->row);
    passage->row = json_loads(text, JSON_ALLOW_NUL, NULL);
    free(text);
    assert_true(recorded_event_read(passage->row, &passage->storage, &passage->recorded));
}

static void passage_deinit(struct passage *passage)
{
    json_decref(passage->row);
    storage_deinit(&passage->storage);
}

static void assert_same_value(const struct value *found, const struct value *expected)
{
    assert_int_equal(found->kind, expected->kind);
    assert_int_equal(found->marks, expected->marks);
    switch (expected->kind) {
    case VALUE_NONE:
        return;
    case VALUE_BOOL:
        assert_int_equal(found->truth, expected->truth);
        return;
    case VALUE_INT:
        assert_true(found->integer == expected->integer);
        return;
    case VALUE_FLOAT:
        assert_true(found->real == expected->real || (isnan(found->real) && isnan(expected->real)));
        return;
    default:
        break;
    }
    assert_int_equal(found->count, expected->count);
    if (expected->kind == VALUE_LIST || expected->kind == VALUE_MAP) {
        const uint32_t count = expected->count * (expected->kind == VALUE_MAP ? 2 : 1);
        for (uint32_t i = 0; i < count; i++)
            assert_same_value(&found->items[i], &expected->items[i]);
        return;
    }
    if (expected->count > 0)
        assert_memory_equal(found->bytes, expected->bytes, expected->count);
}

/* The value as an argument of an event that nobody knows. */
static void assert_passes(const struct scene *scene)
{
    struct passage passage;

    pass(&passage, scene);
    assert_int_equal(passage.recorded.event.argument_count, scene->event.argument_count);
    for (uint32_t i = 0; i < scene->event.argument_count; i++)
        assert_same_value(&passage.recorded.event.arguments[i], &scene->event.arguments[i]);
    assert_int_equal(passage.recorded.lost_count, 0);
    passage_deinit(&passage);
}

static struct value bytes_of(const char *bytes, size_t length)
{
    struct value value = value_text(bytes, length);
    value.kind = VALUE_BYTES;
    return value;
}

static void values_come_back_as_they_were(void **state)
{
    (void)state;
    struct scene scene;

    scene_init(&scene, "test.values");
    scene_argument(&scene, value_none());
    scene_argument(&scene, value_bool(true));
    scene_argument(&scene, value_int(INT64_MIN));
    scene_argument(&scene, (struct value){.kind = VALUE_FLOAT, .real = 1.5});
    scene_argument(&scene, (struct value){.kind = VALUE_FLOAT, .real = -(double)INFINITY});
    scene_argument(&scene, (struct value){.kind = VALUE_FLOAT, .real = (double)NAN});
    scene_argument(&scene, text_of("caf\xc3\xa9 \"quoted\" \\x41"));
    scene_argument(&scene, value_text("a\xff\\'b", 5));
    assert_passes(&scene);

    scene_init(&scene, "test.values");
    scene_argument(&scene, bytes_of("\0\\'\xff", 4));
    scene_argument(&scene, list_of(&scene, "a", "", "b", NULL));
    scene_argument(&scene, map_of(&scene, "KEY", "value", "other", "", NULL));
    scene_argument(&scene, marked(text_of("x"), VALUE_SUBCLASS));
    scene_argument(&scene, marked(list_of(&scene, "x", NULL), VALUE_CUT | VALUE_SUBCLASS));
    scene_argument(&scene, marked(text_of("PosixPath"), VALUE_OPAQUE));
    scene.arguments[5].kind = VALUE_OBJECT;
    scene_argument(&scene, value_unknown());
    assert_passes(&scene);
}

static void what_nobody_knows_is_said_to_be_unknown(void **state)
{
    (void)state;
    struct scene scene;
    struct passage passage;

    scene_init(&scene, "test.values");
    scene_argument(&scene, value_unknown());
    pass(&passage, &scene);
    const json_t *argument = json_object_get(json_object_get(passage.row, "arguments"), "0");
    assert_true(json_is_true(json_object_get(argument, "unknown")));
    assert_int_equal(json_object_size(argument), 1);
    passage_deinit(&passage);
}

static void maps_that_read_like_the_record_come_back_as_maps(void **state)
{
    (void)state;
    static const char *const words[] = {"text",  "bytes",  "int",     "float", "map",
                                        "value", "object", "unknown", "secret"};
    struct scene scene;

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        scene_init(&scene, "test.values");
        scene_argument(&scene, map_of(&scene, words[i], "x", "cut", "y", NULL));
        assert_passes(&scene);
    }
    /* A key is all of its bytes. */
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        char key[16] = "";
        memcpy(key, words[i], strlen(words[i]));
        scene_init(&scene, "test.values");
        scene_argument(&scene, map_of(&scene, "a", "x", "b", "y", NULL));
        scene.items[0] = value_text(key, strlen(words[i]) + 1);
        scene.items[2] = value_text("b\0c", 3);
        assert_passes(&scene);
    }
    scene_init(&scene, "test.values");
    struct value keys = map_of(&scene, "a", "x", NULL);
    scene.items[0].kind = VALUE_BYTES;
    scene_argument(&scene, keys);
    assert_passes(&scene);
}

static void what_the_record_cuts_is_cut(void **state)
{
    (void)state;
    static char text[RECORD_TEXT_MAX + 100];
    struct passage passage;
    struct scene scene;

    memset(text, 'x', sizeof(text));
    scene_init(&scene, "test.values");
    scene_argument(&scene, value_text(text, sizeof(text)));
    scene_argument(&scene, bytes_of(text, RECORD_BYTES_MAX + 1));
    pass(&passage, &scene);
    for (int i = 0; i < 2; i++)
        assert_int_equal(passage.recorded.event.arguments[i].marks, VALUE_CUT);
    assert_int_equal(passage.recorded.lost_count, 2);
    assert_string_equal(passage.recorded.lost[0], "argument 0");
    passage_deinit(&passage);
}

static void operations_are_judged_as_they_were(void **state)
{
    (void)state;
    static const char *const policies[] = {
        "policy p { deny connect where address in [10.0.0.0/8] and port is 443 as d }",
        "policy p { deny write where path under \"/etc\" as d }",
        "policy p { deny write where path under \"/srv\" and action is \"remove\" as d }",
        "policy p { allow write where path under \"/srv\" as a  default deny write }",
        "policy p { allow write where path under \"/etc\" as a  default deny write }",
        "policy p { deny connect where host is \"a.example\" as d  deny resolve as r }",
        "policy p { allow connect where host is absent as a  default deny connect }",
        "policy p { deny exec where cwd is none and argv has \"push\" as d }",
        "policy p { deny event \"open\" where arg.mode is \"w\" and arg[2] is 577 as d }",
        "policy p { deny write where user is \"alice\" and group has \"staff\" as d }",
        "policy p { deny write where label role is \"plugin\" and path under \"/etc\" as d }",
        "policy p { deny all where event is \"open\" as d }",
    };
    struct scene scenes[4];

    scene_init(&scenes[0], "socket.connect");
    scene_operation(&scenes[0], CLASS_CONNECT);
    scene_value(&scenes[0], ATTRIBUTE_ADDRESS, ipv4("\x0a\x01\x02\x03"));
    scene_value(&scenes[0], ATTRIBUTE_PORT, value_int(443));
    scene_value(&scenes[0], ATTRIBUTE_HOST, value_unknown())->nameless = true;
    scene_init(&scenes[1], "open");
    scene_argument(&scenes[1], text_of("/srv/link"));
    scene_argument(&scenes[1], text_of("w"));
    scene_argument(&scenes[1], value_int(577));
    scene_operation(&scenes[1], CLASS_WRITE);
    scene_text(&scenes[1], ATTRIBUTE_ACTION, "remove");
    scene_path(&scenes[1], ATTRIBUTE_PATH, "/srv/link", "/etc/passwd");
    scene_init(&scenes[2], "open");
    scene_operation(&scenes[2], CLASS_WRITE);
    scene_path(&scenes[2], ATTRIBUTE_PATH, "/srv/link", NULL); /* where it leads is not known */
    scene_init(&scenes[3], "subprocess.Popen");
    scene_operation(&scenes[3], CLASS_EXEC);
    scene_path(&scenes[3], ATTRIBUTE_FILE, "/usr/bin/git", "/usr/bin/git");
    scene_value(&scenes[3], ATTRIBUTE_ARGV, list_of(&scenes[3], "git", "push", NULL));
    scene_value(&scenes[3], ATTRIBUTE_CWD, value_none());

    for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++) {
        static const struct label labels[] = {{"role", "plugin"}};
        scenes[i].subject.labels = labels;
        scenes[i].subject.label_count = 1;
        struct passage passage;
        pass(&passage, &scenes[i]);
        struct scene again = {.subject = passage.recorded.subject, .event = passage.recorded.event};
        for (size_t j = 0; j < sizeof(policies) / sizeof(*policies); j++) {
            char before[256];
            const struct judgement first = judge_text(policies[j], &scenes[i]);
            const struct judgement second = judge_text(policies[j], &again);
            CLEANUP(policy_block_free) struct policy_block *block = compiled(policies[j]);
            (void)snprintf(before, sizeof(before), "%s", described(block, &first));
            assert_string_equal(described(block, &second), before);
        }
        assert_int_equal(passage.recorded.lost_count, 0);
        passage_deinit(&passage);
    }
}

static void secrets_are_unknown(void **state)
{
    (void)state;
    struct passage passage;
    struct scene scene;

    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    scene_path(&scene, ATTRIBUTE_FILE, "/bin/x", "/bin/x");
    scene_value(&scene, ATTRIBUTE_ARGV, list_of(&scene, "x", "--password=abc", "y", NULL));
    scene_value(&scene, ATTRIBUTE_ENV, map_of(&scene, "HOME", "/", NULL));
    pass(&passage, &scene);
    const struct operation *operation = &passage.recorded.event.operations[0];
    const struct attribute *argv = operation_attribute(operation, ATTRIBUTE_ARGV);
    assert_int_equal(argv->value.items[0].marks, 0);
    assert_int_equal(argv->value.items[1].marks, VALUE_OPAQUE);
    assert_int_equal(argv->value.items[2].marks, 0);
    assert_int_equal(operation_attribute(operation, ATTRIBUTE_ENV)->value.marks, VALUE_OPAQUE);
    assert_int_equal(passage.recorded.lost_count, 2);
    assert_string_equal(passage.recorded.lost[0], "exec argv");
    assert_string_equal(passage.recorded.lost[1], "exec env");
    passage_deinit(&passage);
}

static void names_that_the_record_may_have_changed_are_in_doubt(void **state)
{
    (void)state;
    struct passage passage;
    struct scene scene;

    scene_init(&scene, "test.\\x1b[0m");
    pass(&passage, &scene);
    assert_true(passage.recorded.event.name_cut);
    assert_int_equal(passage.recorded.event.number, EVENT_UNKNOWN);
    passage_deinit(&passage);
    scene_init(&scene, "open");
    pass(&passage, &scene);
    assert_false(passage.recorded.event.name_cut);
    assert_int_equal(passage.recorded.event.number, scene.event.number);
    passage_deinit(&passage);
}

static void rows_without_an_event_are_none(void **state)
{
    (void)state;
    static const char many[] = "{\"event\": \"x\", \"operations\": [{},{},{},{},{},{},{},{},{},{},"
                               "{},{},{},{},{},{},{}]}";
    static const char *const rows[] = {"{}", "{\"event\": 7}", many};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        json_t *row = json_loads(rows[i], 0, NULL);
        struct storage storage = {0};
        struct recorded_event recorded;
        assert_non_null(row);
        assert_false(recorded_event_read(row, &storage, &recorded));
        storage_deinit(&storage);
        json_decref(row);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back_as_they_were),
        cmocka_unit_test(what_nobody_knows_is_said_to_be_unknown),
        cmocka_unit_test(maps_that_read_like_the_record_come_back_as_maps),
        cmocka_unit_test(what_the_record_cuts_is_cut),
        cmocka_unit_test(operations_are_judged_as_they_were),
        cmocka_unit_test(secrets_are_unknown),
        cmocka_unit_test(names_that_the_record_may_have_changed_are_in_doubt),
        cmocka_unit_test(rows_without_an_event_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
