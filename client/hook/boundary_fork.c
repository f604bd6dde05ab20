#define _GNU_SOURCE
#include "client/hook/boundary_fork.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "client/hook/boundary.h"
#include "client/hook/boundary_continuation.h"
#include "client/hook/boundary_exec.h"
#include "client/hook/boundary_memory.h"
#include "client/hook/boundary_refusal.h"
#include "client/hook/boundary_shell.h"
#include "client/hook/fatal.h"
#include "client/hook/raw_syscall.h"
#include "client/hook/real_libc.h"
#include "client/hook/work_memory.h"

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

/* The fork that this thread is about to make is for an exec alone. */
static _Thread_local bool for_exec __attribute__((tls_model("initial-exec")));

enum {
    NUMBER_X32 = 0x40000000, /* asm/unistd.h: __X32_SYSCALL_BIT; no number of arm64 has it */
    ONLY_EXECS_SECONDS = 5,  /* for all that stands between a fork and its exec on a busy machine */
};

bool boundary_fork_only_execs;

static bool ask(const char *event, uint64_t continues, struct answer *answer)
{
    struct event judged = {.number = EVENT_UNKNOWN};

    if (hook_session_process() == PROCESS_BESIDE) {
        boundary_deny(event, "the child of a vfork may do nothing but start a program", answer);
        return false;
    }
    struct question *question = boundary_borrow();
    boundary_deny(event, "every connection to the policy daemon is in use", answer);
    if (!question)
        return false;
    if (boundary_map(&judged, event, &question->memory.arena))
        hook_session_ask_continuing(question, &judged, continues, answer);
    boundary_return(question);
    return answer->outcome == WARDER__V1__OUTCOME__OUTCOME_ALLOW;
}

static bool may_fork(const char *event, struct answer *answer)
{
    bool decided = false;

    if (boundary_fork_only_execs) {
        boundary_deny(event, "this process may do nothing but start the program that it is for",
                      answer);
        boundary_refuse(answer);
        return false;
    }
    const uint64_t continues = boundary_continuation_fork(&decided);
    /* A fork on the way to an exec that was allowed is in that one's record; where none could be
     * denied, there is nothing to be asked. */
    const bool on_the_way = continues != 0 && !boundary_holds(CLASS_FORK);
    const bool again = (decided || on_the_way) && !boundary_guards(CLASS_NONE);
    if (boundary_guards(CLASS_FORK) && !again) {
        if (!ask(event, continues, answer)) {
            boundary_refuse(answer);
            return false;
        }
        for_exec = answer->only_exec;
    }
    boundary_refusal_expect();
    return true;
}

bool boundary_may_fork(const char *event)
{
    for_exec = false;
    if (!boundary_concerns())
        return true;
    hook_session_check_process();
    struct answer *answer = work_memory_take();
    if (!answer) {
        errno = ENOMEM;
        return false;
    }
    const bool may = may_fork(event, answer);
    work_memory_return(answer);
    return may;
}

/* Code that raises no event goes on in such a child as long as it likes, and no event ends it. A
 * timer of the kernel's does, which an exec takes away and Python code has no way to reach. */
static void end_in_time(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    const struct itimerspec until = {.it_value = {.tv_sec = ONLY_EXECS_SECONDS}};
    int timer = 0; /* the kernel's number: no libc has given it one of its own */

    if (raw_failed(raw_syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer)) ||
        raw_failed(raw_syscall(SYS_timer_settime, timer, 0, &until, NULL)))
        fatal_end(
            "warder: a process that may do nothing but start a program cannot be given a time "
            "limit, and is ended");
}

void boundary_forked(bool child)
{
    if (child) {
        boundary_shell_forked();
        if (for_exec && !boundary_fork_only_execs)
            end_in_time();
        boundary_fork_only_execs = boundary_fork_only_execs || for_exec;
    } else {
        boundary_continuation_end();
    }
    for_exec = false;
}

/* What the child of a vfork cannot do for itself. It shares its parent's notes; nothing but an exec
 * is left to it anyway, for no interpreter runs code there. */
static bool prepare_child(const char *event)
{
    if (boundary_memory_prepare())
        return true;
    struct answer *answer = work_memory_take();
    if (answer) {
        boundary_deny(event, "there is no memory to judge its child in", answer);
        boundary_refuse(answer);
    }
    work_memory_return(answer);
    errno = EACCES;
    return false;
}

void *boundary_vfork_target(void)
{
    void *target;
    pid_t (*real)(void) = real_libc()->vfork;

    if (boundary_concerns()) {
        if (!boundary_may_fork("libc.vfork") || !prepare_child("libc.vfork"))
            return NULL;
        for_exec = false;
        hook_session_make_ready();
    }
    memcpy(&target, &real, sizeof(target));
    return target;
}

void *boundary_clone_target(int flags)
{
    void *target;
    int (*real)(int (*)(void *), void *, int, void *, ...) = real_libc()->clone;

    if (!(flags & CLONE_THREAD) && boundary_concerns()) {
        if (!boundary_may_fork("libc.clone") || !prepare_child("libc.clone"))
            return NULL;
        for_exec = false;
        boundary_continuation_end();
        if (flags & CLONE_VM)
            hook_session_make_ready();
    }
    memcpy(&target, &real, sizeof(target));
    return target;
}

/* --------------------------------------------------------------------------------------- syscall
 */

static long exec_by_number(const struct syscall_frame *frame)
{
    const long *a = frame->arguments;
    const bool at = frame->number == SYS_execveat;
    const long *strings = at ? a + 1 : a;
    const struct exec_call call = {
        .event = "libc.execve",
        .directory = at ? (int)a[0] : AT_FDCWD,
        .path = (const char *)strings[0],
        .argv = (char *const *)strings[1],
        .environment = (char *const *)strings[2],
        .flags = at ? (int)a[4] : 0,
    };
    return boundary_exec_or_fail(&call);
}

static bool is_thread(const struct syscall_frame *frame)
{
    return frame->number == SYS_clone && (frame->arguments[0] & CLONE_THREAD);
}

/* True if the call goes on. */
static bool judge_number(struct syscall_frame *frame)
{
    frame->number = (int)frame->number; /* as the kernel reads it */
    frame->result = -1;
    if (frame->number & NUMBER_X32) {
        /* The same calls under other numbers, of a kind that no library here makes. */
        errno = ENOSYS;
        return !boundary_guards(CLASS_FORK) && !boundary_guards(CLASS_EXEC);
    }
    if (frame->number == SYS_execve || frame->number == SYS_execveat) {
        frame->result = exec_by_number(frame);
        return false;
    }
    if (is_thread(frame))
        return true;
    if (frame->number == SYS_clone3) {
        /* What it is asked for stands in memory that can change until it reads it. */
        errno = ENOSYS;
        return !boundary_guards(CLASS_FORK) && !boundary_guards(CLASS_EXEC);
    }
    const bool judged = boundary_may_fork(frame->number == SYS_clone ? "libc.clone" : "libc.fork");
    if (judged) {
        for_exec = false;
        boundary_continuation_end();
        boundary_memory_prepare();
    }
    return judged;
}

void *boundary_syscall_target(struct syscall_frame *frame)
{
    void *target;
    long (*real)(long, ...) = real_libc()->syscall;

    memcpy(&target, &real, sizeof(target));
    return !boundary_concerns() || judge_number(frame) ? target : NULL;
}
