/* Stand before the functions of libc that open files.
 *
 * Two things are nobody's to write, by built-in rules that are judged at the audit event: settings
 * that name a program which the kernel starts (policies/engine/kernel_program.h), where a policy
 * could deny `exec`, and the file that the hook was loaded from, where one could deny anything. But
 * libraries open files of which no event tells (readline's history, SQLite), an event can leave
 * open which directory a name is in, and a link can change after it. So what is opened for writing
 * is looked at here too: the kernel says what the name leads to, and the daemon is asked about such
 * a file by its own name. If the name led elsewhere, and one of these has been opened all the same,
 * somebody changes links meanwhile: the process is ended. (Another thread can write to a descriptor
 * before this one knows what it is. It has one try.)
 *
 * It is looked for settings where the user is root, for nobody else may write them, and for the
 * hook's file where it is in the user's reach. libc's own files (fopen) do not come this way. The
 * child of a vfork may call these. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/vfs.h>

#include "client/hook/boundary.h"
#include "client/hook/own_file.h"
#include "client/hook/raw_syscall.h"
#include "client/hook/real_libc.h"
#include "client/hook/work_memory.h"
#include "policies/engine/kernel_program.h"

#define EXPORTED __attribute__((visibility("default")))

enum { OPEN_ARGUMENTS = 3 }; /* path, mode, flags: as the catalogue has the event */

static const char event[] = "open";

/* Declared in headers that rename open or define it inline under other options. The last four are
 * what programs call that were built with _FORTIFY_SOURCE. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);
int openat(int directory, const char *path, int flags, ...);
int openat64(int directory, const char *path, int flags, ...);
int creat(const char *path, mode_t mode);
int creat64(const char *path, mode_t mode);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int directory, const char *path, int flags);
int __openat64_2(int directory, const char *path, int flags);
/* NOLINTEND(bugprone-reserved-identifier) */

static bool has_settings(const struct statfs *status, enum kernel_file_system *on)
{
    switch ((unsigned long)status->f_type) {
    case PROC_SUPER_MAGIC:
        *on = KERNEL_FILES_PROC;
        return true;
    case SYSFS_MAGIC:
        *on = KERNEL_FILES_SYS;
        return true;
    case CGROUP_SUPER_MAGIC:
        *on = KERNEL_FILES_CGROUP;
        return true;
    case BINFMTFS_MAGIC:
        *on = KERNEL_FILES_BINFMT;
        return true;
    default:
        return false;
    }
}

static bool file_system_of(int descriptor, enum kernel_file_system *on)
{
    struct statfs status;
    return !raw_failed(raw_syscall(SYS_fstatfs, descriptor, &status)) && has_settings(&status, on);
}

/* Where it cannot be told which one a file is. */
static const char *some_setting(void)
{
    return kernel_program_setting(KERNEL_FILES_BINFMT, "");
}

/* `name` has room for PATH_MAX bytes. */
static const char *read_setting(int descriptor, enum kernel_file_system on, char *name)
{
    char link[sizeof("/proc/thread-self/fd/") + 12];

    snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", descriptor);
    const long length = raw_syscall(SYS_readlinkat, AT_FDCWD, link, name, PATH_MAX - 1);
    if (raw_failed(length))
        return some_setting();
    name[length] = '\0';
    const char *last = strrchr(name, '/');
    return kernel_program_setting(on, last ? last + 1 : name);
}

/* What the setting is called that the descriptor is of; NULL: it is of none. Changes no errno. */
static const char *setting_of(int descriptor)
{
    enum kernel_file_system on = KERNEL_FILES_PROC;

    _Static_assert(PATH_MAX <= WORK_MEMORY_SIZE, "a name fits");
    if (!file_system_of(descriptor, &on))
        return NULL;
    char *name = work_memory_take();
    const char *setting = name ? read_setting(descriptor, on, name) : some_setting();
    work_memory_return(name);
    return setting;
}

/* False: the name leads elsewhere, or nowhere. One system call tells, where a path needs no
 * directory; with one it may. */
static bool may_lead_there(int directory, const char *path)
{
    struct statfs status;
    enum kernel_file_system on;

    if (directory != AT_FDCWD && path && path[0] != '/')
        return true;
    return !raw_failed(raw_syscall(SYS_statfs, path, &status)) && has_settings(&status, &on);
}

static const char *setting_at(int directory, const char *path, int flags)
{
    const int kept = O_PATH | O_CLOEXEC | (flags & (O_NOFOLLOW | O_DIRECTORY));
    const long found =
        may_lead_there(directory, path) ? raw_syscall(SYS_openat, directory, path, kept) : -ENOENT;

    if (raw_failed(found))
        return NULL;
    const char *setting = setting_of((int)found);
    raw_syscall(SYS_close, found);
    return setting;
}

/* What is looked for. */
struct search {
    bool settings;
    bool own_file;
};

