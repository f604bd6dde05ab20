#define _GNU_SOURCE
#include "client/hook/session_hello.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/hook/process_facts.h"
#include "client/hook/session_floor.h"
#include "policies/engine/event_text.h"

/* Takes the daemon's word for who a session is. */
static bool take_welcome(const Warder__V1__Welcome *welcome, struct daemon_connection *connection,
                         const unsigned char *parent_key, const unsigned char nonce[NONCE_SIZE],
                         struct session_identity *identity)
{
    if (parent_key) {
        if (welcome->nonce.len != NONCE_SIZE)
            return false;
        unsigned char key[SIPHASH_KEY_SIZE];
        packet_derive_key(parent_key, nonce, welcome->nonce.data, welcome->session, key);
        memcpy(identity->key, key, sizeof(key));
        explicit_bzero(key, sizeof(key));
    } else {
        if (welcome->key.len != SIPHASH_KEY_SIZE)
            return false;
        memcpy(identity->key, welcome->key.data, SIPHASH_KEY_SIZE);
    }
    identity->number = welcome->session;
    connection->number = welcome->connection;
    return true;
}

void session_close_descriptors(const struct handout *handout)
{
    for (int i = 0; i < HANDOUT_DESCRIPTORS_MAX; i++)
        if (handout->descriptors[i] >= 0)
            close(handout->descriptors[i]);
}

bool session_takes_policy(const struct daemon_connection *connection)
{
    int held[HANDOUT_DESCRIPTORS_MAX];
    int count = 0;

    while (count < HANDOUT_DESCRIPTORS_MAX &&
           (held[count] = fcntl(connection->socket, F_DUPFD_CLOEXEC, 0)) >= 0)
        count++;
    const bool fits = count == HANDOUT_DESCRIPTORS_MAX && daemon_connection_has_room(connection);
    while (count > 0)
        close(held[--count]);
    return fits && settled_policy_is_possible();
}

/* Tells the daemon what this process holds of its floor. Whether that arrives does not change what
 * is held. */
static void tell_floor(struct question *question)
{
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__FloorTaken taken;
    ProtobufCBinaryData words[MISSING_WORDS_MAX];

    if (!session_floor_tell(&taken, words))
        return;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_FLOOR_TAKEN;
    message.floor_taken = &taken;
    const struct exchange exchange = {.key = session.identity.key,
                                      .deadline = monotonic_now() + session.bound,
                                      .memory = &question->memory};
    daemon_connection_exchange(&question->connection, &exchange, &message, NULL, NULL);
}

void session_take_guard(const struct session_guard *guard, uint64_t epoch)
{
    if (!session_terms_have_classes(guard->guarded, guard->held, guard->flat)) {
        if (hook_session_process() == PROCESS_BESIDE)
            return;
        session.guard_epoch = 0;
        session_terms_set_classes(guard->guarded, guard->held, guard->flat);
    }
    session.guard_epoch = epoch;
}

/* What it says of the session beside that. */
static void take_terms(const Warder__V1__Welcome *welcome)
{
    if (welcome->verdict_milliseconds > 0)
        session.bound = (int64_t)welcome->verdict_milliseconds * 1000000;
    const struct session_guard guard = {welcome->guarded, welcome->held, welcome->flat};
    session_take_guard(&guard, welcome->handout ? welcome->handout->epoch : 0);
}

const Warder__V1__Welcome *session_say_hello(struct daemon_connection *connection,
                                             struct exchange_memory *memory,
                                             const struct hello_plan *plan,
                                             struct session_identity *identity,
                                             struct session_failure *failure)
{
    unsigned char nonce[NONCE_SIZE];
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Hello hello;
    const Warder__V1__DaemonMessage *reply;
    struct process_facts facts;

