/* Invariants.
 *
 * - What is executed was opened, looked at and compared in a table of descriptors that no other
 *   thread has: a look in the shared table comes first, because a thread that has left its table
 *   cannot come back, and what is denied or is not there must leave it where it was.
 * - From the verdict to the exec nothing is read again from memory that is not this call's. */
#define _GNU_SOURCE
#include "client/hook/boundary_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/hook/boundary.h"
#include "client/hook/boundary_continuation.h"
#include "client/hook/boundary_environment.h"
#include "client/hook/boundary_memory.h"
#include "client/hook/boundary_preload.h"
#include "client/hook/boundary_program.h"
#include "client/hook/boundary_refusal.h"
#include "client/hook/process_environment.h"
#include "client/hook/raw_syscall.h"
#include "client/hook/work_memory.h"

/* Linux 5.9 */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif

enum {
    SIGNAL_SET_SIZE = 8,          /* of the kernel's sigset_t */
    SCRIPT_DESCRIPTOR_LEAST = 64, /* where a script stays open that its interpreter opens again: not
                                     among those that shells use themselves */
};

/* A call on its way: the copies, the file, and what will be executed with what. */
struct execution {
    const struct exec_call *call;
    struct boundary_memory *memory;
    const char *path;
    char *const *argv;
    char *const *environment;
    size_t argument_count;
    struct program program;
    int script; /* left open for an interpreter to open again; -1: none */
    struct exec_failure *failure;
};

static void fail(struct execution *execution, int error)
{
    execution->failure->error = error;
}

static bool deny(struct execution *execution, const char *why)
{
    boundary_deny(execution->call->event, why, &execution->failure->answer);
    execution->failure->denied = true;
    execution->failure->error = EACCES;
    return false;
}

/* ---------------------------------------------------------------------------------------- copies
 */

/* As the kernel, it says EFAULT of what is no list of texts. */
static char *const *copy_list(struct execution *execution, char *const *list, size_t *count)
{
    struct environment_walk walk;

    environment_walk_over(&walk, list);
    char *const *copies = environment_walk_copy(&walk, &execution->memory->texts, count);
    if (!copies || walk.broken)
        fail(execution, walk.broken ? EFAULT : E2BIG);
    return walk.broken ? NULL : copies;
}

static char *const *copy_environment(struct execution *execution)
{
    const struct exec_call *call = execution->call;
    struct arena *arena = &execution->memory->texts;
    size_t count;

    if (!call->own_environment && !process_environment_is(call->environment))
        return copy_list(execution, call->environment, &count);
    char *const *copies = process_environment_copy(arena);
    if (!copies)
        fail(execution, arena->exhausted ? E2BIG : EAGAIN);
    return copies;
}

static bool copy_call(struct execution *execution)
{
    const struct exec_call *call = execution->call;

    execution->path = arena_copy(&execution->memory->texts, call->path, strlen(call->path));
    if (!execution->path) {
        fail(execution, E2BIG);
        return false;
    }
    execution->argv = copy_list(execution, call->argv, &execution->argument_count);
    execution->environment = execution->argv ? copy_environment(execution) : NULL;
    return execution->environment != NULL;
}

/* ------------------------------------------------------------------------------------- the event
 */

static struct value text_or_none(const char *text)
{
    return text ? value_text(text, strlen(text)) : value_none();
}

/* Texts, borrowed; marked where they are more than an event carries. */
static bool list_of_texts(struct arena *arena, char *const *texts, size_t *left, struct value *list)
{
    size_t count = 0;

    *list = (struct value){.kind = VALUE_LIST};
    while (texts[count])
        count++;
    if (count > VALUE_ITEMS_MAX) {
        count = VALUE_ITEMS_MAX;
        list->marks |= VALUE_CUT;
    }
    struct value *items = arena_zalloc(arena, count, sizeof(*items));
    if (!items)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(texts[i]);
        const size_t most = *left < VALUE_BYTES_MAX ? *left : VALUE_BYTES_MAX;
        const bool cut = length > most;
        length = cut ? most : length;
        *left -= length;
        items[i] = value_text(texts[i], length);
        items[i].marks = cut ? VALUE_CUT : 0;
    }
    list->count = (uint32_t)count;
    list->items = items;
    return true;
}

static const char *reach_text(enum program_reach reach)
{
    switch (reach) {
    case REACH_STATIC:
        return "static";
    case REACH_SET_ID:
        return "set-id";
    case REACH_FOREIGN:
        return "foreign";
    case REACH_HOOK:
        break;
    }
    return NULL;
}

