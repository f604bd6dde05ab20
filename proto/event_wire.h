/* Events between the engine's form and the contract's.
 *
 * Both directions work in an arena. Towards the engine every number of the message is checked
 * against what it can be: an event that comes out is well formed whatever came in, and an
 * ill-formed one ends the session of whoever sent it. */
#ifndef WARDER_PROTO_EVENT_WIRE_H
#define WARDER_PROTO_EVENT_WIRE_H

#include <stdbool.h>

#include "policies/engine/arena.h"
#include "policies/engine/event.h"
#include "proto/message.h"

/* Fills in `message` (initialised here) with pointers into the arena and into the event. False if
 * the arena is too small. */
bool event_to_wire(const struct event *event, struct arena *arena, Warder__V1__Event *message);

/* Fills in `event` with pointers into the arena and into the message. The number is looked up by
 * the name. False if the message is ill formed or the arena too small. */
bool event_from_wire(const Warder__V1__Event *message, struct arena *arena, struct event *event);

#endif
