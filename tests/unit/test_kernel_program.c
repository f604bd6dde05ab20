#include "policies/engine/kernel_program.h"

#include <string.h>

#include "policy_fixture.h"

static int changed_by(enum operation_class class, const char *action, const char *path)
{
    struct scene scene;

    scene_init(&scene, "open");
    scene_operation(&scene, CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, "/elsewhere/x", "/elsewhere/x");
    scene_operation(&scene, class);
    scene_path(&scene, ATTRIBUTE_PATH, "named", path);
    scene_text(&scene, ATTRIBUTE_ACTION, action);
    return kernel_program_changed_by(&scene.event);
}

static void every_change_of_a_setting_counts(void **state)
{
    static const char *const paths[] = {
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/modprobe",
        "/proc/sys/kernel/hotplug",
        "/proc/sys/kernel/poweroff_cmd",
        "/proc/sys/fs/ocfs2/nm/hb_ctl_path",
        "/proc/sys/fs/binfmt_misc/register",
        "/proc/sys/fs/binfmt_misc/jar",
        "/sys/kernel/uevent_helper",
        "/sys/module/nfs/parameters/cache_getent",
        "/sys/module/nfsd/parameters/cltrack_prog",
        "/sys/module/drbd/parameters/usermode_helper",
        "/sys/fs/cgroup/release_agent",
        "/sys/fs/cgroup/memory/release_agent",
    };
    static const char *const actions[] = {"open", "chmod", "chown", "truncate"};

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        for (size_t j = 0; j < sizeof(actions) / sizeof(*actions); j++)
            assert_int_equal(changed_by(CLASS_WRITE, actions[j], paths[i]), 1);
}

static void other_files_are_nobodys_concern(void **state)
{
    static const char *const paths[] = {
        "/proc/sys/kernel/core_pattern.d",
        "/proc/sys/kernel/core_uses_pid",
        "/proc/sys/kernel",
        "/proc/sys/fs/binfmt_misc",
        "/proc/sys/fs/binfmt_misc2/x",
        "/sys/fs/cgroup/memory/notify_on_release",
        "/sys/fs/cgroup/my_release_agent",
        "/home/a/release_agent",
        "/home/a/core_pattern",
        "/",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        assert_int_equal(changed_by(CLASS_WRITE, "open", paths[i]), KERNEL_PROGRAM_NONE);
}

static void reading_one_is_nobodys_concern(void **state)
{
    (void)state;
    assert_int_equal(changed_by(CLASS_READ, "open", "/proc/sys/kernel/core_pattern"),
                     KERNEL_PROGRAM_NONE);
}

static void only_what_is_known_counts(void **state)
{
    static const char path[] = "/proc/sys/kernel/core_pattern";
    struct scene scene;

    (void)state;
    for (int mark = 0; mark < 2; mark++) {
        scene_init(&scene, "sqlite3.connect");
        scene_operation(&scene, CLASS_WRITE);
        scene_value(&scene, ATTRIBUTE_PATH, text_of(path))->resolved =
            marked(text_of(path), mark ? VALUE_CUT : VALUE_OPAQUE);
        assert_int_equal(kernel_program_changed_by(&scene.event), KERNEL_PROGRAM_NONE);
    }
    /* What a subclass stores is. */
    scene_init(&scene, "open");
    scene_operation(&scene, CLASS_WRITE);
    scene_value(&scene, ATTRIBUTE_PATH, text_of(path))->resolved =
        marked(text_of(path), VALUE_SUBCLASS);
    assert_int_equal(kernel_program_changed_by(&scene.event), 0);
}

static void setting_is_known_by_its_file_system_wherever_that_is_mounted(void **state)
{
    (void)state;
    assert_string_equal(kernel_program_setting(KERNEL_FILES_PROC, "core_pattern"),
                        "/proc/sys/kernel/core_pattern");
    assert_string_equal(kernel_program_setting(KERNEL_FILES_SYS, "uevent_helper"),
                        "/sys/kernel/uevent_helper");
    assert_non_null(kernel_program_setting(KERNEL_FILES_BINFMT, "register"));
    assert_non_null(kernel_program_setting(KERNEL_FILES_CGROUP, "release_agent"));
    assert_null(kernel_program_setting(KERNEL_FILES_SYS, "core_pattern"));
    assert_null(kernel_program_setting(KERNEL_FILES_PROC, "pattern"));
    assert_null(kernel_program_setting(KERNEL_FILES_PROC, "comm"));
    assert_null(kernel_program_setting(KERNEL_FILES_PROC, ""));
    assert_null(kernel_program_setting(KERNEL_FILES_CGROUP, "tasks"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_of_a_setting_counts),
        cmocka_unit_test(other_files_are_nobodys_concern),
        cmocka_unit_test(reading_one_is_nobodys_concern),
        cmocka_unit_test(only_what_is_known_counts),
        cmocka_unit_test(setting_is_known_by_its_file_system_wherever_that_is_mounted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
