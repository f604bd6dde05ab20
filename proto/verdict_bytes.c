#include "proto/verdict_bytes.h"

#include "proto/warder.pb-c.h"
#include "proto/wire_reader.h"
#include "proto/wire_writer.h"

/* Of proto/warder.proto. */
enum {
    DAEMON_MESSAGE_VERDICT = 6,
    VERDICT_OUTCOME = 1,
    VERDICT_DECISION = 8,
    VERDICT_GUARDED = 40,
    VERDICT_HELD = 41,
    VERDICT_ONLY_EXEC = 43,
    VERDICT_FLAT = 44,
};

unsigned char *verdict_bytes_write(const struct plain_verdict *verdict, unsigned char *end)
{
    struct wire_writer writer = {.begin = end - VERDICT_BYTES_MAX, .at = end};

    wire_number(&writer, VERDICT_FLAT, verdict->flat);
    wire_number(&writer, VERDICT_ONLY_EXEC, verdict->only_exec);
    wire_number(&writer, VERDICT_HELD, verdict->held);
    wire_number(&writer, VERDICT_GUARDED, verdict->guarded);
    wire_number(&writer, VERDICT_DECISION, verdict->decision);
    wire_number(&writer, VERDICT_OUTCOME, WARDER__V1__OUTCOME__OUTCOME_ALLOW);
    wire_begin_part(&writer, DAEMON_MESSAGE_VERDICT, end);
    return writer.at;
}

bool verdict_bytes_read(const void *bytes, size_t length, struct plain_verdict *verdict)
{
    struct wire_reader message = wire_reader_of((struct wire_part){bytes, length});
    struct wire_reader reader = wire_reader_of(wire_read_bytes(&message, DAEMON_MESSAGE_VERDICT));
    const uint64_t outcome = wire_read_number(&reader, VERDICT_OUTCOME, INT32_MAX);

    verdict->decision = wire_read_number(&reader, VERDICT_DECISION, UINT64_MAX);
    verdict->guarded = (uint32_t)wire_read_number(&reader, VERDICT_GUARDED, UINT32_MAX);
    verdict->held = (uint32_t)wire_read_number(&reader, VERDICT_HELD, UINT32_MAX);
    verdict->only_exec = wire_read_number(&reader, VERDICT_ONLY_EXEC, 1) != 0;
    verdict->flat = (uint32_t)wire_read_number(&reader, VERDICT_FLAT, UINT32_MAX);
    return outcome == WARDER__V1__OUTCOME__OUTCOME_ALLOW && wire_is_done(&reader) &&
           wire_is_done(&message);
}