    if (!session_fresh_nonce(nonce)) {
        session_refuse(failure, "the kernel gives no random numbers");
        return NULL;
    }
    arena_reset(&memory->arena);
    process_facts_collect(&facts, plan->request->python_version, &memory->arena, &hello);
    hello.route = plan->request->route;
    hello.wishes = (Warder__V1__Wishes *)plan->request->wishes;
    hello.nonce = bytes_field(nonce, sizeof(nonce));
    hello.parent = plan->parent;
    hello.takes_policy = plan->handout && session_takes_policy(connection);
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_HELLO;
    message.hello = &hello;
    const struct exchange exchange = {
        .key = plan->parent_key,
        .descriptors = facts.descriptors,
        .descriptor_count = facts.descriptor_count,
        .received_max = HANDOUT_DESCRIPTORS_MAX,
        .deadline = monotonic_now() + (int64_t)WELCOME_MILLISECONDS * 1000000,
        .memory = memory,
    };
    const enum exchange_result result = daemon_connection_exchange(
        connection, &exchange, &message, &reply, plan->handout ? plan->handout->descriptors : NULL);
    process_facts_release(&facts);
    if (result != EXCHANGE_DONE) {
        session_refuse(failure, session_failure_of(result));
        return NULL;
    }
    if (reply->body_case == WARDER__V1__DAEMON_MESSAGE__BODY_REFUSED) {
        printable_text(field_bytes(&reply->refused->reason), reply->refused->reason.len,
                       failure->text, sizeof(failure->text));
        return NULL;
    }
    if (reply->body_case != WARDER__V1__DAEMON_MESSAGE__BODY_WELCOME ||
        !take_welcome(reply->welcome, connection, plan->parent_key, nonce, identity)) {
        session_refuse(failure, session_failure_of(EXCHANGE_FORGED));
        return NULL;
    }
    if (plan->handout)
        plan->handout->message = reply->welcome->handout;
    return reply->welcome;
}

bool session_say_own_hello(struct question *question, const struct session_request *request,
                           const unsigned char *parent_key, uint64_t parent,
                           struct session_failure *failure)
{
    struct handout handout = {.key = parent_key ? session.identity.key : NULL,
                              .descriptors = {-1, -1, -1}};
    const struct hello_plan plan = {
        .request = request, .parent_key = parent_key, .parent = parent, .handout = &handout};
    const Warder__V1__Welcome *welcome = session_say_hello(&question->connection, &question->memory,
                                                           &plan, &session.identity, failure);

    if (!welcome) {
        session_close_descriptors(&handout);
        return false;
    }
    session_terms_set_process(getpid());
    take_terms(welcome);
    settled_policy_take(&handout);
    const bool held = session_floor_take(welcome->floor, request->route, failure);
    tell_floor(question);
    return held;
}

void session_say_unfit(struct question *question)
{
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Unguarded unguarded = WARDER__V1__UNGUARDED__INIT;

    arena_reset(&question->memory.arena);
    unguarded.reason = WARDER__V1__UNGUARDED_REASON__UNGUARDED_REASON_UNFIT;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_UNGUARDED;
    message.unguarded = &unguarded;
    const struct exchange exchange = {.deadline = monotonic_now() + session.bound,
                                      .memory = &question->memory};
    daemon_connection_exchange(&question->connection, &exchange, &message, NULL, NULL);
}

/* Asks at the door that `warder run` left open for a connection of this process's own. */
static bool connect_by_door(struct question *question, int door, int64_t deadline)
{
    struct daemon_connection knocking = DAEMON_CONNECTION_NONE;
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Open open_request = WARDER__V1__OPEN__INIT;
    const Warder__V1__DaemonMessage *reply;
    int received;

    if (!daemon_connection_adopt(&knocking, door, 0))
        return false;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_OPEN;
    message.open = &open_request;
    const struct exchange exchange = {.deadline = deadline, .memory = &question->memory};
    const enum exchange_result result =
        daemon_connection_exchange(&knocking, &exchange, &message, &reply, &received);
    daemon_connection_close(&knocking);
    if (result != EXCHANGE_DONE || received < 0)
        return false;
    return daemon_connection_adopt(&question->connection, received, 0);
}

bool session_is_cut_off(void)
{
    const int end = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    const bool refused = end < 0 && errno == EACCES;

    if (end >= 0)
        close(end);
    return refused;
}

bool session_connect_first(struct question *question, const struct session_request *request,
                           struct session_failure *failure)
{
    const int64_t deadline = monotonic_now() + session.bound;
    const int door = request->socket_path ? -1 : process_door();

    process_session_socket(request->socket_path, session.daemon.path, sizeof(session.daemon.path));
    session.daemon.process = process_session_daemon(request->socket_path);
    if (door >= 0 && connect_by_door(question, door, deadline))
        return true;
    if (!session.daemon.path[0]) {
        session_refuse(failure, "the path of the policy daemon's socket is too long, or empty");
        return false;
    }
    if (daemon_connection_open(&question->connection, &session.daemon, deadline))
        return true;
    if (session_is_cut_off())
        session_refuse(
            failure, "a floor on `connect` lets no Unix socket be made here, and the process that "
                     "started this one has left it no connection to the policy daemon");
    else
        snprintf(failure->text, sizeof(failure->text), "no policy daemon answers at %s",
                 session.daemon.path);
    return false;
}
