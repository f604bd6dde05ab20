/* Invariants. Every byte that is received is an attack until it has passed, in this order: the
 * packet is whole; the header is one; the number is the next; the MAC is right, where there is a
 * key; it decodes within its bound; the state allows it. Handlers see only what has passed. */
#define _GNU_SOURCE
#include "daemon/session/connection.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/session/protocol.h"
#include "daemon/session/run.h"
#include "daemon/session/session.h"
#include "proto/message_socket.h"

enum {
    /* A connection that is in line stays watched, and what it has to say is passed over: changing
     * what epoll watches takes longer than that. After so many times it is not watched any more. */
    PASSES_MAX = 32,
};

uint64_t connection_fresh_number(void)
{
    uint64_t number = 0;
    /* getrandom fails only while the kernel has not gathered enough: it waits then. */
    while (getrandom(&number, sizeof(number), 0) != sizeof(number) || number == 0)
        ;
    return number;
}

/* ------------------------------------------------------------------------------------- receiving
 */

static const char *check_message(struct connection *connection, struct incoming *incoming)
{
    struct server *server = connection->server;

    if (incoming->received->length < PACKET_HEADER_SIZE ||
        !packet_header_read(&incoming->header, connection->loop->packet))
        return "a message without a proper header";
    if (incoming->header.sequence != connection->received + 1)
        return "a message out of order, or repeated";
    incoming->body = message_body(incoming->received, &incoming->header, connection->loop->packet,
                                  server->body, &incoming->length);
    if (!incoming->body)
        return "a message in a file that is not sealed, empty or too large";
    if (connection->keyed) {
        const struct packet_context context = {
            .key = connection->key, .direction = TO_DAEMON, .connection = connection->number};
        if (!packet_is_authentic(&context, &incoming->header, incoming->body, incoming->length))
            return "a forged message";
    }
    arena_reset(&server->arena);
    incoming->is_plain = connection->keyed && ask_bytes_read(incoming->body, incoming->length,
                                                             &server->arena, &incoming->asked);
    if (incoming->is_plain)
        return NULL;
    arena_reset(&server->arena);
    incoming->message = client_message_decode(&server->arena, incoming->body, incoming->length);
    return incoming->message ? NULL : "a message that does not decode";
}

/* An answer in the loop's `reply`, to be sent outside. */
struct unsent {
    size_t length; /* 0: there is none */
    struct reply_to to;
};

static void on_packet(struct connection *connection, struct packet_received *received,
                      struct unsent *unsent)
{
    struct user_account *account = connection->account;
    struct incoming incoming;
    const uint64_t began = uv_hrtime();

    incoming.received = received;
    incoming.message = NULL;
    const char *why = check_message(connection, &incoming);
    if (why) {
        connection_refuse(connection, why);
    } else {
        connection->received++;
        protocol_dispatch(connection, &incoming);
    }
    closings_add_received(account->closings, received);
    unsent->length = connection->state == STATE_CLOSED ? 0 : connection->unsent;
    connection->unsent = 0;
    if (unsent->length > 0)
        unsent->to = connection_reply_to(connection, &incoming);
    turns_charge(connection->loop, account, uv_hrtime() - began);
}

/* Denials and sessions are never dropped from the record: whoever causes more than the disk takes
 * is made to wait, and alone. Administrators cause none. So is whoever sends descriptors that
 * cannot be closed; who may be an administrator is heard all the same. */
static bool must_wait(const struct connection *connection)
{
    const struct user_account *account = connection->account;
    const bool administers = connection->state == STATE_ADMIN || connection->state == STATE_CONTROL;

    if (closings_are_full(account->closings) &&
        !(administers && (account->uid == 0 || account->uid == geteuid())))
        return true;
    return !administers && audit_log_is_full(connection->server->audit, account->uid);
}

static void on_ready(uv_poll_t *handle, int status, int events);
static void on_ended(uv_handle_t *handle);
static void watch(struct connection *connection);

/* Of a connection that no loop watches, and that goes: to another one, or for good. */
static void go(struct connection *connection)
{
    if (connection->state == STATE_CLOSED) {
        connection->watch = WATCH_OVER;
        server_close_socket(connection->server, connection->account, connection->socket);
        connection_release(connection);
        return;
    }
    turns_forget(connection);
    connection->loop = connection->next_loop;
    connection->next_loop = NULL;
    watch(connection);
}

static void on_ended(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    struct server *server = connection->server;

    loops_enter(server);
    connection->watch = WATCH_NONE;
    go(connection);
    loops_leave(server);
}

