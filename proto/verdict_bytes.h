/* A verdict that allows, and says nothing beside, between its numbers and the bytes of a Verdict:
 * what most answers are. As event_bytes.h: the bytes are protobuf-c's own, and of any other verdict
 * protobuf-c is asked. */
#ifndef WARDER_PROTO_VERDICT_BYTES_H
#define WARDER_PROTO_VERDICT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VERDICT_BYTES_MAX = 64, /* of the body: three tags and lengths, and five numbers */
};

struct plain_verdict {
    uint64_t decision;
    uint32_t guarded;
    uint32_t held;
    uint32_t flat;
    bool only_exec;
};

/* The body of a DaemonMessage that allows, so that it ends at `end`, with VERDICT_BYTES_MAX in
 * front of it. Where it begins. */
unsigned char *verdict_bytes_write(const struct plain_verdict *verdict, unsigned char *end);

/* True if the bytes are a verdict that allows and says no more than is taken here. */
bool verdict_bytes_read(const void *bytes, size_t length, struct plain_verdict *verdict);

#endif
