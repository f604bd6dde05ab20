/* Connections that are handed over existing ones: a process gets one without looking anything up
 * by path, so that nothing can be put in between. Inside (loops.h). */
#ifndef WARDER_DAEMON_SESSION_HANDED_CONNECTION_H
#define WARDER_DAEMON_SESSION_HANDED_CONNECTION_H

#include <stddef.h>

#include "daemon/session/connection.h"

enum {
    CONNECTIONS_PER_SESSION = 4, /* design, "The session" */
};

size_t session_connection_count(const struct session *session);

/* One end for us, as a connection charged to who asks; the other, `*other`, to be handed out. NULL
 * on failure. */
struct connection *connection_hand_out(struct connection *asking, enum connection_state state,
                                       int *other);

/* Answers an Open. */
void connection_open_another(struct connection *connection, struct incoming *incoming);

#endif
