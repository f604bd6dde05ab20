/* Interpreters that should have come under policy and did not: what their hook, or the `warder run`
 * that started them, says of it goes into the record, and is counted. Inside (loops.h). */
#ifndef WARDER_DAEMON_SESSION_UNGUARDED_H
#define WARDER_DAEMON_SESSION_UNGUARDED_H

#include "daemon/session/connection.h"

/* Closes the connection, unless it is a launcher's. */
void unguarded_record(struct connection *connection, const Warder__V1__Unguarded *unguarded);

#endif
