#define _GNU_SOURCE
#include "client/hook/daemon_connection.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proto/message_socket.h"
#include "proto/packet_socket.h"

enum {
    /* Descriptors are placed above the soft limit of open files: there, code that counts or closes
     * "all" descriptors (up to SC_OPEN_MAX) does not meet them. But not right above one that was
     * lowered below this (the kernel's own default): what was opened before is still there, and is
     * told from ours by its number. */
    HIGH_DESCRIPTOR_LEAST = 1024,
    HIGH_DESCRIPTOR_ROOM = 64,
    /* Not above this, but at the least then: the kernel's table is as long as the highest
     * descriptor, and every fork and vfork copies it, every closefrom() goes through it. With one
     * at 20,000 starting a program takes 190 us longer, with one at 1,024 not 10. */
    HIGH_DESCRIPTOR_MAX = 4096 - HIGH_DESCRIPTOR_ROOM,
    CONNECT_RETRY_NS = 2 * 1000 * 1000, /* between attempts while the daemon's queue is full */
    LOOK_NS = 20 * 1000,                /* between looks where poll() does not serve */
};

int64_t monotonic_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Milliseconds until the deadline, rounded up; 0 when it has passed. */
static int milliseconds_left(int64_t deadline)
{
    const int64_t left = deadline - monotonic_now();
    if (left <= 0)
        return 0;
    return left > (int64_t)INT_MAX * 1000000 ? INT_MAX : (int)((left + 999999) / 1000000);
}

static bool inode_of(int descriptor, uint64_t *inode)
{
    struct statx status;
    if (statx(descriptor, "", AT_EMPTY_PATH, STATX_INO | STATX_TYPE, &status) < 0 ||
        !S_ISSOCK(status.stx_mode))
        return false;
    *inode = status.stx_ino;
    return true;
}

struct descriptor_room descriptor_room_make(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return (struct descriptor_room){.made = false};
    const rlim_t soft = limit.rlim_cur;
    limit.rlim_cur =
        limit.rlim_max - soft > HIGH_DESCRIPTOR_ROOM ? soft + HIGH_DESCRIPTOR_ROOM : limit.rlim_max;
    return (struct descriptor_room){
        .soft = soft,
        .made = limit.rlim_cur != soft && setrlimit(RLIMIT_NOFILE, &limit) == 0,
    };
}

