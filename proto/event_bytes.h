/* An event between the engine's form and the bytes of an Ask or a Record, without protobuf-c in
 * between: it measures each message anew for every one that it is in, and makes a structure of each
 * value, which is most of what a question costs beside the kernel (tests/bench/README.md).
 *
 * The bytes are protobuf-c's own. Read is what is written here and by protobuf-c, and nothing else:
 * of what comes in another order, twice, or from a later version, the caller asks protobuf-c
 * (message.h, event_wire.h). Whatever is taken is well formed, and is the same event there; the
 * fuzzer of messages holds them to that. */
#ifndef WARDER_PROTO_EVENT_BYTES_H
#define WARDER_PROTO_EVENT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/arena.h"
#include "policies/engine/event.h"

/* The body of an Ask, a ClientMessage, so that it ends at `end`. Where it begins; NULL if that
 * would be in front of `begin`. */
unsigned char *ask_bytes_write(const struct event *event, uint64_t continues, unsigned char *begin,
                               unsigned char *end);

/* The same of a Record. */
unsigned char *record_bytes_write(const struct event *event, uint64_t time, unsigned char *begin,
                                  unsigned char *end);

/* An event that was sent, and where its own bytes are. It points into the message and the arena. */
struct sent_event {
    struct event event;
    uint64_t continues; /* of an Ask */
    uint64_t time;      /* of a Record */
    const unsigned char *bytes;
    size_t size;
};

/* False if the bytes are no Ask, or not written as those above; nothing is said of them then. */
bool ask_bytes_read(const void *bytes, size_t length, struct arena *arena, struct sent_event *sent);
bool record_bytes_read(const void *bytes, size_t length, struct arena *arena,
                       struct sent_event *sent);

#endif
