/* A process under policy, for as long as it lives: what it may never lose again.
 *
 * Sessions come and go: a process gets another one by exec or attach(), and can break its own. What
 * was asked for it stays with the process, known by its number and start time, until the kernel
 * says that it has ended. A process comes here by its first session, or by launching a run; its
 * later sessions, and those of every process below it, take what is found here, whatever token or
 * environment they bring. Wishes can only add up. Where a session of it started stays too, once a
 * policy has governed one: places are those of the topmost such process (origin.h).
 *
 * What remains: a process whose parents have all ended is a child of init, and nothing says any
 * more whom it came from, unless it has had a session itself. `warder run` therefore adopts the
 * orphans of its program (PR_SET_CHILD_SUBREAPER) while it lives. Orphans that outlive it, or that
 * no run has started, and that no session was of, are governed by the host's policies alone.
 *
 * Each one costs a descriptor (its pidfd), charged to the user it was first seen with. Inside
 * (loops.h); made by the first loop. */
#ifndef WARDER_DAEMON_SESSION_SUBJECT_PROCESS_H
#define WARDER_DAEMON_SESSION_SUBJECT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>
#include <uv.h>

#include "daemon/session/identity.h"
#include "daemon/session/origin.h"
#include "daemon/session/server.h"
#include "daemon/session/wishes.h"

struct session;

struct subject_process {
    struct server *server;
    pid_t pid;
    uint64_t start_time; /* of /proc/PID/stat: tells it from another with its number */
    struct user_account *account;
    struct wish_list wishes;
    struct origin *origin; /* of its sessions, and of those below it; NULL: it has had none yet */
    bool governed;         /* a policy has governed one of its sessions, or it launched a run */
    struct session *sessions; /* that are not over */
    unsigned holders;         /* sessions and runs that rest on it */
    unsigned references;      /* to the memory: the holders, the table and the watch */
    int pidfd;                /* -1 where the kernel has none: it goes with its last holder then */
    bool known;               /* in the table */
    uint64_t exited;          /* server_now(): its last words are read since; 0: it runs */
    uv_poll_t exit_watch;     /* of the pidfd */
    UT_hash_handle hh;        /* by number */
};

/* The process of this number; NULL if it is not under policy. */
struct subject_process *subject_process_find(const struct server *server, pid_t pid);

/* Puts a process under policy, or finds that it is, and holds it. Takes the pidfd over from the
 * identity. NULL if its user has as many as one may have, or memory is short. */
struct subject_process *subject_process_hold(struct server *server, struct identity *identity,
                                             uint64_t start_time, struct user_account *account);
void subject_process_release(struct subject_process *process);

/* Knows a process of before this daemon until it ends. */
void subject_process_remember(struct server *server, pid_t pid, uid_t uid, uint64_t start_time);

/* A session of a process that is held begins, or is over. */
void subject_process_add_session(struct subject_process *process, struct session *session);
void subject_process_drop_session(struct subject_process *process, struct session *session);

/* Ends those that exited by then and of which there is nothing to be read, or has been for too
 * long: somebody else may have their connections. True if some are still to end. */
bool subject_process_end_exited(struct server *server, uint64_t heard_until);

/* Forgets a process, and ends its sessions. */
void subject_process_end(struct subject_process *process);

#endif
