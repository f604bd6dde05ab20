#define _GNU_SOURCE
#include "client/hook/boundary_shell.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/hook/boundary.h"
#include "client/hook/boundary_spawn.h"
#include "client/hook/real_libc.h"
#include "client/hook/work_memory.h"

extern char **environ;

static const char shell[] = "/bin/sh"; /* _PATH_BSHELL */

static int start_shell(const char *event, const char *command,
                       const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, pid_t *child)
{
    const char *argv[] = {"sh", "-c", command, NULL};
    const struct spawn_call call = {.event = event,
                                    .path = shell,
                                    .actions = actions,
                                    .attributes = attributes,
                                    .argv = (char *const *)argv,
                                    .environment = environ,
                                    .own_environment = true};
    /* libc's own would start it with the environment that has no preload in it. */
    return boundary_guards(CLASS_EXEC)
               ? boundary_spawn(&call, child)
               : boundary_spawn_unjudged(real_libc()->posix_spawn, &call, child);
}

/* ---------------------------------------------------------------------------------------- system
 */

/* SIGINT and SIGQUIT are ignored while any thread is in system(). */
static pthread_mutex_t system_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned system_callers;
static struct sigaction interrupt_before;
static struct sigaction quit_before;

static void ignore_keyboard(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigemptyset(&ignore.sa_mask);
    pthread_mutex_lock(&system_lock);
    if (system_callers++ == 0) {
        sigaction(SIGINT, &ignore, &interrupt_before);
        sigaction(SIGQUIT, &ignore, &quit_before);
    }
    pthread_mutex_unlock(&system_lock);
}

static void heed_keyboard(void)
{
    pthread_mutex_lock(&system_lock);
    if (--system_callers == 0) {
        sigaction(SIGINT, &interrupt_before, NULL);
        sigaction(SIGQUIT, &quit_before, NULL);
    }
    pthread_mutex_unlock(&system_lock);
}

