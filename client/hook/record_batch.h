/* Records of events that were settled in this process, on their way to the daemon.
 *
 * They are packed where they happen and go out together: before anything is asked, so that the
 * record keeps its order, before the process forks, starts a program or ends, and when there are
 * many or the first is old. A process that is killed takes those that it still had with it. Any
 * thread may add; who finds another at it asks instead. */
#ifndef WARDER_CLIENT_HOOK_RECORD_BATCH_H
#define WARDER_CLIENT_HOOK_RECORD_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/arena.h"
#include "policies/engine/event.h"
#include "proto/message.h"

enum {
    RECORD_BATCH_MAX = 256,          /* records: a quarter of what the daemon takes at once */
    RECORD_BATCH_SIZE = 96 * 1024,   /* bytes: what fits into a packet */
    RECORD_BATCH_MILLISECONDS = 200, /* the first one's age */
};

/* Adds a record; the arena is used for packing, behind the event. False if the batch has to go out
 * first, or the event is too large for one: the event is asked then, which sees to it. */
bool record_batch_add(const struct event *event, struct arena *arena);

/* True if something waits. */
bool record_batch_waits(void);

/* Sends what waits through `send`, which says whether it has gone out; what has not is counted as
 * lost, and the count goes out with the next. */
typedef bool record_batch_sender(void *context, Warder__V1__Records *records);
void record_batch_flush(record_batch_sender *send, void *context);

/* In a forked child: what waits is the parent's. */
void record_batch_become_child(void);

#endif
