/* The record of this host: audit.db in the state directory, written by a thread of its own.
 *
 * The loop hands over items and goes on; the thread writes them in batches, one transaction each,
 * at lower priority. The queue is bounded in bytes, for each user and in all: when it is full,
 * decisions that allowed are dropped and counted; denials and refusals are not, and the loop is
 * told to stop reading from whoever causes them until there is room (audit_log_is_full). While the
 * database cannot be written, items wait.
 *
 * audit_log_* functions are for the loop's thread unless they say otherwise. */
#ifndef WARDER_DAEMON_AUDIT_AUDIT_LOG_H
#define WARDER_DAEMON_AUDIT_AUDIT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/audit/audit_item.h"

struct audit_log;

struct audit_log_options {
    const char *directory;
    unsigned megabytes; /* the database is kept below this by dropping the oldest; 0: no bound */
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
    AUDIT_QUEUE_BYTES_MAX = 64 * 1024 * 1024,  /* beyond it, allowed decisions are dropped */
    AUDIT_QUEUE_BYTES_FULL = 96 * 1024 * 1024, /* beyond it, whoever is denied is not read from */
    AUDIT_BATCH_MAX = 2000,                    /* items in a transaction */
    AUDIT_GATHER_MILLISECONDS = 100,           /* a batch waits so long for company */
};

/* Opens or makes the database and starts the thread. NULL with `error` filled in. */
struct audit_log *audit_log_start(const struct audit_log_options *options, char *error,
                                  size_t size);

/* Writes everything that is waiting, ends the thread, closes. False if something could not be
 * written; `error` says what. */
bool audit_log_stop(struct audit_log *log, char *error, size_t size);

/* Takes the item. `droppable`: an allowed decision, lost when the queue is full. */
void audit_log_add(struct audit_log *log, struct audit_item *item, bool droppable);

/* Waits until everything that was added before the call is on disk, at most so long. For worker
 * threads. False if it is not. */
bool audit_log_wait(struct audit_log *log, unsigned milliseconds);

/* The queue is beyond its bound even for what is never dropped. */
bool audit_log_is_full(struct audit_log *log);

void audit_log_statistics(struct audit_log *log, struct audit_statistics *statistics);

/* The number that the first session of this run of the daemon gets: above all that the record
 * knows. */
uint64_t audit_log_first_session(const struct audit_log *log);

#endif
