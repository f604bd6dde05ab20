/* What a first message of a connection makes the daemon do away from its loop: a Hello, a Resume or
 * a Launch is copied, decoded and answered by a worker thread, which looks up users, files and the
 * record as long as that takes.
 *
 * A worker touches its job alone; everything of the server is touched on the loop, before and after
 * (handshake.c). The message is charged to its user until the job is freed.
 */
#ifndef WARDER_DAEMON_SESSION_HANDSHAKE_JOB_H
#define WARDER_DAEMON_SESSION_HANDSHAKE_JOB_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/session/connection.h"
#include "daemon/session/origin.h"
#include "daemon/session/session_facts.h"
#include "daemon/session/wishes.h"
#include "daemon/session/work_queue.h"

enum job_kind {
    JOB_HELLO,
    JOB_RESUME,
    JOB_LAUNCH,
};

struct job {
    struct queued_work work; /* first: a job is found by it */
    enum job_kind kind;
    struct connection *connection; /* held */
    enum connection_state state;   /* of it before the worker began */
    struct reply_to to;
    size_t charged;       /* bytes, to the connection's user */
    unsigned char *bytes; /* the message, copied */
    size_t length;
    struct arena arena;
    /* what the worker needs */
    struct session_facts facts;
    struct peer_groups groups;
    bool has_groups;
    int executable;
    int directory;
    char state_directory[CONFIGURATION_PATH_MAX];
    char session_socket[CONFIGURATION_PATH_MAX];
    /* what it finds */
    const Warder__V1__ClientMessage *message;
    const Warder__V1__KeptSession *kept;
    struct wishes *wishes;        /* of Hello or Launch; then charged */
    struct wish_list kept_wishes; /* of a kept session: each charged */
    struct origin *kept_origin;
    uint64_t decisions; /* of a kept session so far */
    const char *refusal;
    char *refusal_owned;
    const char *missing_policy; /* that is why; NULL: it is not */
};

/* Holds the connection. NULL if there is no memory, or none left for this user. */
struct job *job_new(struct connection *connection, const struct incoming *incoming,
                    enum job_kind kind);

/* The groups of the connection's peer, which is the subject. */
void job_ask_groups(struct job *job);

/* Closes its descriptors and gives back what it was charged. */
void job_free(struct job *job);

/* The connection waits until `done` was called on the loop, with the job as its work; where the
 * connection is cancelled before that, the job is freed instead. */
void job_start(struct job *job, void (*done)(struct queued_work *work, int status));

#endif
