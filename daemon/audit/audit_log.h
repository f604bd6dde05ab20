/* The record of this host: audit.db in the state directory, written by a thread of its own.
 *
 * The loop copies items into a ring (audit_ring.h) and goes on: it takes no lock, makes no system
 * call but to wake the thread when that has nothing to do, and allocates nothing. The thread makes
 * rows of them, in batches by size and age, one transaction each, at lower priority. The queue is
 * bounded in bytes, for each user and in all: when half of a bound is reached, decisions that
 * allowed are dropped and counted; denials, sessions and refusals are not, and the loop stops
 * reading from whoever causes them until there is room (audit_log_is_full). Neither do they stand
 * behind decisions that allowed: they have a line of their own, which is written first. So ids do
 * not go with time between the two. While the database cannot be written, items wait; that is said
 * on standard error when it begins and when it ends.
 *
 * audit_log_* functions are for the loop's thread, or one of several at a time, unless they say
 * otherwise. */
#ifndef WARDER_DAEMON_AUDIT_AUDIT_LOG_H
#define WARDER_DAEMON_AUDIT_AUDIT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/audit/audit_item.h"

struct audit_log;

struct audit_log_options {
    const char *directory;
    bool reading; /* nothing is opened and nothing written: what is added is forgotten */
    unsigned
        megabytes; /* the database is kept below this by dropping (audit_trim.h); 0: no bound */
    unsigned queue_megabytes_per_user; /* of records that wait */
    /* Called by the audit thread after a batch is on disk: must be quick, and safe there. */
    void (*written)(void *context);
    void *context;
};

struct audit_statistics {
    uint64_t written;
    uint64_t dropped;
    uint64_t waiting;
    char error[256]; /* why nothing is written at the moment; "" if all is well */
};

enum {
    AUDIT_NOBODY = -1,                        /* the owner of what no user has caused */
    AUDIT_QUEUE_BYTES_MAX = 96 * 1024 * 1024, /* of all: beyond it, those with the most must wait */
    AUDIT_BATCH_MAX = 2000,                   /* items in a transaction */
    AUDIT_GATHER_MILLISECONDS = 100,          /* a batch waits so long for company */
};

/* Opens or makes the database and starts the thread. NULL with `error` filled in. */
struct audit_log *audit_log_start(const struct audit_log_options *options, char *error,
                                  size_t size);

/* Writes everything that is waiting, ends the thread, closes. False if something could not be
 * written; `error` says how many records, and why. */
bool audit_log_stop(struct audit_log *log, char *error, size_t size);

/* Adds a decision that is borrowed from the caller, and nothing is allocated for. Otherwise as
 * audit_log_add. */
void audit_log_add_decision(struct audit_log *log, uint64_t session,
                            const struct audit_decision *decision, int64_t owner, bool droppable);

/* Adds a copy of an item; NULL: one that there was no memory for, and that is lost. */
void audit_log_add_copy(struct audit_log *log, const struct audit_item *item, int64_t owner,
                        bool droppable);

/* Takes the item, which `owner` (a uid, or AUDIT_NOBODY) has caused. `droppable`: an allowed
 * decision, lost when the queue is half full. */
void audit_log_add(struct audit_log *log, struct audit_item *item, int64_t owner, bool droppable);

/* Waits until everything that was added before the call is on disk, at most so long. For worker
 * threads. False if it is not. */
bool audit_log_wait(struct audit_log *log, unsigned milliseconds);

/* The same for what may not be dropped, alone. */
bool audit_log_wait_for_kept(struct audit_log *log, unsigned milliseconds);

/* The user's part of the queue is full, or the whole is, and the user has no small part of it. */
bool audit_log_is_full(struct audit_log *log, int64_t owner);

void audit_log_statistics(struct audit_log *log, struct audit_statistics *statistics);

/* The number of a new session: one that no other session has or had, also if a daemon before this
 * one was killed or its disk was full. Blocks on nothing: numbers are reserved on disk ahead of
 * need. Counted from 1, and jumps where they could not be reserved. */
uint64_t audit_log_new_session(struct audit_log *log);

/* Numbers up to `highest` are taken, though the record does not know them. */
void audit_log_skip_sessions(struct audit_log *log, uint64_t highest);

#endif
