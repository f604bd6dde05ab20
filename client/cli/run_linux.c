/* The program runs as a child in the same process group: what is typed at the terminal reaches
 * both, and this process leaves it to the child. Signals that are sent to this process alone are
 * passed on. */
#define _GNU_SOURCE
#include "client/cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client/cli/command.h"
#include "client/cli/interpreter.h"
#include "client/floor/floor.h"

enum {
    HELLO_MILLISECONDS = 2000, /* an interpreter without the hook that has run so long is ended; of
                                  one that has it, it is said that it waits */
    HOOKED_MILLISECONDS =
        15000,                       /* one that has it ends itself if the daemon does not answer
                                        (client/hook/hook_session.h, WELCOME_MILLISECONDS): after that */
    NEWS_MILLISECONDS = 200,         /* for a Hello that the daemon has not told of yet, */
    HOOKED_NEWS_MILLISECONDS = 5000, /* and of one that had the hook */
    FIRST_MILLISECONDS = 10,         /* between looks at a program that has just begun, */
    FIRST_LOOKS = 20,         /* for so many of them: an interpreter needs that long to start; */
    LOOK_MILLISECONDS = 100,  /* then, */
    CALM_MILLISECONDS = 1000, /* and once it has run for a while */
    CALM_AFTER = 50,          /* looks */
    DOOR_LEAST = 100,         /* descriptors below are the program's to use */
    SAID_ALREADY = -1,        /* in place of an errno */
};

static const int passed_on[] = {SIGTERM, SIGHUP,    SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGCONT,
                                SIGPROF, SIGVTALRM, SIGXCPU, SIGXFSZ, SIGIO,   SIGPWR};

struct running {
    pid_t pid;
    int signals; /* signalfd */
    struct daemon_client *client;
    bool adopts; /* other children than the program come to be ours */
    struct interpreter_watch watch;
    bool silent;        /* it is an interpreter and has not said Hello */
    int64_t silent_for; /* so long, as it could run: a busy host is not held against it */
    int64_t waited;     /* for a processor, when it was looked at last */
    bool said_waiting;  /* that the daemon has not answered it */
    int64_t last_look;
    int64_t last_hello;
    unsigned looks;
    bool ended_by_us;
    bool wants_policy;   /* and has not been told that there is none */
    bool has_own_daemon; /* which nobody starts again */
};

static int64_t now_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -----------------------------------------------------------------------------------------
 * starting */

static bool set_preload(const char *hook)
{
    const char *before = getenv("LD_PRELOAD");
    char *value = NULL;

    if (asprintf(&value, "%s%s%s", hook, before && *before ? ":" : "", before ? before : "") < 0)
        return false;
    const bool set = setenv("LD_PRELOAD", value, 1) == 0;
    free(value);
    return set;
}

/* Leaves the door open across the exec and says where it is: DESCRIPTOR:COOKIE, so that no program
 * takes for it what has the number later. The kernel gives no other socket the same cookie; the
 * numbers of inodes come round. */
static bool leave_door(int door)
{
    char text[48];
    uint64_t cookie;
    socklen_t size = sizeof(cookie);

    int kept = fcntl(door, F_DUPFD, DOOR_LEAST);
    if (kept < 0) /* a low limit of open files */
        kept = fcntl(door, F_DUPFD, STDERR_FILENO + 1);
    if (kept < 0 || getsockopt(kept, SOL_SOCKET, SO_COOKIE, &cookie, &size) < 0)
        return false;
    snprintf(text, sizeof(text), "%d:%" PRIu64, kept, cookie);
    return setenv("WARDER_DOOR", text, 1) == 0;
}

/* True if this kernel can hold all of the floor that is required; says what else it cannot. */
static bool can_hold(const Warder__V1__Floor *floor)
{
    const struct floor_terms terms = {
        .stage = FLOOR_INTERPRETER, .landlock_abi = landlock_kernel_abi(), .early = true};
    struct floor_taken taken;
    struct floor_failure failure;

    if (!floor || !floor->classes)
        return true;
    floor_foresee(floor, &terms, &taken);
    if (!floor_is_enough(floor, &taken, &failure)) {
        complain("%s. Nothing was run", failure.text);
        return false;
    }
    for (size_t i = 0; i < taken.missing.count; i++)
        complain("the floor is not held by this kernel in one part: %s", taken.missing.texts[i]);
    return true;
}

