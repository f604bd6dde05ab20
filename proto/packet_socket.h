/* Packets over a SOCK_SEQPACKET Unix socket, with descriptors and credentials beside them.
 *
 * Every call is one recvmsg or sendmsg, so that a cut packet is seen as cut; nothing is buffered in
 * between. All descriptors received are close-on-exec. Errors are negative errno values. */
#ifndef WARDER_PROTO_PACKET_SOCKET_H
#define WARDER_PROTO_PACKET_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    PACKET_DESCRIPTORS_MAX = 4, /* Welcome: policy, generation page, ring of records, and the body
                                   where it is a file */
    DESCRIPTORS_SENT_MAX = 253, /* what the kernel lets be sent at once: SCM_MAX_FD of unix(7) */
    DESCRIPTORS_ROOM = 262,     /* with what fits in the place of the credentials */
};

struct packet_received {
    size_t length;        /* bytes in the buffer */
    bool has_credentials; /* SO_PASSCRED is set and the kernel vouches for the sender */
    pid_t pid;
    uid_t uid;
    gid_t gid;
    int descriptor_count; /* PACKET_DESCRIPTORS_MAX at most, but in a packet that is cut */
    int descriptors[DESCRIPTORS_ROOM];
};

enum packet_failure {
    PACKET_CUT = -100001,   /* longer than the buffer, or more descriptors than allowed */
    PACKET_END = -100002,   /* the end of the connection; or an empty packet, which looks the same
                               on a socket without SO_PASSCRED */
    PACKET_EMPTY = -100003, /* an empty packet: it comes with its sender's credentials */
};

/* Receives one packet. `flags` are recv's (MSG_DONTWAIT). 0, or a negative errno or packet_failure.
 * Descriptors may have come whatever it is: the caller closes them. */
int packet_receive(int socket, void *buffer, size_t size, int flags,
                   struct packet_received *received);

/* The same with MSG_DONTWAIT, where no descriptors are expected: the kernel drops those that come.
 */
int packet_receive_bare(int socket, void *buffer, size_t size, size_t *length);

/* Closes the descriptors that were received and not taken (taken: set to -1). Waits for whoever
 * stands behind them: of a peer that is to be trusted. */
void packet_received_close(struct packet_received *received);

/* Nothing is sent or received on a connected socket any more: its peer sees the end. True if
 * nothing was sent to it that is not received: what is, goes when it is closed. */
bool packet_socket_shut_down(int socket);

/* Sends header and body as one packet, `descriptors` beside it (borrowed). 0 or a negative errno:
 * never waits (-EAGAIN while the peer does not read), and a peer that is gone gives -EPIPE, never
 * SIGPIPE. */
int packet_send(int socket, const void *header, const void *body, size_t length,
                const int *descriptors, int descriptor_count);

/* A connected pair of close-on-exec packet sockets. 0 or a negative errno. */
int packet_socket_pair(int sockets[2]);

#endif