/* What nobody may write and a name leads to, as the daemon knows it; NULL: nothing. */
static const char *kept_at(const struct search *search, int directory, const char *path, int flags)
{
    if (search->own_file && own_file_is_at(directory, path, !(flags & O_NOFOLLOW)))
        return own_file_in_reach();
    return search->settings ? setting_at(directory, path, flags) : NULL;
}

static bool is_kept(const struct search *search, int descriptor)
{
    return (search->own_file && own_file_is_at(descriptor, NULL, true)) ||
           (search->settings && setting_of(descriptor));
}

static bool judge(const char *kept, int flags, struct answer *answer)
{
    const struct value arguments[OPEN_ARGUMENTS] = {value_text(kept, strlen(kept)), value_none(),
                                                    value_int(flags)};

    if (hook_session_process() == PROCESS_BESIDE) {
        boundary_deny(event, "the child of a vfork may do nothing but start a program", answer);
        return false;
    }
    struct question *question = boundary_borrow();
    const bool allowed = boundary_judge(question, event, arguments, OPEN_ARGUMENTS, answer);
    boundary_return(question);
    return allowed;
}

/* Errno says why where it may not. */
static bool may_write(const char *kept, int flags)
{
    struct answer *answer = work_memory_take();

    if (!answer) {
        errno = ENOMEM;
        return false;
    }
    const bool allowed = judge(kept, flags, answer);
    if (!allowed)
        boundary_refuse(answer);
    work_memory_return(answer);
    return allowed;
}

struct look {
    struct search search;
    bool denied;
    bool again; /* at what has been opened */
};

static struct look look(int directory, const char *path, int flags)
{
    const int access = flags & O_ACCMODE;
    const bool writes = access == O_WRONLY || access == O_RDWR || (flags & O_TRUNC);

    if (!writes || (flags & O_PATH) || !path)
        return (struct look){.again = false};
    const struct search search = {
        .settings = boundary_holds(CLASS_EXEC) && raw_syscall(SYS_geteuid, 0) == 0,
        .own_file = own_file_in_reach() && boundary_holds_anything(),
    };
    const char *kept = kept_at(&search, directory, path, flags);
    if (kept)
        return (struct look){.denied = !may_write(kept, flags)};
    return (struct look){.search = search, .again = search.settings || search.own_file};
}

static int opened(const struct look *look, int descriptor)
{
    if (look->again && descriptor >= 0 && is_kept(&look->search, descriptor))
        hook_session_end_process("warder: the interpreter is ended: a name was changed while it "
                                 "was opened, to that of a file that nobody may write");
    return descriptor;
}

/* The call is made with `mode` where it takes one. */
#define LOOK_AND_OPEN(directory, call)                                                             \
    const struct look seen = look((directory), path, flags);                                       \
    return seen.denied ? -1 : opened(&seen, real_libc()->call)

#define TAKE_MODE(mode)                                                                            \
    mode_t mode = 0;                                                                               \
    if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) {                                   \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        (mode) = va_arg(arguments, mode_t);                                                        \
        va_end(arguments);                                                                         \
    }

EXPORTED int open(const char *path, int flags, ...)
{
    TAKE_MODE(mode)
    LOOK_AND_OPEN(AT_FDCWD, open(path, flags, mode));
}

EXPORTED int open64(const char *path, int flags, ...)
{
    TAKE_MODE(mode)
    LOOK_AND_OPEN(AT_FDCWD, open64(path, flags, mode));
}

EXPORTED int openat(int directory, const char *path, int flags, ...)
{
    TAKE_MODE(mode)
    LOOK_AND_OPEN(directory, openat(directory, path, flags, mode));
}

EXPORTED int openat64(int directory, const char *path, int flags, ...)
{
    TAKE_MODE(mode)
    LOOK_AND_OPEN(directory, openat64(directory, path, flags, mode));
}

EXPORTED int creat(const char *path, mode_t mode)
{
    const int flags = O_CREAT | O_WRONLY | O_TRUNC;
    LOOK_AND_OPEN(AT_FDCWD, creat(path, mode));
}

EXPORTED int creat64(const char *path, mode_t mode)
{
    const int flags = O_CREAT | O_WRONLY | O_TRUNC;
    LOOK_AND_OPEN(AT_FDCWD, creat64(path, mode));
}

EXPORTED int __open_2(const char *path, int flags)
{
    LOOK_AND_OPEN(AT_FDCWD, __open_2(path, flags));
}

EXPORTED int __open64_2(const char *path, int flags)
{
    LOOK_AND_OPEN(AT_FDCWD, __open64_2(path, flags));
}

EXPORTED int __openat_2(int directory, const char *path, int flags)
{
    LOOK_AND_OPEN(directory, __openat_2(directory, path, flags));
}

EXPORTED int __openat64_2(int directory, const char *path, int flags)
{
    LOOK_AND_OPEN(directory, __openat64_2(directory, path, flags));
}
