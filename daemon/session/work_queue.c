/* A user is in line exactly while some work of his waits, and comes up only to be given a thread.
 */
#include "daemon/session/work_queue.h"

#include <stddef.h>

static void stand_in_line(struct work_queue *queue, struct work_share *share)
{
    share->in_line = true;
    share->next = NULL;
    if (queue->last)
        queue->last->next = share;
    else
        queue->first = share;
    queue->last = share;
}

static void leave_line(struct work_queue *queue, struct work_share *share)
{
    struct work_share *before = NULL;

    for (struct work_share *at = queue->first; at != share; at = at->next)
        before = at;
    if (before)
        before->next = share->next;
    else
        queue->first = share->next;
    if (queue->last == share)
        queue->last = before;
    share->in_line = false;
}

static void run(uv_work_t *request)
{
    struct queued_work *work = request->data;
    work->run(work);
}

static void begin_next(struct work_queue *queue);

static void on_done(uv_work_t *request, int status)
{
    struct queued_work *work = request->data;
    struct work_queue *queue = work->queue;

    queue->at_work--;
    work->share->at_work--;
    work->done(work, status);
    begin_next(queue);
}

static void take_out(struct queued_work *work)
{
    struct work_share *share = work->share;
    struct queued_work *before = NULL;

    for (struct queued_work *at = share->first; at != work; at = at->next)
        before = at;
    if (before)
        before->next = work->next;
    else
        share->first = work->next;
    if (share->last == work)
        share->last = before;
    work->waits = false;
    if (!share->first)
        leave_line(work->queue, share);
}

/* The work of the first user in line who has not enough at work; NULL if there is none. */
static struct queued_work *next_work(struct work_queue *queue)
{
    for (struct work_share *share = queue->first; share; share = share->next) {
        if (share->at_work >= WORK_PER_USER_MAX)
            continue;
        struct queued_work *work = share->first;
        take_out(work);
        if (share->in_line) { /* with more: behind the others */
            leave_line(queue, share);
            stand_in_line(queue, share);
        }
        return work;
    }
    return NULL;
}

static void begin_next(struct work_queue *queue)
{
    while (queue->at_work < WORK_AT_ONCE_MAX) {
        struct queued_work *work = next_work(queue);
        if (!work)
            return;
        queue->at_work++;
        work->share->at_work++;
        work->request.data = work;
        const int error = uv_queue_work(queue->loop, &work->request, run, on_done);
        if (error < 0) {
            queue->at_work--;
            work->share->at_work--;
            work->done(work, error);
        }
    }
}

void work_queue_add(struct work_queue *queue, struct work_share *share, struct queued_work *work)
{
    work->queue = queue;
    work->share = share;
    work->next = NULL;
    work->waits = true;
    if (share->last)
        share->last->next = work;
    else
        share->first = work;
    share->last = work;
    if (!share->in_line)
        stand_in_line(queue, share);
    begin_next(queue);
}

bool work_queue_cancel(struct queued_work *work)
{
    if (!work->waits)
        return false;
    take_out(work);
    return true;
}
