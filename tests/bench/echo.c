/* The raw limit: one packet there and one back between two processes over SOCK_SEQPACKET, of about
 * the sizes of an Ask and a Verdict.
 *
 *     echo COUNT
 *
 * Prints the median of COUNT round trips in nanoseconds. The one who answers does nothing. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    REQUEST_SIZE = 160, /* header, and the Ask of an event with two short arguments */
    REPLY_SIZE = 40,    /* header, and a Verdict that allows */
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

static void answer(int socket)
{
    char packet[REQUEST_SIZE];
    while (recv(socket, packet, sizeof(packet), 0) > 0)
        if (send(socket, packet, REPLY_SIZE, 0) != REPLY_SIZE)
            break;
}

int main(int argc, char **argv)
{
    const long count = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    uint64_t *times = count > 0 ? calloc((size_t)count, sizeof(*times)) : NULL;
    char packet[REQUEST_SIZE] = {0};
    int sockets[2];

    if (!times || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return 2;
    const pid_t child = fork();
    if (child < 0)
        return 2;
    if (child == 0) {
        close(sockets[0]);
        answer(sockets[1]);
        _exit(0);
    }
    close(sockets[1]);
    for (long i = -WARM_UP; i < count; i++) {
        const uint64_t start = now();
        if (send(sockets[0], packet, sizeof(packet), 0) != sizeof(packet) ||
            recv(sockets[0], packet, sizeof(packet), 0) != REPLY_SIZE)
            return 2;
        if (i >= 0)
            times[i] = now() - start;
    }
    close(sockets[0]);
    waitpid(child, NULL, 0);
    qsort(times, (size_t)count, sizeof(*times), compare);
    printf("%llu\n", (unsigned long long)times[count / 2]);
    free(times);
    return 0;
}
