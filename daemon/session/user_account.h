/* What each user of the host costs the daemon, and the bounds of it.
 *
 * Every connection and session is charged to the uid that caused it; nobody is exempt. Who goes
 * over a bound is refused, and alone. Loop thread only. */
#ifndef WARDER_DAEMON_SESSION_USER_ACCOUNT_H
#define WARDER_DAEMON_SESSION_USER_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uthash.h>

enum user_charge {
    CHARGE_CONNECTION,
    CHARGE_UNFINISHED, /* a connection that has not said Hello yet */
    CHARGE_SESSION,
    CHARGE_COUNT
};

struct user_account {
    uid_t uid;
    unsigned held[CHARGE_COUNT];
    uint64_t refusals;      /* since the last record of them */
    uint64_t refusal_until; /* loop time, ms: refusals before it are only counted */
    UT_hash_handle hh;
};

struct user_accounts {
    struct user_account *accounts;
    unsigned bounds[CHARGE_COUNT];
};

/* The account of a user, made on first sight and kept: there are as many as the host has users who
 * run interpreters. NULL on lack of memory. */
struct user_account *user_account_of(struct user_accounts *accounts, uid_t uid);

/* Takes one; false if the bound is reached. */
bool user_account_charge(struct user_accounts *accounts, struct user_account *account,
                         enum user_charge charge);
void user_account_return(struct user_account *account, enum user_charge charge);

/* Forgets everyone. */
void user_accounts_deinit(struct user_accounts *accounts);

#endif
