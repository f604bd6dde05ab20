/* Records of events that were settled in this process, on their way to the daemon: written where
 * they happen into the ring that the daemon has handed over (proto/record_ring.h), and read by it
 * from there. So there is nothing to send before a question, a fork, an exec or the end, and what a
 * process wrote before it was killed is in the record.
 *
 * The daemon is told when the first of a batch is there, and comes for it and all that follow a
 * moment later. Any thread may add; who finds another at it, or no room, asks instead. A forked
 * child has no ring: by the time that one could be handed to it, somebody could put another in its
 * place. */
#ifndef WARDER_CLIENT_HOOK_RECORD_BATCH_H
#define WARDER_CLIENT_HOOK_RECORD_BATCH_H

#include <stdbool.h>

#include "policies/engine/arena.h"
#include "policies/engine/event.h"

/* Takes the ring that came with the first Welcome; -1: none did. The descriptor is closed. */
void record_batch_take_ring(int descriptor);

/* Adds a record; the arena is used for packing, behind the event. False if there is no room for it:
 * the event is asked then. */
bool record_batch_add(const struct event *event, struct arena *arena);

/* True, once, if the daemon is to be told that something waits; again if it could not be told. */
bool record_batch_is_news(void);
void record_batch_not_told(void);

/* In a forked child: the ring is the parent's. */
void record_batch_become_child(void);

#endif