/* In the child: what the kernel holds from here on. */
static bool take_floor(const struct run_plan *plan)
{
    const struct floor_terms terms = {.stage = FLOOR_BEFORE_PROGRAM,
                                      .landlock_abi = landlock_kernel_abi()};
    struct floor_taken taken;
    struct floor_failure failure;

    if (plan->floor && plan->floor->classes) {
        if (floor_take(plan->floor, &terms, &taken, &failure))
            return true;
        complain("%s. Nothing was run", failure.text);
        return false;
    }
    const int error = plan->keeps_signals_inside ? floor_keep_signals_inside() : 0;
    if (error == 0 || error == -ENOSYS || error == -E2BIG)
        return true;
    complain("the program cannot be kept from signalling its daemon: %s", strerror(-error));
    return false;
}

/* A private daemon's socket lies where the program can put another: its number does not change. */
static bool name_daemon(pid_t daemon)
{
    char number[16];

    if (daemon == 0)
        return unsetenv("WARDER_DAEMON") == 0;
    snprintf(number, sizeof(number), "%d", (int)daemon);
    return setenv("WARDER_DAEMON", number, 1) == 0;
}

/* In the child. Reports through the pipe, which closes if the exec succeeds. */
__attribute__((noreturn)) static void become_program(const struct run_plan *plan,
                                                     const sigset_t *mask, int report)
{
    int error = ENOMEM;

    if (leave_door(plan->door) && set_preload(plan->hook) &&
        setenv("WARDER_RUN", plan->token, 1) == 0 &&
        setenv("WARDER_SOCKET", plan->session_socket, 1) == 0 && name_daemon(plan->daemon)) {
        sigprocmask(SIG_SETMASK, mask, NULL);
        if (!take_floor(plan)) {
            error = SAID_ALREADY;
            (void)!write(report, &error, sizeof(error));
            _exit(EXIT_RUN_FAILED);
        }
        execvp(plan->program[0], plan->program);
        error = errno;
    }
    (void)!write(report, &error, sizeof(error));
    _exit(EXIT_RUN_FAILED);
}

static int start(struct run_plan *plan, struct running *running, const sigset_t *mask)
{
    int report[2];
    int error = 0;

    if (plan->adopts && prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) < 0)
        return errno;
    if (pipe2(report, O_CLOEXEC) < 0)
        return errno;
    running->pid = fork();
    if (running->pid == 0)
        become_program(plan, mask, report[1]);
    close(report[1]);
    close(plan->door);
    plan->door = -1;
    if (running->pid < 0)
        error = errno;
    else if (read(report[0], &error, sizeof(error)) != sizeof(error))
        error = 0;
    close(report[0]);
    if (error && running->pid > 0)
        waitpid(running->pid, NULL, 0);
    return error;
}

/* --------------------------------------------------------------------------------------- watching
 */

static void hear_of_start(struct running *running, const Warder__V1__Started *started)
{
    if (started->pid == running->pid)
        running->last_hello = now_milliseconds();
    if (!started->ungoverned || !running->wants_policy)
        return;
    complain("no policy of this host governs the program (process %d): nothing is denied to it. "
             "Name one, such as --policy no-process",
             (int)started->pid);
    running->wants_policy = false;
}

/* False if there was nothing to hear. */
static bool hear(struct running *running, int milliseconds)
{
    const Warder__V1__DaemonMessage *message =
        daemon_client_receive(running->client, milliseconds, NULL);

    if (message && message->body_case == WARDER__V1__DAEMON_MESSAGE__BODY_STARTED)
        hear_of_start(running, message->started);
    if (!message && errno != ETIMEDOUT) {
        complain("the policy daemon is gone: nothing is allowed to the program %s",
                 running->has_own_daemon ? "any more" : "until it is back");
        running->client = NULL;
    }
    return message != NULL;
}

