#define _GNU_SOURCE
#include "client/hook/spawn_actions.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client/hook/elf_symbols.h"
#include "client/hook/raw_syscall.h"

/* Linux 5.9 */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum action_kind {
    ACTION_CLOSE,
    ACTION_DUP2,
    ACTION_OPEN,
    ACTION_CHDIR,      /* glibc 2.29 */
    ACTION_FCHDIR,     /* 2.29 */
    ACTION_CLOSE_FROM, /* 2.34 */
    ACTION_TCSETPGRP,  /* 2.35 */
};

/* An element of posix_spawn_file_actions_t's array. */
struct action {
    int kind;
    union {
        int descriptor;
        struct {
            int from;
            int to;
        } dup2;
        struct {
            int descriptor;
            char *path;
            int flags;
            mode_t mode;
        } open;
        char *directory;
    };
};

/* The public part of the object (<spawn.h>), by our names. */
struct actions {
    int allocated;
    int used;
    struct action *list;
    int padding[16];
};

_Static_assert(sizeof(struct actions) == sizeof(posix_spawn_file_actions_t), "glibc's <spawn.h>");

/* Functions that not every glibc has. */
typedef int add_directory(posix_spawn_file_actions_t *actions, const char *path);
typedef int add_descriptor(posix_spawn_file_actions_t *actions, int descriptor);

static const char *const later_ones[] = {"posix_spawn_file_actions_addchdir_np",
                                         "posix_spawn_file_actions_addfchdir_np",
                                         "posix_spawn_file_actions_addclosefrom_np"};

enum { LATER_ONES = sizeof(later_ones) / sizeof(*later_ones) };

static bool later_ones_are_known(posix_spawn_file_actions_t *object, const struct actions *actions)
{
    add_directory *chdir_function;
    add_descriptor *fchdir_function;
    add_descriptor *closefrom_function;
    void *addresses[LATER_ONES];
    int used = actions->used;

    elf_next_each(later_ones, LATER_ONES, addresses);
    memcpy(&chdir_function, &addresses[0], sizeof(addresses[0]));
    if (chdir_function &&
        (chdir_function(object, "/there") != 0 || actions->list[used].kind != ACTION_CHDIR ||
         strcmp(actions->list[used++].directory, "/there") != 0))
        return false;
    memcpy(&fchdir_function, &addresses[1], sizeof(addresses[1]));
    if (fchdir_function &&
        (fchdir_function(object, 1) != 0 || actions->list[used].kind != ACTION_FCHDIR ||
         actions->list[used++].descriptor != 1))
        return false;
    memcpy(&closefrom_function, &addresses[2], sizeof(addresses[2]));
    return !closefrom_function ||
           (closefrom_function(object, 2) == 0 && actions->list[used].kind == ACTION_CLOSE_FROM &&
            actions->list[used].descriptor == 2);
}

/* glibc's objects grow by eight elements: no list is read behind its end. */
static bool look(void)
{
    posix_spawn_file_actions_t object;
    const struct actions *actions = (const struct actions *)(const void *)&object;
    bool known = false;

    if (posix_spawn_file_actions_init(&object) != 0)
        return false;
    if (posix_spawn_file_actions_addclose(&object, 1) == 0 &&
        posix_spawn_file_actions_adddup2(&object, 2, 3) == 0 &&
        posix_spawn_file_actions_addopen(&object, 2, "/known", O_WRONLY | O_CREAT, 0640) == 0 &&
        actions->used == 3 && actions->allocated >= 6 && actions->list) {
        const struct action *list = actions->list;
        known = list[0].kind == ACTION_CLOSE && list[0].descriptor == 1 &&
                list[1].kind == ACTION_DUP2 && list[1].dup2.from == 2 && list[1].dup2.to == 3 &&
                list[2].kind == ACTION_OPEN && list[2].open.descriptor == 2 && list[2].open.path &&
                list[2].open.flags == (O_WRONLY | O_CREAT) && list[2].open.mode == 0640 &&
                strcmp(list[2].open.path, "/known") == 0 && later_ones_are_known(&object, actions);
    }
    posix_spawn_file_actions_destroy(&object);
    return known;
}

