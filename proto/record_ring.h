/* Records on their way from an interpreter to the daemon, in memory that both have: a ring of
 * packed messages (Record).
 *
 * The daemon makes it, seals it against another size, and hands it out in the first Welcome. The
 * hook writes; the daemon reads before it answers a question of that session, and when the session
 * ends, however it does: what was written is not lost with the process. It also reads a moment
 * after the hook has said that something waits, and goes on to look every moment as long as
 * something comes. It says so in the ring, and the hook need not say anything then. The daemon
 * believes nothing of it: it keeps where it has read to itself, and copies before it looks. */
#ifndef WARDER_PROTO_RECORD_RING_H
#define WARDER_PROTO_RECORD_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RECORD_RING_SIZE = 68 * 1024,       /* of the whole, in pages */
    RECORD_RING_BYTES = 64 * 1024,      /* of records: some 500, half a millisecond of judging */
    RECORD_RING_RECORD_MAX = 32 * 1024, /* a larger one is asked about instead */
};

/* A cache line for each side. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct record_ring {
    _Atomic uint64_t written;           /* bytes, ever: the hook's */
    _Alignas(64) _Atomic uint64_t read; /* bytes, ever: the daemon's, for the hook to see */
    _Atomic uint32_t watched;           /* the daemon is going to look, whoever says anything */
    _Alignas(64) unsigned char bytes[RECORD_RING_BYTES];
};

/* Makes one: mapped, and as a close-on-exec descriptor to hand out. NULL on failure. */
struct record_ring *record_ring_new(int *descriptor);

/* Maps one that was handed out, in this process alone: a forked child does not have it. NULL if it
 * is none. The descriptor stays the caller's. */
struct record_ring *record_ring_map(int descriptor);

void record_ring_unmap(struct record_ring *ring);

/* Writes one record. False if it has no room. One writer at a time. `*first`: everything that was
 * written before has been read and nobody is going to look, so that the reader may not know of this
 * one. */
bool record_ring_put(struct record_ring *ring, const void *record, size_t size, bool *first);

/* Copies what there is behind `*read`, `*size` bytes of at most RECORD_RING_BYTES, to `buffer`, and
 * moves on. False if what the writer says cannot be. */
bool record_ring_take(struct record_ring *ring, uint64_t *read, unsigned char *buffer,
                      size_t *size);

/* Says whether the reader is going to look. When it is not any more, it takes once more what there
 * is: what is written after that is said. */
void record_ring_watch(struct record_ring *ring, bool watched);

/* The first record of what was copied, and how far it goes; NULL if it is cut. */
const unsigned char *record_ring_next(const unsigned char *bytes, size_t size, size_t *length,
                                      size_t *step);

#endif
