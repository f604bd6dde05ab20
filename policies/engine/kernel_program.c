#include "policies/engine/kernel_program.h"

#include <stdbool.h>
#include <string.h>

#include "policies/engine/path_text.h"

struct setting {
    enum kernel_file_system on;
    const char *path;
};

/* Linux: every caller of call_usermodehelper whose program a file names. */
static const struct setting settings[] = {
    {KERNEL_FILES_PROC, "/proc/sys/kernel/core_pattern"},
    {KERNEL_FILES_PROC, "/proc/sys/kernel/modprobe"},
    {KERNEL_FILES_PROC, "/proc/sys/kernel/hotplug"},
    {KERNEL_FILES_PROC, "/proc/sys/kernel/poweroff_cmd"},
    {KERNEL_FILES_PROC, "/proc/sys/fs/ocfs2/nm/hb_ctl_path"},
    {KERNEL_FILES_SYS, "/sys/kernel/uevent_helper"},
    {KERNEL_FILES_SYS, "/sys/module/drbd/parameters/usermode_helper"},
    {KERNEL_FILES_SYS, "/sys/module/nfs/parameters/cache_getent"},
    {KERNEL_FILES_SYS, "/sys/module/nfsd/parameters/cltrack_prog"},
};

static const char formats[] = "/proc/sys/fs/binfmt_misc"; /* a file for each, and what makes one */
static const char groups[] = "/sys/fs/cgroup";
static const char agent[] = "release_agent"; /* at the top of each hierarchy of groups */

static bool is_below(const char *path, size_t length, const char *directory)
{
    return length > strlen(directory) && path_is_under(path, length, directory, strlen(directory));
}

static bool ends_with(const char *path, size_t length, const char *last)
{
    const size_t size = strlen(last);
    return length > size && path[length - size - 1] == '/' &&
           memcmp(path + length - size, last, size) == 0;
}

static bool is_setting(const char *path, size_t length)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
        if (strlen(settings[i].path) == length && memcmp(settings[i].path, path, length) == 0)
            return true;
    return is_below(path, length, formats) ||
           (is_below(path, length, groups) && ends_with(path, length, agent));
}

static bool changes(const struct operation *operation)
{
    const struct attribute *attribute = operation_attribute(operation, ATTRIBUTE_PATH);

    if (operation->operation_class != CLASS_WRITE || !attribute)
        return false;
    /* What a subclass of str stores is what is opened. */
    const struct value *path = &attribute->resolved;
    return (path->kind == VALUE_TEXT || path->kind == VALUE_BYTES) &&
           !(path->marks & (VALUE_CUT | VALUE_OPAQUE)) && is_setting(path->bytes, path->count);
}

int kernel_program_changed_by(const struct event *event)
{
    for (uint32_t i = 0; i < event->operation_count; i++)
        if (changes(&event->operations[i]))
            return (int)i;
    return KERNEL_PROGRAM_NONE;
}

const char *kernel_program_setting(enum kernel_file_system on, const char *last)
{
    if (on == KERNEL_FILES_BINFMT)
        return "/proc/sys/fs/binfmt_misc/register";
    if (on == KERNEL_FILES_CGROUP)
        return strcmp(last, agent) == 0 ? "/sys/fs/cgroup/release_agent" : NULL;
    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
        if (settings[i].on == on && ends_with(settings[i].path, strlen(settings[i].path), last))
            return settings[i].path;
    return NULL;
}
