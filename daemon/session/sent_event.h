/* Events that were sent: as the hook writes them (proto/event_bytes.h), or as a message says them.
 * The record keeps an event as its own bytes, whoever packed them. */
#ifndef WARDER_DAEMON_SESSION_SENT_EVENT_H
#define WARDER_DAEMON_SESSION_SENT_EVENT_H

#include <stdbool.h>

#include "proto/event_bytes.h"
#include "proto/message.h"

/* The event of a decoded message, and its bytes, packed anew in the arena: NULL if there is no room
 * for them. False if it is ill formed. */
bool sent_event_of(const Warder__V1__Event *message, struct arena *arena, struct sent_event *sent);

/* A record out of a session's ring. False if it is none, ill formed, or too large for the arena. */
bool sent_event_of_record(const void *bytes, size_t length, struct arena *arena,
                          struct sent_event *sent);

#endif