void descriptor_room_end(const struct descriptor_room *room)
{
    struct rlimit limit;

    if (!room->made || getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = room->soft;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* A duplicate at `place` or above, with the limit raised for the moment of the call only. */
static int duplicate_at(int descriptor, const struct rlimit *limit, rlim_t place)
{
    struct rlimit raised = *limit;

    if (raised.rlim_cur < place + HIGH_DESCRIPTOR_ROOM)
        raised.rlim_cur = place + HIGH_DESCRIPTOR_ROOM;
    if (setrlimit(RLIMIT_NOFILE, &raised) < 0)
        return -1;
    const int high = fcntl(descriptor, F_DUPFD_CLOEXEC, (int)place);
    setrlimit(RLIMIT_NOFILE, limit);
    return high;
}

/* Moves a descriptor up; returns the new one, the old is closed. */
static int place_high(int descriptor)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return descriptor;
    rlim_t place = limit.rlim_cur > HIGH_DESCRIPTOR_LEAST ? limit.rlim_cur : HIGH_DESCRIPTOR_LEAST;
    if (place > HIGH_DESCRIPTOR_MAX)
        place = HIGH_DESCRIPTOR_LEAST;
    if (place + HIGH_DESCRIPTOR_ROOM > limit.rlim_max) /* below the limit then: nowhere else */
        place = limit.rlim_max > HIGH_DESCRIPTOR_ROOM ? limit.rlim_max - HIGH_DESCRIPTOR_ROOM : 3;
    const int high = duplicate_at(descriptor, &limit, place);
    if (high < 0)
        return descriptor;
    close(descriptor);
    return high;
}

bool daemon_connection_adopt(struct daemon_connection *connection, int socket, uint64_t number)
{
    *connection = (struct daemon_connection){.socket = place_high(socket), .number = number};
    if (fcntl(connection->socket, F_SETFD, FD_CLOEXEC) == 0 &&
        inode_of(connection->socket, &connection->inode))
        return true;
    close(connection->socket);
    connection->socket = -1;
    return false;
}

/* The daemon runs as root or as the user that owns its socket in a directory of root's; a private
 * one as the user whose program it holds. */
static bool peer_is_trusted(int socket, const struct daemon_address *daemon)
{
    const char *path = daemon->path;
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return false;
    if (daemon->process != 0 && peer.pid != daemon->process)
        return false;
    if (peer.uid == 0 || peer.uid == geteuid())
        return true;

    struct statx file;
    struct statx directory;
    char parent[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path || (size_t)(slash - path) >= sizeof(parent))
        return false;
    memcpy(parent, path, (size_t)(slash - path));
    parent[slash - path] = '\0';
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_UID, &file) < 0 ||
        statx(AT_FDCWD, parent, AT_SYMLINK_NOFOLLOW, STATX_UID | STATX_MODE, &directory) < 0)
        return false;
    const bool only_owner_writes = (directory.stx_mode & (S_IWGRP | S_IWOTH)) == 0;
    return file.stx_uid == peer.uid && only_owner_writes &&
           (directory.stx_uid == 0 || directory.stx_uid == peer.uid);
}

bool daemon_connection_open(struct daemon_connection *connection,
                            const struct daemon_address *daemon, int64_t deadline)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    _Static_assert(sizeof(address.sun_path) == sizeof(daemon->path), "of one size");
    *connection = DAEMON_CONNECTION_NONE;
    memcpy(address.sun_path, daemon->path, sizeof(address.sun_path));
    const int end = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (end < 0)
        return false;
    /* Without blocking, a full queue is EAGAIN, and the wait is ours to bound. */
    while (connect(end, (struct sockaddr *)&address, sizeof(address)) < 0) {
        const bool again = errno == EAGAIN || errno == EINTR;
        if (!again || milliseconds_left(deadline) == 0) {
            close(end);
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = CONNECT_RETRY_NS}, NULL);
    }
    if (!peer_is_trusted(end, daemon)) {
        close(end);
        return false;
    }
    return daemon_connection_adopt(connection, end, 0);
}

bool daemon_connection_has_room(const struct daemon_connection *connection)
{
    const int another = fcntl(connection->socket, F_DUPFD_CLOEXEC, 0);
    if (another < 0)
        return errno != EMFILE && errno != ENFILE;
    close(another);
    return true;
}

bool daemon_connection_is_intact(const struct daemon_connection *connection)
{
    uint64_t inode;
    return connection->socket >= 0 && inode_of(connection->socket, &inode) &&
           inode == connection->inode;
}

void daemon_connection_close(struct daemon_connection *connection)
{
    if (daemon_connection_is_intact(connection))
        close(connection->socket);
    *connection = DAEMON_CONNECTION_NONE;
}

/* ---------------------------------------------------------------------------------- exchanges */

/* poll() of the connection. It takes not even one descriptor under a limit of 0 open files: then
 * the caller looks for itself every now and then. */
static int wait_for(const struct daemon_connection *connection, short events, int milliseconds)
{
    struct pollfd ready = {.fd = connection->socket, .events = events};
    const int count = poll(&ready, 1, milliseconds);

    if (count >= 0 || errno != EINVAL)
        return count;
    nanosleep(&(struct timespec){.tv_nsec = milliseconds > 0 ? LOOK_NS : 0}, NULL);
    return milliseconds > 0;
}

/* A message, or one that is packed already. */
struct outgoing {
    const Warder__V1__ClientMessage *message;
    const struct packed_body *packed;
};