static void let_go(struct connection *connection)
{
    if (connection->watch == WATCH_NONE) {
        go(connection);
    } else if (connection->watch == WATCH_POLLED) {
        connection->watch = WATCH_ENDING;
        uv_poll_stop(&connection->poll);
        uv_close((uv_handle_t *)&connection->poll, on_ended);
    }
}

static void listen_for(struct connection *connection)
{
    const bool reads =
        !connection->held && !(connection->queued && connection->passes >= PASSES_MAX);
    const int events = (reads ? UV_READABLE : 0) | (connection->wants_write ? UV_WRITABLE : 0);

    if (connection->watch == WATCH_NONE) {
        if (uv_poll_init(connection->loop->uv, &connection->poll, connection->socket) < 0) {
            connection_close(connection);
            return;
        }
        connection->poll.data = connection;
        connection->watch = WATCH_POLLED;
    }
    if (events)
        uv_poll_start(&connection->poll, events, on_ready);
    else
        uv_poll_stop(&connection->poll);
}

/* On the thread of its loop, which it has go on as it is to be. */
static void arrange(struct connection *connection)
{
    if (connection->state == STATE_CLOSED || connection->next_loop)
        let_go(connection);
    else
        listen_for(connection);
}

static void on_arranging(struct loop_task *task)
{
    struct connection *connection =
        (struct connection *)((char *)task - offsetof(struct connection, arranging));

    watch(connection); /* it may have gone to another loop meanwhile */
    connection_release(connection);
}

/* Listens for what there is to listen for. */
static void watch(struct connection *connection)
{
    if (connection->loop == loops_here(connection->server)) {
        arrange(connection);
    } else if (loops_post(connection->loop, &connection->arranging)) {
        connection_hold(connection);
    }
}

void connection_settle(struct connection *connection)
{
    connection->settled = loops_choose(connection->server);
    connection->settled->connections++;
    if (connection->settled == connection->loop)
        return;
    connection->next_loop = connection->settled;
    watch(connection);
}

static void hold(struct connection *connection)
{
    connection->held = true;
    server_start_tick(connection->server);
}

/* An empty packet is received like the end, where the kernel adds no credentials that would tell.
 */
static bool is_there(const struct connection *connection)
{
    struct pollfd poll_end = {.fd = connection->socket, .events = POLLRDHUP};
    return poll(&poll_end, 1, 0) == 0;
}

/* One packet: what is left wakes us again, once the others have had theirs. */
static void read_packet(struct connection *connection, struct unsent *unsent)
{
    struct server *server = connection->server;
    struct packet_received received;

    loops_leave(server);
    const int error = packet_receive(connection->socket, connection->loop->packet, PACKET_SIZE_MAX,
                                     MSG_DONTWAIT, &received);
    loops_enter(server);
    if (connection->state == STATE_CLOSED || error < 0) /* closed meanwhile, by another loop */
        closings_add_received(connection->account->closings, &received);
    if (connection->state == STATE_CLOSED)
        return;
    if (error == -EAGAIN || error == -EINTR)
        return;
    if (error == PACKET_CUT)
        connection_refuse(connection, "a message larger than a packet may be");
    else if (error == PACKET_EMPTY || (error == PACKET_END && is_there(connection)))
        connection_refuse(connection, "an empty packet");
    else if (error < 0) /* gone */
        connection_close(connection);
    else
        on_packet(connection, &received, unsent);
}

/* It has something to say, and somebody else's turn comes first. */
static void wait_in_line(struct connection *connection)
{
    if (!connection->queued) {
        connection->passes = 0;
        turns_wait(connection);
    } else if (connection->passes < PASSES_MAX && ++connection->passes == PASSES_MAX) {
        watch(connection);
    }
}

static void be_ready(struct connection *connection, int events, struct unsent *unsent)
{
    if ((events & UV_WRITABLE) && connection->wants_write) {
        connection->wants_write = false;
        watch(connection);
        if (connection->on_writable)
            connection->on_writable(connection);
    }
    if (!(events & UV_READABLE) || connection->state == STATE_CLOSED)
        return;
    if (must_wait(connection)) {
        hold(connection);
        watch(connection);
    } else if (connection->queued || !turns_allow(connection->loop, connection->account)) {
        wait_in_line(connection);
    } else {
        read_packet(connection, unsent);
    }
}

static void send_unsent(struct connection *connection, const struct unsent *unsent);

static void on_ready(uv_poll_t *handle, int status, int events)
{
    struct connection *connection = handle->data;
    struct server *server = connection->server;
    struct unsent unsent;

    unsent.length = 0;
    loops_enter(server);
    if (status < 0)
        connection_close(connection);
    else
        be_ready(connection, events, &unsent);
    loops_leave(server);
    if (unsent.length > 0)
        send_unsent(connection, &unsent);
}

