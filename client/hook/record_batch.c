/* The batch is kept as it goes over the wire: each record packed, with the length in front that a
 * repeated field has. Packing Records adds what its type does not know as it stands, so the records
 * are handed over as such. */
#define _GNU_SOURCE
#include "client/hook/record_batch.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/hook/daemon_connection.h"
#include "proto/event_wire.h"

enum {
    RECORDS_FIELD = 1, /* Records.records */
    LENGTH_BYTES = 3,  /* of a varint up to RECORD_SIZE_MAX */
    RECORD_SIZE_MAX = 16 * 1024,
};

static struct {
    pthread_mutex_t lock;
    _Atomic size_t count;
    size_t used;
    int64_t since; /* monotonic_now, of the first */
    pid_t process; /* whose records they are */
    uint64_t lost;
    ProtobufCMessageUnknownField fields[RECORD_BATCH_MAX];
    uint8_t bytes[RECORD_BATCH_SIZE];
} batch = {.lock = PTHREAD_MUTEX_INITIALIZER};

void record_batch_become_child(void)
{
    batch.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    batch.count = 0;
    batch.used = 0;
    batch.lost = 0;
}

/* The child of a vfork has its parent's memory, and nothing to say. */
bool record_batch_waits(void)
{
    return batch.count > 0 && getpid() == batch.process;
}

static uint64_t wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static size_t write_length(uint8_t *bytes, size_t length)
{
    size_t written = 0;

    for (; length >= 0x80; length >>= 7)
        bytes[written++] = (uint8_t)(length | 0x80);
    bytes[written++] = (uint8_t)length;
    return written;
}

static bool has_room(size_t size, int64_t now)
{
    if (batch.count == 0)
        return true;
    return batch.count < RECORD_BATCH_MAX &&
           sizeof(batch.bytes) - batch.used >= size + LENGTH_BYTES &&
           now - batch.since < (int64_t)RECORD_BATCH_MILLISECONDS * 1000000;
}

static bool add(const Warder__V1__Record *record)
{
    const size_t size = warder__v1__record__get_packed_size(record);

    if (size > RECORD_SIZE_MAX || pthread_mutex_trylock(&batch.lock) != 0)
        return false;
    const int64_t now = monotonic_now();
    const bool fits = has_room(size, now);
    if (fits) {
        if (batch.count == 0) {
            batch.used = 0;
            batch.since = now;
            batch.process = getpid();
        }
        uint8_t *bytes = batch.bytes + batch.used;
        const size_t prefix = write_length(bytes, size);
        warder__v1__record__pack(record, bytes + prefix);
        batch.fields[batch.count] =
            (ProtobufCMessageUnknownField){.tag = RECORDS_FIELD,
                                           .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
                                           .len = prefix + size,
                                           .data = bytes};
        batch.used += prefix + size;
        batch.count++;
    }
    pthread_mutex_unlock(&batch.lock);
    return fits;
}

bool record_batch_add(const struct event *event, struct arena *arena)
{
    Warder__V1__Record record = WARDER__V1__RECORD__INIT;
    Warder__V1__Event wire;
    const size_t mark = arena->used;
    bool added = false;

    if (event_to_wire(event, arena, &wire)) {
        record.time = wall_clock();
        record.event = &wire;
        added = add(&record);
    }
    arena->used = mark;
    return added;
}

void record_batch_flush(record_batch_sender *send, void *context)
{
    Warder__V1__Records records = WARDER__V1__RECORDS__INIT;

    if (batch.count == 0)
        return;
    pthread_mutex_lock(&batch.lock);
    if (batch.count > 0) {
        records.lost = batch.lost;
        records.base.n_unknown_fields = (unsigned)batch.count;
        records.base.unknown_fields = batch.fields;
        batch.lost = send(context, &records) ? 0 : batch.lost + batch.count;
        batch.count = 0;
    }
    pthread_mutex_unlock(&batch.lock);
}
