#define _GNU_SOURCE
#include "daemon/session/handed_connection.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/session/run.h"
#include "daemon/session/session.h"
#include "proto/packet_socket.h"

size_t session_connection_count(const struct session *session)
{
    size_t count = 0;
    for (const struct connection *at = session->connections; at; at = at->next_of_session)
        count++;
    return count;
}

struct connection *connection_hand_out(struct connection *asking, enum connection_state state,
                                       int *other)
{
    struct server *server = asking->server;
    int sockets[2];
    const int on = 1;

    if (!user_account_charge(&server->accounts, asking->account, CHARGE_CONNECTION, 1))
        return NULL;
    if (packet_socket_pair(sockets) < 0) {
        user_account_return(&server->accounts, asking->account, CHARGE_CONNECTION, 1);
        return NULL;
    }
    /* Who speaks on it will be somebody else than who asked for it: the kernel says who. */
    setsockopt(sockets[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
    const struct connection_options options = {.state = state, .account = asking->account};
    struct connection *connection = connection_new(server, sockets[0], &options);
    if (!connection) {
        close(sockets[1]);
        return NULL;
    }
    *other = sockets[1];
    return connection;
}

void connection_open_another(struct connection *connection, struct incoming *incoming)
{
    Warder__V1__DaemonMessage message = WARDER__V1__DAEMON_MESSAGE__INIT;
    Warder__V1__Opened opened_message = WARDER__V1__OPENED__INIT;
    const struct reply_to to = connection_reply_to(connection, incoming);
    struct session *session = connection->session;
    const bool child =
        incoming->message->open->purpose == WARDER__V1__OPEN_PURPOSE__OPEN_PURPOSE_CHILD;
    struct connection *opened = NULL;
    int other = -1;

    if (connection->state == STATE_DOOR) {
        opened = connection_hand_out(connection, STATE_OPENED, &other);
        if (opened)
            opened->run = run_hold(connection->run);
        if (opened && !connection_expect_hello(opened)) {
            connection_close(opened);
            close(other);
            opened = NULL;
        }
    } else if (child || session_connection_count(session) < CONNECTIONS_PER_SESSION) {
        opened = connection_hand_out(connection, child ? STATE_CHILD : STATE_WAITING, &other);
        if (opened) {
            opened->number = connection_fresh_number();
            opened_message.connection = opened->number;
        }
    }
    if (!opened) {
        connection_refuse(connection, "more connections than a session, or its user, may have");
        return;
    }
    if (opened->state == STATE_CHILD) {
        session_hold(session);
        opened->parent = session;
        memcpy(opened->key, session->key, sizeof(opened->key));
        opened->keyed = true;
    } else if (opened->state == STATE_WAITING) {
        session_add_connection(session, opened);
    }
    message.body_case = WARDER__V1__DAEMON_MESSAGE__BODY_OPENED;
    message.opened = &opened_message;
    connection_send(connection, &to, &message, &other, 1);
    close(other);
}
