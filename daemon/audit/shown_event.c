#include "daemon/audit/shown_event.h"

#include <stdio.h>

#include "proto/event_wire.h"

/* The event was decoded once before, by the loop; one that does not decode now is kept by name of
 * its failure. */
void shown_event_init(struct shown_event *shown, struct arena *arena, const void *bytes,
                      size_t size, uint32_t operation)
{
    struct event event;

    arena_reset(arena);
    redaction_init(&shown->redaction);
    shown->is_readable = false;
    const Warder__V1__Event *message = (const Warder__V1__Event *)message_decode(
        &warder__v1__event__descriptor, arena, bytes, size);
    if (!message || !event_from_wire(message, arena, &event)) {
        (void)snprintf(shown->summary, sizeof(shown->summary), "an event that cannot be shown");
        return;
    }
    shown->is_readable = redaction_mask_event(&shown->redaction, &event, &shown->event);
    if (shown->is_readable)
        event_text(&shown->event, operation, shown->summary, sizeof(shown->summary));
    else
        (void)snprintf(shown->summary, sizeof(shown->summary),
                       "an event that cannot be shown: out of memory");
}

void shown_event_deinit(struct shown_event *shown)
{
    redaction_deinit(&shown->redaction);
}
