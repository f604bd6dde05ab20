#define _GNU_SOURCE
#include "daemon/session/server.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/session/connection.h"
#include "daemon/session/denial_queue.h"
#include "daemon/session/floor_seccomp.h"
#include "daemon/session/policy_handout.h"
#include "daemon/session/run.h"
#include "daemon/session/session.h"
#include "daemon/session/settled_records.h"
#include "daemon/session/subject_process.h"
#include "daemon/store/database.h"
#include "proto/packet.h"
#include "proto/packet_socket.h"

enum {
    ACCEPTS_AT_ONCE = 64,          /* before others have their turn */
    DESCRIPTORS_SPARE = 64,        /* kept out of the users' reach: databases, libuv, listeners */
    DESCRIPTORS_OF_LOOP = 4,       /* and what libuv has for each loop beyond the first */
    DESCRIPTORS_MAX = 1024 * 1024, /* where there is no limit: the kernel's fs.nr_open */
};

/* What users may have together. */
static size_t descriptors_for_users(unsigned loops)
{
    const rlim_t spare = DESCRIPTORS_SPARE + (rlim_t)DESCRIPTORS_OF_LOOP * (loops - 1);
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > DESCRIPTORS_MAX)
        return DESCRIPTORS_MAX;
    return limit.rlim_cur > spare ? limit.rlim_cur - spare : 0;
}

static void on_tick_wanted(struct loop_task *task);

bool server_init(struct server *server)
{
    const size_t arena_size = MESSAGE_ARENA_SIZE + (size_t)EVENT_ARENA_SIZE;
    void *memory = malloc(arena_size);

    server->body = malloc(MESSAGE_SIZE_MAX);
    server->reply = malloc(PACKET_SIZE_MAX);
    server->denials = denial_queue_new();
    server->filters = seccomp_cache_new();
    if (server->configuration->settle_in_process)
        server->handouts = policy_handouts_new(); /* without them, every event is asked */
    if (!memory || !server->body || !server->reply || !server->denials || !server->filters ||
        !loops_init(server, server->configuration->loop_threads)) {
        free(memory);
        server_deinit(server);
        return false;
    }
    arena_init(&server->arena, memory, arena_size);
    server->accounts.bounds[CHARGE_CONNECTION] = server->configuration->connections_per_user;
    server->accounts.bounds[CHARGE_UNFINISHED] = server->configuration->unfinished_per_user;
    server->accounts.bounds[CHARGE_SESSION] = server->configuration->sessions_per_user;
    /* Each has a session or launched a run on a connection, now or before: as many as of both. */
    server->accounts.bounds[CHARGE_PROCESS] = (size_t)server->configuration->sessions_per_user +
                                              server->configuration->connections_per_user;
    server->accounts.bounds[CHARGE_BYTES] =
        (size_t)server->configuration->megabytes_per_user * 1024 * 1024;
    server->accounts.descriptors = descriptors_for_users(server->loops.count);
    server->statistics.started = wall_clock_now();
    server->work.loop = server->loop;
    uv_timer_init(server->loop, &server->tick);
    server->tick.data = server;
    server->tick_start.run = on_tick_wanted;
    return true;
}

void server_stop(struct server *server)
{
    struct session *session;
    struct session *next;
    struct subject_process *process;
    struct subject_process *next_process;

    server->stopping = true;
    /* What a hook settled from here on would be in no record: its ring is read for the last time.
     */
    policy_handouts_withdraw(server->handouts);
    HASH_ITER(hh, server->sessions, session, next)
    session_end(session);
    HASH_ITER(hh, server->processes, process, next_process)
    subject_process_end(process);
    while (server->connections)
        connection_close(server->connections);
    denial_queue_flush(server, true);
    uv_close((uv_handle_t *)&server->tick, NULL);
    loops_stop(server);
}

