/* A user is in line exactly while a connection of his waits, a connection exactly while `queued`.
 */
#include "daemon/session/turns.h"

#include "daemon/session/connection.h"
#include "daemon/session/server.h"

static struct turn_share *refilled(struct server *server, struct user_account *account)
{
    struct turn_share *share = &account->turns;

    if (share->turn != server->turns.number) {
        share->turn = server->turns.number;
        share->left = share->left < 0 ? share->left + TURN_NANOSECONDS : (int64_t)TURN_NANOSECONDS;
    }
    return share;
}

bool turns_allow(struct server *server, struct user_account *account)
{
    const struct turn_share *share = refilled(server, account);
    return share->left > 0 && !share->first;
}

void turns_charge(struct server *server, struct user_account *account, uint64_t nanoseconds)
{
    struct turn_share *share = refilled(server, account);

    if (nanoseconds > DEBT_NANOSECONDS)
        nanoseconds = DEBT_NANOSECONDS;
    share->left -= (int64_t)nanoseconds;
    if (share->left < -DEBT_NANOSECONDS)
        share->left = -DEBT_NANOSECONDS;
}

/* The user goes to the end of the line. */
static void stand_in_line(struct turns *turns, struct user_account *account)
{
    account->turns.next = NULL;
    account->turns.waits = true;
    if (turns->last)
        turns->last->turns.next = account;
    else
        turns->first = account;
    turns->last = account;
}

static struct user_account *next_in_line(struct turns *turns)
{
    struct user_account *account = turns->first;

    turns->first = account->turns.next;
    if (!turns->first)
        turns->last = NULL;
    account->turns.waits = false;
    return account;
}

static void on_busy(uv_idle_t *idle)
{
    (void)idle; /* that it runs is enough */
}

void turns_wait(struct connection *connection)
{
    struct turns *turns = &connection->server->turns;
    struct turn_share *share = &connection->account->turns;

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
    struct turn_share *share = &connection->account->turns;

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

static void serve(struct server *server, struct user_account *account)
{
    const struct turn_share *share = refilled(server, account);

    while (share->left > 0 && share->first) {
        struct connection *connection = share->first;
        turns_forget(connection);
        connection_take_turn(connection);
    }
}

/* Everyone who stands in line when the turn begins. */
static void on_turn(uv_prepare_t *prepare)
{
    struct server *server = prepare->data;
    struct turns *turns = &server->turns;
    const struct user_account *end = turns->last;

    turns->number++;
    while (turns->first) {
        struct user_account *account = next_in_line(turns);
        serve(server, account);
        if (account->turns.first && !account->turns.waits)
            stand_in_line(turns, account);
        if (account == end)
            break;
    }
    if (!turns->first)
        uv_idle_stop(&turns->busy);
}

void turns_init(struct server *server)
{
    struct turns *turns = &server->turns;

    uv_prepare_init(server->loop, &turns->begin);
    uv_idle_init(server->loop, &turns->busy);
    turns->begin.data = server;
    uv_prepare_start(&turns->begin, on_turn);
    uv_unref((uv_handle_t *)&turns->begin); /* it keeps no loop alive by itself */
}

void turns_stop(struct server *server)
{
    uv_close((uv_handle_t *)&server->turns.begin, NULL);
    uv_close((uv_handle_t *)&server->turns.busy, NULL);
}
