/* An event that was kept as it came over the socket, as the record may show it: with secrets masked
 * (redaction.h), and in words. */
#ifndef WARDER_DAEMON_AUDIT_SHOWN_EVENT_H
#define WARDER_DAEMON_AUDIT_SHOWN_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/audit/redaction.h"
#include "policies/engine/arena.h"
#include "policies/engine/event.h"
#include "policies/engine/event_text.h"
#include "proto/message.h"

enum { SHOWN_EVENT_ARENA_SIZE = MESSAGE_ARENA_SIZE + 2 * 1024 * 1024 }; /* message, then event */

struct shown_event {
    struct event event; /* valid if `is_readable` */
    bool is_readable;
    char summary[EVENT_TEXT_MAX]; /* exec "id"; or why there is nothing else */
    struct redaction redaction;
};

/* `operation` of the event is what was judged. Valid until deinit, and as long as bytes and arena,
 * which is begun anew. */
void shown_event_init(struct shown_event *shown, struct arena *arena, const void *bytes,
                      size_t size, uint32_t operation);
void shown_event_deinit(struct shown_event *shown);

#endif
