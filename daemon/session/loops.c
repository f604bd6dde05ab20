/* A task is in the list of one loop exactly while it is `posted`. */
#include "daemon/session/loops.h"

#include <stdlib.h>

#include "daemon/session/server.h"
#include "proto/packet.h"

static _Thread_local struct loop *here;

struct loop *loops_here(struct server *server)
{
    return here && here->server == server ? here : &server->loops.items[0];
}

/* Who finds it taken waits in the turnstile, and so does who was inside for long: behind whoever is
 * in there. Everybody else may be quicker than those who wait, which keeps the loops from changing
 * places at every message. */
static void take_lock(struct loops *loops, struct loop *loop)
{
    if (loop->inside < INSIDE_NANOSECONDS && uv_mutex_trylock(&loops->lock) == 0)
        return;
    loop->inside = 0;
    uv_mutex_lock(&loops->turnstile);
    uv_mutex_lock(&loops->lock);
    uv_mutex_unlock(&loops->turnstile);
}

void loops_enter(struct server *server)
{
    struct loops *loops = &server->loops;

    if (loops->count <= 1)
        return;
    struct loop *loop = loops_here(server);
    if (loop->depth++ > 0)
        return;
    take_lock(loops, loop);
    loop->entered = uv_hrtime();
}

void loops_leave(struct server *server)
{
    struct loops *loops = &server->loops;

    if (loops->count <= 1)
        return;
    struct loop *loop = loops_here(server);
    if (--loop->depth > 0)
        return;
    loop->inside += uv_hrtime() - loop->entered;
    uv_mutex_unlock(&loops->lock);
}

struct loop *loops_choose(struct server *server)
{
    struct loop *chosen = &server->loops.items[0];

    for (unsigned i = 1; i < server->loops.count; i++)
        if (server->loops.items[i].connections < chosen->connections)
            chosen = &server->loops.items[i];
    return chosen;
}

/* ------------------------------------------------------------------------------------------ tasks
 */

bool loops_post(struct loop *loop, struct loop_task *task)
{
    if (task->posted || loop->over)
        return false;
    task->posted = true;
    task->next = NULL;
    if (loop->last)
        loop->last->next = task;
    else
        loop->first = task;
    loop->last = task;
    uv_async_send(&loop->wake);
    return true;
}

static void run_tasks(struct loop *loop)
{
    while (loop->first) {
        struct loop_task *task = loop->first;
        loop->first = task->next;
        if (!loop->first)
            loop->last = NULL;
        task->posted = false;
        task->run(task);
    }
}

static void close_handles(struct loop *loop)
{
    loop->over = true;
    turns_stop(&loop->turns);
    uv_close((uv_handle_t *)&loop->wake, NULL);
}

static void on_wake(uv_async_t *async)
{
    struct loop *loop = async->data;
    struct server *server = loop->server;

    loops_enter(server);
    run_tasks(loop);
    if (loop->runs && server->loops.ending && !loop->over)
        close_handles(loop);
    loops_leave(server);
}

/* ---------------------------------------------------------------------------------------- threads
 */

static void run(void *context)
{
    struct loop *loop = context;

    here = loop;
    uv_run(loop->uv, UV_RUN_DEFAULT);
}

int loops_start(struct server *server)
{
    struct loops *loops = &server->loops;

    for (unsigned i = 1; i < loops->count; i++) {
        const int error = uv_thread_create(&loops->items[i].thread, run, &loops->items[i]);
        if (error < 0)
            return error;
        loops->items[i].runs = true;
    }
    return 0;
}

void loops_stop(struct server *server)
{
    struct loops *loops = &server->loops;

    loops->ending = true;
    if (loops->count == 1)
        close_handles(&loops->items[0]);
    for (unsigned i = 1; i < loops->count; i++)
        if (loops->items[i].runs)
            uv_async_send(&loops->items[i].wake);
}

void loops_join(struct server *server)
{
    struct loops *loops = &server->loops;

    for (unsigned i = 1; i < loops->count; i++) {
        if (loops->items[i].runs)
            uv_thread_join(&loops->items[i].thread);
        else if (!loops->items[i].over)
            close_handles(&loops->items[i]); /* it has had no thread */
        loops->items[i].runs = false;
    }
    if (loops->count == 0 || loops->items[0].over)
        return;
    loops_enter(server);
    run_tasks(&loops->items[0]);
    close_handles(&loops->items[0]);
    loops_leave(server);
}

/* ------------------------------------------------------------------------------------------- life
 */

static bool open_loop(struct server *server, struct loop *loop, unsigned index)
{
    *loop = (struct loop){.server = server,
                          .index = index,
                          .packet = malloc(PACKET_SIZE_MAX),
                          .reply = malloc(PACKET_SIZE_MAX)};
    loop->uv = index == 0 ? server->loop : &loop->own;
    const bool made = loop->packet && loop->reply && (index == 0 || uv_loop_init(loop->uv) == 0);
    if (!made || uv_async_init(loop->uv, &loop->wake, on_wake) < 0) {
        if (made && index > 0)
            uv_loop_close(loop->uv);
        free(loop->packet);
        free(loop->reply);
        return false;
    }
    loop->wake.data = loop;
    if (index == 0)
        uv_unref((uv_handle_t *)&loop->wake); /* the daemon's loop ends by what it has to do */
    turns_init(loop);
    return true;
}

bool loops_init(struct server *server, unsigned count)
{
    struct loops *loops = &server->loops;

    *loops = (struct loops){.count = 0};
    if (uv_mutex_init(&loops->lock) < 0)
        return false;
    if (uv_mutex_init(&loops->turnstile) < 0) {
        uv_mutex_destroy(&loops->lock);
        return false;
    }
    loops->is_open = true;
    while (loops->count < count && open_loop(server, &loops->items[loops->count], loops->count))
        loops->count++;
    here = &loops->items[0];
    if (loops->count == count)
        return true;
    loops_join(server);
    uv_run(server->loop, UV_RUN_NOWAIT); /* the closing */
    loops_deinit(server);
    return false;
}

void loops_deinit(struct server *server)
{
    struct loops *loops = &server->loops;

    if (here && here->server == server)
        here = NULL;
    for (unsigned i = 0; i < loops->count; i++) {
        struct loop *loop = &loops->items[i];
        if (i > 0) {
            uv_run(&loop->own, UV_RUN_DEFAULT); /* of one that has had no thread */
            uv_loop_close(&loop->own);
        }
        free(loop->packet);
        free(loop->reply);
    }
    if (loops->is_open) {
        uv_mutex_destroy(&loops->lock);
        uv_mutex_destroy(&loops->turnstile);
    }
    *loops = (struct loops){.count = 0};
}
