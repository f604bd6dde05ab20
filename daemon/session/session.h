/* A session: one interpreter under policy, from Hello to its end.
 *
 * It owns its key, its subject and the generation that it was last judged by. Its connections come
 * and go; it ends when its process does, or when it breaks the protocol. */
#ifndef WARDER_DAEMON_SESSION_SESSION_H
#define WARDER_DAEMON_SESSION_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>
#include <uv.h>

#include "daemon/session/connection.h"
#include "daemon/session/identity.h"
#include "daemon/session/origin.h"
#include "daemon/session/server.h"
#include "daemon/session/session_floor.h"
#include "daemon/session/subject_process.h"
#include "daemon/session/wishes.h"
#include "policies/engine/evaluate.h"
#include "policies/engine/policy_guard.h"
#include "policies/engine/subject.h"

enum {
    SESSION_ARGUMENTS_MAX = 64, /* of argv that are kept */
    OWN_POLICIES_MAX = 64,      /* of texts of its own, that the record names */
    ALLOWED_EXECS_KEPT = 16,    /* threads that are starting a program at one moment */
};

/* An audit event by which the session was allowed to start a program: the C boundary, in it or in
 * its child, may meet the same again. */
struct allowed_exec {
    uint64_t decision; /* 0: none */
    bool known;        /* what is started is known for certain, */
    uint64_t program;  /* and this is the hash of it */
};

/* Everything that is known of the subject, proved or said. Texts are owned. */
struct session_facts {
    struct identity identity;    /* proved */
    struct identity_facts known; /* rests on it */
    char *executable;            /* said */
    char *directory;
    char *script;
    char *python;
    char *hook;
    char *hook_file; /* that it must leave where it is; NULL: it could not touch it */
    char **argv;
    size_t argv_count;
    bool argv_cut;
    Warder__V1__HookRoute route;
    char **place_paths[PLACE_COUNT];
    size_t place_counts[PLACE_COUNT];
    size_t settled_venvs; /* of session.venv, the first so many: the subject could not have made
                             them */
};

void session_facts_deinit(struct session_facts *facts);

struct session {
    struct server *server;
    unsigned references; /* its life until session_end, and who looks at it beyond */
    uint64_t number;
    uint64_t parent; /* number of the session that forked it; 0: none */
    unsigned char key[SIPHASH_KEY_SIZE];
    struct user_account *account;
    size_t bytes; /* charged to it, for what the session said of itself */
    struct session_facts facts;
    struct subject subject; /* points into facts and wishes */
    struct label *labels;   /* of all wishes; texts are theirs */
    struct wish_list wishes;
    struct origin *origin; /* whose places it has; held */
    struct generation *generation;
    uint32_t *governing; /* indices into the generation's block */
    size_t governing_count;
    uint32_t *observed; /* policies named by a run that only observes */
    size_t observed_count;
    /* A policy that it named is gone from the generation that it has, in words for a person; "":
     * none is. Nothing is allowed to it then: what it named is not there to say what would be. */
    char gone_policy[WISHES_NAME_LENGTH_MAX + 128];
    struct policy_guard guard; /* of all that governs it, in the generation that it has */
    /* The one enforced policy that could deny an exec: its rules alone can let variables through to
     * a program. NULL: there is none, or there are several. */
    const struct policy_block *exec_block;
    uint32_t exec_policy;
    struct allowed_exec allowed[ALLOWED_EXECS_KEPT]; /* the last ones, in turn */
    uint64_t decisions;
    uint64_t denials;
    struct session_floor floor;
    bool record;    /* every decision */
    bool attached;  /* by attach(), or of such a parent: the process has no C boundary */
    bool resumable; /* kept in the runtime directory */
    struct connection *connections;
    struct settled_records *records; /* that its hook writes; NULL: it has no ring */
    struct subject_process *process; /* it is of; held; NULL once the session is over */
    struct session *next_of_process;
    UT_hash_handle hh; /* by number */
};

/* What a session is made of. The facts are taken over; the wishes are held by it. */
struct session_plan {
    uint64_t number;
    uint64_t parent;
    const unsigned char *key;
    struct session_facts *facts;
    const struct wish_list *wishes;
    struct origin
        *origin; /* its places stand, and are of this one: a forked child, a kept session */
    const struct run *run; /* that it came by, or has the token of; NULL: none */
    size_t bytes;          /* that its Hello had */
    uint64_t decisions;    /* made before: a session that is taken up again */
    bool resumed;          /* it is such a one */
    bool attached;         /* came by attach(), or its parent did */
};

#define SESSION_TOO_MANY_WISHES                                                                    \
    "what was asked for this process, and for those that it descends from, is more than one "      \
    "session can be under"

/* Why there is no session, in words for the process. */
struct session_refusal {
    char text[WISHES_NAME_LENGTH_MAX + 128];
};

/* Takes what its process was under before to the wishes of the plan. NULL, with the refusal filled
 * in, if its user has too many, a policy that it names does not exist, or memory is short. The
 * facts are freed then. */
struct session *session_new(struct server *server, struct session_plan *plan,
                            struct session_refusal *refusal);

struct session *session_find(const struct server *server, uint64_t number);

/* Makes a connection the session's. */
void session_add_connection(struct session *session, struct connection *connection);

/* A connection is gone. A session without any ends if nothing else can tell that its process did.
 */
void session_drop_connection(struct session *session, struct connection *connection);

/* Takes up the current generation if another one has come into force. False on lack of memory: then
 * nothing may be allowed. */
bool session_follow_generation(struct session *session);

/* True if some policy governs it, though it were one to be observed alone. */
bool session_is_governed(const struct session *session);

/* True if it named, and not to be observed alone, a policy that is in the one generation and not in
 * the other. */
bool session_loses_policy(const struct session *session, const struct generation *before,
                          const struct generation *after);

/* The file that its hook was loaded from, if it could change that and a policy in force could deny
 * it something; NULL otherwise. */
const char *session_hook_file(const struct session *session);

/* True if a policy in force could deny it programs: then it changes no setting that has the kernel
 * start one. */
bool session_keeps_kernel_programs(const struct session *session);

/* Hands an item over to the record, at the cost of the session's user. */
void session_record(struct session *session, struct audit_item *item, bool droppable);

/* Names of the governing policies, as TIER/NAME, into the arena. */
size_t session_policy_names(const struct session *session, struct arena *arena,
                            ProtobufCBinaryData **names);

/* Ends it: connections are closed, the record is told. */
void session_end(struct session *session);

/* Keeps the memory of a session over something that may end it. */
void session_hold(struct session *session);
void session_release(struct session *session);

/* The facts for the record: {"proved": {...}, "said": {...}, "asked": {...}, ...}. `asked`: names
 * of the policies that it named (`policies`, `observed`), and of those of its own texts (`own`,
 * `own_observed`); fingerprints of those texts (`own_texts`). Owned by the caller. */
char *session_facts_json(const struct session *session);

#endif