static void set_shell_signals(posix_spawnattr_t *attributes, const sigset_t *mask)
{
    sigset_t defaults;

    sigemptyset(&defaults);
    if (interrupt_before.sa_handler != SIG_IGN)
        sigaddset(&defaults, SIGINT);
    if (quit_before.sa_handler != SIG_IGN)
        sigaddset(&defaults, SIGQUIT);
    posix_spawnattr_init(attributes);
    posix_spawnattr_setsigmask(attributes, mask);
    posix_spawnattr_setsigdefault(attributes, &defaults);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

int boundary_system(const char *command)
{
    posix_spawnattr_t attributes;
    sigset_t child_signal;
    sigset_t mask;
    pid_t child;
    int status = -1;

    if (!command)
        return real_libc()->system(NULL);
    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    ignore_keyboard();
    sigprocmask(SIG_BLOCK, &child_signal, &mask);
    set_shell_signals(&attributes, &mask);
    const int error = start_shell("libc.system", command, NULL, &attributes, &child);
    if (error == 0) {
        while (waitpid(child, &status, 0) < 0) {
            if (errno == EINTR)
                continue;
            status = -1;
            break;
        }
    } else if (error != EACCES) {
        status = W_EXITCODE(127, 0); /* as a shell that could not be started */
    }
    heed_keyboard();
    sigprocmask(SIG_SETMASK, &mask, NULL);
    posix_spawnattr_destroy(&attributes);
    if (error)
        errno = error;
    return status;
}

/* ----------------------------------------------------------------------------------------- popen
 */

/* Streams that came from here, with their children. */
struct opened {
    FILE *stream;
    pid_t child;
    struct opened *next;
};

static pthread_mutex_t opened_lock = PTHREAD_MUTEX_INITIALIZER;
static struct opened *all_opened;

void boundary_shell_forked(void)
{
    system_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    opened_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

struct popen_mode {
    bool reads;
    bool close_on_exec;
};

static bool read_mode(const char *text, struct popen_mode *mode)
{
    bool writes = false;

    *mode = (struct popen_mode){.reads = false};
    for (; *text; text++) {
        if (*text == 'r')
            mode->reads = true;
        else if (*text == 'w')
            writes = true;
        else if (*text == 'e')
            mode->close_on_exec = true;
        else
            return false;
    }
    return mode->reads != writes;
}

/* The child's end becomes its standard input or output; streams of earlier calls are not its. */
static int start_with_pipe(const char *command, int own, int wanted, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);

    if (error)
        return error;
    error = posix_spawn_file_actions_adddup2(&actions, own, wanted);
    pthread_mutex_lock(&opened_lock);
    for (const struct opened *other = all_opened; !error && other; other = other->next)
        if (fileno(other->stream) != wanted)
            error = posix_spawn_file_actions_addclose(&actions, fileno(other->stream));
    if (!error)
        error = start_shell("libc.popen", command, &actions, NULL, child);
    pthread_mutex_unlock(&opened_lock);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

FILE *boundary_popen(const char *command, const char *mode_text)
{
    struct popen_mode mode;
    int ends[2];

    if (!read_mode(mode_text, &mode)) {
        errno = EINVAL;
        return NULL;
    }
    struct opened *opened = malloc(sizeof(*opened));
    if (!opened || pipe2(ends, O_CLOEXEC) < 0) {
        free(opened);
        return NULL;
    }
    const int ours = mode.reads ? ends[0] : ends[1];
    const int theirs = mode.reads ? ends[1] : ends[0];
    opened->stream = fdopen(ours, mode.reads ? "r" : "w");
    const int error =
        opened->stream ? start_with_pipe(command, theirs, mode.reads ? STDOUT_FILENO : STDIN_FILENO,
                                         &opened->child)
                       : errno;
    close(theirs);
    if (error) {
        if (opened->stream)
            fclose(opened->stream);
        else
            close(ours);
        free(opened);
        errno = error;
        return NULL;
    }
    if (!mode.close_on_exec)
        fcntl(ours, F_SETFD, 0);
    FILE *stream = opened->stream;
    pthread_mutex_lock(&opened_lock);
    opened->next = all_opened;
    all_opened = opened;
    pthread_mutex_unlock(&opened_lock);
    return stream;
}

bool boundary_pclose(FILE *stream, int *status)
{
    struct opened *found = NULL;

    pthread_mutex_lock(&opened_lock);
    for (struct opened **at = &all_opened; *at; at = &(*at)->next) {
        if ((*at)->stream != stream)
            continue;
        found = *at;
        *at = found->next;
        break;
    }
    pthread_mutex_unlock(&opened_lock);
    if (!found)
        return false;
    const pid_t child = found->child;
    free(found);
    fclose(stream);
    while (waitpid(child, status, 0) < 0) {
        if (errno == EINTR)
            continue;
        *status = -1;
        break;
    }
    return true;
}

/* --------------------------------------------------------------------------------------- wordexp
 */

static bool may_expand(const char *words)
{
    struct answer *answer = work_memory_take();
    if (!answer)
        return false;
    struct question *question = boundary_borrow();
    const size_t length = strnlen(words, VALUE_BYTES_MAX);
    struct value argument = value_text(words, length);

    if (words[length])
        argument.marks = VALUE_CUT;
    bool allowed = boundary_judge(question, "libc.wordexp", &argument, 1, answer);
    boundary_return(question);
    if (allowed && boundary_holds(CLASS_EXEC)) {
        boundary_deny(
            "libc.wordexp",
            "libc would start the shell itself, with an environment that nobody has seen to",
            answer);
        allowed = false;
    }
    if (!allowed)
        boundary_refuse(answer);
    work_memory_return(answer);
    return allowed;
}

int boundary_wordexp(const char *words, wordexp_t *expansion, int flags)
{
    wordexp_t tried = {.we_wordc = 0};
    char *copy = strdup(words);

    if (!copy)
        return WRDE_NOSPACE;
    int result = real_libc()->wordexp(copy, &tried, (flags & WRDE_UNDEF) | WRDE_NOCMD);
    if (result == 0)
        wordfree(&tried);
    if (result != WRDE_CMDSUB || (flags & WRDE_NOCMD))
        result = real_libc()->wordexp(copy, expansion, flags | WRDE_NOCMD);
    else if (may_expand(copy))
        result = real_libc()->wordexp(copy, expansion, flags);
    free(copy);
    return result;
}
