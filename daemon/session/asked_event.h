/* The bytes of an event, for the record.
 *
 * The record keeps an event as it was packed. In an Ask that has nothing but its event, and perhaps
 * the decision that it continues, these bytes are a part of the message and are used where they
 * lie; from anything else the event is packed again. */
#ifndef WARDER_DAEMON_SESSION_ASKED_EVENT_H
#define WARDER_DAEMON_SESSION_ASKED_EVENT_H

#include <stdbool.h>

#include "policies/engine/arena.h"
#include "proto/message.h"

/* The event inside the `length` bytes of a ClientMessage that is an Ask; no bytes (NULL) if the
 * message is put together in any other way than ours. What comes back was decoded as the event, and
 * nothing else was. */
ProtobufCBinaryData asked_event_find(const unsigned char *body, size_t length);

/* The event packed into the arena; NULL bytes on lack of memory there. */
ProtobufCBinaryData asked_event_pack(const Warder__V1__Event *event, struct arena *arena);

#endif
