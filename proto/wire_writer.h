/* A message of the contract as bytes, written from its end to its beginning: what a message in it
 * takes is known when its length is written in front, and nothing is measured before. The bytes are
 * those that protobuf-c would have made, if fields are put in falling order of their numbers and
 * those that have no value left out.
 *
 * Nothing is written in front of `begin`: `full` is set instead, and what has been written is of no
 * use. */
#ifndef WARDER_PROTO_WIRE_WRITER_H
#define WARDER_PROTO_WIRE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire_writer {
    unsigned char *begin;
    unsigned char *at; /* the first byte that is written */
    bool full;
};

enum wire_type { WIRE_VARINT = 0, WIRE_EIGHT_BYTES = 1, WIRE_BYTES = 2 };

/* What stands in front of a field, as a number. */
static inline uint64_t wire_tag(unsigned field, enum wire_type type)
{
    return (uint64_t)field << 3 | (uint64_t)type;
}

static inline bool wire_room(struct wire_writer *writer, size_t size)
{
    if ((size_t)(writer->at - writer->begin) >= size)
        return true;
    writer->full = true;
    return false;
}

static inline void wire_put_number(struct wire_writer *writer, uint64_t number)
{
    size_t size = 1;

    if (number < 0x80) {
        if (wire_room(writer, 1))
            *--writer->at = (unsigned char)number;
        return;
    }
    for (uint64_t rest = number >> 7; rest > 0; rest >>= 7)
        size++;
    if (!wire_room(writer, size))
        return;
    writer->at -= size;
    for (size_t i = 0; i + 1 < size; i++, number >>= 7)
        writer->at[i] = (unsigned char)(number | 0x80);
    writer->at[size - 1] = (unsigned char)number;
}

static inline void wire_put_raw(struct wire_writer *writer, const void *bytes, size_t size)
{
    if (size == 0 || !wire_room(writer, size))
        return;
    writer->at -= size;
    memcpy(writer->at, bytes, size);
}

/* Fields that may be without a value, which is 0 or empty. */
static inline void wire_number(struct wire_writer *writer, unsigned field, uint64_t number)
{
    if (number == 0)
        return;
    wire_put_number(writer, number);
    wire_put_number(writer, wire_tag(field, WIRE_VARINT));
}

static inline void wire_bytes(struct wire_writer *writer, unsigned field, const void *bytes,
                              size_t size)
{
    if (size == 0)
        return;
    wire_put_raw(writer, bytes, size);
    wire_put_number(writer, size);
    wire_put_number(writer, wire_tag(field, WIRE_BYTES));
}

/* Begins and ends a message in another: what is written between the two is in it. */
static inline const unsigned char *wire_end_of_part(const struct wire_writer *writer)
{
    return writer->at;
}

static inline void wire_begin_part(struct wire_writer *writer, unsigned field,
                                   const unsigned char *end)
{
    wire_put_number(writer, (uint64_t)(end - writer->at));
    wire_put_number(writer, wire_tag(field, WIRE_BYTES));
}

#endif
