#include "policies/engine/hook_file.h"

#include "policy_fixture.h"

static const char hook[] = "/home/a/lib/libwarder.so";

static int changed(const char *action, const char *path)
{
    struct scene scene;

    scene_init(&scene, "os.rename");
    scene_operation(&scene, CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, "/elsewhere/x", "/elsewhere/x");
    scene_text(&scene, ATTRIBUTE_ACTION, action);
    scene_operation(&scene, CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, "written", path);
    scene_text(&scene, ATTRIBUTE_ACTION, action);
    return hook_file_changed_by(hook, &scene.event);
}

static void every_change_of_the_file_counts(void **state)
{
    static const char *const actions[] = {"open",  "rename",   "remove", "link",
                                          "chmod", "truncate", "xattr",  "symlink"};

    (void)state;
    for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
        assert_int_equal(changed(actions[i], hook), 1);
}

static void directory_above_it_may_not_be_moved_or_shut(void **state)
{
    static const char *const directories[] = {"/home/a/lib", "/home/a", "/home", "/"};

    (void)state;
    for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
        assert_int_equal(changed("rename", directories[i]), 1);
        assert_int_equal(changed("chmod", directories[i]), 1);
        assert_int_equal(changed("mkdir", directories[i]), HOOK_FILE_UNCHANGED);
        assert_int_equal(changed("utime", directories[i]), HOOK_FILE_UNCHANGED);
    }
}

static void what_lies_beside_it_is_nobodys_concern(void **state)
{
    (void)state;
    assert_int_equal(changed("open", "/home/a/lib/libwarder.so.1"), HOOK_FILE_UNCHANGED);
    assert_int_equal(changed("rename", "/home/a/li"), HOOK_FILE_UNCHANGED);
    assert_int_equal(changed("remove", "/home/a/lib/other"), HOOK_FILE_UNCHANGED);
}

static void reading_it_is_nobodys_concern(void **state)
{
    struct scene scene;

    (void)state;
    scene_init(&scene, "open");
    scene_operation(&scene, CLASS_READ);
    scene_path(&scene, ATTRIBUTE_PATH, hook, hook);
    assert_int_equal(hook_file_changed_by(hook, &scene.event), HOOK_FILE_UNCHANGED);
}

static void path_that_is_not_known_could_be_it(void **state)
{
    struct scene scene;

    (void)state;
    scene_init(&scene, "os.remove");
    scene_operation(&scene, CLASS_WRITE);
    scene_value(&scene, ATTRIBUTE_PATH, marked(text_of("/x"), VALUE_OPAQUE))->resolved =
        marked(text_of("/x"), VALUE_OPAQUE);
    assert_int_equal(hook_file_changed_by(hook, &scene.event), 0);

    /* A database by a URI: it is opened under any policy. A socket's address that is a bytearray:
     * nothing is there yet. */
    static const char *const harmless[] = {"open", "create", "mkdir", "symlink", "socket"};
    for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++) {
        scene_init(&scene, "sqlite3.connect");
        scene_operation(&scene, CLASS_WRITE);
        scene_value(&scene, ATTRIBUTE_PATH, value_unknown())->resolved = value_unknown();
        scene_text(&scene, ATTRIBUTE_ACTION, harmless[i]);
        assert_int_equal(hook_file_changed_by(hook, &scene.event), HOOK_FILE_UNCHANGED);
    }

    /* What a subclass stores is known. */
    scene_init(&scene, "os.remove");
    scene_operation(&scene, CLASS_WRITE);
    scene_value(&scene, ATTRIBUTE_PATH, text_of("/x"))->resolved =
        marked(text_of("/x"), VALUE_SUBCLASS);
    assert_int_equal(hook_file_changed_by(hook, &scene.event), HOOK_FILE_UNCHANGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_of_the_file_counts),
        cmocka_unit_test(directory_above_it_may_not_be_moved_or_shut),
        cmocka_unit_test(what_lies_beside_it_is_nobodys_concern),
        cmocka_unit_test(reading_it_is_nobodys_concern),
        cmocka_unit_test(path_that_is_not_known_could_be_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