/* The name that the file was asked for by: taken from another directory than the process's it says
 * nothing, and the kernel's name stands for it. */
static const char *written_name(const struct execution *execution)
{
    const struct program_file *file = &execution->program.files[0];
    const bool as_written =
        file->written[0] == '/' || (file->written[0] && execution->call->directory == AT_FDCWD);

    return as_written || !file->name ? file->written : file->name;
}

static const char shell[] = "/bin/sh"; /* _PATH_BSHELL */

static bool make_event(struct execution *execution, struct event *event)
{
    enum { PATH, ARGUMENTS, ENVIRONMENT, FILE_NAME, INTERPRETER, INTERPRETER_NAME, REACH, COUNT };
    struct arena *arena = &execution->memory->exchange.arena;
    struct value *values = arena_zalloc(arena, COUNT, sizeof(*values));
    struct program *program = &execution->program;
    const struct program_file *last = program_last(program);
    const bool script = program->count > 1;
    size_t left = VALUE_TOTAL_BYTES_MAX - 64 * 1024; /* for paths and what is made of them */

    if (!values || !list_of_texts(arena, execution->argv, &left, &values[ARGUMENTS]) ||
        !list_of_texts(arena, execution->environment, &left, &values[ENVIRONMENT]))
        return false;
    values[PATH] = text_or_none(written_name(execution));
    values[FILE_NAME] = text_or_none(program->files[0].name);
    values[INTERPRETER] = text_or_none(script ? program->files[1].written : NULL);
    values[INTERPRETER_NAME] = text_or_none(script ? program->files[1].name : NULL);
    values[REACH] = text_or_none(reach_text(last->reach));
    event->arguments = values;
    event->argument_count = COUNT;
    return boundary_map(event, execution->call->event, arena);
}

/* -------------------------------------------------------------------------------------- judgement
 */

static void ask(struct execution *execution, const struct event *event, uint64_t continues,
                struct answer *answer)
{
    if (execution->memory->process == PROCESS_BESIDE) {
        hook_session_ask_beside(&execution->memory->exchange, event, continues, answer);
        return;
    }
    struct question *question = boundary_borrow();
    if (!question) {
        boundary_deny(execution->call->event, "every connection to the policy daemon is in use",
                      answer);
        return;
    }
    hook_session_ask_continuing(question, event, continues, answer);
    boundary_return(question);
}

static bool judge(struct execution *execution)
{
    struct event event = {.number = EVENT_UNKNOWN};
    struct answer *answer = &execution->failure->answer;
    uint64_t continues;

    if (!make_event(execution, &event))
        return deny(execution, "its arguments are too large to be judged");
    /* Where a rule names events of the boundary, they are not the audit event's. And that a program
     * leaves the hook's reach is told. */
    if (boundary_continuation_covers(&event, &continues) && !boundary_guards(CLASS_NONE) &&
        program_last(&execution->program)->reach == REACH_HOOK) {
        answer->environment[0] = '\0';
        return true;
    }
    ask(execution, &event, continues, answer);
    if (answer->outcome == WARDER__V1__OUTCOME__OUTCOME_ALLOW)
        return true;
    execution->failure->denied = true;
    execution->failure->error = EACCES;
    return false;
}

/* -------------------------------------------------------------------------------------- executing
 */

/* From here on this thread's descriptors are its own. */
static bool leave_shared_table(void)
{
    return !raw_failed(raw_syscall(SYS_unshare, CLONE_FILES)) ||
           !raw_failed(raw_syscall(SYS_close_range, UINT_MAX, UINT_MAX, CLOSE_RANGE_UNSHARE));
}

static void set_signal_mask(const struct exec_call *call)
{
    if (call->signal_mask)
        raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, call->signal_mask, NULL, SIGNAL_SET_SIZE);
}

/* The name by which an interpreter opens its script again: the one it was asked for by, if nobody
 * can put another file in its place, or its descriptor, which then stays open. */
static const char *script_name(struct execution *execution, struct program_file *script)
{
    struct arena *arena = &execution->memory->texts;

    if (script->name && script->written[0] == '/' && program_path_is_firm(script->name) &&
        program_path_is_firm(script->written))
        return script->written;
    long open = raw_syscall(SYS_fcntl, script->descriptor, F_DUPFD, SCRIPT_DESCRIPTOR_LEAST);
    if (raw_failed(open)) /* a low limit of open files */
        open = raw_syscall(SYS_fcntl, script->descriptor, F_DUPFD, STDERR_FILENO + 1);
    if (raw_failed(open))
        return NULL;
    execution->script = (int)open; /* there is one alone: see execute_file */
    char *text = arena_alloc(arena, 32);
    if (text)
        snprintf(text, 32, "/proc/self/fd/%ld", open);
    return text;
}

