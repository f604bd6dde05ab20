/* What each user of the host costs the daemon, and the bounds of it.
 *
 * Every connection and session, and the memory that what they say takes, is charged to the uid that
 * caused it; nobody is exempt. Who goes over a bound is refused, and alone. Descriptors are shared:
 * a user gets no more of them than all others still have to themselves, so that however many one
 * user takes, the next one finds some. Inside (loops.h). */
#ifndef WARDER_DAEMON_SESSION_USER_ACCOUNT_H
#define WARDER_DAEMON_SESSION_USER_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uthash.h>

#include "daemon/configuration.h"
#include "daemon/session/closings.h"
#include "daemon/session/refusals.h"
#include "daemon/session/turns.h"
#include "daemon/session/work_queue.h"

enum user_charge {
    CHARGE_CONNECTION,
    CHARGE_UNFINISHED, /* a connection that has not said Hello yet */
    CHARGE_SESSION,
    CHARGE_PROCESS, /* that has, or had, a session, or launched a run; until it ends */
    CHARGE_BYTES,   /* of what was said: messages at work, facts of sessions, wishes */
    CHARGE_COUNT
};

struct user_account {
    uid_t uid;
    size_t held[CHARGE_COUNT];
    size_t descriptors;
    struct refusals refusals;
    struct turn_share turns[CONFIGURATION_LOOPS_MAX]; /* of each loop's time */
    struct work_share work;                           /* of the workers' */
    struct closings *closings;                        /* of what it sent */
    UT_hash_handle hh;
};

struct user_accounts {
    struct user_account *accounts;
    size_t bounds[CHARGE_COUNT];
    size_t descriptors;      /* of all users together: how many there may be */
    size_t descriptors_held; /* and are */
};

/* The account of a user, made on first sight and kept: there are as many as the host has users who
 * run interpreters. NULL on lack of memory. */
struct user_account *user_account_of(struct user_accounts *accounts, uid_t uid);

/* Takes so many; false, and nothing taken, if a bound is reached. */
bool user_account_charge(struct user_accounts *accounts, struct user_account *account,
                         enum user_charge charge, size_t amount);
void user_account_return(struct user_accounts *accounts, struct user_account *account,
                         enum user_charge charge, size_t amount);

/* Forgets everyone. */
void user_accounts_deinit(struct user_accounts *accounts);

#endif
