/* The session of this process with the daemon: one, with at most four connections.
 *
 * Threads share the connections: each borrows one for the length of a question. A connection is a
 * `struct question`: it carries the memory that arguments are read into and messages are packed in,
 * so that the path of a verdict allocates nothing once it is warm.
 *
 * Forks: the parent fetches the child's connection before it forks (a handler of pthread_atfork),
 * the child says Hello over it, under its parent's key, when it raises its first event. A child
 * that came to be in another way (a bare clone) finds its memory wiped of the parent's mark and
 * connects by path. A lost connection is resumed by path, each side proving that it knows the key;
 * where a floor forbids that, another connection of the session is used. Whatever fails, the answer
 * is a denial, within the bound. */
#ifndef WARDER_CLIENT_HOOK_HOOK_SESSION_H
#define WARDER_CLIENT_HOOK_HOOK_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>

#include "client/hook/daemon_connection.h"
#include "policies/engine/event.h"
#include "proto/siphash.h"

enum {
    QUESTION_COUNT = 4, /* connections of a session at most (design, "The session") */
    QUESTION_ARENA_SIZE = 3 * 1024 * 1024, /* arguments, then messages: VALUE_NODES_MAX nodes as
                                              values and as messages, and their texts */
    VERDICT_MILLISECONDS =
        2000, /* until the daemon says otherwise (design, "The way of an event") */
    WELCOME_MILLISECONDS = 10000, /* for the first answer: the daemon may have to look up the user
                                     in a directory service */
    FORGED_ANSWERS_MAX = 16,      /* after so many the process ends: somebody is trying keys */
};

struct question {
    struct daemon_connection connection;
    struct daemon_connection fetched; /* for the child of a fork that is about to be made */
    struct exchange_memory memory;
    bool busy;
};

/* A verdict, and what the caller is told with it; texts are terminated, cut where too long. */
struct answer {
    Warder__V1__Outcome outcome;
    uint64_t decision; /* 0 if the daemon had no part in it */
    bool unanswered;   /* denied here, for want of a verdict */
    const char *event; /* what was asked about; as long as that event, at the C boundary for ever */
    char operation[32];
    char policy[192];
    char rule[160];
    char message[1024];
    char decision_id[64];
    char text[2048];
    /* Of an allowed exec: names of variables that the rule speaks of, each terminated, the last one
     * by an empty one. */
    char environment[256];
    bool only_exec;    /* of an allowed fork: its child may do nothing but exec */
    bool place_wanted; /* of what is only observed: the daemon waits for its calling line */
    bool done_without; /* of an import: denial.h, denial_is_done_without() */
};

/* Why a session could not be had; for a person. */
struct session_failure {
    char text[512];
};

/* What the process says of itself beside what is read from /proc. */
struct session_request {
    const char *python_version;
    Warder__V1__HookRoute route;
    const char *socket_path; /* NULL: where the host, or `warder run`, has it */
    const Warder__V1__Wishes *wishes;
};

/* Says Hello. True once the daemon has welcomed the process; also if it already had. */
bool hook_session_start(const struct session_request *request, struct session_failure *failure);

/* Tells the daemon of an interpreter that the hook does not fit. Best effort. */
void hook_session_tell_unfit(void);

bool hook_session_is_live(void);

/* Ends a session that nothing asks on yet, because the hook did not go in. */
void hook_session_abandon(void);

/* Borrows a connection for one question; NULL if all are taken, or kept for those who came before.
 * The question's arena is empty. `has_turn`: hook_session_wait has said so. */
struct question *hook_session_borrow(bool has_turn);

/* Waits in line, first come, first served, while all are taken for as long as is `*left`
 * (nanoseconds, counted down). True when it is the thread's turn: one is kept for it a while.
 * `first`: it had its turn before, and came too late. */
bool hook_session_wait(int64_t *left, bool first);

void hook_session_return(struct question *question);

/* Asks for a verdict on an event in the question's arena. `answer` says deny from its first moment
 * to the one where an authentic answer says otherwise. Must not hold the interpreter lock: it
 * waits. */
void hook_session_ask(struct question *question, const struct event *event, struct answer *answer);

/* Tells the daemon that records wait for it, if it may not know. Best effort, does not wait. */
void hook_session_tell_records(struct question *question);
/* The same of an event at the C boundary that continues what decision `continues` of this session
 * allowed (0: nothing). */
void hook_session_ask_continuing(struct question *question, const struct event *event,
                                 uint64_t continues, struct answer *answer);

/* The same in the child of a vfork, which shares this memory with its parent and has descriptors of
 * its own: over a connection of its own, as a session that its parent vouches for, for the length
 * of the call. Changes nothing of the session; works in `memory` alone. */
void hook_session_ask_beside(struct exchange_memory *memory, const struct event *event,
                             uint64_t continues, struct answer *answer);

/* Sees to it that a child can ask: a process that came of a fork itself says Hello first. */
bool hook_session_make_ready(void);

/* What this process is to the session that its memory has. */
enum session_process {
    PROCESS_OF_SESSION,
    PROCESS_BESIDE, /* the child of a vfork, or a clone that shares the memory */
};
enum session_process hook_session_process(void);
pid_t hook_session_process_number(void); /* of the session's own process */

/* Classes of operations (bits, 1 << enum operation_class) that a policy in force could deny, kill
 * or have recorded, as the daemon said last; those of them that one could deny or kill; those that
 * one denies whatever the operation. None without a live session. */
uint32_t hook_session_guarded(void);
uint32_t hook_session_held(void);
uint32_t hook_session_flat(void);

/* Ends the process whose session it is, from the child of a vfork too. */
noreturn void hook_session_end_process(const char *line);

/* Begins a digest under the session's key: nobody who does not know it finds two texts of one. */
void hook_session_digest(struct siphash *hash);

/* Counts an event that was denied without a verdict. The daemon is told how many there were, with
 * the next question that reaches it; those of a process that ends before are not in the record. */
void hook_session_count_unanswered(void);

/* Tells the daemon which Python line was denied. Best effort, does not wait. */
void hook_session_tell_place(uint64_t decision, const char *file, size_t file_length,
                             unsigned line);

/* Notices a fork that no handler saw. Called at every event, costs one load. */
void hook_session_check_process(void);

/* How long a verdict may take, nanoseconds. */
int64_t hook_session_bound(void);

#endif
