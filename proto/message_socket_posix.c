#include "proto/message_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/memory_file.h"

static void tag(const struct message_sender *sender, struct packet_header *header, const void *body,
                size_t length)
{
    if (sender->context)
        packet_tag(sender->context, header, body, length, header->tag);
}

static int send_in_file(const struct message_sender *sender, const ProtobufCMessage *message,
                        size_t length, struct packet_header *header)
{
    unsigned char bytes[PACKET_HEADER_SIZE];
    int descriptors[PACKET_DESCRIPTORS_MAX];
    const int count = sender->descriptor_count;
    uint8_t *body = sender->arena ? arena_alloc(sender->arena, length) : NULL;

    if (!body || count >= PACKET_DESCRIPTORS_MAX)
        return -EMSGSIZE;
    protobuf_c_message_pack(message, body);
    header->flags |= PACKET_IN_FILE;
    tag(sender, header, body, length);
    packet_header_write(bytes, header);
    for (int i = 0; i < count; i++)
        descriptors[i] = sender->descriptors[i];
    descriptors[count] = memory_file_new(body, length);
    if (descriptors[count] < 0)
        return descriptors[count];
    const int error = packet_send(sender->socket, bytes, NULL, 0, descriptors, count + 1);
    close(descriptors[count]);
    return error;
}

int message_send(const struct message_sender *sender, const ProtobufCMessage *message,
                 struct packet_header *sent)
{
    unsigned char *packet = sender->packet;
    const size_t length = protobuf_c_message_get_packed_size(message);

    *sent = (struct packet_header){.sequence = sender->sequence};
    if (length > MESSAGE_SIZE_MAX)
        return -EMSGSIZE;
    if (length > PACKET_SIZE_MAX - PACKET_HEADER_SIZE)
        return send_in_file(sender, message, length, sent);
    protobuf_c_message_pack(message, packet + PACKET_HEADER_SIZE);
    return message_send_packed(sender, packet + PACKET_HEADER_SIZE, length, sent);
}

int message_send_packed(const struct message_sender *sender, unsigned char *body, size_t length,
                        struct packet_header *sent)
{
    unsigned char *packet = body - PACKET_HEADER_SIZE;

    *sent = (struct packet_header){.sequence = sender->sequence};
    if (length > PACKET_SIZE_MAX - PACKET_HEADER_SIZE)
        return -EMSGSIZE;
    tag(sender, sent, body, length);
    packet_header_write(packet, sent);
    return packet_send(sender->socket, packet, body, length, sender->descriptors,
                       sender->descriptor_count);
}

/* A file that could be read as a message is memory: closing it waits for nobody, but it may have
 * far more of it than its size says (fallocate(2), FALLOC_FL_KEEP_SIZE). */
static bool is_soon_closed(int file)
{
    const blkcnt_t blocks_max = 2 * MESSAGE_SIZE_MAX / 512;
    struct stat status;

    return fstat(file, &status) == 0 && status.st_blocks <= blocks_max;
}

const unsigned char *message_body(struct packet_received *received,
                                  const struct packet_header *header, const unsigned char *packet,
                                  unsigned char *file_body, size_t *length)
{
    if (!(header->flags & PACKET_IN_FILE)) {
        *length = received->length - PACKET_HEADER_SIZE;
        return packet + PACKET_HEADER_SIZE;
    }
    if (received->length != PACKET_HEADER_SIZE || received->descriptor_count == 0)
        return NULL;
    /* The file is the last of the descriptors. */
    const int file = received->descriptors[received->descriptor_count - 1];
    if (memory_file_read(file, file_body, MESSAGE_SIZE_MAX, length) < 0)
        return NULL;
    if (is_soon_closed(file)) {
        received->descriptor_count--;
        close(file);
    }
    return file_body;
}
