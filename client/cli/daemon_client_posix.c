#define _GNU_SOURCE
#include "client/cli/daemon_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/message_socket.h"

enum {
    /* Replies with a whole policy in them are the largest. */
    ARENA_SIZE = 2 * MESSAGE_ARENA_SIZE,
};

struct daemon_client *daemon_client_new(int socket)
{
    struct daemon_client *client = calloc(1, sizeof(*client));
    void *arena = malloc(ARENA_SIZE);
    unsigned char *memory = malloc(PACKET_SIZE_MAX + MESSAGE_SIZE_MAX);

    if (!client || !arena || !memory) {
        free(client);
        free(arena);
        free(memory);
        close(socket);
        errno = ENOMEM;
        return NULL;
    }
    client->socket = socket;
    client->memory = memory;
    arena_init(&client->arena, arena, ARENA_SIZE);
    return client;
}

struct daemon_client *daemon_client_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    const int end = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (end < 0)
        return NULL;
    if (connect(end, (struct sockaddr *)&address, sizeof(address)) == 0)
        return daemon_client_new(end);
    const int error = errno;
    close(end);
    errno = error;
    return NULL;
}

void daemon_client_free(struct daemon_client *client)
{
    if (!client)
        return;
    close(client->socket);
    free(client->arena.memory);
    free(client->memory);
    free(client);
}

int daemon_client_send(struct daemon_client *client, const Warder__V1__ClientMessage *message)
{
    struct packet_header sent;

    arena_reset(&client->arena);
    for (;;) {
        const struct message_sender sender = {.socket = client->socket,
                                              .sequence = client->sent + 1,
                                              .packet = client->memory,
                                              .arena = &client->arena};
        const int error = message_send(&sender, &message->base, &sent);
        if (error == -EAGAIN) {
            struct pollfd ready = {.fd = client->socket, .events = POLLOUT};
            poll(&ready, 1, -1);
            continue;
        }
        client->sent += error == 0;
        return error;
    }
}

static const Warder__V1__DaemonMessage *decode(struct daemon_client *client,
                                               struct packet_received *received)
{
    struct packet_header header;
    size_t length;

    if (received->length < PACKET_HEADER_SIZE || !packet_header_read(&header, client->memory))
        return NULL;
    const unsigned char *body =
        message_body(received, &header, client->memory, client->memory + PACKET_SIZE_MAX, &length);
    arena_reset(&client->arena);
    return body ? daemon_message_decode(&client->arena, body, length) : NULL;
}

const Warder__V1__DaemonMessage *daemon_client_receive(struct daemon_client *client,
                                                       int milliseconds, int *descriptor)
{
    struct packet_received received;
    struct pollfd ready = {.fd = client->socket, .events = POLLIN};

    if (descriptor)
        *descriptor = -1;
    int count;
    while ((count = poll(&ready, 1, milliseconds)) < 0 && errno == EINTR)
        ;
    if (count == 0) {
        errno = ETIMEDOUT;
        return NULL;
    }
    const int error =
        packet_receive(client->socket, client->memory, PACKET_SIZE_MAX, MSG_DONTWAIT, &received);
    if (error < 0) {
        packet_received_close(&received);
        errno = error == PACKET_END ? EPIPE : error == PACKET_CUT ? EBADMSG : -error;
        return NULL;
    }
    const Warder__V1__DaemonMessage *message = decode(client, &received);
    if (message && descriptor && received.descriptor_count == 1) {
        *descriptor = received.descriptors[0];
        received.descriptors[0] = -1;
    }
    packet_received_close(&received);
    if (!message)
        errno = EBADMSG;
    return message;
}

pid_t daemon_client_peer(const struct daemon_client *client)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(client->socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ? -1 : peer.pid;
}
