/* Decisions: an event of a session judged by everything that governs it, answered, then recorded.
 */
#ifndef WARDER_DAEMON_SESSION_DECISION_H
#define WARDER_DAEMON_SESSION_DECISION_H

#include "daemon/session/connection.h"
#include "daemon/session/session.h"
#include "proto/event_bytes.h"

struct denial_queue;

/* NULL on lack of memory. */
struct denial_queue *denial_queue_new(void);
void denial_queue_free(struct denial_queue *queue);

/* Judges what is asked, answers on the connection, records. An event that is ill formed ends the
 * session. */
void decision_answer(struct connection *connection, struct incoming *incoming);

/* The calling line of a denial, as the process says. */
void decision_place(struct session *session, const Warder__V1__Denied *denied);

/* Records one event that the hook settled itself, as it is judged by the session's generation. */
void decision_record_one(struct session *session, const struct sent_event *settled,
                         struct budget *budget);

/* Says in the record how much is missing from it. What the hook counts is its process's word. */
void decision_record_gap(struct session *session, uint64_t count, const char *text);

/* Events that the hook settled itself, in a message. */
void decision_record_settled(struct connection *connection, struct session *session,
                             const Warder__V1__Records *records);

/* Hands over to the record the denials whose time has come; all of them if `everything`. True if
 * some are left. */
bool decision_flush(struct server *server, bool everything);

#endif