void connection_take_turn(struct connection *connection)
{
    const bool unwatched = connection->passes >= PASSES_MAX;
    struct server *server = connection->server;
    struct unsent unsent;

    unsent.length = 0;
    connection_hold(connection);
    connection->passes = 0;
    if (must_wait(connection))
        hold(connection);
    else
        read_packet(connection, &unsent);
    if (unsent.length > 0) {
        loops_leave(server);
        send_unsent(connection, &unsent);
        loops_enter(server);
    }
    if (connection->state != STATE_CLOSED && (connection->held || unwatched))
        watch(connection);
    connection_release(connection);
}

/* --------------------------------------------------------------------------------------- sending
 */

struct reply_to connection_reply_to(const struct connection *connection,
                                    const struct incoming *incoming)
{
    struct reply_to to = {
        .sequence = incoming->header.sequence,
        .keyed = connection->keyed,
        .number = connection->number,
    };
    memcpy(to.tag, incoming->header.tag, sizeof(to.tag));
    memcpy(to.key, connection->key, sizeof(to.key));
    return to;
}

/* A message, or a body that is packed already. */
struct outgoing {
    const Warder__V1__DaemonMessage *message;
    unsigned char *body;
    size_t length;
    unsigned char *packet; /* PACKET_SIZE_MAX, in which it goes out; the body is in it */
};

/* Of a connection that is open. 0, or a negative errno. */
static int send_reply(struct connection *connection, const struct reply_to *to,
                      const struct outgoing *outgoing, const int *descriptors, int descriptor_count)
{
    struct server *server = connection->server;
    struct packet_header sent;
    const struct packet_context context = {.key = to ? to->key : NULL,
                                           .direction = TO_CLIENT,
                                           .connection = to ? to->number : 0,
                                           .request_tag = to ? to->tag : NULL};
    const struct message_sender sender = {
        .socket = connection->socket,
        .sequence = to ? to->sequence : 0,
        .context = to && to->keyed ? &context : NULL,
        .descriptors = descriptors,
        .descriptor_count = descriptor_count,
        .packet = outgoing->packet,
        .arena = &server->arena,
    };

    return outgoing->message
               ? message_send(&sender, &outgoing->message->base, &sent)
               : message_send_packed(&sender, outgoing->body, outgoing->length, &sent);
}

/* Each client waits for its answer before it asks again: one that leaves answers unread is no
 * client. */
static bool close_unless_sent(struct connection *connection, int error)
{
    if (error < 0)
        connection_close(connection);
    return error == 0;
}

bool connection_send(struct connection *connection, const struct reply_to *to,
                     const Warder__V1__DaemonMessage *message, const int *descriptors,
                     int descriptor_count)
{
    const struct outgoing outgoing = {.message = message, .packet = connection->server->reply};

    if (connection->state == STATE_CLOSED)
        return false;
    return close_unless_sent(connection,
                             send_reply(connection, to, &outgoing, descriptors, descriptor_count));
}

static unsigned char *end_of_plain(const struct connection *connection)
{
    return connection->loop->reply + PACKET_HEADER_SIZE + VERDICT_BYTES_MAX;
}

/* 0, or a negative errno. Of a loop's own connection, outside too. */
static int send_plain(struct connection *connection, const struct reply_to *to, size_t length)
{
    const struct outgoing outgoing = {.body = end_of_plain(connection) - length,
                                      .length = length,
                                      .packet = connection->loop->reply};

    return send_reply(connection, to, &outgoing, NULL, 0);
}

/* Outside. */
static void send_unsent(struct connection *connection, const struct unsent *unsent)
{
    const uint64_t began = uv_hrtime();
    const int error = send_plain(connection, &unsent->to, unsent->length);

    turns_charge(connection->loop, connection->account, uv_hrtime() - began);
    if (error == 0)
        return;
    loops_enter(connection->server);
    connection_close(connection);
    loops_leave(connection->server);
}

bool connection_send_plain(struct connection *connection, const struct incoming *incoming,
                           const struct plain_verdict *verdict)
{
    unsigned char *end = end_of_plain(connection);
    const size_t length = (size_t)(end - verdict_bytes_write(verdict, end));

    if (connection->state == STATE_CLOSED)
        return false;
    if (connection->server->loops.count > 1) {
        connection->unsent = length;
        return true;
    }
    /* Nobody else could do anything meanwhile, and the peer waits. */
    const struct reply_to to = connection_reply_to(connection, incoming);
    return close_unless_sent(connection, send_plain(connection, &to, length));
}

