#include "proto/packet.h"

#include <string.h>

static const unsigned char magic[4] = {'W', 'D', 'R', '1'};

/* Written out, compilers make one load or store of each where the machine is little-endian. */
static inline void write_four(unsigned char *bytes, uint32_t number)
{
    bytes[0] = (unsigned char)number;
    bytes[1] = (unsigned char)(number >> 8);
    bytes[2] = (unsigned char)(number >> 16);
    bytes[3] = (unsigned char)(number >> 24);
}

static inline void write_eight(unsigned char *bytes, uint64_t number)
{
    write_four(bytes, (uint32_t)number);
    write_four(bytes + 4, (uint32_t)(number >> 32));
}

static inline uint32_t read_four(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static inline uint64_t read_eight(const unsigned char *bytes)
{
    return read_four(bytes) | (uint64_t)read_four(bytes + 4) << 32;
}

void packet_header_write(unsigned char bytes[PACKET_HEADER_SIZE],
                         const struct packet_header *header)
{
    memcpy(bytes, magic, sizeof(magic));
    write_four(bytes + 4, header->flags);
    write_eight(bytes + 8, header->sequence);
    memcpy(bytes + 16, header->tag, SIPHASH_TAG_SIZE);
}

bool packet_header_read(struct packet_header *header, const unsigned char bytes[PACKET_HEADER_SIZE])
{
    if (memcmp(bytes, magic, sizeof(magic)) != 0)
        return false;
    header->flags = read_four(bytes + 4);
    header->sequence = read_eight(bytes + 8);
    memcpy(header->tag, bytes + 16, SIPHASH_TAG_SIZE);
    return (header->flags & ~(uint32_t)PACKET_IN_FILE) == 0;
}

void packet_tag(const struct packet_context *context, const struct packet_header *header,
                const void *body, size_t length, unsigned char tag[SIPHASH_TAG_SIZE])
{
    /* Everything of variable length comes last, and what precedes it has a fixed layout, so that
     * two different messages never give the same bytes. */
    const unsigned char *request = context->request_tag;
    const uint64_t fixed[5] = {
        (uint64_t)context->direction | (uint64_t)(request != NULL) << 8 |
            (uint64_t)header->flags << 32,
        context->connection,
        header->sequence,
        request ? read_eight(request) : 0,
        request ? read_eight(request + 8) : 0,
    };
    struct siphash hash;

    siphash_init(&hash, context->key);
    siphash_update_words(&hash, fixed, sizeof(fixed) / sizeof(*fixed));
    siphash_update(&hash, body, length);
    siphash_final(&hash, tag);
}

bool packet_is_authentic(const struct packet_context *context, const struct packet_header *header,
                         const void *body, size_t length)
{
    unsigned char tag[SIPHASH_TAG_SIZE];
    packet_tag(context, header, body, length, tag);
    return siphash_compare(tag, header->tag) == 0;
}

void packet_derive_key(const unsigned char parent_key[SIPHASH_KEY_SIZE],
                       const unsigned char client_nonce[NONCE_SIZE],
                       const unsigned char daemon_nonce[NONCE_SIZE], uint64_t session,
                       unsigned char key[SIPHASH_KEY_SIZE])
{
    static const unsigned char purpose[16] = "warder child key"; /* no packet begins like this */
    unsigned char number[8];
    struct siphash hash;

    write_eight(number, session);
    siphash_init(&hash, parent_key);
    siphash_update(&hash, purpose, sizeof(purpose));
    siphash_update(&hash, client_nonce, NONCE_SIZE);
    siphash_update(&hash, daemon_nonce, NONCE_SIZE);
    siphash_update(&hash, number, sizeof(number));
    siphash_final(&hash, key);
}
