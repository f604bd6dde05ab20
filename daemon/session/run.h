/* A run: what `warder run` asked for, for every interpreter that its program starts.
 *
 * Known by a random token; it lives as long as the connection of its launcher, and its wishes as
 * long as the last session that has them. */
#ifndef WARDER_DAEMON_SESSION_RUN_H
#define WARDER_DAEMON_SESSION_RUN_H

#include <uthash.h>

#include "daemon/session/origin.h"
#include "daemon/session/server.h"
#include "daemon/session/wishes.h"

enum {
    RUN_TOKEN_SIZE = 16,
};

struct run {
    unsigned char token[RUN_TOKEN_SIZE];
    struct wishes *wishes;
    struct connection *launcher;     /* hears of each session; NULL once it is gone */
    struct subject_process *process; /* the launcher's; NULL for a private daemon's owner */
    struct origin *origin;           /* of its first session; NULL: there was none yet */
    unsigned references;             /* of connections that lead to it */
    UT_hash_handle hh;
};

/* Takes over the wishes. NULL on lack of memory. One reference: the launcher's. */
struct run *run_new(struct server *server, struct wishes *wishes, struct connection *launcher);

struct run *run_hold(struct run *run);
void run_release(struct server *server, struct run *run);

/* NULL if no run has the token. */
struct run *run_find(struct server *server, const void *token, size_t size);

#endif
