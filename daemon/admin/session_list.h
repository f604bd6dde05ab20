/* The sessions that there are, for administrators: whom they are of, what governs them, what the
 * kernel holds of it. */
#ifndef WARDER_DAEMON_ADMIN_SESSION_LIST_H
#define WARDER_DAEMON_ADMIN_SESSION_LIST_H

#include <stdint.h>

#include "daemon/session/connection.h"

enum {
    SESSION_LIST_MAX = 256, /* each costs the loop the time to compile its floor anew */
};

/* Answers with the youngest sessions, `most` of them (0, and more than SESSION_LIST_MAX:
 * SESSION_LIST_MAX). */
void session_list_send(struct server *server, struct connection *connection, uint32_t most);

#endif
