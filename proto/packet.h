/* The frame around every message: a header of 32 bytes, then the packed protobuf body.
 *
 *     offset  size
 *          0     4  magic "WDR1"
 *          4     4  flags, little-endian
 *          8     8  sequence number, little-endian: 1 for the first message of a connection in a
 *                   direction, then one more each. A reply carries the number of its request
 *         16    16  MAC, or zeros where there is no key yet (Hello by path, Launch, Open on a door,
 *                   administration)
 *
 * The MAC is SipHash-2-4-128 under the session's key over: direction, connection number, flags,
 * sequence number, for a reply the MAC of its request, and the body. A packet of one connection,
 * direction, position or session is therefore worth nothing in another, and a reply to one request
 * is worth nothing for another.
 *
 * This module knows bytes, not sockets: packet_socket.h moves them. */
#ifndef WARDER_PROTO_PACKET_H
#define WARDER_PROTO_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/siphash.h"

enum {
    PACKET_HEADER_SIZE = 32,
    PACKET_SIZE_MAX = 128 * 1024,   /* of one packet, header included; larger bodies go by file */
    MESSAGE_SIZE_MAX = 1024 * 1024, /* of one body, however it travels */
    NONCE_SIZE = 16,
};

enum packet_flag {
    PACKET_IN_FILE = 1, /* the body is in the sealed memory file that comes with the packet */
};

enum packet_direction {
    TO_DAEMON = 1,
    TO_CLIENT = 2,
};

struct packet_header {
    uint32_t flags;
    uint64_t sequence;
    unsigned char tag[SIPHASH_TAG_SIZE];
};

void packet_header_write(unsigned char bytes[PACKET_HEADER_SIZE],
                         const struct packet_header *header);

/* False if the bytes are no header: wrong magic, or flags that this version does not know. */
bool packet_header_read(struct packet_header *header,
                        const unsigned char bytes[PACKET_HEADER_SIZE]);

/* What a MAC is computed over, beside the header's own fields. */
struct packet_context {
    const unsigned char *key; /* SIPHASH_KEY_SIZE bytes */
    enum packet_direction direction;
    uint64_t connection;              /* the number that the daemon gave; 0 before it has */
    const unsigned char *request_tag; /* of the request that this replies to; NULL if none */
};

void packet_tag(const struct packet_context *context, const struct packet_header *header,
                const void *body, size_t length, unsigned char tag[SIPHASH_TAG_SIZE]);

/* True if the header's tag is the right one for the body. */
bool packet_is_authentic(const struct packet_context *context, const struct packet_header *header,
                         const void *body, size_t length);

/* The key of a forked child's session: from the parent's key, so that it never travels. Both sides
 * compute it from the nonces of Hello and Welcome and the new session's number. */
void packet_derive_key(const unsigned char parent_key[SIPHASH_KEY_SIZE],
                       const unsigned char client_nonce[NONCE_SIZE],
                       const unsigned char daemon_nonce[NONCE_SIZE], uint64_t session,
                       unsigned char key[SIPHASH_KEY_SIZE]);

#endif
