#include "proto/message.h"

#include <stdlib.h>
#include <string.h>

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void release(void *arena, void *memory)
{
    (void)arena; /* goes with the arena */
    (void)memory;
}

const ProtobufCMessage *message_decode(const ProtobufCMessageDescriptor *type, struct arena *arena,
                                       const void *bytes, size_t length)
{
    ProtobufCAllocator allocator = {.alloc = allocate, .free = release, .allocator_data = arena};
    const ProtobufCMessage *message =
        protobuf_c_message_unpack(type, &allocator, length, (const uint8_t *)bytes);
    /* protobuf-c drops some parts silently when memory runs out while it keeps unknown fields. */
    return arena->exhausted ? NULL : message;
}

/* Types, which no parentheses may surround. NOLINTBEGIN(bugprone-macro-parentheses) */
#define DEFINE_DECODER(function, type, descriptor, none)                                           \
    const type *function(struct arena *arena, const void *bytes, size_t length)                    \
    {                                                                                              \
        const type *message = (const type *)message_decode(&descriptor, arena, bytes, length);     \
        return message && message->body_case != none ? message : NULL;                             \
    }                                                                                              \
    struct function##_needs_a_semicolon
/* NOLINTEND(bugprone-macro-parentheses) */

DEFINE_DECODER(client_message_decode, Warder__V1__ClientMessage,
               warder__v1__client_message__descriptor, WARDER__V1__CLIENT_MESSAGE__BODY__NOT_SET);
DEFINE_DECODER(daemon_message_decode, Warder__V1__DaemonMessage,
               warder__v1__daemon_message__descriptor, WARDER__V1__DAEMON_MESSAGE__BODY__NOT_SET);

ProtobufCBinaryData text_field(const char *text)
{
    return bytes_field(text, text ? strlen(text) : 0);
}

char *field_text(struct arena *arena, const ProtobufCBinaryData *field)
{
    if (field->len > 0 && memchr(field->data, '\0', field->len))
        return NULL;
    return arena_copy(arena, field->data, field->len);
}

char *field_copy(const ProtobufCBinaryData *field, size_t most)
{
    if (field->len > most || (field->len > 0 && memchr(field->data, '\0', field->len)))
        return NULL;
    char *text = malloc(field->len + 1);
    if (!text)
        return NULL;
    memcpy(text, field_bytes(field), field->len);
    text[field->len] = '\0';
    return text;
}
