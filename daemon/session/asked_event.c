/* protobuf merges a field that comes twice, so only a message in which each comes once, in order,
 * and that ends with them is taken apart here. */
#include "daemon/session/asked_event.h"

enum {
    WIRE_VARINT = 0,
    WIRE_BYTES = 2,
    TAG_ASK = 5 << 3 | WIRE_BYTES,        /* ClientMessage.ask */
    TAG_EVENT = 1 << 3 | WIRE_BYTES,      /* Ask.event */
    TAG_CONTINUES = 2 << 3 | WIRE_VARINT, /* Ask.continues */
};

struct reader {
    const unsigned char *next;
    const unsigned char *end;
};

static bool read_tag(struct reader *reader, unsigned tag)
{
    return reader->next < reader->end && *reader->next++ == tag;
}

static bool read_varint(struct reader *reader, uint64_t *number)
{
    *number = 0;
    for (unsigned shift = 0; shift < 63 && reader->next < reader->end; shift += 7) {
        const unsigned char byte = *reader->next++;
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool read_length(struct reader *reader, uint64_t *length)
{
    return read_varint(reader, length) && *length <= (uint64_t)(reader->end - reader->next);
}

ProtobufCBinaryData asked_event_find(const unsigned char *body, size_t length)
{
    struct reader reader = {.next = body, .end = body + length};
    const ProtobufCBinaryData none = {.data = NULL};
    uint64_t size;

    if (!read_tag(&reader, TAG_ASK) || !read_length(&reader, &size) ||
        reader.next + size != reader.end || !read_tag(&reader, TAG_EVENT) ||
        !read_length(&reader, &size))
        return none;
    const ProtobufCBinaryData event = bytes_field(reader.next, (size_t)size);
    reader.next += size;
    if (reader.next < reader.end && (!read_tag(&reader, TAG_CONTINUES) ||
                                     !read_varint(&reader, &size) || reader.next < reader.end))
        return none;
    return event;
}

ProtobufCBinaryData asked_event_pack(const Warder__V1__Event *event, struct arena *arena)
{
    ProtobufCBinaryData packed = {.len = warder__v1__event__get_packed_size(event)};

    packed.data = arena_alloc(arena, packed.len);
    if (packed.data)
        warder__v1__event__pack(event, packed.data);
    return packed;
}
