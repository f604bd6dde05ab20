/* Messages in and out of bytes, bounded: decoding allocates from an arena alone, and no message of
 * the contract nests deeper than a fixed level, so neither memory nor stack can be driven by a
 * peer.
 *
 * The generated code (warder.pb-c.h) is included here for everyone. */
#ifndef WARDER_PROTO_MESSAGE_H
#define WARDER_PROTO_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "policies/engine/arena.h"
#include "proto/warder.pb-c.h"

enum {
    /* Decoding MESSAGE_SIZE_MAX bytes of the densest sensible message, VALUE_NODES_MAX values,
     * takes about 128 bytes a value in protobuf-c; a message that needs more is refused. */
    MESSAGE_ARENA_SIZE = 4 * 1024 * 1024,
};

/* The message in `bytes`, allocated in the arena (nothing to free); NULL if it does not decode,
 * needs more than the arena has, or names no body that this version knows. */
const Warder__V1__ClientMessage *client_message_decode(struct arena *arena, const void *bytes,
                                                       size_t length);
const Warder__V1__DaemonMessage *daemon_message_decode(struct arena *arena, const void *bytes,
                                                       size_t length);
/* A message of any other type, such as those that are kept on disk. */
const ProtobufCMessage *message_decode(const ProtobufCMessageDescriptor *type, struct arena *arena,
                                       const void *bytes, size_t length);

/* Borrowed bytes as a field. */
static inline ProtobufCBinaryData bytes_field(const void *bytes, size_t length)
{
    return (ProtobufCBinaryData){.len = length, .data = (uint8_t *)bytes};
}

/* A terminated text as a field; NULL gives an empty one. */
ProtobufCBinaryData text_field(const char *text);

/* Where the bytes of a field are. An empty one has none, and NULL in its place: this is never NULL,
 * so that nobody computes with it. */
static inline const char *field_bytes(const ProtobufCBinaryData *field)
{
    return field->len > 0 ? (const char *)field->data : "";
}

/* A field as a terminated text in the arena; NULL if it does not fit or holds a NUL. */
char *field_text(struct arena *arena, const ProtobufCBinaryData *field);

/* The same on the heap, to be freed; NULL as well if it is longer than `most` bytes. */
char *field_copy(const ProtobufCBinaryData *field, size_t most);

#endif
