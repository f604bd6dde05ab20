/* The other way: bytes in the order in which protobuf-c and wire_writer.h write them, each field
 * once at most, numbers in no more bytes than they need. What is otherwise is not read here: `odd`
 * is set, reading goes on with zeros, and protobuf-c decides what the message is. So whatever is
 * taken here means the same there. */
#ifndef WARDER_PROTO_WIRE_READER_H
#define WARDER_PROTO_WIRE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/wire_writer.h"

struct wire_reader {
    const unsigned char *at;
    const unsigned char *end;
    bool odd;
};

struct wire_part {
    const unsigned char *bytes;
    size_t size;
};

static inline size_t wire_left(const struct wire_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

/* True if this field comes next; its tag is passed then. */
static inline bool wire_is_next(struct wire_reader *reader, unsigned field, enum wire_type type)
{
    const uint64_t tag = wire_tag(field, type);
    const size_t size = tag < 0x80 ? 1 : 2; /* no field of the contract has a longer one */

    if (wire_left(reader) < size || reader->at[0] != (size == 1 ? tag : (tag | 0x80) % 0x100) ||
        (size == 2 && reader->at[1] != tag >> 7))
        return false;
    reader->at += size;
    return true;
}

static inline uint64_t wire_take_number(struct wire_reader *reader, uint64_t most)
{
    uint64_t number = 0;

    for (unsigned shift = 0; shift < 63 && reader->at < reader->end; shift += 7) {
        const unsigned char byte = *reader->at++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte >= 0x80)
            continue;
        if (number > most || (byte == 0 && shift > 0))
            break;
        return number;
    }
    reader->odd = true;
    return 0;
}

/* The number of a field, at most `most`; 0 where the field is not there. */
static inline uint64_t wire_read_number(struct wire_reader *reader, unsigned field, uint64_t most)
{
    return wire_is_next(reader, field, WIRE_VARINT) ? wire_take_number(reader, most) : 0;
}

/* The length that comes next, and the bytes behind it. */
static inline struct wire_part wire_take_part(struct wire_reader *reader)
{
    const uint64_t size = wire_take_number(reader, wire_left(reader));

    if (size > wire_left(reader)) {
        reader->odd = true;
        return (struct wire_part){.bytes = reader->end, .size = 0};
    }
    const struct wire_part part = {.bytes = reader->at, .size = (size_t)size};
    reader->at += size;
    return part;
}

static inline struct wire_part wire_read_bytes(struct wire_reader *reader, unsigned field)
{
    return wire_is_next(reader, field, WIRE_BYTES)
               ? wire_take_part(reader)
               : (struct wire_part){.bytes = reader->at, .size = 0};
}

static inline struct wire_reader wire_reader_of(struct wire_part part)
{
    return (struct wire_reader){.at = part.bytes, .end = part.bytes + part.size};
}

/* True if everything was read, and was as it is written. */
static inline bool wire_is_done(const struct wire_reader *reader)
{
    return !reader->odd && reader->at == reader->end;
}

#endif
