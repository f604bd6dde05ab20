/* The functions of libc that this object stands before.
 *
 * In a process without a session each is a call of the real one: a program that holds no CPython
 * notices nothing. vfork, clone and syscall are in boundary_jump_ARCHITECTURE.S. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client/hook/boundary.h"
#include "client/hook/boundary_exec.h"
#include "client/hook/boundary_fork.h"
#include "client/hook/boundary_refusal.h"
#include "client/hook/boundary_shell.h"
#include "client/hook/boundary_spawn.h"
#include "client/hook/boundary_spawn_open.h"
#include "client/hook/denial_of_call.h"
#include "client/hook/real_libc.h"

#define PUBLIC __attribute__((visibility("default")))

extern char **environ;

/* ------------------------------------------------------------------------------------------ exec
 */

static int execute(const char *path, char *const *argv, char *const *environment, bool own)
{
    const struct exec_call call = {.event = "libc.execve",
                                   .directory = AT_FDCWD,
                                   .path = path,
                                   .argv = argv,
                                   .environment = environment,
                                   .own_environment = own};
    return boundary_concerns() ? boundary_exec_or_fail(&call)
                               : real_libc()->execve(path, argv, environment);
}

PUBLIC int execve(const char *path, char *const *argv, char *const *environment)
{
    return execute(path, argv, environment, false);
}

PUBLIC int execv(const char *path, char *const *argv)
{
    return execute(path, argv, environ, true);
}

static int execute_along_path(const char *name, char *const *argv, char *const *environment,
                              bool own)
{
    const struct exec_call call = {.event = "libc.execve",
                                   .directory = AT_FDCWD,
                                   .path = name,
                                   .search = true,
                                   .argv = argv,
                                   .environment = environment,
                                   .own_environment = own};
    return boundary_concerns() ? boundary_exec_or_fail(&call)
                               : real_libc()->execvpe(name, argv, environment);
}

PUBLIC int execvpe(const char *name, char *const *argv, char *const *environment)
{
    return execute_along_path(name, argv, environment, false);
}

PUBLIC int execvp(const char *name, char *const *argv)
{
    return execute_along_path(name, argv, environ, true);
}

/* In glibc since 2.34: as the system call, where libc has no function for it. */
PUBLIC int execveat(int directory, const char *path, char *const *argv, char *const *environment,
                    int flags)
{
    const struct exec_call call = {.event = "libc.execve",
                                   .directory = directory,
                                   .path = path,
                                   .flags = flags,
                                   .argv = argv,
                                   .environment = environment};
    if (boundary_concerns())
        return boundary_exec_or_fail(&call);
    if (real_libc()->execveat)
        return real_libc()->execveat(directory, path, argv, environment, flags);
    return (int)real_libc()->syscall(SYS_execveat, directory, path, argv, environment, flags);
}

PUBLIC int fexecve(int descriptor, char *const *argv, char *const *environment)
{
    if (!boundary_concerns())
        return real_libc()->fexecve(descriptor, argv, environment);
    if (descriptor < 0) {
        errno = EINVAL;
        return -1;
    }
    return execveat(descriptor, "", argv, environment, AT_EMPTY_PATH);
}

/* The words of a call, from `first` on to NULL, into `argv` on the caller's stack. */
#define COLLECT_WORDS(first, list)                                                                 \
    size_t count = 1;                                                                              \
    va_start(list, first);                                                                         \
    while (va_arg(list, const char *))                                                             \
        count++;                                                                                   \
    va_end(list);                                                                                  \
    char *argv[count + 1];                                                                         \
    argv[0] = (char *)(uintptr_t)(first);                                                          \
    va_start(list, first);                                                                         \
    for (size_t i = 1; i <= count; i++)                                                            \
    argv[i] = va_arg(list, char *)

PUBLIC int execl(const char *path, const char *argument, ...)
{
    va_list list;
    COLLECT_WORDS(argument, list);
    va_end(list);
    return execv(path, argv);
}

PUBLIC int execlp(const char *name, const char *argument, ...)
{
    va_list list;
    COLLECT_WORDS(argument, list);
    va_end(list);
    return execvp(name, argv);
}

PUBLIC int execle(const char *path, const char *argument, ...)
{
    va_list list;
    COLLECT_WORDS(argument, list);
    char *const *environment = va_arg(list, char *const *);
    va_end(list);
    return execve(path, argv, environment);
}

/* ----------------------------------------------------------------------------------------- spawn
 */

static bool spawn_concerns(void)
{
    return boundary_concerns() && boundary_guards(CLASS_EXEC);
}

