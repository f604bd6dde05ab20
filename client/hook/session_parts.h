/* What the parts of a session share: hook_session.c, which asks; session_hello.c, which begins one;
 * session_line.c, where threads wait for a connection. Nobody else includes this.
 *
 * - `session.lock` guards everything in `session` but the inside of a busy question, which belongs
 * to the thread that borrowed it. What is atomic in it may be read without the lock; `state`
 * (session_terms.h) is set last, so who sees a live session sees its key and number.
 * - A key never travels after user code has begun to run: a forked child's is derived from its
 *   parent's, a resumed session keeps its own.
 * - The owner's page (session_terms.h) is one that the kernel wipes in every forked child. Where
 * the mark is gone and no fork handler has run, connections and numbers are the parent's and are
 * not used. */
#ifndef WARDER_CLIENT_HOOK_SESSION_PARTS_H
#define WARDER_CLIENT_HOOK_SESSION_PARTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/hook/hook_session.h"
#include "client/hook/session_terms.h"
#include "proto/packet.h"

/* A thread in line, on its stack. It does not hold CPython's lock, nor wait for it: no thread is
 * ended here. */
struct waiter {
    struct waiter *next;
    bool has_turn;
    pthread_cond_t called;
};

/* Who a session is to the daemon. */
struct session_identity {
    uint64_t number;
    unsigned char key[SIPHASH_KEY_SIZE];
};

struct session_parts {
    pthread_mutex_t lock;
    struct waiter *first; /* in line for a question, in the order in which they came */
    struct waiter *last;
    int turns;          /* idle questions that are kept for those who have left the line */
    int64_t turn_given; /* the last one */
    struct session_identity identity;
    _Atomic uint64_t guard_epoch; /* of the generation page, that the three are of */
    struct daemon_address daemon;
    char python_version[24];
    _Atomic int64_t bound; /* nanoseconds for a verdict */
    unsigned forged;
    uint64_t unanswered;  /* denied here, and the daemon does not know of it */
    uint64_t told;        /* the highest number of a decision that was answered */
    _Atomic bool crowded; /* somebody had to wait: open another connection when one comes back */
    struct question questions[QUESTION_COUNT];
    struct daemon_connection handed; /* for the child of the fork that is under way */
};
extern struct session_parts session;

/* For a person. */
void session_refuse(struct session_failure *failure, const char *text);
const char *session_failure_of(enum exchange_result result);

/* Memory for a question, once; kept for the life of the process. */
bool session_give_memory(struct question *question);

/* What hook_session_return does, for a thread that holds the lock. */
void session_give_back(struct question *question);

bool session_fresh_nonce(unsigned char nonce[NONCE_SIZE]);

#endif