/* argv as the kernel makes it where a file begins with `#!`; NULL if that cannot be. */
static char *const *argv_of_program(struct execution *execution)
{
    struct program *program = &execution->program;
    struct arena *arena = &execution->memory->texts;
    const size_t scripts = program->count - 1;
    const size_t own = execution->argument_count > 0 ? execution->argument_count - 1 : 0;

    if (scripts == 0)
        return execution->argv;
    const char **argv = arena_zalloc(arena, 3 * scripts + own + 1, sizeof(*argv));
    size_t used = 0;
    if (!argv)
        return NULL;
    /* The innermost interpreter first; each is followed by its argument and the file it reads. */
    argv[used++] = program->files[scripts].written;
    for (size_t i = scripts; i > 0; i--) {
        if (program->arguments[i - 1])
            argv[used++] = program->arguments[i - 1];
        const char *name = script_name(execution, &program->files[i - 1]);
        if (!name)
            return NULL;
        argv[used++] = name;
    }
    for (size_t i = 0; i < own; i++)
        argv[used++] = execution->argv[i + 1];
    return (char *const *)argv;
}

/* Executes what was judged. */
static void execute_held(struct execution *execution)
{
    struct arena *arena = &execution->memory->texts;
    struct program again;
    const struct program_name name = {.directory = execution->call->directory,
                                      .path = execution->path,
                                      .flags = execution->call->flags};

    if (!leave_shared_table()) {
        deny(execution, "other threads share its descriptors, and it cannot have its own");
        return;
    }
    if (program_look(&again, &name, arena) != 0 || !program_is_same(&again, &execution->program)) {
        program_close(&again);
        deny(execution, "its file was changed while it was judged");
        return;
    }
    program_close(&execution->program);
    execution->program = again;
    char *const *argv = argv_of_program(execution);
    char *const *environment = boundary_environment_for_child(
        execution->environment, true, execution->failure->answer.environment, arena);
    if (!argv || !environment) {
        fail(execution, E2BIG);
        return;
    }
    set_signal_mask(execution->call);
    fail(execution, (int)-raw_syscall(SYS_execveat, program_last(&execution->program)->descriptor,
                                      "", argv, environment, AT_EMPTY_PATH));
    if (execution->script >= 0)
        raw_syscall(SYS_close, execution->script);
}

/* Executes as asked for. */
static void execute_as_asked(struct execution *execution)
{
    const struct exec_call *call = execution->call;
    char *const *environment = boundary_environment_for_child(execution->environment, false, NULL,
                                                              &execution->memory->texts);

    program_close(&execution->program);
    if (!environment) {
        fail(execution, E2BIG);
        return;
    }
    set_signal_mask(call);
    const long result = call->directory == AT_FDCWD && call->flags == 0
                            ? raw_syscall(SYS_execve, execution->path, execution->argv, environment)
                            : raw_syscall(SYS_execveat, call->directory, execution->path,
                                          execution->argv, environment, call->flags);
    fail(execution, (int)-result);
}

/* What no judgement of the file can stand for. */
static bool is_refused(struct execution *execution)
{
    const struct program *program = &execution->program;

    for (unsigned i = 0; i < program->count; i++)
        if (program->files[i].is_loader)
            return !deny(execution, "the dynamic loader starts any program that it is given");
    if (program->count > 2)
        return !deny(execution,
                     "its interpreter is a script itself, and no rule could name what runs it");
    const char *hindered =
        program->files[program->count - 1].reach == REACH_HOOK ? boundary_preload_hindered() : NULL;
    if (hindered)
        return !deny(execution, hindered);
    return false;
}

/* With limits that stay as they are looked at. */
static void execute_unhindered(struct execution *execution)
{
    const bool own = execution->memory->process != PROCESS_BESIDE;

    if (own && !boundary_preload_hold()) {
        deny(execution, "another thread is changing the limits of this process");
        return;
    }
    if (!is_refused(execution))
        execute_held(execution);
    if (own)
        boundary_preload_release();
}