bool connection_try_send(struct connection *connection, const struct reply_to *to,
                         const Warder__V1__DaemonMessage *message)
{
    const struct outgoing outgoing = {.message = message, .packet = connection->server->reply};
    const int error =
        connection->state == STATE_CLOSED ? -EPIPE : send_reply(connection, to, &outgoing, NULL, 0);

    if (error == -EAGAIN) {
        connection->wants_write = true;
        watch(connection);
    } else if (error < 0) {
        connection_close(connection);
    }
    return error == 0;
}

/* ------------------------------------------------------------------------------------------ life
 */

struct connection *connection_new(struct server *server, int socket,
                                  const struct connection_options *options)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (!connection) {
        user_account_return(&server->accounts, options->account, CHARGE_CONNECTION, 1);
        server_close_socket(server, options->account, socket);
        return NULL;
    }
    *connection = (struct connection){
        .server = server,
        .loop = &server->loops.items[0],
        .arranging = {.run = on_arranging},
        .socket = socket,
        .state = options->state,
        .references = 1,
        .account = options->account,
        .pid = options->pid,
        .number = options->number,
        .next = server->connections,
    };
    if (server->connections)
        server->connections->previous = connection;
    server->connections = connection;
    server->connection_count++;
    connection_hold(connection);
    watch(connection); /* closes it if it cannot */
    if (connection->state == STATE_CLOSED) {
        connection_release(connection);
        return NULL;
    }
    connection->references--; /* the open socket's is left */
    return connection;
}

struct connection *connection_hold(struct connection *connection)
{
    connection->references++;
    return connection;
}

void connection_release(struct connection *connection)
{
    /* Being posted is one reference, the open socket another.
     * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
    if (--connection->references == 0)
        free(connection);
}

void connection_close(struct connection *connection)
{
    struct server *server = connection->server;
    struct session *session = connection->session;

    if (connection->state == STATE_CLOSED)
        return;
    connection_hold(connection);
    const bool of_session = connection->state == STATE_SESSION;
    if (server->connection_closed)
        server->connection_closed(server->administration, connection);
    connection->state = STATE_CLOSED;
    turns_forget(connection);
    connection_finished(connection);
    user_account_return(&server->accounts, connection->account, CHARGE_CONNECTION, 1);
    if (connection->next)
        connection->next->previous = connection->previous;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    server->connection_count--;
    if (connection->settled)
        connection->settled->connections--;
    connection->session = NULL;
    if (connection->run && connection->run->launcher == connection)
        connection->run->launcher = NULL;
    run_release(server, connection->run);
    connection->run = NULL;
    if (connection->parent)
        session_release(connection->parent);
    connection->parent = NULL;
    if (of_session && session)
        session_drop_connection(session, connection);
    /* Who goes away takes what he asked for out of the line. */
    if (connection->work && work_queue_cancel(connection->work)) {
        struct queued_work *work = connection->work;
        connection->work = NULL;
        connection->cancelled(work);
    }
    watch(connection);
    connection_release(connection);
}

void connection_refuse(struct connection *connection, const char *why)
{
    struct server *server = connection->server;
    struct session *session = connection->state == STATE_SESSION ? connection->session : NULL;
    char text[REFUSAL_TEXT_MAX];

    server->statistics.refused_messages++;
    server_record_refusal(server, connection->account,
                          session ? session->facts.identity.pid : connection->pid,
                          session ? session->number : 0,
                          refusal_at_socket((int)connection->state, why, text, sizeof(text)));
    if (session)
        session_end(session); /* closes this connection too */
    connection_close(connection);
}

bool connection_let_go(struct connection *connection)
{
    if (must_wait(connection)) {
        if (closings_are_full(connection->account->closings)) { /* for a tick of the clock now */
            closings_retry(connection->account->closings);
            server_record_refusal(connection->server, connection->account, connection->pid, 0,
                                  "to read from a user while what it sent cannot be closed");
        }
        return false;
    }
    connection->held = false;
    watch(connection);
    return true;
}

void connection_has_key(struct connection *connection, const unsigned char *key)
{
    const int off = 0;

    memcpy(connection->key, key, sizeof(connection->key));
    connection->keyed = true;
    /* Messages are authentic by their MAC from now on; who sent them is the session's process. */
    setsockopt(connection->socket, SOL_SOCKET, SO_PASSCRED, &off, sizeof(off));
}

bool connection_expect_hello(struct connection *connection)
{
    struct server *server = connection->server;

    if (!user_account_charge(&server->accounts, connection->account, CHARGE_UNFINISHED, 1))
        return false;
    connection->unfinished = true;
    connection->deadline = server_now() + HELLO_MILLISECONDS;
    server_start_tick(server);
    return true;
}

void connection_finished(struct connection *connection)
{
    connection->deadline = 0;
    if (connection->unfinished)
        user_account_return(&connection->server->accounts, connection->account, CHARGE_UNFINISHED,
                            1);
    connection->unfinished = false;
}
