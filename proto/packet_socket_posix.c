#define _GNU_SOURCE
#include "proto/packet_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "proto/packet.h"

/* One packet's ancillary data: descriptors and the sender's credentials. With room for all that can
 * come: what does not fit the kernel closes while we wait. */
union ancillary {
    char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_SENT_MAX) + CMSG_SPACE(sizeof(struct ucred))];
    struct cmsghdr align;
};

_Static_assert(sizeof(((union ancillary *)NULL)->bytes) - CMSG_LEN(0) <=
                   sizeof(((struct packet_received *)NULL)->descriptors),
               "whatever the kernel writes there fits");

static void take_ancillary(struct msghdr *message, struct packet_received *received)
{
    for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item; item = CMSG_NXTHDR(message, item)) {
        if (item->cmsg_level != SOL_SOCKET)
            continue;
        if (item->cmsg_type == SCM_RIGHTS) {
            const size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            memcpy(received->descriptors, CMSG_DATA(item), count * sizeof(int));
            received->descriptor_count = (int)count;
        } else if (item->cmsg_type == SCM_CREDENTIALS) {
            struct ucred credentials;
            memcpy(&credentials, CMSG_DATA(item), sizeof(credentials));
            received->has_credentials = true;
            received->pid = credentials.pid;
            received->uid = credentials.uid;
            received->gid = credentials.gid;
        }
    }
}

int packet_receive(int socket, void *buffer, size_t size, int flags,
                   struct packet_received *received)
{
    union ancillary ancillary;
    struct iovec part = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = ancillary.bytes,
        .msg_controllen = sizeof(ancillary.bytes),
    };

    received->length = 0;
    received->has_credentials = false;
    received->descriptor_count = 0;
    const ssize_t length = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    if (length < 0)
        return -errno;
    take_ancillary(&message, received);
    received->length = (size_t)length;
    if (received->descriptor_count > PACKET_DESCRIPTORS_MAX ||
        (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
        return PACKET_CUT;
    if (length == 0)
        return received->has_credentials ? PACKET_EMPTY : PACKET_END;
    return 0;
}

void packet_received_close(struct packet_received *received)
{
    for (int i = 0; i < received->descriptor_count; i++)
        if (received->descriptors[i] >= 0)
            close(received->descriptors[i]);
    received->descriptor_count = 0;
}

bool packet_socket_shut_down(int socket)
{
    const int on = 1;
    int error;
    socklen_t size = sizeof(error);
    char first;
    struct iovec part = {.iov_base = &first, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    /* Credentials, which there is no room for, tell an empty packet from the end. */
    setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
    shutdown(socket, SHUT_RDWR);
    /* Of a peer that went with something unread: receiving tells it before what is there. */
    getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    const ssize_t length = recvmsg(socket, &message, MSG_PEEK | MSG_DONTWAIT);
    return length == 0 && !(message.msg_flags & MSG_CTRUNC);
}

int packet_receive_bare(int socket, void *buffer, size_t size, size_t *length)
{
    const ssize_t received =
        recv(socket, buffer, size, MSG_TRUNC | MSG_DONTWAIT); /* gives the whole length */

    if (received < 0)
        return -errno;
    if ((size_t)received > size)
        return PACKET_CUT;
    *length = (size_t)received;
    return received > 0 ? 0 : PACKET_END;
}

int packet_send(int socket, const void *header, const void *body, size_t length,
                const int *descriptors, int descriptor_count)
{
    union ancillary ancillary;
    struct iovec parts[2] = {
        {.iov_base = (void *)header, .iov_len = PACKET_HEADER_SIZE},
        {.iov_base = (void *)body, .iov_len = length},
    };
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = length > 0 ? 2 : 1};

    /* The body lies behind the header, as it does where a packet is built in one buffer: the kernel
     * is quicker with one part. */
    if (length > 0 && body == (const unsigned char *)header + PACKET_HEADER_SIZE) {
        parts[0].iov_len += length;
        message.msg_iovlen = 1;
    }

    if (descriptor_count < 0 || descriptor_count > PACKET_DESCRIPTORS_MAX)
        return -EINVAL;
    if (descriptor_count == 0 && message.msg_iovlen == 1) { /* most: it has less to look at */
        const ssize_t went =
            send(socket, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
        return went < 0 ? -errno : (size_t)went == parts[0].iov_len ? 0 : -EMSGSIZE;
    }
    if (descriptor_count > 0) {
        const size_t size = sizeof(int) * (size_t)descriptor_count;
        memset(&ancillary, 0, sizeof(ancillary));
        message.msg_control = ancillary.bytes;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *item = CMSG_FIRSTHDR(&message);
        item->cmsg_level = SOL_SOCKET;
        item->cmsg_type = SCM_RIGHTS;
        item->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(item), descriptors, size);
    }
    const ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
        return -errno;
    /* A packet goes whole or not at all. */
    return (size_t)sent == PACKET_HEADER_SIZE + length ? 0 : -EMSGSIZE;
}

int packet_socket_pair(int sockets[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0 ? -errno : 0;
}
