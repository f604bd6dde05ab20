/* What a libuv server can do at most: for every packet one of a fixed size back, over
 * SOCK_SEQPACKET. It decides nothing, checks nothing and records nothing.
 *
 *     echo_server SOCKET REPLY_SIZE
 *
 * Descriptors are watched with uv_poll and read and written directly, which is the fastest way
 * through libuv (streams take longer, see limits of uv_write). Prints "ready" and serves until it
 * is ended. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

enum { PACKET_MAX = 128 * 1024 };

static char packet[PACKET_MAX];
static size_t reply_size;

struct client {
    uv_poll_t poll;
    int socket;
};

static void on_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    close(client->socket);
    free(client);
}

static void on_packet(uv_poll_t *poll, int status, int events)
{
    struct client *client = poll->data;

    (void)events;
    if (status < 0 || recv(client->socket, packet, sizeof(packet), MSG_DONTWAIT) <= 0 ||
        send(client->socket, packet, reply_size, MSG_DONTWAIT | MSG_NOSIGNAL) !=
            (ssize_t)reply_size) {
        uv_poll_stop(poll);
        uv_close((uv_handle_t *)poll, on_closed);
    }
}

static void on_connection(uv_poll_t *listener, int status, int events)
{
    const int end = accept4(*(int *)listener->data, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct client *client = end >= 0 ? calloc(1, sizeof(*client)) : NULL;

    (void)status;
    (void)events;
    if (!client)
        return;
    client->socket = end;
    client->poll.data = client;
    uv_poll_init(listener->loop, &client->poll, end);
    uv_poll_start(&client->poll, UV_READABLE, on_packet);
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct rlimit limit;
    uv_poll_t poll;
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (argc != 3 || strlen(argv[1]) >= sizeof(address.sun_path))
        return 2;
    reply_size = strtoul(argv[2], NULL, 10);
    strcpy(address.sun_path, argv[1]);
    if (reply_size == 0 || reply_size > sizeof(packet) || listener < 0 ||
        bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(listener, SOMAXCONN) < 0) {
        perror(argv[1]);
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    uv_poll_init(uv_default_loop(), &poll, listener);
    poll.data = &listener;
    uv_poll_start(&poll, UV_READABLE, on_connection);
    puts("ready");
    fflush(stdout);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
