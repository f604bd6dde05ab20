/* Which message is allowed in which state, and who handles it. */
#ifndef WARDER_DAEMON_SESSION_PROTOCOL_H
#define WARDER_DAEMON_SESSION_PROTOCOL_H

#include "daemon/session/connection.h"

/* Handles a message that is well formed, in order and authentic as far as the state has a key. */
void protocol_dispatch(struct connection *connection, struct incoming *incoming);

#endif