/* One file, which has a name of its own. */
static void execute_file(struct execution *execution)
{
    const struct program_name name = {.directory = execution->call->directory,
                                      .path = execution->path,
                                      .flags = execution->call->flags};
    struct arena *event_arena = &execution->memory->exchange.arena;

    execution->failure->error = 0;
    execution->program.count = 0;
    if (!boundary_guards(CLASS_EXEC)) {
        execute_as_asked(execution);
        return;
    }
    arena_reset(event_arena);
    const int error = program_look(&execution->program, &name, &execution->memory->texts);
    if (error) {
        /* Nothing would be started: nobody is asked. */
        fail(execution, -error);
        return;
    }
    if (!(boundary_holds(CLASS_EXEC) && is_refused(execution)) && judge(execution)) {
        /* The verdict may have come with other policies. */
        if (!boundary_holds(CLASS_EXEC))
            execute_as_asked(execution);
        else
            execute_unhindered(execution);
    }
    program_close(&execution->program);
}

/* libc's answer to a file that the kernel does not know. */
static void give_to_shell(struct execution *execution)
{
    const size_t count = execution->argument_count;
    const char **argv = arena_zalloc(&execution->memory->texts, count + 3, sizeof(*argv));

    if (!argv)
        return;
    size_t used = 0;
    argv[used++] = shell;
    argv[used++] = execution->path;
    for (size_t i = 1; i < count; i++)
        argv[used++] = execution->argv[i];
    execution->path = shell;
    execution->argv = (char *const *)argv;
    execution->argument_count = used;
    execute_file(execution);
}

/* execvp(3): each directory of PATH in turn, until one has a file that can be tried. */
static void execute_along_path(struct execution *execution)
{
    bool known;
    const char *variable = process_environment_get("PATH", &known);
    const char *name = execution->path;
    struct arena *arena = &execution->memory->texts;
    bool refused = false;

    if (!known) {
        fail(execution, EAGAIN);
        return;
    }
    if (!variable)
        variable = "/bin:/usr/bin"; /* confstr(_CS_PATH) */
    const char *path = arena_copy(arena, variable, strlen(variable));
    for (const char *part = path; part; part = *part ? part + 1 : NULL) {
        const size_t length = strcspn(part, ":");
        const size_t size = length + 1 + strlen(name) + 1;
        char *candidate = arena_alloc(arena, size);
        if (!candidate) {
            fail(execution, ENAMETOOLONG);
            return;
        }
        snprintf(candidate, size, "%.*s%s%s", (int)length, part, length > 0 ? "/" : "", name);
        execution->path = candidate;
        execute_file(execution);
        const int error = execution->failure->error;
        if (execution->failure->denied)
            return;
        if (error == ENOEXEC) {
            give_to_shell(execution);
            return;
        }
        refused |= error == EACCES;
        if (error != EACCES && error != ENOENT && error != ESTALE && error != ENOTDIR &&
            error != ENODEV && error != ETIMEDOUT)
            return;
        part += length;
        if (!*part)
            break;
    }
    if (refused)
        fail(execution, EACCES);
}

void boundary_exec(const struct exec_call *call, struct exec_failure *failure)
{
    struct execution execution = {.call = call, .script = -1, .failure = failure};

    *failure = (struct exec_failure){.error = EFAULT};
    if (!call->path)
        return;
    hook_session_check_process();
    execution.memory = boundary_memory_take();
    if (!execution.memory) {
        const char *hindered = boundary_preload_hindered(); /* a limit says more */
        deny(&execution, hindered ? hindered : "there is no memory to judge it in");
        return;
    }
    if (copy_call(&execution)) {
        if (!call->search || strchr(execution.path, '/')) {
            execute_file(&execution);
            if (call->search && failure->error == ENOEXEC && !failure->denied)
                give_to_shell(&execution);
        } else if (execution.path[0] == '\0') {
            fail(&execution, ENOENT);
        } else {
            execute_along_path(&execution);
        }
    }
    boundary_memory_return(execution.memory);
}

static void exec_or_refuse(const struct exec_call *call, struct exec_failure *failure)
{
    boundary_exec(call, failure);
    if (failure->denied)
        boundary_refuse(&failure->answer);
    errno = failure->error;
}

/* The child of a vfork could not give a block back to its parent. */
static __attribute__((noinline)) void exec_beside(const struct exec_call *call)
{
    struct exec_failure failure;
    exec_or_refuse(call, &failure);
}

int boundary_exec_or_fail(const struct exec_call *call)
{
    if (hook_session_process() == PROCESS_BESIDE) {
        exec_beside(call);
        return -1;
    }
    struct exec_failure *failure = work_memory_take();
    if (!failure) {
        errno = ENOMEM;
        return -1;
    }
    exec_or_refuse(call, failure);
    work_memory_return(failure);
    return -1;
}
