#define _GNU_SOURCE
#include "client/cli/private_daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client/cli/command.h"
#include "client/cli/installation.h"
#include "proto/packet_socket.h"

enum {
    CONTROL = 3,               /* descriptor of its owner's connection, in the daemon */
    STOP_MILLISECONDS = 10000, /* for what it still has to write: it gives up after 5 seconds */
    NAP_MILLISECONDS = 5,      /* between looks at a daemon that is to end, on older kernels */
};

static bool lets_others_through(const char *directory)
{
    struct stat status;
    return stat(directory, &status) == 0 && status.st_mode & S_IXOTH;
}

/* A directory that nobody else can look into; short, for a socket's path has 108 bytes. Processes
 * of a run of root's can become another user's, and must still find the socket: they can go through
 * it, and the daemon knows them by the run's token. */
static char *make_directory(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const bool root = geteuid() == 0;
    char path[PATH_MAX];

    if (!runtime || runtime[0] != '/' || strlen(runtime) >= 64 ||
        (root && !lets_others_through(runtime)))
        runtime = "/tmp";
    snprintf(path, sizeof(path), "%s/warder-XXXXXX", runtime);
    if (!mkdtemp(path)) {
        snprintf(path, sizeof(path), "/tmp/warder-XXXXXX");
        if (!mkdtemp(path))
            return NULL;
    }
    if (root && chmod(path, S_IRWXU | S_IXGRP | S_IXOTH) < 0) {
        rmdir(path);
        return NULL;
    }
    return strdup(path);
}

/* In the child: only standard streams and the connection stay open. */
__attribute__((noreturn)) static void become_daemon(const char *program, char **arguments,
                                                    int control)
{
    setsid();
    if (control == CONTROL) {
        /* Already there, but it must survive the exec. */
        const int kept = dup(control);
        dup2(kept, CONTROL);
        close(kept);
    } else {
        dup2(control, CONTROL);
    }
    closefrom(CONTROL + 1);
    execv(program, arguments);
    complain("%s: %s", program, strerror(errno));
    _exit(EXIT_RUN_FAILED);
}

enum purpose {
    PURPOSE_DENIALS, /* to judge, and to record denials and what `log` rules name */
    PURPOSE_RECORD,  /* to judge, and to record every decision */
    PURPOSE_READING, /* to show what was recorded */
    PURPOSE_MENDING, /* to change what is stored */
};

/* What the system has not enough of, in words, with what to do about it. */
static bool fail_to_start(int error)
{
    complain("the private daemon cannot be started: %s%s", strerror(error),
             error == EAGAIN ? ": there are as many processes as there may be (`ulimit -u`, "
                               "TasksMax= of systemd)"
             : error == EMFILE || error == ENFILE
                 ? ": as many files are open as there may be (`ulimit -n`)"
                 : "");
    return false;
}

static bool start(struct private_daemon *daemon, const char *state_directory, enum purpose purpose)
{
    char socket[PATH_MAX];
    char control[16];
    char *arguments[16];
    int sockets[2];
    int count = 0;
    char *program = installed_daemon();

    if (!program) {
        complain("warderd is not beside this program: the installation is not complete");
        return false;
    }
    snprintf(socket, sizeof(socket), "%s/session.sock", daemon->directory);
    snprintf(control, sizeof(control), "%d", CONTROL);
    arguments[count++] = program;
    arguments[count++] = "--private";
    arguments[count++] = control;
    arguments[count++] = "--socket";
    arguments[count++] = socket;
    if (state_directory) {
        arguments[count++] = "--state-dir";
        arguments[count++] = (char *)state_directory;
    } else {
        arguments[count++] = "--temporary";
    }
    if (purpose == PURPOSE_READING)
        arguments[count++] = "--reading";
    if (purpose == PURPOSE_MENDING)
        arguments[count++] = "--mending";
    if (purpose == PURPOSE_RECORD) {
        arguments[count++] = "--record";
        arguments[count++] = "all";
    }
    arguments[count] = NULL;
    if (packet_socket_pair(sockets) < 0) {
        const int error = errno;
        free(program);
        return fail_to_start(error);
    }
    daemon->pid = fork();
    const int error = errno;
    if (daemon->pid == 0)
        become_daemon(program, arguments, sockets[1]);
    close(sockets[1]);
    free(program);
    if (daemon->pid < 0) {
        close(sockets[0]);
        return fail_to_start(error);
    }
    daemon->client = daemon_client_new(sockets[0]);
    return daemon->client || fail_to_start(errno);
}

