/* Stand before libc's functions that change what is said of a file, and its length by a path, and
 * those that make what open does not. Each
 * is libc's own where no policy could deny a write. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "client/hook/boundary_change.h"
#include "client/hook/elf_symbols.h"

#define EXPORTED __attribute__((visibility("default")))

/* Gives libc's answer where there is nothing to judge. */
#define UNLESS_CONCERNED(name, ...)                                                                \
    if (!boundary_change_concerns()) {                                                             \
        static __typeof__(name) *_Atomic next;                                                     \
        if (!next) {                                                                               \
            void *found = elf_next(#name);                                                         \
            __typeof__(name) *function;                                                            \
            memcpy(&function, &found, sizeof(function));                                           \
            next = function;                                                                       \
        }                                                                                          \
        if (next)                                                                                  \
            return next(__VA_ARGS__);                                                              \
        errno = ENOSYS;                                                                            \
        return -1;                                                                                 \
    }

static int fail(int error)
{
    errno = error;
    return -1;
}

/* A path that may not be NULL, and flags of a call of the *at family. */
static int change_at(struct change *change, const char *path, int flags)
{
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
        return fail(EINVAL);
    if (!path)
        return fail(EFAULT);
    const bool itself = !path[0] && (flags & AT_EMPTY_PATH);
    if (itself && change->directory == AT_FDCWD)
        path = ".";
    change->path = itself && change->directory != AT_FDCWD ? NULL : path;
    change->no_follow = flags & AT_SYMLINK_NOFOLLOW;
    return boundary_change(change);
}

/* ----------------------------------------------------------------------------------------- modes
 */

static int change_mode(int directory, const char *path, mode_t mode, int flags)
{
    struct change change = {.kind = CHANGE_MODE, .directory = directory, .mode = mode};
    return change_at(&change, path, flags);
}

EXPORTED int chmod(const char *path, mode_t mode)
{
    UNLESS_CONCERNED(chmod, path, mode)
    return change_mode(AT_FDCWD, path, mode, 0);
}

EXPORTED int lchmod(const char *path, mode_t mode)
{
    UNLESS_CONCERNED(lchmod, path, mode)
    return change_mode(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW);
}

EXPORTED int fchmodat(int directory, const char *path, mode_t mode, int flags)
{
    UNLESS_CONCERNED(fchmodat, directory, path, mode, flags)
    return change_mode(directory, path, mode, flags);
}

EXPORTED int fchmod(int descriptor, mode_t mode)
{
    const struct change change = {.kind = CHANGE_MODE, .directory = descriptor, .mode = mode};

    UNLESS_CONCERNED(fchmod, descriptor, mode)
    return boundary_change(&change);
}

/* ---------------------------------------------------------------------------------------- owners
 */

static int change_owner(int directory, const char *path, uid_t user, gid_t group, int flags)
{
    struct change change = {
        .kind = CHANGE_OWNER, .directory = directory, .user = user, .group = group};
    return change_at(&change, path, flags);
}

EXPORTED int chown(const char *path, uid_t user, gid_t group)
{
    UNLESS_CONCERNED(chown, path, user, group)
    return change_owner(AT_FDCWD, path, user, group, 0);
}

EXPORTED int lchown(const char *path, uid_t user, gid_t group)
{
    UNLESS_CONCERNED(lchown, path, user, group)
    return change_owner(AT_FDCWD, path, user, group, AT_SYMLINK_NOFOLLOW);
}

EXPORTED int fchownat(int directory, const char *path, uid_t user, gid_t group, int flags)
{
    UNLESS_CONCERNED(fchownat, directory, path, user, group, flags)
    return change_owner(directory, path, user, group, flags);
}

EXPORTED int fchown(int descriptor, uid_t user, gid_t group)
{
    const struct change change = {
        .kind = CHANGE_OWNER, .directory = descriptor, .user = user, .group = group};

    UNLESS_CONCERNED(fchown, descriptor, user, group)
    return boundary_change(&change);
}

/* ----------------------------------------------------------------------------------------- times
 */

static int change_times(int directory, const char *path, const struct timespec *times, int flags)
{
    struct change change = {.kind = CHANGE_TIMES, .directory = directory, .times = times};
    return change_at(&change, path, flags);
}

static int change_clocks(int directory, const char *path, const struct timeval *clocks, int flags)
{
    struct timespec times[2];

    if (!clocks)
        return change_times(directory, path, NULL, flags);
    for (int i = 0; i < 2; i++) {
        if (clocks[i].tv_usec < 0 || clocks[i].tv_usec >= 1000000)
            return fail(EINVAL);
        times[i] = (struct timespec){clocks[i].tv_sec, clocks[i].tv_usec * 1000};
    }
    return change_times(directory, path, times, flags);
}

EXPORTED int utimensat(int directory, const char *path, const struct timespec times[2], int flags)
{
    UNLESS_CONCERNED(utimensat, directory, path, times, flags)
    return change_times(directory, path, times, flags);
}

EXPORTED int futimens(int descriptor, const struct timespec times[2])
{
    const struct change change = {.kind = CHANGE_TIMES, .directory = descriptor, .times = times};

    UNLESS_CONCERNED(futimens, descriptor, times)
    return boundary_change(&change);
}

EXPORTED int utimes(const char *path, const struct timeval clocks[2])
{
    UNLESS_CONCERNED(utimes, path, clocks)
    return change_clocks(AT_FDCWD, path, clocks, 0);
}

EXPORTED int lutimes(const char *path, const struct timeval clocks[2])
{
    UNLESS_CONCERNED(lutimes, path, clocks)
    return change_clocks(AT_FDCWD, path, clocks, AT_SYMLINK_NOFOLLOW);
}

/* Without a path, the descriptor's file. */
EXPORTED int futimesat(int directory, const char *path, const struct timeval clocks[2])
{
    UNLESS_CONCERNED(futimesat, directory, path, clocks)
    return change_clocks(directory, path ? path : "", clocks, path ? 0 : AT_EMPTY_PATH);
}

EXPORTED int futimes(int descriptor, const struct timeval clocks[2])
{
    UNLESS_CONCERNED(futimes, descriptor, clocks)
    return descriptor < 0 ? fail(EBADF) : change_clocks(descriptor, "", clocks, AT_EMPTY_PATH);
}

EXPORTED int utime(const char *path, const struct utimbuf *times)
{
    UNLESS_CONCERNED(utime, path, times)
    if (!times)
        return change_times(AT_FDCWD, path, NULL, 0);
    const struct timespec both[2] = {{.tv_sec = times->actime}, {.tv_sec = times->modtime}};
    return change_times(AT_FDCWD, path, both, 0);
}

/* ---------------------------------------------------------------------------------------- length
 */

static int change_length(const char *path, off_t length)
{
    struct change change = {.kind = CHANGE_LENGTH, .directory = AT_FDCWD, .length = length};
    return change_at(&change, path, 0);
}

EXPORTED int truncate(const char *path, off_t length)
{
    UNLESS_CONCERNED(truncate, path, length)
    return change_length(path, length);
}

EXPORTED int truncate64(const char *path, off64_t length)
{
    UNLESS_CONCERNED(truncate64, path, length)
    return change_length(path, length);
}

/* ----------------------------------------------------------------------------------------- nodes
 */

/* What programs call that were linked with a libc before 2.33. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
int __xmknod(int version, const char *path, mode_t mode, dev_t *device);
int __xmknodat(int version, int directory, const char *path, mode_t mode, dev_t *device);
/* NOLINTEND(bugprone-reserved-identifier) */

static int make_node(int directory, const char *path, mode_t mode, dev_t device)
{
    const struct change change = {.kind = CHANGE_NODE,
                                  .directory = directory,
                                  .path = path,
                                  .mode = mode,
                                  .device = (unsigned)device};

    if (change.device != device)
        return fail(EINVAL);
    return path ? boundary_change(&change) : fail(EFAULT);
}

EXPORTED int mknod(const char *path, mode_t mode, dev_t device)
{
    UNLESS_CONCERNED(mknod, path, mode, device)
    return make_node(AT_FDCWD, path, mode, device);
}

EXPORTED int mknodat(int directory, const char *path, mode_t mode, dev_t device)
{
    UNLESS_CONCERNED(mknodat, directory, path, mode, device)
    return make_node(directory, path, mode, device);
}

EXPORTED int mkfifo(const char *path, mode_t mode)
{
    UNLESS_CONCERNED(mkfifo, path, mode)
    return make_node(AT_FDCWD, path, mode | S_IFIFO, 0);
}

EXPORTED int mkfifoat(int directory, const char *path, mode_t mode)
{
    UNLESS_CONCERNED(mkfifoat, directory, path, mode)
    return make_node(directory, path, mode | S_IFIFO, 0);
}

EXPORTED int __xmknod(int version, const char *path, mode_t mode, dev_t *device)
{
    UNLESS_CONCERNED(__xmknod, version, path, mode, device)
    return version == 0 ? make_node(AT_FDCWD, path, mode, *device) : fail(EINVAL);
}

EXPORTED int __xmknodat(int version, int directory, const char *path, mode_t mode, dev_t *device)
{
    UNLESS_CONCERNED(__xmknodat, version, directory, path, mode, device)
    return version == 0 ? make_node(directory, path, mode, *device) : fail(EINVAL);
}
