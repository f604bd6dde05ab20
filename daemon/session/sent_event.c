#include "daemon/session/sent_event.h"

#include "proto/event_wire.h"

bool sent_event_of(const Warder__V1__Event *message, struct arena *arena, struct sent_event *sent)
{
    if (!message || !event_from_wire(message, arena, &sent->event))
        return false;
    sent->size = warder__v1__event__get_packed_size(message);
    unsigned char *bytes = arena_alloc(arena, sent->size);
    if (bytes)
        warder__v1__event__pack(message, bytes);
    sent->bytes = bytes;
    return true;
}

bool sent_event_of_record(const void *bytes, size_t length, struct arena *arena,
                          struct sent_event *sent)
{
    if (record_bytes_read(bytes, length, arena, sent))
        return true;
    arena_reset(arena);
    const Warder__V1__Record *record = (const Warder__V1__Record *)message_decode(
        &warder__v1__record__descriptor, arena, bytes, length);
    if (!record || !sent_event_of(record->event, arena, sent))
        return false;
    sent->continues = 0;
    sent->time = record->time;
    return sent->bytes != NULL;
}
