/* The raw limit: one packet there and one back between two processes over SOCK_SEQPACKET.
 *
 *     echo COUNT REQUEST_BYTES REPLY_BYTES [CORE]
 *
 * Prints the median of COUNT round trips in nanoseconds. The one who answers, on that core if one
 * is named, is the barest server that could have many clients: epoll_wait, recv, send, and nothing
 * done with what comes. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PACKET_MAX = 128 * 1024, /* what a server must be ready for */
    EVENTS_MAX = 64,
    WARM_UP = 200,
};

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static int compare(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static char packet[PACKET_MAX];

static bool stay_on(const char *core)
{
    cpu_set_t cores;

    CPU_ZERO(&cores);
    CPU_SET(strtoul(core, NULL, 10) % CPU_SETSIZE, &cores);
    return sched_setaffinity(0, sizeof(cores), &cores) == 0;
}

static void answer(int socket, size_t reply_size)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = socket};
    struct epoll_event ready[EVENTS_MAX];
    const int set = epoll_create1(EPOLL_CLOEXEC);

    if (set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, socket, &event) < 0)
        return;
    for (;;) {
        const int count = epoll_wait(set, ready, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            const int from = ready[i].data.fd;
            if (recv(from, packet, sizeof(packet), MSG_DONTWAIT) <= 0 ||
                send(from, packet, reply_size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)reply_size)
                return;
        }
    }
}

static int ask(int socket, size_t request_size, size_t reply_size, uint64_t *times, long count)
{
    for (long i = -WARM_UP; i < count; i++) {
        const uint64_t start = now();
        if (send(socket, packet, request_size, MSG_NOSIGNAL) != (ssize_t)request_size ||
            recv(socket, packet, sizeof(packet), 0) != (ssize_t)reply_size)
            return 2;
        if (i >= 0)
            times[i] = now() - start;
    }
    return 0;
}

static size_t size_of(const char *text)
{
    const unsigned long size = strtoul(text, NULL, 10);
    return size > 0 && size <= PACKET_MAX ? size : 0;
}

int main(int argc, char **argv)
{
    const bool called = argc == 4 || argc == 5;
    const long count = called ? strtol(argv[1], NULL, 10) : 0;
    const size_t request_size = called ? size_of(argv[2]) : 0;
    const size_t reply_size = called ? size_of(argv[3]) : 0;
    uint64_t *times = count > 0 ? calloc((size_t)count, sizeof(*times)) : NULL;
    int sockets[2];

    if (!times || !request_size || !reply_size ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) {
        fprintf(stderr, "usage: echo COUNT REQUEST_BYTES REPLY_BYTES [CORE]\n");
        return 2;
    }
    const pid_t child = fork();
    if (child < 0)
        return 2;
    if (child == 0) {
        close(sockets[0]);
        if (argc == 5 && !stay_on(argv[4]))
            _exit(1);
        answer(sockets[1], reply_size);
        _exit(0);
    }
    close(sockets[1]);
    const int failed = ask(sockets[0], request_size, reply_size, times, count);
    close(sockets[0]);
    waitpid(child, NULL, 0);
    if (failed)
        return failed;
    qsort(times, (size_t)count, sizeof(*times), compare);
    printf("%llu\n", (unsigned long long)times[count / 2]);
    free(times);
    return 0;
}