void server_deinit(struct server *server)
{
    loops_deinit(server);
    user_accounts_deinit(&server->accounts);
    denial_queue_free(server->denials);
    seccomp_cache_free(server->filters);
    policy_handouts_free(server->handouts);
    generation_release(server->generation);
    free(server->body);
    free(server->reply);
    free(server->arena.memory);
    memset(server, 0, sizeof(*server));
}

void server_set_generation(struct server *server, struct generation *generation)
{
    generation_release(server->generation);
    server->generation = generation;
    policy_handouts_renew(server->handouts);
}

/* ------------------------------------------------------------------------------------------ time
 */

uint64_t server_now(void)
{
    return uv_hrtime() / 1000000;
}

static void turn_away(struct server *server, struct user_account *account, pid_t pid,
                      enum connection_state state, const char *why)
{
    char text[REFUSAL_TEXT_MAX];

    server->statistics.refused_connections++;
    server_record_refusal(server, account, pid, 0,
                          refusal_at_socket((int)state, why, text, sizeof(text)));
}

/* Ends connections that did not say Hello in time. True if some are still to come. */
static bool end_late_ones(struct server *server, uint64_t now)
{
    struct connection *next;
    bool waiting = false;

    for (struct connection *at = server->connections; at; at = next) {
        next = at->next;
        if (at->deadline == 0)
            continue;
        if (at->deadline <= now) {
            turn_away(server, at->account, at->pid, at->state,
                      "a connection on which nobody said Hello");
            connection_close(at);
            next = server->connections; /* the list has changed */
        } else {
            waiting = true;
        }
    }
    return waiting;
}

/* Reads again from those who were held up by the record. True if some still are. */
static bool let_go(struct server *server)
{
    bool waiting = false;

    for (struct connection *at = server->connections; at; at = at->next)
        waiting |= at->held && !connection_let_go(at);
    return waiting;
}

/* Records the refusals that were only counted. */
static bool report_refusals(struct server *server, uint64_t now)
{
    struct user_account *account;
    struct user_account *next;
    char text[REFUSAL_TEXT_MAX + 64];
    uint64_t count;
    bool waiting = false;
    bool more;

    HASH_ITER(hh, server->accounts.accounts, account, next)
    {
        while (refusals_take(&account->refusals, now, text, sizeof(text), &count, &more)) {
            struct audit_item *item = audit_item_notice(AUDIT_REFUSAL, 0, account->uid, 0, text);
            if (item)
                item->notice.count = count;
            audit_log_add(server->audit, item, account->uid, false);
        }
        waiting |= more;
    }
    return waiting;
}

static void on_tick(uv_timer_t *timer)
{
    struct server *server = timer->data;
    const uint64_t now = server_now();

    loops_enter(server);
    const bool late = end_late_ones(server, server->heard_until);
    const bool exited = subject_process_end_exited(server, server->heard_until);
    const bool denials = denial_queue_flush(server, false);
    const bool refusals = report_refusals(server, now);
    const bool held = let_go(server);
    settled_records_read_waiting(server);
    server->heard_until = now; /* the loop reads before the clock strikes again */

    server->ticks = late || exited || denials || refusals || held || server->first_waiting;
    if (!server->ticks)
        uv_timer_stop(timer);
    loops_leave(server);
}

static void start_tick(struct server *server)
{
    if (!server->stopping)
        uv_timer_start(&server->tick, on_tick, TICK_MILLISECONDS, TICK_MILLISECONDS);
}

static void on_tick_wanted(struct loop_task *task)
{
    start_tick((struct server *)((char *)task - offsetof(struct server, tick_start)));
}

/* Whoever waits for time says so: most find the clock going, and wake nobody. */
void server_start_tick(struct server *server)
{
    struct loop *first = &server->loops.items[0];

    if (server->ticks)
        return;
    server->ticks = true;
    if (loops_here(server) == first)
        start_tick(server);
    else
        loops_post(first, &server->tick_start);
}

