#define _GNU_SOURCE
#include "daemon/sweeper.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    NAP_MILLISECONDS = 5,
    END_MILLISECONDS = 2000, /* for the sweeper, which may wait for its children */
    SOCKETS_AT_ONCE = 64,    /* that one child ends with */
    CHILDREN_MAX = 16,       /* one may take its time, where a file system goes with what it has */
};

union ancillary {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

static void take_a_nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = NAP_MILLISECONDS * 1000L * 1000}, NULL);
}

/* Each message says that the sockets of those before it are closed in the daemon: else its own
 * close() would be the last of one that is let go of here first. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* With a socket, or without one (-1). */
static bool tell(int to, int socket)
{
    union ancillary ancillary;
    char nothing = 0;
    struct iovec part = {.iov_base = &nothing, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (socket >= 0) {
        memset(&ancillary, 0, sizeof(ancillary));
        message.msg_control = ancillary.bytes;
        message.msg_controllen = sizeof(ancillary.bytes);
        struct cmsghdr *item = CMSG_FIRSTHDR(&message);
        item->cmsg_level = SOL_SOCKET;
        item->cmsg_type = SCM_RIGHTS;
        item->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(item), &socket, sizeof(int));
    }
    return sendmsg(to, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

bool sweeper_take(const struct sweeper *sweeper, int socket)
{
    if (sweeper->socket < 0)
        return false;
    pthread_mutex_lock(&lock);
    const bool taken = tell(sweeper->socket, socket);
    if (taken) {
        close(socket);
        (void)tell(sweeper->socket, -1); /* else the next one says it */
    }
    pthread_mutex_unlock(&lock);
    return taken;
}

/* What has come, in their order. Those before the last message are closed in the daemon. */
struct sockets {
    int items[SOCKETS_AT_ONCE];
    int count;
    int closed;
};

/* False if there is no message: errno is EAGAIN if there is none for now, 0 if there never will be.
 */
static bool receive(int from, int flags, struct sockets *sockets)
{
    union ancillary ancillary;
    char nothing;
    struct iovec part = {.iov_base = &nothing, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = ancillary.bytes,
                             .msg_controllen = sizeof(ancillary.bytes)};

    errno = 0;
    if (recvmsg(from, &message, flags | MSG_CMSG_CLOEXEC) != 1)
        return false;
    const struct cmsghdr *item = CMSG_FIRSTHDR(&message);
    sockets->closed = sockets->count;
    if (item && item->cmsg_type == SCM_RIGHTS)
        memcpy(&sockets->items[sockets->count++], CMSG_DATA(item), sizeof(int));
    return true;
}

/* The child: holds what is closed in the daemon until the sweeper has closed it too, and ends with
 * it. */
static void end_with(const struct sockets *sockets, int from, const int *waiting)
{
    char nothing;

    close(from);
    close(waiting[1]);
    for (int i = sockets->closed; i < sockets->count; i++)
        close(sockets->items[i]);
    while (read(waiting[0], &nothing, 1) < 0 && errno == EINTR)
        ;
    _exit(EXIT_SUCCESS);
}

/* False, and all is as it was, if no child can be made for now. */
static bool let_go(struct sockets *sockets, int from)
{
    int waiting[2];

    if (pipe(waiting) < 0)
        return false;
    const pid_t child = fork();
    if (child == 0)
        end_with(sockets, from, waiting);
    for (int i = 0; i < sockets->closed && child > 0; i++)
        close(sockets->items[i]);
    close(waiting[0]);
    close(waiting[1]);
    if (child < 0)
        return false;
    sockets->count -= sockets->closed;
    memmove(sockets->items, sockets->items + sockets->closed,
            (size_t)sockets->count * sizeof(sockets->items[0]));
    sockets->closed = 0;
    return true;
}

/* Nothing comes from the daemon any more. */
static bool is_over(int from)
{
    struct pollfd end = {.fd = from};
    return poll(&end, 1, 0) > 0;
}

static void reap(unsigned *children)
{
    while (*children > 0 && waitpid(-1, NULL, WNOHANG) > 0)
        --*children;
}

static void sweep(int from)
{
    struct sockets sockets = {.count = 0};
    unsigned children = 0;

    for (;;) {
        if (!receive(from, 0, &sockets)) {
            if (errno != EINTR)
                return;
            continue;
        }
        while (sockets.count < SOCKETS_AT_ONCE && receive(from, MSG_DONTWAIT, &sockets))
            ;
        reap(&children);
        if (sockets.closed == 0)
            continue;
        while (children == CHILDREN_MAX || !let_go(&sockets, from)) {
            if (is_over(from))
                return;
            take_a_nap();
            reap(&children);
        }
        children++;
    }
}

static void close_others(int kept)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        const int descriptor = (int)strtol(entry->d_name, NULL, 10); /* "." and ".." are 0 */
        if (descriptor > STDERR_FILENO && descriptor != kept && descriptor != dirfd(directory))
            close(descriptor);
    }
    if (directory)
        closedir(directory);
}

bool sweeper_start(struct sweeper *sweeper)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return false;
    const pid_t process = fork();
    if (process == 0) {
        prctl(PR_SET_NAME, "warderd-sweeper");
        /* The service manager ends the daemon, and the daemon's end this one's work. */
        signal(SIGTERM, SIG_IGN);
        signal(SIGINT, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        close_others(ends[1]);
        sweep(ends[1]);
        close(ends[1]);
        _exit(EXIT_SUCCESS);
    }
    const int error = errno;
    close(ends[1]);
    if (process < 0)
        close(ends[0]);
    else
        *sweeper = (struct sweeper){.socket = ends[0], .process = process};
    errno = error;
    return process > 0;
}

void sweeper_stop(struct sweeper *sweeper)
{
    if (sweeper->socket < 0)
        return;
    close(sweeper->socket);
    sweeper->socket = -1;
    for (int waited = 0; waited < END_MILLISECONDS; waited += NAP_MILLISECONDS) {
        if (waitpid(sweeper->process, NULL, WNOHANG) != 0)
            return;
        take_a_nap();
    }
}
