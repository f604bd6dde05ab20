/* Messages over packet sockets: packed, framed, tagged, and put into a sealed memory file where a
 * packet is too small; and the other way. What hook, command and daemon have in common. */
#ifndef WARDER_PROTO_MESSAGE_SOCKET_H
#define WARDER_PROTO_MESSAGE_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/arena.h"
#include "proto/message.h"
#include "proto/packet.h"
#include "proto/packet_socket.h"

struct message_sender {
    int socket;
    uint64_t sequence;
    const struct packet_context *context; /* what the MAC is over; NULL: no MAC */
    const int *descriptors;               /* to go along; borrowed */
    int descriptor_count;
    unsigned char *packet; /* PACKET_SIZE_MAX bytes to pack into */
    struct arena *arena;   /* for a body that is larger; NULL: such a message is refused */
};

/* Sends one message; `*sent` is the header that went out. 0 or a negative errno: -EAGAIN if the
 * peer does not read, -EMSGSIZE if the message is larger than MESSAGE_SIZE_MAX or its memory. */
int message_send(const struct message_sender *sender, const ProtobufCMessage *message,
                 struct packet_header *sent);

/* The same of a body that is packed already: `length` bytes, with PACKET_HEADER_SIZE in front of
 * them to write the header to. */
int message_send_packed(const struct message_sender *sender, unsigned char *body, size_t length,
                        struct packet_header *sent);

/* The body of a packet that was received into `packet`: behind the header, or in the file that came
 * with it, which is read into `file_body` (MESSAGE_SIZE_MAX bytes) and closed. NULL if there is
 * none that can be read. A file that is something else, or has more memory than a message needs,
 * stays among the descriptors. */
const unsigned char *message_body(struct packet_received *received,
                                  const struct packet_header *header, const unsigned char *packet,
                                  unsigned char *file_body, size_t *length);

#endif
