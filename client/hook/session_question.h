/* How a question goes to the daemon as bytes, and what the answer to it says. Part of a session, as
 * session_parts.h. */
#ifndef WARDER_CLIENT_HOOK_SESSION_QUESTION_H
#define WARDER_CLIENT_HOOK_SESSION_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "client/hook/daemon_connection.h"
#include "client/hook/hook_session.h"
#include "policies/engine/event.h"
#include "proto/verdict_bytes.h"

/* A verdict that allows and says no more, or else a message, in the exchange's memory. */
struct question_reply {
    bool plain;
    struct plain_verdict verdict;
    const Warder__V1__DaemonMessage *message;
};

/* Asks about an event that does not stand in the exchange's memory. */
enum exchange_result session_question_exchange(struct daemon_connection *connection,
                                               const struct exchange *exchange,
                                               const struct event *event, uint64_t continues,
                                               struct question_reply *reply);

/* Fills in the answer, which is a denial so far. `epoch`: of the generation page, before it was
 * asked. False if what was answered is no verdict. */
bool session_question_take(const struct question_reply *reply, uint64_t epoch,
                           struct answer *answer);

#endif
