/* A bounded ring of records from one thread to one other, without a lock on either side.
 *
 * The producer reserves room, fills it and commits; the consumer reads what is committed in order,
 * where it lies, and releases it. Nobody ever waits: where there is no room, reserving fails. A
 * record lies in one piece and stays where it is until it is released, so it may point into itself.
 *
 * The memory is mapped once. As long as the consumer keeps up, the ring begins anew at its start
 * and stays within AUDIT_RING_WARM bytes; what lay beyond goes back to the system when it is
 * released. */
#ifndef WARDER_DAEMON_AUDIT_AUDIT_RING_H
#define WARDER_DAEMON_AUDIT_AUDIT_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AUDIT_RING_WARM = 4 * 1024 * 1024, /* a batch of ordinary records, and some more */
};

struct audit_ring {
    /* Positions count on forever; in memory they are taken modulo `size`. What the producer moves
     * and what the consumer does have lines of the cache of their own. */
    _Alignas(64) _Atomic uint64_t head; /* what is committed */
    unsigned char *memory;
    size_t size;
    uint64_t written;                   /* the producer's: where the next record goes */
    uint64_t reserved;                  /* and where it ends, until it is committed */
    _Alignas(64) _Atomic uint64_t tail; /* what is released */
};

/* `size` is a multiple of the page size. False on lack of memory. */
bool audit_ring_init(struct audit_ring *ring, size_t size);
void audit_ring_deinit(struct audit_ring *ring);

/* Producer: room for one record, aligned for any type; NULL if there is none, or if `size` is more
 * than a quarter of the ring. Nothing is in the ring until it is committed. */
void *audit_ring_reserve(struct audit_ring *ring, size_t size);
void audit_ring_commit(struct audit_ring *ring);

/* Bytes in use, with what lies between records. For any thread. */
size_t audit_ring_used(const struct audit_ring *ring);

/* Consumer: the record at the cursor, which moves behind it; NULL if there is no further one. A
 * cursor begins with audit_ring_begin. */
uint64_t audit_ring_begin(const struct audit_ring *ring);
void *audit_ring_next(const struct audit_ring *ring, uint64_t *cursor);

/* Consumer: everything before the cursor is free again. */
void audit_ring_release(struct audit_ring *ring, uint64_t cursor);

#endif
