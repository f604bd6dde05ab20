#define _GNU_SOURCE
#include "client/hook/boundary_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/hook/boundary.h"
#include "client/hook/boundary_environment.h"
#include "client/hook/boundary_memory.h"
#include "client/hook/own_pages.h"
#include "client/hook/process_environment.h"
#include "client/hook/raw_syscall.h"
#include "client/hook/real_libc.h"
#include "client/hook/spawn_actions.h"
#include "client/hook/work_memory.h"

/* Linux 5.3 */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum {
    CHILD_STACK_SIZE = 512 * 1024, /* the deepest way through a verdict takes a tenth */
    CHILD_FAILED = 127,
    SIGNALS = 64,
    SIGNAL_SET_SIZE = 8, /* of the kernel's sigset_t */
    FLAG_RESETIDS = 0x01,
    FLAG_SETPGROUP = 0x02,
    FLAG_SETSIGDEF = 0x04,
    FLAG_SETSIGMASK = 0x08,
    FLAG_SETSCHEDPARAM = 0x10,
    FLAG_SETSCHEDULER = 0x20,
    FLAG_USEVFORK = 0x40,
    FLAG_SETSID = 0x80,
    FLAGS_KNOWN = 0xff,
};

struct spawn {
    const struct spawn_call *call;
    uint64_t mask; /* of signals, as the caller had it */
    short flags;
    struct exec_failure failure;
};

/* struct sigaction as the kernel has it. */
struct kernel_action {
    uintptr_t handler;
    unsigned long flags;
    uintptr_t restorer;
    uint64_t mask;
};

/* Handlers are the parent's code: none of them runs here. */
static void reset_signals(const struct spawn *spawn)
{
    sigset_t defaults;
    struct kernel_action action;

    sigemptyset(&defaults);
    if (spawn->flags & FLAG_SETSIGDEF)
        posix_spawnattr_getsigdefault(spawn->call->attributes, &defaults);
    for (int number = 1; number <= SIGNALS; number++) {
        if (raw_failed(raw_syscall(SYS_rt_sigaction, number, NULL, &action, SIGNAL_SET_SIZE)))
            continue;
        uint64_t set;
        memcpy(&set, &defaults, sizeof(set));
        const bool wanted = (set >> (number - 1)) & 1;
        if (!wanted && action.handler <= (uintptr_t)SIG_IGN)
            continue;
        memset(&action, 0, sizeof(action));
        raw_syscall(SYS_rt_sigaction, number, &action, NULL, SIGNAL_SET_SIZE);
    }
}

static int set_scheduling(const struct spawn *spawn)
{
    struct sched_param parameters;
    int policy;
    long result = 0;

    if (!(spawn->flags & (FLAG_SETSCHEDPARAM | FLAG_SETSCHEDULER)))
        return 0;
    posix_spawnattr_getschedparam(spawn->call->attributes, &parameters);
    if (spawn->flags & FLAG_SETSCHEDULER) {
        posix_spawnattr_getschedpolicy(spawn->call->attributes, &policy);
        result = raw_syscall(SYS_sched_setscheduler, 0, policy, &parameters);
    } else {
        result = raw_syscall(SYS_sched_setparam, 0, &parameters);
    }
    return raw_failed(result) ? (int)-result : 0;
}

/* In the order of glibc's. */
static int set_attributes(struct spawn *spawn)
{
    long result = 0;
    pid_t group;
    sigset_t mask;

    const int error = set_scheduling(spawn);
    if (error)
        return error;
    if (spawn->flags & FLAG_SETSID)
        result = raw_syscall(SYS_setsid, 0);
    if (!raw_failed(result) && (spawn->flags & FLAG_SETPGROUP)) {
        posix_spawnattr_getpgroup(spawn->call->attributes, &group);
        result = raw_syscall(SYS_setpgid, 0, group);
    }
    if (!raw_failed(result) && (spawn->flags & FLAG_RESETIDS)) {
        result = raw_syscall(SYS_setresuid, -1, raw_syscall(SYS_getuid, 0), -1);
        if (!raw_failed(result))
            result = raw_syscall(SYS_setresgid, -1, raw_syscall(SYS_getgid, 0), -1);
    }
    if (spawn->flags & FLAG_SETSIGMASK) {
        posix_spawnattr_getsigmask(spawn->call->attributes, &mask);
        memcpy(&spawn->mask, &mask, sizeof(spawn->mask));
    }
    return raw_failed(result) ? (int)-result : 0;
}

