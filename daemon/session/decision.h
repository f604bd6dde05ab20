/* Decisions: an event of a session judged by everything that governs it, answered, then recorded.
 */
#ifndef WARDER_DAEMON_SESSION_DECISION_H
#define WARDER_DAEMON_SESSION_DECISION_H

#include "daemon/session/connection.h"
#include "daemon/session/session.h"
#include "proto/event_bytes.h"

/* Judges what is asked, answers on the connection, records. An event that is ill formed ends the
 * session. */
void decision_answer(struct connection *connection, struct incoming *incoming);

/* Records one event that the hook settled itself, as it is judged by the session's generation. */
void decision_record_one(struct session *session, const struct sent_event *settled,
                         struct budget *budget);

/* Says in the record how much is missing from it. What the hook counts is its process's word. */
void decision_record_gap(struct session *session, uint64_t count, const char *text);

/* Events that the hook settled itself, in a message. */
void decision_record_settled(struct connection *connection, struct session *session,
                             const Warder__V1__Records *records);

#endif
