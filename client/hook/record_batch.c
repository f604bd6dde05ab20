#define _GNU_SOURCE
#include "client/hook/record_batch.h"

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "proto/event_bytes.h"
#include "proto/record_ring.h"

static struct {
    atomic_flag busy; /* somebody is at the ring: no libc before 2.34 has a lock to be tried */
    struct record_ring *ring;
    _Atomic bool news;
} batch = {.busy = ATOMIC_FLAG_INIT};

void record_batch_take_ring(int descriptor)
{
    while (atomic_flag_test_and_set(&batch.busy)) /* for as long as a record is copied */
        ;
    record_ring_unmap(batch.ring);
    batch.ring = descriptor >= 0 ? record_ring_map(descriptor) : NULL;
    batch.news = false;
    atomic_flag_clear(&batch.busy);
    if (descriptor >= 0)
        close(descriptor);
}

void record_batch_become_child(void)
{
    atomic_flag_clear(&batch.busy);
    batch.ring = NULL; /* it is not mapped here */
    batch.news = false;
}

static uint64_t wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool put(const void *record, size_t size)
{
    bool first = false;

    if (atomic_flag_test_and_set(&batch.busy))
        return false;
    const bool put = batch.ring && record_ring_put(batch.ring, record, size, &first);
    if (put && first)
        batch.news = true;
    atomic_flag_clear(&batch.busy);
    return put;
}

bool record_batch_add(const struct event *event, struct arena *arena)
{
    const size_t mark = arena->used;
    unsigned char *memory = batch.ring ? arena_alloc(arena, RECORD_RING_RECORD_MAX) : NULL;

    if (!memory)
        return false;
    unsigned char *end = memory + RECORD_RING_RECORD_MAX;
    const unsigned char *record = record_bytes_write(event, wall_clock(), memory, end);
    const bool added = record && put(record, (size_t)(end - record));
    arena->used = mark;
    return added;
}

void record_batch_not_told(void)
{
    batch.news = true;
}

bool record_batch_is_news(void)
{
    return batch.news && atomic_exchange_explicit(&batch.news, false, memory_order_relaxed);
}
