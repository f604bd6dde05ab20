/* A record stands with its length in front, four bytes, and nothing between it and the next; either
 * may go over the end. The writer's store of `written` and load of `read`, and the reader's store
 * of `read` and load of `written`, are in one order for both, so that a record is never left
 * without either side knowing: the writer sees that all was read, or the reader that more is there.
 * `watched` is in that order, too: who takes it back looks once more after that. */
#define _GNU_SOURCE
#include "proto/record_ring.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL,
    LENGTH_SIZE = sizeof(uint32_t),
};

_Static_assert(sizeof(struct record_ring) <= RECORD_RING_SIZE, "it fits");
_Static_assert((RECORD_RING_BYTES & (RECORD_RING_BYTES - 1)) == 0, "places wrap round");

static struct record_ring *map(int descriptor)
{
    void *memory = mmap(NULL, RECORD_RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

struct record_ring *record_ring_new(int *descriptor)
{
    const int file = memfd_create("warder-records", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (file < 0)
        return NULL;
    struct record_ring *ring = NULL;
    if (ftruncate(file, RECORD_RING_SIZE) == 0 && fcntl(file, F_ADD_SEALS, SEALS) == 0)
        ring = map(file);
    if (!ring) {
        close(file);
        return NULL;
    }
    *descriptor = file;
    return ring;
}

struct record_ring *record_ring_map(int descriptor)
{
    const int seals = fcntl(descriptor, F_GET_SEALS);

    if (seals < 0 || (seals & SEALS) != SEALS || lseek(descriptor, 0, SEEK_END) != RECORD_RING_SIZE)
        return NULL;
    struct record_ring *ring = map(descriptor);
    if (ring && madvise(ring, RECORD_RING_SIZE, MADV_DONTFORK) < 0) {
        record_ring_unmap(ring);
        return NULL;
    }
    return ring;
}

void record_ring_unmap(struct record_ring *ring)
{
    if (ring)
        munmap(ring, RECORD_RING_SIZE);
}

static void copy_in(struct record_ring *ring, uint64_t at, const void *bytes, size_t size)
{
    const size_t place = (size_t)(at % RECORD_RING_BYTES);
    const size_t front =
        size < RECORD_RING_BYTES - place ? size : (size_t)RECORD_RING_BYTES - place;

    memcpy(ring->bytes + place, bytes, front);
    memcpy(ring->bytes, (const char *)bytes + front, size - front);
}

bool record_ring_put(struct record_ring *ring, const void *record, size_t size, bool *first)
{
    const uint64_t written = ring->written;
    const uint64_t used = written - ring->read;
    const uint32_t length = (uint32_t)size;

    *first = false;
    if (size == 0 || size > RECORD_RING_RECORD_MAX || used > RECORD_RING_BYTES ||
        RECORD_RING_BYTES - used < size + LENGTH_SIZE)
        return false;
    copy_in(ring, written, &length, LENGTH_SIZE);
    copy_in(ring, written + LENGTH_SIZE, record, size);
    atomic_store_explicit(&ring->written, written + LENGTH_SIZE + size, memory_order_seq_cst);
    *first = atomic_load_explicit(&ring->watched, memory_order_seq_cst) == 0 &&
             atomic_load_explicit(&ring->read, memory_order_seq_cst) == written;
    return true;
}

bool record_ring_take(struct record_ring *ring, uint64_t *read, unsigned char *buffer, size_t *size)
{
    const uint64_t written = atomic_load_explicit(&ring->written, memory_order_seq_cst);
    const uint64_t used = written - *read;

    *size = 0;
    if (used > RECORD_RING_BYTES)
        return false;
    const size_t place = (size_t)(*read % RECORD_RING_BYTES);
    const size_t front =
        used < RECORD_RING_BYTES - place ? (size_t)used : (size_t)RECORD_RING_BYTES - place;
    memcpy(buffer, ring->bytes + place, front);
    memcpy(buffer + front, ring->bytes, (size_t)used - front);
    *read = written;
    *size = (size_t)used;
    atomic_store_explicit(&ring->read, written, memory_order_seq_cst);
    return true;
}

void record_ring_watch(struct record_ring *ring, bool watched)
{
    atomic_store_explicit(&ring->watched, watched, memory_order_seq_cst);
}

const unsigned char *record_ring_next(const unsigned char *bytes, size_t size, size_t *length,
                                      size_t *step)
{
    uint32_t said;

    if (size < LENGTH_SIZE)
        return NULL;
    memcpy(&said, bytes, LENGTH_SIZE);
    if (said == 0 || said > RECORD_RING_RECORD_MAX || said > size - LENGTH_SIZE)
        return NULL;
    *length = said;
    *step = LENGTH_SIZE + said;
    return bytes + LENGTH_SIZE;
}
