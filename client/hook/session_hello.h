/* Hello: how a process becomes a session, and what the daemon says of it. For hook_session.c. */
#ifndef WARDER_CLIENT_HOOK_SESSION_HELLO_H
#define WARDER_CLIENT_HOOK_SESSION_HELLO_H

#include "client/hook/session_parts.h"
#include "client/hook/settled_policy.h"

/* Which classes the policies in force have something to say about, as the daemon says with a
 * Welcome and with each verdict. */
struct session_guard {
    uint32_t guarded;
    uint32_t held;
    uint32_t flat;
};

/* A Hello: what is said, and by whom; `parent_key`: the session of this process's parent vouches
 * for it. */
struct hello_plan {
    const struct session_request *request;
    const unsigned char *parent_key;
    uint64_t parent;
    struct handout *handout; /* to be taken up with the answer; NULL: none is wanted */
};

/* `epoch`: of the generation page, that the guard is of; 0: it is not known. */
void session_take_guard(const struct session_guard *guard, uint64_t epoch);

/* Says Hello on a fresh connection. The answer, a Welcome, lives in the memory's arena; NULL, and
 * `failure` filled in, if there is none. */
const Warder__V1__Welcome *session_say_hello(struct daemon_connection *connection,
                                             struct exchange_memory *memory,
                                             const struct hello_plan *plan,
                                             struct session_identity *identity,
                                             struct session_failure *failure);

/* The same for the process's own session. */
bool session_say_own_hello(struct question *question, const struct session_request *request,
                           const unsigned char *parent_key, uint64_t parent,
                           struct session_failure *failure);

/* Says on a fresh connection, in place of Hello, that the hook does not fit this interpreter. */
void session_say_unfit(struct question *question);

bool session_connect_first(struct question *question, const struct session_request *request,
                           struct session_failure *failure);

/* True if a floor lets this process make no Unix socket. */
bool session_is_cut_off(void);

/* True if this process can take what a handout brings along: descriptors that do not fit are lost
 * with the packet that brings them, and with it the answer. */
bool session_takes_policy(const struct daemon_connection *connection);

void session_close_descriptors(const struct handout *handout);

#endif