/* Counts the time since the last look in which a silent program could have spoken. */
static void count_silence(struct running *running, int64_t now)
{
    bool stopped;
    const int64_t waited = interpreter_waited(running->pid, &stopped);
    const int64_t ran = now - running->last_look - (waited - running->waited);

    if (running->silent && !stopped && ran > 0)
        running->silent_for += ran;
    running->waited = waited;
    running->silent = true;
}

/* For the daemon's record; one that is gone cannot be told. */
static void tell_daemon(struct running *running, Warder__V1__UnguardedReason reason)
{
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Unguarded unguarded = WARDER__V1__UNGUARDED__INIT;

    if (!running->client)
        return;
    unguarded.reason = reason;
    unguarded.pid = running->pid;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_UNGUARDED;
    message.unguarded = &unguarded;
    daemon_client_send(running->client, &message);
}

static void end_program(struct running *running, Warder__V1__UnguardedReason reason)
{
    tell_daemon(running, reason);
    running->ended_by_us = true;
    kill(running->pid, SIGKILL);
}

/* Ends a program that is an interpreter and does not say Hello: the loader did not preload the
 * hook. Where it did, the hook lets no code of the program run before the daemon has answered, and
 * ends the process itself if that takes too long: what is to be done about it is to wait. */
static void judge_silence(struct running *running)
{
    if (!running->watch.has_hook) {
        if (running->silent_for < HELLO_MILLISECONDS)
            return;
        complain("the interpreter did not come under policy: the loader did not preload the hook, "
                 "or it is no CPython from 3.8 on. It is ended.");
        end_program(running, WARDER__V1__UNGUARDED_REASON__UNGUARDED_REASON_ENDED);
    } else if (!running->client) {
        return; /* nobody tells of it any more */
    } else if (running->silent_for >= HOOKED_MILLISECONDS) {
        complain("the interpreter has the hook and did not come under policy within %d seconds: "
                 "the policy daemon has not answered it. It is ended.",
                 HOOKED_MILLISECONDS / 1000);
        end_program(running, WARDER__V1__UNGUARDED_REASON__UNGUARDED_REASON_UNANSWERED);
    } else if (running->silent_for >= HELLO_MILLISECONDS && !running->said_waiting) {
        complain("the policy daemon has not answered the interpreter (process %d) yet: it waits, "
                 "and ends if that takes longer than some seconds",
                 (int)running->pid);
        running->said_waiting = true;
    }
}

static void look(struct running *running)
{
    const int64_t now = now_milliseconds();
    bool fresh;

    while (running->client && hear(running, 0))
        ;
    const bool interpreter = interpreter_look(&running->watch, running->pid, &fresh);
    running->looks++;
    if (fresh) {
        running->silent = false;
        running->silent_for = 0;
        running->looks = 0;
        /* A Hello between the last look and this one was this program's. */
        if (running->last_hello < running->last_look)
            running->last_hello = 0;
    }
    if (!interpreter || running->last_hello) {
        running->silent = false;
        running->silent_for = 0;
    } else {
        count_silence(running, now);
        judge_silence(running);
    }
    running->last_look = now;
}

/* The program has stopped or ended, or an orphan of it has. True if the program has ended:
 * `*status` is waitpid's. */
static bool reap(const struct running *running, int *status)
{
    const pid_t awaited = running->adopts ? -1 : running->pid;
    pid_t pid;
    int found;

    while ((pid = waitpid(awaited, &found, WNOHANG | WUNTRACED)) > 0) {
        if (pid != running->pid)
            continue;
        if (!WIFSTOPPED(found)) {
            *status = found;
            return true;
        }
        /* Stopped from the terminal: so does this process, and both go on together. */
        kill(getpid(), SIGSTOP);
        kill(running->pid, SIGCONT);
    }
    return false;
}

static void pass_on(const struct running *running, const struct signalfd_siginfo *info)
{
    const int number = (int)info->ssi_signo;

    /* From the terminal (the kernel) the child has it already; what a write of this process raised
     * (SIGXFSZ) is this process's. */
    if (number != SIGCHLD && info->ssi_code <= 0 && info->ssi_pid != (uint32_t)getpid())
        kill(running->pid, number);
}

