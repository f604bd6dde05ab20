/* The loops that the sessions' connections are spread over, and the lock under which they share the
 * server.
 *
 * The first loop is the daemon's own: it accepts, it begins sessions, and it has every timer,
 * worker and administrator. The others, if the configuration wants any (`loop_threads`), have a
 * share of the sessions' connections, and a thread each. A loop waits, receives and sends most
 * answers outside the lock; whatever else the server is, it is touched inside alone: so a
 * generation is one for all of them, and a record is made in the order in which it was decided.
 * Where there is one loop, there is no lock.
 *
 * What belongs to a libuv loop is touched by that loop's thread alone: another one posts a task to
 * it. */
#ifndef WARDER_DAEMON_SESSION_LOOPS_H
#define WARDER_DAEMON_SESSION_LOOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/configuration.h"
#include "daemon/session/turns.h"

struct server;

enum {
    /* After so long inside, a loop lets those in who wait: changing hands costs some ten
     * microseconds, and nobody is kept out for longer than each other loop has, and one message. */
    INSIDE_NANOSECONDS = 200 * 1000,
};

/* Something that is to be done on a loop's thread, inside. In whatever it is about. */
struct loop_task {
    void (*run)(struct loop_task *task);
    bool posted;
    struct loop_task *next;
};

struct loop {
    struct server *server;
    uv_loop_t *uv;
    unsigned index;
    unsigned connections;  /* of sessions, that it has */
    unsigned char *packet; /* PACKET_SIZE_MAX: what is received, one at a time */
    unsigned char *reply;  /* PACKET_SIZE_MAX: an answer that is sent outside */
    struct turns turns;
    uv_async_t wake;
    struct loop_task *first;
    struct loop_task *last;
    bool over;        /* takes no task any more */
    unsigned depth;   /* of entering, by its thread */
    uint64_t entered; /* uv_hrtime(), by the outermost */
    uint64_t inside;  /* nanoseconds that it was since it last let others in */
    uv_loop_t own;
    uv_thread_t thread;
    bool runs; /* in a thread of its own */
};

struct loops {
    struct loop items[CONFIGURATION_LOOPS_MAX];
    unsigned count;
    bool is_open;
    bool ending;
    uv_mutex_t lock;      /* where there are several */
    uv_mutex_t turnstile; /* of whoever waits for it */
};

/* `server->loop` is the first one's; the calling thread is its. False on lack of memory, and
 * nothing is left of it. */
bool loops_init(struct server *server, unsigned count);

/* Makes the threads of the others. 0, or libuv's error (below 0). */
int loops_start(struct server *server);

/* Inside, once the server has been stopped: the others end when the last of their connections has.
 */
void loops_stop(struct server *server);

/* Waits for the others' end, and does what they have posted to the first one, which must run once
 * more for the closing. */
void loops_join(struct server *server);

/* Behind the closing. */
void loops_deinit(struct server *server);

/* Every callback of libuv's enters before it touches the server, and leaves before it returns. A
 * loop's thread; may be nested, and only the outermost one leaves. */
void loops_enter(struct server *server);
void loops_leave(struct server *server);

/* The loop that the calling thread runs; the first one for a thread that runs none. */
struct loop *loops_here(struct server *server);

/* The one with the fewest connections of sessions. Inside. */
struct loop *loops_choose(struct server *server);

/* Has the task done by the loop's thread, which may be the calling one: then later. False, and
 * nothing is changed, where it waits to be done already, or the loop is over. Inside. */
bool loops_post(struct loop *loop, struct loop_task *task);

#endif
