#define _GNU_SOURCE
#include "client/hook/own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/hook/boundary_program.h"
#include "client/hook/elf_symbols.h"
#include "client/hook/process_resolver.h"
#include "client/hook/raw_syscall.h"
#include "policies/engine/hook_file.h"

/* Linux 5.8 */
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

static struct {
    bool noted;
    bool in_reach;
    char name[PATH_MAX]; /* as the loader has it; "": not known */
    char path[PATH_MAX];
    struct statx status; /* of the file when it was noted */
} own;

static bool look(struct statx *status)
{
    return !raw_failed(raw_syscall(SYS_statx, AT_FDCWD, own.name, AT_NO_AUTOMOUNT,
                                   STATX_INO | STATX_TYPE | STATX_SIZE | STATX_MTIME, status));
}

static bool is_same_file(const struct statx *status)
{
    return status->stx_ino == own.status.stx_ino &&
           status->stx_dev_major == own.status.stx_dev_major &&
           status->stx_dev_minor == own.status.stx_dev_minor;
}

/* The same file, and nobody has written into it: what raises no event may (SQLite rolls a journal
 * back), and cannot set the time back. */
static bool is_as_noted(const struct statx *status)
{
    return is_same_file(status) && status->stx_size == own.status.stx_size &&
           status->stx_mtime.tv_sec == own.status.stx_mtime.tv_sec &&
           status->stx_mtime.tv_nsec == own.status.stx_mtime.tv_nsec;
}

/* Root could, whoever owns it. */
static bool is_root(void)
{
    uid_t real;
    uid_t effective;
    uid_t saved;

    return getresuid(&real, &effective, &saved) != 0 || real == 0 || effective == 0 || saved == 0;
}

void own_file_note(void)
{
    struct elf_object object;

    if (own.noted)
        return;
    own.noted = true;
    if (!elf_find_holder((uintptr_t)&own_file_note, &object) || object.name[0] != '/' ||
        strlen(object.name) >= sizeof(own.name))
        return;
    memcpy(own.name, object.name, strlen(object.name) + 1);
    if (!look(&own.status) || !process_resolve_path(own.name, true, own.path, sizeof(own.path))) {
        own.name[0] = '\0';
        return;
    }
    own.in_reach = is_root() || !program_path_is_firm(own.path);
}

const char *own_file_in_reach(void)
{
    return own.in_reach ? own.path : NULL;
}

bool own_file_is_changed_by(const struct event *event)
{
    return own.in_reach && hook_file_changed_by(own.path, event) != HOOK_FILE_UNCHANGED;
}

bool own_file_is_at(int directory, const char *name, bool follow)
{
    const int how = (name ? 0 : AT_EMPTY_PATH) | (follow ? 0 : AT_SYMLINK_NOFOLLOW);
    struct statx status;

    return own.in_reach &&
           !raw_failed(
               raw_syscall(SYS_statx, directory, name ? name : "", how, STATX_INO, &status)) &&
           is_same_file(&status);
}

bool own_file_is_there(void)
{
    struct statx status;

    if (!own.name[0])
        return true;
    return look(&status) && is_as_noted(&status) &&
           /* Before Linux 5.8 there is no such call, and the loader may find out. */
           raw_syscall(SYS_faccessat2, AT_FDCWD, own.name, R_OK, AT_EACCESS) != -EACCES;
}
