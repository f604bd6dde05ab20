/* Stand before the functions of libc that open files.
 *
 * A setting that names a program which the kernel starts (policies/engine/kernel_program.h) is
 * denied at the audit event. But libraries open files of which no event tells (readline's history),
 * an event can leave open which directory a name is in, and a link can change after it. So where a
 * policy could deny `exec`, root's opening of files for writing is looked at here too: what the
 * name leads to is opened without any access, the kernel says what file system that is on, and the
 * daemon is asked about such a setting by its own name. If another one has been opened after that,
 * somebody changes links meanwhile: the process is ended. (Another thread can write to a descriptor
 * before this one knows what it is. It has one try.)
 *
 * libc's own files (fopen) do not come this way. The child of a vfork may call these. */
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

/* What the name leads to; NULL: to no such setting, or nowhere. */
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

static bool judge(const char *setting, int flags, struct answer *answer)
{
    const struct value arguments[OPEN_ARGUMENTS] = {value_text(setting, strlen(setting)),
                                                    value_none(), value_int(flags)};

    if (hook_session_process() == PROCESS_BESIDE) {
        boundary_deny(event, KERNEL_PROGRAM_MESSAGE, answer);
        return false;
    }
    struct question *question = boundary_borrow();
    const bool allowed = boundary_judge(question, event, arguments, OPEN_ARGUMENTS, answer);
    boundary_return(question);
    return allowed;
}

/* Errno says why where it may not. */
static bool may_change(const char *setting, int flags)
{
    struct answer *answer = work_memory_take();

    if (!answer) {
        errno = ENOMEM;
        return false;
    }
    const bool allowed = judge(setting, flags, answer);
    if (!allowed)
        boundary_refuse(answer);
    work_memory_return(answer);
    return allowed;
}

enum look {
    LOOK_NEEDLESS,
    LOOK_AGAIN, /* at what has been opened */
    LOOK_DENIES,
};

/* For nobody but root does the kernel open such settings. */
static enum look look(int directory, const char *path, int flags)
{
    const int access = flags & O_ACCMODE;
    const bool writes = access == O_WRONLY || access == O_RDWR || (flags & O_TRUNC);

    if (!writes || (flags & O_PATH) || !boundary_holds(CLASS_EXEC) ||
        raw_syscall(SYS_geteuid, 0) != 0)
        return LOOK_NEEDLESS;
    const char *setting = setting_at(directory, path, flags);
    if (!setting)
        return LOOK_AGAIN;
    return may_change(setting, flags) ? LOOK_NEEDLESS : LOOK_DENIES;
}

static int opened(enum look look, int descriptor)
{
    if (look == LOOK_AGAIN && descriptor >= 0 && setting_of(descriptor))
        hook_session_end_process("warder: the interpreter is ended: a name was changed while it "
                                 "was opened, to that of a setting by which the kernel starts "
                                 "programs");
    return descriptor;
}

/* The call is made with `mode` where it takes one. */
#define LOOK_AND_OPEN(directory, call)                                                             \
    const enum look seen = look((directory), path, flags);                                         \
    return seen == LOOK_DENIES ? -1 : opened(seen, real_libc()->call)

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