bool spawn_actions_are_known(void)
{
    static _Atomic bool known;

    /* Not to be looked at is no answer: libc takes no number that is not below the limit of open
     * files. */
    if (!atomic_load(&known))
        atomic_store(&known, look());
    return atomic_load(&known);
}

bool spawn_actions_next_open(const posix_spawn_file_actions_t *actions, int *at,
                             struct spawned_open *open)
{
    const struct actions *all = (const struct actions *)(const void *)actions;

    while (*at < all->used) {
        const struct action *action = &all->list[(*at)++];
        if (action->kind == ACTION_CHDIR || action->kind == ACTION_FCHDIR)
            open->elsewhere = true;
        if (action->kind != ACTION_OPEN)
            continue;
        open->path = action->open.path;
        open->flags = action->open.flags;
        return true;
    }
    return false;
}

/* ---------------------------------------------------------------------------------------- doing
 */

static int do_open(const struct action *action)
{
    const int wanted = action->open.descriptor;

    raw_syscall(SYS_close, wanted); /* POSIX: as if it was closed before */
    const long opened =
        raw_syscall(SYS_openat, AT_FDCWD, action->open.path, action->open.flags, action->open.mode);
    if (raw_failed(opened))
        return (int)-opened;
    if (opened == wanted)
        return 0;
    const long result = raw_syscall(SYS_dup3, opened, wanted, 0);
    raw_syscall(SYS_close, opened);
    return raw_failed(result) ? (int)-result : 0;
}

static int do_dup2(const struct action *action)
{
    const int from = action->dup2.from;

    if (from != action->dup2.to) {
        const long result = raw_syscall(SYS_dup3, from, action->dup2.to, 0);
        return raw_failed(result) ? (int)-result : 0;
    }
    /* The same number: it stays open across the exec (POSIX, since 2018). */
    const long flags = raw_syscall(SYS_fcntl, from, F_GETFD);
    if (raw_failed(flags))
        return (int)-flags;
    const long result = raw_syscall(SYS_fcntl, from, F_SETFD, flags & ~FD_CLOEXEC);
    return raw_failed(result) ? (int)-result : 0;
}

static int do_close_from(int first)
{
    if (!raw_failed(raw_syscall(SYS_close_range, first, UINT_MAX, 0)))
        return 0;
    /* Linux before 5.9. */
    for (int i = first < 0 ? 0 : first; i < (int)sysconf(_SC_OPEN_MAX); i++)
        raw_syscall(SYS_close, i);
    return 0;
}

static int do_one(const struct action *action)
{
    long result = 0;
    pid_t group;

    switch (action->kind) {
    case ACTION_CLOSE:
        raw_syscall(SYS_close, action->descriptor); /* one that is not open is no error here */
        break;
    case ACTION_DUP2:
        return do_dup2(action);
    case ACTION_OPEN:
        return do_open(action);
    case ACTION_CHDIR:
        result = raw_syscall(SYS_chdir, action->directory);
        break;
    case ACTION_FCHDIR:
        result = raw_syscall(SYS_fchdir, action->descriptor);
        break;
    case ACTION_CLOSE_FROM:
        return do_close_from(action->descriptor);
    case ACTION_TCSETPGRP:
        group = (pid_t)raw_syscall(SYS_getpgid, 0);
        result = raw_syscall(SYS_ioctl, action->descriptor, TIOCSPGRP, &group);
        break;
    default:
        return EINVAL;
    }
    return raw_failed(result) ? (int)-result : 0;
}

int spawn_actions_do(const posix_spawn_file_actions_t *actions)
{
    const struct actions *all = (const struct actions *)(const void *)actions;

    for (int i = 0; i < all->used; i++) {
        const int error = do_one(&all->list[i]);
        if (error)
            return error;
    }
    return 0;
}
