/* Whose turn it is: a loop's time, shared out among the users.
 *
 * What a connection says is dealt with at once, as long as its user has time left in this turn of
 * the loop. Time is what was really taken, by whatever it was: decoding, judging, recording. A user
 * who has taken more is in debt, and each turn pays back TURN_NANOSECONDS; his connections wait in
 * line meanwhile, and take turns among themselves. So nobody waits for a user's thousand requests,
 * but for one of them at most. Each loop has its own line, in which each user has his share
 * (loops.h). */
#ifndef WARDER_DAEMON_SESSION_TURNS_H
#define WARDER_DAEMON_SESSION_TURNS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum {
    TURN_NANOSECONDS = 1000 * 1000, /* some fifty ordinary verdicts (limits.md) */
    /* More is forgiven: it was the machine's doing, not what was asked. */
    DEBT_NANOSECONDS = 20 * TURN_NANOSECONDS,
};

struct connection;
struct loop;
struct user_account;

/* A user's of one loop, in the account. */
struct turn_share {
    uint64_t turn; /* the last one that gave him time */
    int64_t left;  /* nanoseconds; below 0: debt */
    bool waits;    /* some connection does, and the user is in line */
    struct connection *first;
    struct connection *last;
    struct user_account *next; /* in line */
};

struct turns {
    struct loop *loop;
    uint64_t number;
    uv_prepare_t begin;
    uv_idle_t busy; /* runs while somebody waits: then the loop does not sleep */
    struct user_account *first;
    struct user_account *last;
};

void turns_init(struct loop *loop);

/* Nobody is waiting any more. */
void turns_stop(struct turns *turns);

/* True if the user has time left, and no connection that came before. */
bool turns_allow(struct loop *loop, struct user_account *account);

/* So much of the loop's time was the user's. Of its own thread, outside too. */
void turns_charge(struct loop *loop, struct user_account *account, uint64_t nanoseconds);

/* The connection waits in line, and is given to connection_take_turn when it is its turn. */
void turns_wait(struct connection *connection);

/* It does not any more. */
void turns_forget(struct connection *connection);

#endif
