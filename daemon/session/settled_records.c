/* A batch is copied out of the ring and decoded in memory of its own, record by record: reading may
 * come in the middle of another message's handling, whose memory must stay as it is. */
#include "daemon/session/settled_records.h"

#include <stdlib.h>
#include <unistd.h>

#include "daemon/session/decision.h"
#include "daemon/session/loops.h"
#include "daemon/session/sent_event.h"
#include "daemon/session/session.h"
#include "proto/record_ring.h"

enum {
    /* For one record, whose every two bytes can be a value: of 128 bytes in protobuf-c (message.h),
     * and some 50 in the engine's form. */
    ARENA_SIZE = 128 * RECORD_RING_RECORD_MAX,
};

struct settled_records {
    struct record_ring *ring;
    struct session *session;
    uint64_t read; /* bytes, ever */
    bool waits;
    struct settled_records *next; /* waiting */
};

bool settled_records_open(struct session *session, int *descriptor)
{
    if (session->records)
        return false;
    struct settled_records *records = calloc(1, sizeof(*records));
    struct record_ring *ring = records ? record_ring_new(descriptor) : NULL;
    if (!ring) {
        free(records);
        return false;
    }
    records->ring = ring;
    records->session = session;
    session->records = records;
    return true;
}

static void stop_waiting(struct settled_records *records)
{
    struct settled_records **at = &records->session->server->first_waiting;

    while (records->waits && *at && *at != records)
        at = &(*at)->next;
    if (records->waits && *at)
        *at = records->next;
    records->waits = false;
}

void settled_records_close(struct session *session)
{
    struct settled_records *records = session->records;

    if (!records)
        return;
    stop_waiting(records);
    record_ring_unmap(records->ring);
    free(records);
    session->records = NULL;
}

void settled_records_wait(struct session *session)
{
    struct settled_records *records = session->records;

    if (!records || records->waits)
        return;
    records->waits = true;
    record_ring_watch(records->ring, true);
    records->next = session->server->first_waiting;
    session->server->first_waiting = records;
    server_start_tick(session->server);
}

/* False if there is something that is no record. */
static bool record_all(struct session *session, const unsigned char *bytes, size_t size,
                       void *memory)
{
    struct budget budget = {RECORDS_STEPS_MAX};
    struct sent_event settled;
    struct arena arena;
    size_t length;
    size_t step;

    for (size_t at = 0; at < size; at += step) {
        const unsigned char *record = record_ring_next(bytes + at, size - at, &length, &step);
        if (!record)
            return false;
        arena_init(&arena, memory, ARENA_SIZE);
        if (!sent_event_of_record(record, length, &arena, &settled))
            return false;
        decision_record_one(session, &settled, &budget);
    }
    return true;
}

/* True if something came. What is no record is given up, with the ring. */
static bool take(struct session *session)
{
    static _Alignas(64) unsigned char bytes[RECORD_RING_BYTES]; /* of who is inside */
    static _Alignas(64) unsigned char memory[ARENA_SIZE];
    struct settled_records *records = session->records;
    size_t size;

    if (!records || !session->generation)
        return false;
    const bool sound = record_ring_take(records->ring, &records->read, bytes, &size) &&
                       record_all(session, bytes, size, memory);
    if (sound)
        return size > 0;
    server_record_refusal(session->server, session->account, session->facts.identity.pid,
                          session->number,
                          "records that are none, in the memory that it writes to");
    settled_records_close(session);
    return false;
}

void settled_records_read(struct session *session)
{
    if (take(session)) /* more may come */
        settled_records_wait(session);
}

/* Nothing has come since the last time: its hook says so when something does. What has come before
 * the hook could know is there now. */
static void stop_watching(struct session *session)
{
    stop_waiting(session->records);
    record_ring_watch(session->records->ring, false);
    settled_records_read(session);
}

void settled_records_read_waiting(struct server *server)
{
    struct settled_records **at = &server->first_waiting;

    while (*at) {
        struct settled_records *records = *at;
        struct session *session = records->session;
        const uint64_t began = uv_hrtime();
        const bool came = take(session);

        if (!came && session->records)
            stop_watching(session);
        /* Else it has gone from here, and the next is in its place. */
        if (*at == records)
            at = &records->next;
        turns_charge(loops_here(server), session->account, uv_hrtime() - began);
    }
}
