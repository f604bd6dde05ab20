/* The table: which message in which state. What is not in it is refused. */
#include "daemon/session/protocol.h"

#include "daemon/session/decision.h"
#include "daemon/session/denial_queue.h"
#include "daemon/session/handed_connection.h"
#include "daemon/session/handshake.h"
#include "daemon/session/policy_handout.h"
#include "daemon/session/session.h"
#include "daemon/session/settled_records.h"
#include "daemon/session/unguarded.h"

#define HELLO (1U << WARDER__V1__CLIENT_MESSAGE__BODY_HELLO)
#define RESUME (1U << WARDER__V1__CLIENT_MESSAGE__BODY_RESUME)
#define LAUNCH (1U << WARDER__V1__CLIENT_MESSAGE__BODY_LAUNCH)
#define OPEN (1U << WARDER__V1__CLIENT_MESSAGE__BODY_OPEN)
#define ASK (1U << WARDER__V1__CLIENT_MESSAGE__BODY_ASK)
#define DENIED (1U << WARDER__V1__CLIENT_MESSAGE__BODY_DENIED)
#define RECORDS (1U << WARDER__V1__CLIENT_MESSAGE__BODY_RECORDS)
#define FLOOR_TAKEN (1U << WARDER__V1__CLIENT_MESSAGE__BODY_FLOOR_TAKEN)
#define FETCH_POLICY (1U << WARDER__V1__CLIENT_MESSAGE__BODY_FETCH_POLICY)
#define RECORDS_WAIT (1U << WARDER__V1__CLIENT_MESSAGE__BODY_RECORDS_WAIT)
#define UNGUARDED (1U << WARDER__V1__CLIENT_MESSAGE__BODY_UNGUARDED)
#define ADMIN (1U << WARDER__V1__CLIENT_MESSAGE__BODY_ADMIN)

static const unsigned allowed[] = {
    [STATE_NEW] = HELLO | RESUME | LAUNCH | UNGUARDED,
    [STATE_DOOR] = OPEN,
    [STATE_OPENED] = HELLO | UNGUARDED,
    [STATE_CHILD] = HELLO,
    [STATE_WAITING] = 0,
    [STATE_SESSION] = OPEN | ASK | DENIED | RECORDS | FLOOR_TAKEN | FETCH_POLICY | RECORDS_WAIT,
    [STATE_LAUNCHER] = UNGUARDED,
    [STATE_CONTROL] = LAUNCH | ADMIN | UNGUARDED,
    [STATE_ADMIN] = ADMIN,
    [STATE_CLOSED] = 0,
};

void protocol_dispatch(struct connection *connection, struct incoming *incoming)
{
    struct server *server = connection->server;
    const Warder__V1__ClientMessage *message = incoming->message;
    const unsigned kind =
        incoming->is_plain ? WARDER__V1__CLIENT_MESSAGE__BODY_ASK : (unsigned)message->body_case;
    const char *refusal;

    if (!(allowed[connection->state] >> kind & 1)) {
        connection_refuse(connection, "a message that is not allowed now");
        return;
    }
    if (1U << kind & (ASK | RECORDS) && !session_floor_is_settled(&connection->session->floor)) {
        connection_refuse(connection, "an event before the floor that its policies require");
        return;
    }
    switch (kind) {
    case WARDER__V1__CLIENT_MESSAGE__BODY_HELLO:
        handshake_hello(connection, incoming);
        return;
    case WARDER__V1__CLIENT_MESSAGE__BODY_RESUME:
        handshake_resume(connection, incoming);
        return;
    case WARDER__V1__CLIENT_MESSAGE__BODY_LAUNCH:
        handshake_launch(connection, incoming);
        return;
    case WARDER__V1__CLIENT_MESSAGE__BODY_OPEN:
        connection_open_another(connection, incoming);
        return;
    case WARDER__V1__CLIENT_MESSAGE__BODY_ASK:
        decision_answer(connection, incoming);
        return;
    case WARDER__V1__CLIENT_MESSAGE__BODY_DENIED:
        denial_queue_place(connection->session, message->denied);
        return;
    case WARDER__V1__CLIENT_MESSAGE__BODY_RECORDS:
        decision_record_settled(connection, connection->session, message->records);
        return;
    case WARDER__V1__CLIENT_MESSAGE__BODY_FLOOR_TAKEN:
        if (!session_floor_take(connection->session, message->floor_taken, &refusal))
            connection_refuse(connection, refusal);
        return;
    case WARDER__V1__CLIENT_MESSAGE__BODY_RECORDS_WAIT:
        settled_records_wait(connection->session);
        return;
    case WARDER__V1__CLIENT_MESSAGE__BODY_FETCH_POLICY:
        policy_handout_answer(connection, incoming);
        return;
    case WARDER__V1__CLIENT_MESSAGE__BODY_UNGUARDED:
        unguarded_record(connection, message->unguarded);
        return;
    case WARDER__V1__CLIENT_MESSAGE__BODY_ADMIN:
        server->administer(server->administration, connection, incoming);
        return;
    default:
        connection_refuse(connection, "a message that is not allowed now");
        return;
    }
}