/* Sends, waiting for room until the deadline. */
static enum exchange_result send_by_deadline(struct daemon_connection *connection,
                                             const struct exchange *exchange,
                                             const struct outgoing *outgoing,
                                             struct packet_header *header)
{
    const struct packed_body *packed = outgoing->packed;
    const struct packet_context context = {
        .key = exchange->key, .direction = TO_DAEMON, .connection = connection->number};
    const struct message_sender sender = {
        .socket = connection->socket,
        .sequence = connection->sent + 1,
        .context = exchange->key ? &context : NULL,
        .descriptors = exchange->descriptors,
        .descriptor_count = exchange->descriptor_count,
        .packet = exchange->memory->packet,
        .arena = &exchange->memory->arena,
    };

    for (;;) {
        const int error = packed
                              ? message_send_packed(&sender, packed->bytes, packed->length, header)
                              : message_send(&sender, &outgoing->message->base, header);
        if (error == 0) {
            connection->sent++;
            return EXCHANGE_DONE;
        }
        if (error == -EMSGSIZE)
            return EXCHANGE_TOO_LARGE;
        if (error == -EAGAIN) {
            /* A daemon that does not read, for now. */
            const int left = milliseconds_left(exchange->deadline);
            if (left == 0)
                return EXCHANGE_LATE;
            if (wait_for(connection, POLLOUT, left) < 0 && errno != EINTR)
                return EXCHANGE_LOST;
        } else if (error != -EINTR) {
            return EXCHANGE_LOST;
        }
    }
}

/* What is there, without waiting for it. */
static int receive_now(const struct daemon_connection *connection, const struct exchange *exchange,
                       struct packet_received *received)
{
    if (!exchange->bare)
        return packet_receive(connection->socket, exchange->memory->packet, PACKET_SIZE_MAX,
                              MSG_DONTWAIT, received);
    received->descriptor_count = 0;
    return packet_receive_bare(connection->socket, exchange->memory->packet, PACKET_SIZE_MAX,
                               &received->length);
}

/* Waiting in the receiving call, under a bound that the socket has (SO_RCVTIMEO), would be quicker.
 * But the program can put another descriptor, or take the bound off, between the two calls. */
static enum exchange_result receive_packet(struct daemon_connection *connection,
                                           const struct exchange *exchange,
                                           struct packet_received *received)
{
    for (;;) {
        const int count = wait_for(connection, POLLIN, milliseconds_left(exchange->deadline));
        if (count == 0)
            return EXCHANGE_LATE;
        if (count < 0 && errno != EINTR)
            return EXCHANGE_LOST;
        if (count < 0)
            continue; /* a signal: its Python handler runs when the interpreter next looks */
        const int error = receive_now(connection, exchange, received);
        if (error == 0)
            return EXCHANGE_DONE;
        packet_received_close(received);
        if (error != -EAGAIN && error != -EINTR)
            return error == PACKET_CUT ? EXCHANGE_FORGED : EXCHANGE_LOST;
        /* Something in its place may say for ever that there is a packet, and have none. */
        if (milliseconds_left(exchange->deadline) == 0)
            return EXCHANGE_LATE;
    }
}

/* True if what was received is the answer to `request`, and the daemon's. */
static bool is_answer(const struct daemon_connection *connection, const struct exchange *exchange,
                      const struct packet_header *request, size_t length)
{
    const unsigned char *packet = exchange->memory->packet;
    struct packet_header header;

    if (length < PACKET_HEADER_SIZE || !packet_header_read(&header, packet) || header.flags != 0 ||
        header.sequence != request->sequence)
        return false;
    if (!exchange->key)
        return true;
    const struct packet_context context = {.key = exchange->key,
                                           .direction = TO_CLIENT,
                                           .connection = connection->number,
                                           .request_tag = request->tag};
    return packet_is_authentic(&context, &header, packet + PACKET_HEADER_SIZE,
                               length - PACKET_HEADER_SIZE);
}