void server_record_refusal(struct server *server, struct user_account *account, int64_t pid,
                           uint64_t session, const char *text)
{
    const uint64_t now = server_now();

    /* The end of a session has a record of its own: it costs its user a session each, and must not
     * hide behind trifles. */
    if (account && session == 0 && !refusals_add(&account->refusals, text, now)) {
        server_start_tick(server);
        return;
    }
    const int64_t uid = account ? (int64_t)account->uid : AUDIT_NOBODY;
    audit_log_add(server->audit, audit_item_notice(AUDIT_REFUSAL, session, uid, pid, text), uid,
                  false);
}

/* ------------------------------------------------------------------------------------- listening
 */

void server_close_socket(const struct server *server, struct user_account *account, int socket)
{
    const bool read = packet_socket_shut_down(socket);

    if (!read && sweeper_take(&server->sweeper, socket))
        return;
    if (!read && account)
        closings_add(account->closings, socket);
    else
        close(socket);
}

struct listener {
    struct server *server;
    uv_poll_t poll;
    int socket;
    int spare; /* given up when descriptors run out, so that a connection can be taken and closed */
    enum connection_state state;
};

/* NULL if there is none, on lack of memory. */
static struct user_account *account_of_peer(struct server *server, int socket, struct ucred *peer)
{
    socklen_t size = sizeof(*peer);

    peer->pid = 0;
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, peer, &size) == 0
               ? user_account_of(&server->accounts, peer->uid)
               : NULL;
}

static void welcome(struct listener *listener, int socket)
{
    struct server *server = listener->server;
    struct ucred peer;
    struct user_account *account = account_of_peer(server, socket, &peer);

    if (!account || !user_account_charge(&server->accounts, account, CHARGE_CONNECTION, 1)) {
        turn_away(server, account, peer.pid, listener->state,
                  "a connection: its user has too many");
        server_close_socket(server, account, socket);
        return;
    }
    const struct connection_options options = {
        .state = listener->state, .account = account, .pid = peer.pid};
    struct connection *connection = connection_new(server, socket, &options);
    if (connection && !connection_expect_hello(connection)) {
        turn_away(server, account, peer.pid, listener->state,
                  "a connection: too many of its user have not said Hello yet");
        connection_close(connection);
    }
}

/* Out of descriptors: the waiting connection would wake us forever. False if there is none. */
static bool shed_one(struct listener *listener)
{
    struct server *server = listener->server;
    struct ucred peer;

    if (listener->spare >= 0)
        close(listener->spare);
    const int socket = accept4(listener->socket, NULL, NULL, SOCK_CLOEXEC);
    if (socket >= 0) {
        struct user_account *account = account_of_peer(server, socket, &peer);
        turn_away(server, account, peer.pid, listener->state, "a connection: out of descriptors");
        server_close_socket(server, account, socket);
    }
    listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return socket >= 0;
}

static void accept_some(struct listener *listener)
{
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        const int socket = accept4(listener->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (socket >= 0) {
            welcome(listener, socket);
        } else if (errno == EMFILE || errno == ENFILE) {
            if (!shed_one(listener))
                return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

static void on_connection(uv_poll_t *handle, int status, int events)
{
    struct listener *listener = handle->data;

    (void)events;
    if (status < 0)
        return;
    loops_enter(listener->server);
    accept_some(listener);
    loops_leave(listener->server);
}

struct listener *server_listen(struct server *server, int socket, int state)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    const int on = 1;

    if (!listener || uv_poll_init(server->loop, &listener->poll, socket) < 0) {
        free(listener);
        close(socket);
        return NULL;
    }
    /* Inherited by what is accepted: the kernel then says of each message who sent it. */
    setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
    listener->server = server;
    listener->socket = socket;
    listener->state = (enum connection_state)state;
    listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    listener->poll.data = listener;
    uv_poll_start(&listener->poll, UV_READABLE, on_connection);
    return listener;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    close(listener->socket);
    if (listener->spare >= 0)
        close(listener->spare);
    free(listener);
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    uv_poll_stop(&listener->poll);
    uv_close((uv_handle_t *)&listener->poll, on_listener_closed);
}