static bool start_in_directory(struct private_daemon *daemon, const char *state_directory,
                               enum purpose purpose)
{
    *daemon = (struct private_daemon){.pid = -1, .directory = make_directory(), .opened = -1};
    if (daemon->directory)
        daemon->opened = open(daemon->directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (!daemon->directory || daemon->opened < 0) {
        complain("no temporary directory can be made: %s", strerror(errno));
        if (daemon->directory)
            rmdir(daemon->directory);
        free(daemon->directory);
        return false;
    }
    if (start(daemon, state_directory, purpose))
        return true;
    private_daemon_stop(daemon);
    return false;
}

bool private_daemon_start(struct private_daemon *daemon, const char *state_directory, bool record)
{
    return start_in_directory(daemon, state_directory, record ? PURPOSE_RECORD : PURPOSE_DENIALS);
}

bool private_daemon_start_reading(struct private_daemon *daemon, const char *state_directory)
{
    return start_in_directory(daemon, state_directory, PURPOSE_READING);
}

bool private_daemon_start_mending(struct private_daemon *daemon, const char *state_directory)
{
    return start_in_directory(daemon, state_directory, PURPOSE_MENDING);
}

/* Waits for its end, at most so long; true if it has ended, and is no child any more: `*status` is
 * waitpid's. */
static bool has_ended(pid_t pid, int milliseconds, int *status)
{
    struct pollfd process = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};

    if (process.fd >= 0) {
        while (poll(&process, 1, milliseconds) < 0 && errno == EINTR)
            ;
        close(process.fd);
        return waitpid(pid, status, WNOHANG) != 0;
    }
    /* Linux before 5.3: looked at every now and then. */
    for (int waited = 0; waitpid(pid, status, WNOHANG) == 0; waited += NAP_MILLISECONDS) {
        if (waited >= milliseconds)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = NAP_MILLISECONDS * 1000000L}, NULL);
    }
    return true;
}

/* The program may have put something else in its place, and what lies there is not ours. */
static void remove_directory(struct private_daemon *daemon)
{
    struct stat made;
    struct stat there;

    if (daemon->opened < 0)
        return;
    unlinkat(daemon->opened, "session.sock", 0);
    unlinkat(daemon->opened, "sessions", AT_REMOVEDIR);
    if (fstat(daemon->opened, &made) == 0 && lstat(daemon->directory, &there) == 0 &&
        made.st_ino == there.st_ino && made.st_dev == there.st_dev)
        rmdir(daemon->directory); /* of an empty directory alone */
    close(daemon->opened);
    daemon->opened = -1;
}

/* The daemon itself has said what it could not write; that it was killed nobody else says. */
static bool ended_well(pid_t pid)
{
    int status = 0;

    if (!has_ended(pid, STOP_MILLISECONDS, &status)) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        complain("the private daemon did not end within %d seconds and was killed: what it had not "
                 "written yet is in no record",
                 STOP_MILLISECONDS / 1000);
        return false;
    }
    if (WIFSIGNALED(status))
        complain("the private daemon was killed by signal %d: what it had not written yet is in no "
                 "record",
                 WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

bool private_daemon_stop(struct private_daemon *daemon)
{
    daemon_client_free(daemon->client);
    daemon->client = NULL;
    const bool good = daemon->pid <= 0 || ended_well(daemon->pid);
    daemon->pid = -1;
    remove_directory(daemon);
    free(daemon->directory);
    daemon->directory = NULL;
    return good;
}