static int child(void *data)
{
    struct spawn *spawn = data;
    const struct spawn_call *call = spawn->call;
    const struct exec_call exec = {.event = call->event,
                                   .directory = AT_FDCWD,
                                   .path = call->path,
                                   .search = call->search,
                                   .argv = call->argv,
                                   .environment = call->environment,
                                   .own_environment = call->own_environment,
                                   .signal_mask = &spawn->mask};

    reset_signals(spawn);
    int error = set_attributes(spawn);
    if (!error && call->actions)
        error = spawn_actions_do(call->actions);
    if (error)
        spawn->failure.error = error;
    else
        boundary_exec(&exec, &spawn->failure);
    raw_syscall(SYS_exit_group, CHILD_FAILED);
    return CHILD_FAILED;
}

static int run_child(struct spawn *spawn, pid_t *number)
{
    const uint64_t all = UINT64_MAX;
    int status;
    char *stack = own_pages_map(CHILD_STACK_SIZE);

    if (!stack)
        return ENOMEM;
    /* Those too that libc keeps for itself: it would set the ids of a child that shares its memory.
     */
    raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &spawn->mask, SIGNAL_SET_SIZE);
    const uint64_t before = spawn->mask;
    const int started = real_libc()->clone(child, stack + CHILD_STACK_SIZE,
                                           CLONE_VM | CLONE_VFORK | SIGCHLD, spawn);
    const int error = started < 0 ? errno : spawn->failure.error;
    if (started > 0 && error)
        while (waitpid(started, &status, 0) < 0 && errno == EINTR)
            ;
    munmap(stack, CHILD_STACK_SIZE);
    raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, SIGNAL_SET_SIZE);
    *number = started;
    return error;
}

_Static_assert(sizeof(struct spawn) <= WORK_MEMORY_SIZE, "a spawn has a block");

static int spawn_in(struct spawn *spawn, pid_t *number)
{
    const struct spawn_call *call = spawn->call;
    const int kept = errno;
    pid_t started = -1;

    if (call->attributes)
        posix_spawnattr_getflags(call->attributes, &spawn->flags);
    if ((spawn->flags & ~FLAGS_KNOWN) || (call->actions && !spawn_actions_are_known()))
        return ENOSYS;
    if (!boundary_memory_prepare())
        return ENOMEM;
    hook_session_make_ready();
    const int error = run_child(spawn, &started);
    if (spawn->failure.denied)
        boundary_refuse(&spawn->failure.answer);
    errno = kept;
    if (error == 0 && number)
        *number = started;
    return error;
}

int boundary_spawn(const struct spawn_call *call, pid_t *number)
{
    struct spawn *spawn = work_memory_take();

    if (!spawn)
        return ENOMEM;
    memset(spawn, 0, sizeof(*spawn));
    spawn->call = call;
    const int error = spawn_in(spawn, number);
    work_memory_return(spawn);
    return error;
}

int boundary_spawn_pidfd(const struct spawn_call *call, int *descriptor)
{
    pid_t number;
    const int error = boundary_spawn(call, &number);

    if (error)
        return error;
    const long opened = raw_syscall(SYS_pidfd_open, number, 0);
    if (raw_failed(opened))
        return (int)-opened;
    *descriptor = (int)opened;
    return 0;
}

int boundary_spawn_unjudged(spawn_function *real, const struct spawn_call *call, int *child)
{
    struct boundary_memory *memory = boundary_memory_take();
    char *const *given = call->environment;
    char *const *environment = NULL;

    if (memory && (call->own_environment || process_environment_is(given)))
        given = process_environment_copy(&memory->texts);
    if (memory && (given || !call->environment))
        environment = boundary_environment_for_child(given, false, NULL, &memory->texts);
    const int error = environment ? real(child, call->path, call->actions, call->attributes,
                                         call->argv, environment)
                                  : ENOMEM;

    if (memory)
        boundary_memory_return(memory);
    return error;
}
