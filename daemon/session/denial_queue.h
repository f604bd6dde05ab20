/* Denials on their way to the record. They wait a moment: for their calling line, which comes in a
 * message of its own, and for others like them, which are counted instead of repeated. Inside
 * (loops.h). */
#ifndef WARDER_DAEMON_SESSION_DENIAL_QUEUE_H
#define WARDER_DAEMON_SESSION_DENIAL_QUEUE_H

#include "daemon/session/session.h"

struct denial_queue;

/* NULL on lack of memory. */
struct denial_queue *denial_queue_new(void);
void denial_queue_free(struct denial_queue *queue);

/* The number under which a denial is going to be in the record: a program that is denied the same
 * thing again and again is told the same id. */
uint64_t denial_queue_number(const struct session *session, const struct audit_decision *decision);

/* Records a denial, or counts it where one like it still waits: with one whose line has not come
 * either, for its own may be another. */
void denial_queue_add(struct session *session, const struct audit_decision *decision);

/* The calling line of a denial, as the process says. */
void denial_queue_place(struct session *session, const Warder__V1__Denied *denied);

/* Hands over to the record the denials whose time has come; all of them if `everything`. True if
 * some are left. */
bool denial_queue_flush(struct server *server, bool everything);

#endif
