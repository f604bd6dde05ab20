/* How sessions begin: Hello, Resume, Launch.
 *
 * What the loop can check at once it does; the rest (names, groups, policy texts, kept sessions) is
 * done by a worker, while the connection may say nothing. */
#ifndef WARDER_DAEMON_SESSION_HANDSHAKE_H
#define WARDER_DAEMON_SESSION_HANDSHAKE_H

#include "daemon/session/connection.h"

void handshake_hello(struct connection *connection, struct incoming *incoming);
void handshake_resume(struct connection *connection, struct incoming *incoming);
void handshake_launch(struct connection *connection, struct incoming *incoming);

#endif