/* An answer to a message before this one, or what says that it is one: either way it is not
 * looked at, and there are no more of them than are owed. */
static bool is_owed(struct daemon_connection *connection, const struct exchange *exchange,
                    const struct packet_header *request, size_t length)
{
    struct packet_header header;

    if (connection->owed == 0 || !exchange->key || length < PACKET_HEADER_SIZE ||
        !packet_header_read(&header, exchange->memory->packet) ||
        header.sequence >= request->sequence)
        return false;
    connection->owed--;
    return true;
}

/* The answer to what has been sent, and what came with it. */
static enum exchange_result receive_answer(struct daemon_connection *connection,
                                           const struct exchange *exchange,
                                           const struct packet_header *request,
                                           struct packet_received *packet)
{
    enum exchange_result result = receive_packet(connection, exchange, packet);

    while (result == EXCHANGE_DONE && is_owed(connection, exchange, request, packet->length)) {
        packet_received_close(packet);
        packet->descriptor_count = 0;
        result = receive_packet(connection, exchange, packet);
    }
    if (result == EXCHANGE_LATE)
        connection->owed++;
    if (result == EXCHANGE_DONE && !is_answer(connection, exchange, request, packet->length))
        result = EXCHANGE_FORGED;
    return result;
}

static void take_descriptors(struct packet_received *packet, int *received, int most)
{
    if (packet->descriptor_count > most)
        return;
    for (int i = 0; i < packet->descriptor_count; i++) {
        received[i] = packet->descriptors[i];
        packet->descriptors[i] = -1;
    }
}

enum exchange_result daemon_connection_exchange(struct daemon_connection *connection,
                                                const struct exchange *exchange,
                                                const Warder__V1__ClientMessage *message,
                                                const Warder__V1__DaemonMessage **reply,
                                                int *received)
{
    const struct outgoing outgoing = {.message = message};
    struct exchange_memory *memory = exchange->memory;
    struct packet_header request;
    struct packet_received packet;

    packet.descriptor_count = 0;
    const int most = !received ? 0 : exchange->received_max > 0 ? exchange->received_max : 1;
    for (int i = 0; i < most; i++)
        received[i] = -1;
    if (connection->socket < 0)
        return EXCHANGE_LOST;
    enum exchange_result result = send_by_deadline(connection, exchange, &outgoing, &request);
    if (result != EXCHANGE_DONE || !reply)
        return result;
    result = receive_answer(connection, exchange, &request, &packet);
    if (result == EXCHANGE_DONE) {
        arena_reset(&memory->arena);
        *reply = daemon_message_decode(&memory->arena, memory->packet + PACKET_HEADER_SIZE,
                                       packet.length - PACKET_HEADER_SIZE);
        if (*reply)
            take_descriptors(&packet, received, most);
        else
            result = EXCHANGE_FORGED;
    }
    packet_received_close(&packet);
    return result;
}

enum exchange_result daemon_connection_exchange_packed(struct daemon_connection *connection,
                                                       const struct exchange *exchange,
                                                       const struct packed_body *message,
                                                       struct packed_body *reply)
{
    const struct outgoing outgoing = {.packed = message};
    struct packet_header request;
    struct packet_received packet;

    packet.descriptor_count = 0;
    if (connection->socket < 0)
        return EXCHANGE_LOST;
    enum exchange_result result = send_by_deadline(connection, exchange, &outgoing, &request);
    if (result != EXCHANGE_DONE)
        return result;
    result = receive_answer(connection, exchange, &request, &packet);
    packet_received_close(&packet);
    if (result == EXCHANGE_DONE)
        *reply = (struct packed_body){.bytes = exchange->memory->packet + PACKET_HEADER_SIZE,
                                      .length = packet.length - PACKET_HEADER_SIZE};
    return result;
}
