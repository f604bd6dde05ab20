#define _GNU_SOURCE
#include "daemon/sweeper.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SOCKETS_AT_ONCE = 64, /* that one child ends with */
    CHILDREN_MAX = 16,    /* one may take its time, where a file system goes with what it has */
};

union ancillary {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

bool sweeper_take(const struct sweeper *sweeper, int socket)
{
    union ancillary ancillary;
    char nothing = 0;
    struct iovec part = {.iov_base = &nothing, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = ancillary.bytes,
                             .msg_controllen = sizeof(ancillary.bytes)};

    memset(&ancillary, 0, sizeof(ancillary));
    struct cmsghdr *item = CMSG_FIRSTHDR(&message);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(item), &socket, sizeof(int));
    return sweeper->socket >= 0 &&
           sendmsg(sweeper->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

/* The next one: -1 if there is none for now (errno EAGAIN), or never will be. */
static int receive(int from, int flags)
{
    union ancillary ancillary;
    char nothing;
    struct iovec part = {.iov_base = &nothing, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = ancillary.bytes,
                             .msg_controllen = sizeof(ancillary.bytes)};
    int socket = -1;

    errno = 0;
    if (recvmsg(from, &message, flags | MSG_CMSG_CLOEXEC) != 1)
        return -1;
    const struct cmsghdr *item = CMSG_FIRSTHDR(&message);
    if (item && item->cmsg_type == SCM_RIGHTS)
        memcpy(&socket, CMSG_DATA(item), sizeof(int));
    return socket;
}

/* The child has them until nobody else does, and ends. */
static void let_go(const int *sockets, int count, unsigned *children)
{
    int waiting[2];

    if (pipe(waiting) < 0)
        _exit(EXIT_FAILURE); /* and whatever there is goes with this process */
    const pid_t child = fork();
    if (child < 0)
        _exit(EXIT_FAILURE);
    if (child == 0) {
        char nothing;
        close(waiting[1]);
        while (read(waiting[0], &nothing, 1) < 0 && errno == EINTR)
            ;
        _exit(EXIT_SUCCESS);
    }
    for (int i = 0; i < count; i++)
        close(sockets[i]);
    close(waiting[0]);
    close(waiting[1]);
    ++*children;
}

static void sweep(int from)
{
    int sockets[SOCKETS_AT_ONCE];
    unsigned children = 0;

    for (;;) {
        int count = 0;
        sockets[0] = receive(from, 0);
        if (sockets[0] < 0 && errno != EINTR)
            return;
        while (sockets[count] >= 0 && ++count < SOCKETS_AT_ONCE)
            sockets[count] = receive(from, MSG_DONTWAIT);
        while (children > 0 && waitpid(-1, NULL, children < CHILDREN_MAX ? WNOHANG : 0) > 0)
            children--;
        if (count > 0)
            let_go(sockets, count, &children);
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
    while (waitpid(sweeper->process, NULL, 0) < 0 && errno == EINTR)
        ;
}
