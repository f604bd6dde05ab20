/* A user is in line exactly while a connection of his waits, a connection exactly while `queued`.
 */
#include "daemon/session/turns.h"

#include "daemon/session/connection.h"
#include "daemon/session/loops.h"
#include "daemon/session/server.h"

static struct turn_share *share_of(const struct turns *turns, struct user_account *account)
{
    return &account->turns[turns->loop->index];
}

static struct turn_share *refilled(const struct turns *turns, struct user_account *account)
{
    struct turn_share *share = share_of(turns, account);

    if (share->turn != turns->number) {
        share->turn = turns->number;
        share->left = share->left < 0 ? share->left + TURN_NANOSECONDS : (int64_t)TURN_NANOSECONDS;
    }
    return share;
}

bool turns_allow(struct loop *loop, struct user_account *account)
{
    const struct turn_share *share = refilled(&loop->turns, account);
    return share->left > 0 && !share->first;
}

void turns_charge(struct loop *loop, struct user_account *account, uint64_t nanoseconds)
{
    struct turn_share *share = refilled(&loop->turns, account);

    if (nanoseconds > DEBT_NANOSECONDS)
        nanoseconds = DEBT_NANOSECONDS;
    share->left -= (int64_t)nanoseconds;
    if (share->left < -DEBT_NANOSECONDS)
        share->left = -DEBT_NANOSECONDS;
}

/* The user goes to the end of the line. */
static void stand_in_line(struct turns *turns, struct user_account *account)
{
    struct turn_share *share = share_of(turns, account);

    share->next = NULL;
    share->waits = true;
    if (turns->last)
        share_of(turns, turns->last)->next = account;
    else
        turns->first = account;
    turns->last = account;
}

static struct user_account *next_in_line(struct turns *turns)
{
    struct user_account *account = turns->first;
    struct turn_share *share = share_of(turns, account);

    turns->first = share->next;
    if (!turns->first)
        turns->last = NULL;
    share->waits = false;
    return account;
}

static void on_busy(uv_idle_t *idle)
{
    (void)idle; /* that it runs is enough */
}

void turns_wait(struct connection *connection)
{
    struct turns *turns = &connection->loop->turns;
    struct turn_share *share = share_of(turns, connection->account);

    connection->queued = true;
    connection->next_queued = NULL;
    connection->previous_queued = share->last;
    if (share->last)
        share->last->next_queued = connection;
    else
        share->first = connection;
    share->last = connection;
    if (!share->waits)
        stand_in_line(turns, connection->account);
    uv_idle_start(&turns->busy, on_busy);
}

void turns_forget(struct connection *connection)
{
    struct turn_share *share = share_of(&connection->loop->turns, connection->account);

    if (!connection->queued)
        return;
    connection->queued = false;
    if (connection->previous_queued)
        connection->previous_queued->next_queued = connection->next_queued;
    else
        share->first = connection->next_queued;
    if (connection->next_queued)
        connection->next_queued->previous_queued = connection->previous_queued;
    else
        share->last = connection->previous_queued;
}

static void serve(struct turns *turns, struct user_account *account)
{
    const struct turn_share *share = refilled(turns, account);

    while (share->left > 0 && share->first) {
        struct connection *connection = share->first;
        turns_forget(connection);
        connection_take_turn(connection);
    }
}

/* Everyone who stands in line when the turn begins. */
static void on_turn(uv_prepare_t *prepare)
{
    struct turns *turns = prepare->data;
    struct server *server = turns->loop->server;

    turns->number++;
    if (!turns->first)
        return;
    loops_enter(server);
    const struct user_account *end = turns->last;
    while (turns->first) {
        struct user_account *account = next_in_line(turns);
        serve(turns, account);
        if (share_of(turns, account)->first && !share_of(turns, account)->waits)
            stand_in_line(turns, account);
        if (account == end)
            break;
    }
    if (!turns->first)
        uv_idle_stop(&turns->busy);
    loops_leave(server);
}

void turns_init(struct loop *loop)
{
    struct turns *turns = &loop->turns;

    turns->loop = loop;
    uv_prepare_init(loop->uv, &turns->begin);
    uv_idle_init(loop->uv, &turns->busy);
    turns->begin.data = turns;
    uv_prepare_start(&turns->begin, on_turn);
    uv_unref((uv_handle_t *)&turns->begin); /* it keeps no loop alive by itself */
}

void turns_stop(struct turns *turns)
{
    uv_close((uv_handle_t *)&turns->begin, NULL);
    uv_close((uv_handle_t *)&turns->busy, NULL);
}
