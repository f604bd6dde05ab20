/* Invariants. tail <= head <= written, and written - tail <= size. Only the producer moves `head`,
 * only the consumer `tail`. Every entry begins at a multiple of ENTRY_ALIGN and holds its size; one
 * that is no record fills the end of the ring, where the next record would not fit in one piece. */
#define _GNU_SOURCE
#include "daemon/audit/audit_ring.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ENTRY_ALIGN = 16 };

struct entry {
    uint64_t size; /* with itself, a multiple of ENTRY_ALIGN */
    bool is_record;
    _Alignas(ENTRY_ALIGN) unsigned char bytes[];
};

_Static_assert(sizeof(struct entry) == ENTRY_ALIGN, "an entry's head fits wherever one may begin");

bool audit_ring_init(struct audit_ring *ring, size_t size)
{
    memset(ring, 0, sizeof(*ring));
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    ring->memory = memory;
    ring->size = size;
    return true;
}

void audit_ring_deinit(struct audit_ring *ring)
{
    if (ring->memory)
        munmap(ring->memory, ring->size);
    memset(ring, 0, sizeof(*ring));
}

static struct entry *entry_at(const struct audit_ring *ring, uint64_t position)
{
    return (struct entry *)(ring->memory + position % ring->size);
}

/* Leaves the rest of the ring unused: the next record begins at its start. False without room. */
static bool skip_to_start(struct audit_ring *ring, uint64_t tail)
{
    const size_t rest = ring->size - ring->written % ring->size;

    if (ring->written + rest - tail > ring->size)
        return false;
    *entry_at(ring, ring->written) = (struct entry){.size = rest, .is_record = false};
    ring->written += rest;
    return true;
}

void *audit_ring_reserve(struct audit_ring *ring, size_t size)
{
    const size_t whole =
        (sizeof(struct entry) + size + ENTRY_ALIGN - 1) & ~(size_t)(ENTRY_ALIGN - 1);

    if (size > ring->size / 4)
        return NULL;
    const uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    const size_t at = ring->written % ring->size;
    const bool is_empty = tail == ring->written;
    /* An empty ring that has gone far goes back to memory that is warm. */
    if ((whole > ring->size - at || (is_empty && at >= AUDIT_RING_WARM)) &&
        !skip_to_start(ring, tail))
        return NULL;
    if (ring->written + whole - tail > ring->size)
        return NULL;
    struct entry *entry = entry_at(ring, ring->written);
    *entry = (struct entry){.size = whole, .is_record = true};
    ring->reserved = ring->written + whole;
    return entry->bytes;
}

void audit_ring_commit(struct audit_ring *ring)
{
    ring->written = ring->reserved;
    /* Sequentially consistent: who has committed and then sees the consumer awake may rely on its
     * seeing the record. */
    atomic_store(&ring->head, ring->written);
}

size_t audit_ring_used(const struct audit_ring *ring)
{
    const uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    const uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    return head > tail ? (size_t)(head - tail) : 0; /* another thread may have moved both */
}

uint64_t audit_ring_begin(const struct audit_ring *ring)
{
    return atomic_load_explicit(&ring->tail, memory_order_relaxed);
}

void *audit_ring_next(const struct audit_ring *ring, uint64_t *cursor)
{
    const uint64_t head = atomic_load(&ring->head);

    while (*cursor < head) {
        struct entry *entry = entry_at(ring, *cursor);
        *cursor += entry->size;
        if (entry->is_record)
            return entry->bytes;
    }
    return NULL;
}

/* Whole pages alone: beside what is released at their edges there may be what is not. */
static void give_back(const struct audit_ring *ring, size_t from, size_t to)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t first = (from + page - 1) / page * page;
    const size_t end = to / page * page;

    if (first < end)
        madvise(ring->memory + first, end - first, MADV_DONTNEED);
}

void audit_ring_release(struct audit_ring *ring, uint64_t cursor)
{
    uint64_t from = atomic_load_explicit(&ring->tail, memory_order_relaxed);

    /* Before it is released, for then it is the producer's. */
    while (from < cursor) {
        const size_t at = from % ring->size;
        const size_t length = cursor - from < ring->size - at ? cursor - from : ring->size - at;
        if (at + length > AUDIT_RING_WARM)
            give_back(ring, at > AUDIT_RING_WARM ? at : AUDIT_RING_WARM, at + length);
        from += length;
    }
    atomic_store_explicit(&ring->tail, cursor, memory_order_release);
}