/* `judged` has the outcome that `real` has: a child's number or a descriptor. */
static int spawn(spawn_function *real, judged_spawn_function *judged, int *outcome,
                 const struct spawn_call *call)
{
    if (!real)
        return ENOSYS;
    if (!boundary_concerns())
        return real(outcome, call->path, call->actions, call->attributes, call->argv,
                    call->environment);
    const int error = boundary_spawn_judge_opens(call->actions);
    if (error)
        return error;
    return boundary_guards(CLASS_EXEC) ? judged(call, outcome)
                                       : boundary_spawn_unjudged(real, call, outcome);
}

/* The four take the same: `along_path` is what their names' last letter says. */
#define SPAWN(name, judged, along_path)                                                            \
    PUBLIC int name(int *outcome, const char *path, const posix_spawn_file_actions_t *actions,     \
                    const posix_spawnattr_t *attributes, char *const *argv,                        \
                    char *const *environment);                                                     \
    PUBLIC int name(int *outcome, const char *path, const posix_spawn_file_actions_t *actions,     \
                    const posix_spawnattr_t *attributes, char *const *argv,                        \
                    char *const *environment)                                                      \
    {                                                                                              \
        const struct spawn_call call = {.event = "libc.posix_spawn",                               \
                                        .path = path,                                              \
                                        .search = (along_path),                                    \
                                        .actions = actions,                                        \
                                        .attributes = attributes,                                  \
                                        .argv = argv,                                              \
                                        .environment = environment};                               \
        return spawn(real_libc()->name, judged, outcome, &call);                                   \
    }

SPAWN(posix_spawn, boundary_spawn, false)
SPAWN(posix_spawnp, boundary_spawn, true)
SPAWN(pidfd_spawn, boundary_spawn_pidfd, false)
SPAWN(pidfd_spawnp, boundary_spawn_pidfd, true)

/* ------------------------------------------------------------------------------------------ fork
 */

static pid_t judged_fork(pid_t (*real)(void))
{
    if (!real) {
        errno = ENOSYS;
        return -1;
    }
    if (!boundary_may_fork("libc.fork"))
        return -1;
    const pid_t child = real();
    boundary_forked(child == 0);
    return child;
}

PUBLIC pid_t fork(void)
{
    return judged_fork(real_libc()->fork);
}

/* libc's own other name of it. */
PUBLIC pid_t __fork(void);
PUBLIC pid_t __fork(void)
{
    return fork();
}

/* In glibc since 2.34. */
PUBLIC pid_t _Fork(void);
PUBLIC pid_t _Fork(void)
{
    return judged_fork(real_libc()->_Fork);
}

PUBLIC int forkpty(int *terminal, char *name, const struct termios *settings,
                   const struct winsize *size)
{
    int (*real)(int *, char *, const struct termios *, const struct winsize *) =
        real_libc()->forkpty;

    if (!real) {
        errno = ENOSYS;
        return -1;
    }
    if (!boundary_may_fork("libc.forkpty"))
        return -1;
    const int child = real(terminal, name, settings, size);
    boundary_forked(child == 0);
    return child;
}

PUBLIC int daemon(int keep_directory, int keep_output)
{
    if (!boundary_may_fork("libc.daemon"))
        return -1;
    const int result = real_libc()->daemon(keep_directory, keep_output);
    boundary_forked(result == 0);
    return result;
}

/* ----------------------------------------------------------------------------------------- shell
 */

PUBLIC int system(const char *command)
{
    return boundary_concerns() ? boundary_system(command) : real_libc()->system(command);
}

PUBLIC FILE *popen(const char *command, const char *mode)
{
    return boundary_concerns() ? boundary_popen(command, mode) : real_libc()->popen(command, mode);
}

PUBLIC FILE *_IO_popen(const char *command, const char *mode);
PUBLIC FILE *_IO_popen(const char *command, const char *mode)
{
    return popen(command, mode); // NOLINT(cert-env33-c): it is the same function
}

PUBLIC int pclose(FILE *stream)
{
    int status;
    return boundary_pclose(stream, &status) ? status : real_libc()->pclose(stream);
}

PUBLIC int wordexp(const char *words, wordexp_t *expansion, int flags)
{
    return spawn_concerns() ? boundary_wordexp(words, expansion, flags)
                            : real_libc()->wordexp(words, expansion, flags);
}

/* --------------------------------------------------------------------------------- what is said
 */

static const char *told_denial(void)
{
    const char *sentence = boundary_refusal_take();

    if (sentence)
        denial_of_call_expect();
    return sentence;
}

PUBLIC char *strerror(int error)
{
    const char *denial = error == EACCES ? told_denial() : NULL;
    return denial ? (char *)(uintptr_t)denial : real_libc()->strerror(error);
}

/* Which CPython asks from 3.14 on. The GNU one: what it returns need not be in the buffer. */
PUBLIC char *strerror_r(int error, char *buffer, size_t size)
{
    const char *denial = error == EACCES ? told_denial() : NULL;
    return denial ? (char *)(uintptr_t)denial : real_libc()->strerror_r(error, buffer, size);
}
