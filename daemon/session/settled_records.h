/* Records that a session's hook has written into its ring (proto/record_ring.h): read before the
 * session is answered, a moment after its hook has said that some wait, before another generation
 * judges, and when it ends. What is in the ring is the process's word, as a message is, and is
 * checked like one. Inside (loops.h). */
#ifndef WARDER_DAEMON_SESSION_SETTLED_RECORDS_H
#define WARDER_DAEMON_SESSION_SETTLED_RECORDS_H

#include <stdbool.h>

#include "daemon/session/server.h"

struct session;

/* Makes the session's ring; the descriptor is to be handed out, and the caller's to close. False if
 * there is none to be had: its hook asks about what is to be recorded. */
bool settled_records_open(struct session *session, int *descriptor);
void settled_records_close(struct session *session);

/* Something waits in the ring: it is read within two ticks, and then at every tick until nothing
 * has come since the one before. */
void settled_records_wait(struct session *session);

/* Reads what there is. A ring with nonsense in it is given up, and that is recorded. */
void settled_records_read(struct session *session);

/* Reads those that wait. */
void settled_records_read_waiting(struct server *server);

#endif