static int watch(struct running *running)
{
    int status = 0;

    for (;;) {
        struct pollfd ready[2] = {
            {.fd = running->signals, .events = POLLIN},
            {.fd = running->client ? running->client->socket : -1, .events = POLLIN},
        };
        struct signalfd_siginfo info;
        const int wait = running->looks < FIRST_LOOKS  ? FIRST_MILLISECONDS
                         : running->looks < CALM_AFTER ? LOOK_MILLISECONDS
                                                       : CALM_MILLISECONDS;
        const int count = poll(ready, 2, wait);

        if (count > 0 && (ready[0].revents & POLLIN) &&
            read(running->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
            pass_on(running, &info);
        if (reap(running, &status))
            return status;
        if (count > 0 && ready[1].revents && running->client)
            hear(running, 0);
        if (now_milliseconds() - running->last_look >= wait)
            look(running);
    }
}

/* ------------------------------------------------------------------------------------------ ending
 */

static int end_like(int status)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    /* A caller that looks sees what it would have seen of the program; no second core file. */
    const int number = WTERMSIG(status);
    sigset_t only;
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    signal(number, SIG_DFL);
    sigemptyset(&only);
    sigaddset(&only, number);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    return 128 + number;
}

/* The program was an interpreter, and has ended before it was missed. One that the hook itself has
 * ended has said why. */
static bool was_unguarded(struct running *running, int status)
{
    const int patience = running->watch.has_hook ? HOOKED_NEWS_MILLISECONDS : NEWS_MILLISECONDS;

    if (!running->silent || !WIFEXITED(status) || WEXITSTATUS(status) == EXIT_NOT_RUNNABLE)
        return false;
    while (running->client && !running->last_hello) {
        const int64_t before = now_milliseconds();
        hear(running, patience);
        if (now_milliseconds() - before >= patience)
            break; /* no more news */
    }
    if (running->last_hello)
        return false;
    if (running->watch.has_hook && !running->client)
        return false; /* nobody tells of it any more; without an answer the hook has ended it */
    if (running->watch.has_hook) {
        tell_daemon(running, WARDER__V1__UNGUARDED_REASON__UNGUARDED_REASON_UNANSWERED);
        complain("the interpreter has ended with status %d, and the policy daemon has not told "
                 "that it came under policy: whether what it did was judged is not known.",
                 WEXITSTATUS(status));
        return true;
    }
    tell_daemon(running, WARDER__V1__UNGUARDED_REASON__UNGUARDED_REASON_UNJUDGED);
    complain("the interpreter did not come under policy, and has ended with status %d: the loader "
             "did not preload the hook (what started it may have cleared LD_PRELOAD), or it is no "
             "CPython from 3.8 on. Nothing that it did was judged.",
             WEXITSTATUS(status));
    return true;
}

static int explain_failure(const char *program, int error)
{
    if (error == SAID_ALREADY)
        return EXIT_RUN_FAILED;
    complain("%s: %s", program, strerror(error));
    return error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE;
}

int run_program(struct run_plan *plan)
{
    struct running running = {.client = plan->client,
                              .wants_policy = plan->wants_policy,
                              .adopts = plan->adopts,
                              .has_own_daemon = plan->daemon > 0,
                              .watch = {.hook = plan->hook}};
    sigset_t wanted;
    sigset_t before;

    if (!can_hold(plan->floor)) {
        close(plan->door);
        return EXIT_RUN_FAILED;
    }
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGQUIT);
    for (size_t i = 0; i < sizeof(passed_on) / sizeof(*passed_on); i++)
        sigaddset(&wanted, passed_on[i]);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        sigaddset(&wanted, number);
    sigprocmask(SIG_BLOCK, &wanted, &before);
    running.signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    if (running.signals < 0) {
        complain("signals cannot be watched: %s", strerror(errno));
        return EXIT_RUN_FAILED;
    }
    const int error = start(plan, &running, &before);
    if (error) {
        close(running.signals);
        return explain_failure(plan->program[0], error);
    }
    const int status = watch(&running);
    close(running.signals);
    while (running.client && running.wants_policy && hear(&running, 0))
        ; /* of a program that was quicker than the news of it */
    if (running.ended_by_us || was_unguarded(&running, status))
        return EXIT_RUN_FAILED;
    return end_like(status);
}
