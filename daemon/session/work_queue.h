/* Work that a worker thread does for users: in line for each user, users in turn.
 *
 * libuv's threads take what they are given in order: one user's thousand Hellos would stand before
 * everybody else's. So they are given only as much as they can begin at once, of each user no more
 * than WORK_PER_USER_MAX, and the rest waits here. The first loop's thread only (loops.h); `run` is
 * called in a worker.
 */
#ifndef WARDER_DAEMON_SESSION_WORK_QUEUE_H
#define WARDER_DAEMON_SESSION_WORK_QUEUE_H

#include <stdbool.h>
#include <uv.h>

enum {
    WORK_PER_USER_MAX = 2,
    WORK_AT_ONCE_MAX = 3, /* of libuv's four threads: one is left to the daemon's own errands */
};

struct work_queue;
struct work_share;

struct queued_work {
    uv_work_t request;
    void (*run)(struct queued_work *work);
    /* `status` below 0: it was not run, because the queue stopped or libuv did not take it. */
    void (*done)(struct queued_work *work, int status);
    struct work_queue *queue;
    struct work_share *share;
    struct queued_work *next;
    bool waits;
};

/* A user's, in the account. */
struct work_share {
    struct queued_work *first;
    struct queued_work *last;
    unsigned at_work;
    bool in_line;
    struct work_share *next;
};

struct work_queue {
    uv_loop_t *loop;
    struct work_share *first; /* users with work that waits */
    struct work_share *last;
    unsigned at_work;
};

/* Takes the work, which stays where it is until `done` was called, or it was cancelled. */
void work_queue_add(struct work_queue *queue, struct work_share *share, struct queued_work *work);

/* True if the work had not begun: it is out of the queue, and `done` is not called. */
bool work_queue_cancel(struct queued_work *work);

#endif
