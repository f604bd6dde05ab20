/* What everything about sessions shares: the loop, the current generation, the record, the
 * accounts.
 *
 * A server, and all that hangs on it, is touched inside alone (loops.h): by the one loop's thread,
 * or by one of several at a time. Nothing here blocks: what must (directory services, compilation,
 * databases) runs in libuv's worker threads and comes back, to the first loop. */
#ifndef WARDER_DAEMON_SESSION_SERVER_H
#define WARDER_DAEMON_SESSION_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/audit/audit_log.h"
#include "daemon/configuration.h"
#include "daemon/generation.h"
#include "daemon/session/loops.h"
#include "daemon/session/user_account.h"
#include "daemon/sweeper.h"
#include "policies/engine/arena.h"
#include "policies/engine/evaluate.h"
#include "proto/message.h"

struct connection;
struct incoming;
struct run;
struct seccomp_cache;
struct session;
struct subject_process;

enum {
    TICK_MILLISECONDS = 100,   /* how often what waits for time is looked at */
    HELLO_MILLISECONDS = 2000, /* a client has so long to say Hello */
    LIKE_MILLISECONDS = 250,   /* a denial waits so long for others like it, */
    PLACE_MILLISECONDS = 600,  /* and for its calling line: it is to be on disk within a second */
    EVENT_ARENA_SIZE = 2 * 1024 * 1024,  /* an event in the engine's form, beside its message */
    PENDING_DENIALS_MAX = 256,           /* that wait for their calling line */
    PENDING_BYTES_MAX = 8 * 1024 * 1024, /* of all of them */
    RECORDS_MAX = 1024,                  /* of one batch: some milliseconds of the loop's time, */
    RECORDS_STEPS_MAX = 2 * EVALUATION_STEPS_MAX, /* and of judging all of them */
};

struct server_statistics {
    uint64_t started; /* nanoseconds since 1970, UTC */
    uint64_t sessions;
    uint64_t decisions;
    uint64_t denials;
    uint64_t refused_messages;
    uint64_t refused_connections;
    uint64_t refused_requests; /* of administration */
    uint64_t unguarded;        /* interpreters that should have said Hello */
};

struct server {
    uv_loop_t *loop; /* the first one */
    struct loops loops;
    const struct configuration *configuration;
    struct generation *generation;
    struct audit_log *audit;
    struct user_accounts accounts;
    struct session *sessions;          /* by number */
    struct subject_process *processes; /* under policy, by number */
    size_t exited_count;               /* of those, whose last words are read */
    struct run *runs;                  /* by token */
    struct run *private_run;           /* of a private daemon: every session is of it */
    struct connection *connections;    /* all that are open, in a list */
    size_t connection_count;
    size_t session_count;
    bool is_private;
    bool stopping;
    struct server_statistics statistics;

    /* What a message is decoded and answered in: one at a time. */
    unsigned char *body;  /* MESSAGE_SIZE_MAX, of bodies that came as files */
    unsigned char *reply; /* PACKET_SIZE_MAX */
    struct arena arena;

    struct work_queue work; /* of sessions that begin */
    uv_timer_t tick;
    bool ticks;           /* or is about to */
    uint64_t heard_until; /* server_now(): what was said before has been read. Deadlines of others
                             are held against this: a daemon that could not run is late itself */
    struct loop_task tick_start;
    struct denial_queue *denials;          /* that wait a moment */
    struct seccomp_cache *filters;         /* of the floors of sessions */
    struct settled_records *first_waiting; /* of sessions whose hooks have written some */
    struct policy_handouts *handouts;      /* NULL: nothing is settled in process */
    struct sweeper sweeper;

    /* Administration stands above sessions and is called from here. */
    void (*administer)(void *context, struct connection *connection,
                       const struct incoming *incoming);
    void (*connection_closed)(void *context, struct connection *connection);
    void *administration;
};

/* A listening socket. */
struct listener;

/* Accepts connections of a listening packet socket, which the server owns from now on. `state` is
 * that of what comes: STATE_NEW or STATE_ADMIN. NULL on failure. */
struct listener *server_listen(struct server *server, int socket, int state);
void listener_close(struct listener *listener);

/* False on lack of memory. The caller fills in loop, configuration, generation, audit before. With
 * several loops it calls loops_start() and, once stopped, loops_join(). */
bool server_init(struct server *server);

/* Closes a connection's socket without waiting for whoever stands behind descriptors that were sent
 * to it and not received. `account` may be NULL. */
void server_close_socket(const struct server *server, struct user_account *account, int socket);

/* Ends every session and closes every connection; the loop must run once more for the closing. */
void server_stop(struct server *server);
void server_deinit(struct server *server);

/* Puts another generation in force: at each session's next event. Takes the reference. */
void server_set_generation(struct server *server, struct generation *generation);

/* Milliseconds by the clock that deadlines are of. */
uint64_t server_now(void);

/* Starts the clock if it stands. It stops by itself when nothing waits for time. */
void server_start_tick(struct server *server);

/* Records that somebody was turned away: at once where it ended a session, or for a reason that is
 * the first of its kind of the user's within a second (refusals.h); else it is counted. `account`
 * may be NULL, `pid` 0, `session` 0. */
void server_record_refusal(struct server *server, struct user_account *account, int64_t pid,
                           uint64_t session, const char *text);

#endif
