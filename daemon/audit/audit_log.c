/* Invariants. `lock` guards the queue and the statistics; the database belongs to the thread alone.
 * An item leaves the queue when it is handed to the thread and is freed when its transaction has
 * been committed: what could not be written is tried again, in order, for as long as the daemon
 * lives. */
#define _GNU_SOURCE
#include "daemon/audit/audit_log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

#include "daemon/audit/audit_database.h"
#include "daemon/audit/audit_trim.h"

enum {
    PRIORITY = 10,            /* nice: keeps p99.9 of verdicts down (limits.md, "A round trip") */
    RETRY_MILLISECONDS = 500, /* while the database does not take what is written */
    STOP_ATTEMPTS = 10,       /* then what is left is given up, and said */
    RESERVED_SESSIONS = 1024, /* numbers that are reserved at a time, half of them ahead of need */
};

/* What one user has in the queue. */
struct share {
    int64_t owner;
    size_t bytes;
    UT_hash_handle hh;
};

/* Numbers of sessions. Those below `reserved` never come back, whatever happens to us: that is on
 * disk. Where it cannot be written in time, numbers jump so far ahead that nobody meets them. */
struct session_numbers {
    uint64_t next;
    uint64_t reserved;
    uint64_t wanted; /* what the thread is to write as reserved; 0: nothing */
    bool jumped;     /* numbers are given beyond `reserved`, far away */
};

struct audit_log {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_cond_t finished; /* a batch is on disk */
    uint64_t added;          /* items, ever */
    uint64_t settled;        /* of those: written, or given up */
    unsigned waiting;        /* threads in audit_log_wait: a batch does not wait for company */
    struct audit_item *first;
    struct audit_item **end; /* where the next item goes */
    size_t bytes;            /* queued, and in the thread's hands */
    struct share *shares;    /* the same by owner; those with nothing are not there */
    uint64_t unreported_drops;
    uint64_t lost; /* what was given up when the log stopped */
    bool stopping;
    bool stalled;             /* the database takes nothing, and that has been said */
    uint64_t stalled_dropped; /* what had been dropped by then */
    struct session_numbers numbers;
    struct audit_statistics statistics;
    struct audit_log_options options;
    struct audit_database database;
};

static struct timespec after_milliseconds(long milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += milliseconds * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return until;
}

/* ---------------------------------------------------------------------- shares, with the lock held
 */

static size_t share_bound(const struct audit_log *log)
{
    return (size_t)log->options.queue_megabytes_per_user * 1024 * 1024;
}

static size_t bytes_of(const struct audit_log *log, int64_t owner)
{
    const struct share *share = NULL;
    HASH_FIND(hh, log->shares, &owner, sizeof(owner), share);
    return share ? share->bytes : 0;
}

static bool is_half_full(const struct audit_log *log, int64_t owner)
{
    return bytes_of(log, owner) > share_bound(log) / 2 || log->bytes > AUDIT_QUEUE_BYTES_MAX / 2;
}

/* On lack of memory the item is nobody's: it counts in the whole alone. */
static void charge(struct audit_log *log, struct audit_item *item)
{
    struct share *share = NULL;

    HASH_FIND(hh, log->shares, &item->owner, sizeof(item->owner), share);
    if (!share) {
        share = calloc(1, sizeof(*share));
        if (!share) {
            item->owner = AUDIT_NOBODY;
            return;
        }
        share->owner = item->owner;
        HASH_ADD(hh, log->shares, owner, sizeof(share->owner), share);
    }
    share->bytes += item->size;
}

static void discharge(struct audit_log *log, const struct audit_item *item)
{
    struct share *share = NULL;

    HASH_FIND(hh, log->shares, &item->owner, sizeof(item->owner), share);
    if (!share)
        return;
    share->bytes -= item->size < share->bytes ? item->size : share->bytes;
    if (share->bytes > 0)
        return;
    HASH_DEL(log->shares, share);
    free(share);
}

/* -------------------------------------------------------------------------------------- the thread
 */

/* Sleeps with the lock let go; less long if the log is to stop or somebody waits for it. */
static void wait_milliseconds(struct audit_log *log, long milliseconds)
{
    const struct timespec until = after_milliseconds(milliseconds);
    while (!log->stopping && !log->waiting &&
           pthread_cond_timedwait(&log->changed, &log->lock, &until) == 0)
        ;
}

/* Takes up to a batch off the queue. Called with the lock held. */
static struct audit_item *take_batch(struct audit_log *log, size_t *count)
{
    struct audit_item *batch = log->first;
    struct audit_item *last = batch;

    *count = 0;
    if (!batch)
        return NULL;
    for (*count = 1; *count < AUDIT_BATCH_MAX && last->next; (*count)++)
        last = last->next;
    log->first = last->next;
    if (!log->first)
        log->end = &log->first;
    last->next = NULL;
    return batch;
}

static bool write_drops(struct audit_log *log, uint64_t drops, const char *text, char *error,
                        size_t size)
{
    if (drops == 0)
        return true;
    CLEANUP(audit_item_free)
    struct audit_item *item = audit_item_notice(AUDIT_DROP, 0, -1, 0, text);
    if (!item)
        return false;
    item->notice.count = drops;
    return audit_database_write(&log->database, item, error, size);
}

static bool write_batch(struct audit_log *log, struct audit_item *batch, uint64_t drops,
                        uint64_t reserve, char *error, size_t size)
{
    uint64_t trimmed = 0;

    if (!database_run(log->database.connection, "BEGIN", error, size))
        return false;
    bool done = (reserve == 0 || audit_database_reserve(&log->database, reserve, error, size)) &&
                write_drops(log, drops,
                            "allowed decisions dropped: they came faster than the disk takes them",
                            error, size);
    for (struct audit_item *item = batch; item && done; item = item->next)
        done = audit_database_write(&log->database, item, error, size);
    if (done)
        done =
            audit_trim(log->database.connection, log->options.megabytes, &trimmed, error, size) &&
            write_drops(log, trimmed,
                        "records dropped, of those who had the most: record_megabytes is "
                        "reached",
                        error, size);
    if (done && database_run(log->database.connection, "COMMIT", error, size))
        return true;
    sqlite3_exec(log->database.connection, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static void free_batch(struct audit_log *log, struct audit_item *batch)
{
    while (batch) {
        struct audit_item *next = batch->next;
        log->bytes -= batch->size;
        discharge(log, batch);
        audit_item_free(batch);
        batch = next;
    }
}

/* People read this: nothing else tells them while the daemon runs. With the lock held. */
static void say_state(struct audit_log *log, bool done, const char *error)
{
    const uint64_t waiting = log->added - log->settled;

    if (done == !log->stalled)
        return;
    log->stalled = !done;
    if (!done) {
        log->stalled_dropped = log->statistics.dropped;
        fprintf(stderr,
                "warderd: recording has stopped: %s; %" PRIu64
                " records wait, and it is tried again until it works\n",
                error, waiting);
    } else {
        fprintf(stderr,
                "warderd: recording goes on: of the %" PRIu64
                " records that waited the first are written; %" PRIu64
                " allowed decisions were dropped meanwhile\n",
                waiting, log->statistics.dropped - log->stalled_dropped);
    }
}

static void take_reserved(struct session_numbers *numbers, uint64_t reserved)
{
    if (reserved == 0)
        return;
    numbers->reserved = reserved + 1;
    numbers->jumped = false;
    if (numbers->wanted == reserved)
        numbers->wanted = 0;
}

/* Writes one batch, however often it takes. Called and returns with the lock held. */
static bool write_or_wait(struct audit_log *log, struct audit_item *batch, size_t count)
{
    char error[sizeof(log->statistics.error)] = "";
    const uint64_t drops = log->unreported_drops;
    int attempts = 0;

    for (;;) {
        const uint64_t reserve = log->numbers.wanted;
        pthread_mutex_unlock(&log->lock);
        const bool done = write_batch(log, batch, drops, reserve, error, sizeof(error));
        if (done && log->options.written)
            log->options.written(log->options.context);
        pthread_mutex_lock(&log->lock);
        memcpy(log->statistics.error, done ? "" : error, done ? 1 : sizeof(error));
        say_state(log, done, error);
        if (done) {
            log->statistics.written += count;
            log->unreported_drops -= drops;
            take_reserved(&log->numbers, reserve);
            return true;
        }
        if (log->stopping && ++attempts == STOP_ATTEMPTS)
            return false;
        if (log->stopping) {
            pthread_mutex_unlock(&log->lock);
            usleep(RETRY_MILLISECONDS * 1000);
            pthread_mutex_lock(&log->lock);
        } else {
            wait_milliseconds(log, RETRY_MILLISECONDS);
        }
    }
}

static bool has_work(const struct audit_log *log)
{
    return log->first || log->unreported_drops || log->numbers.wanted;
}

static void *run(void *context)
{
    struct audit_log *log = context;
    bool given_up = false;

    pthread_setname_np(pthread_self(), "warderd-audit");
    /* On Linux a thread has a priority of its own. */
    setpriority(PRIO_PROCESS, (id_t)gettid(), PRIORITY);
    pthread_mutex_lock(&log->lock);
    for (;;) {
        size_t count;

        while (!has_work(log) && !log->stopping)
            pthread_cond_wait(&log->changed, &log->lock);
        if (!has_work(log))
            break;
        if (!log->stopping && !log->numbers.wanted)
            wait_milliseconds(log, AUDIT_GATHER_MILLISECONDS);
        struct audit_item *batch = take_batch(log, &count);
        if (!given_up && !write_or_wait(log, batch, count))
            given_up = true; /* stopping: free what is left */
        if (given_up) {
            log->lost += count + log->unreported_drops;
            log->unreported_drops = 0;
            log->numbers.wanted = 0;
        }
        log->settled += count;
        free_batch(log, batch);
        pthread_cond_broadcast(&log->finished);
    }
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

/* ------------------------------------------------------------------------------- session numbers
 */

/* The first numbers; where they cannot be reserved, the first session jumps. */
static bool start_numbers(struct audit_log *log, char *error, size_t size)
{
    struct session_numbers *numbers = &log->numbers;
    const uint64_t wanted = RESERVED_SESSIONS;
    char why[256];

    if (!audit_database_next_session(&log->database, &numbers->next, error, size))
        return false;
    numbers->reserved = numbers->next;
    if (audit_database_reserve(&log->database, numbers->next + wanted - 1, why, sizeof(why)))
        numbers->reserved = numbers->next + wanted;
    return true;
}

/* A stop in good order gives back what was not needed. */
static void give_back_numbers(struct audit_log *log)
{
    char why[256];
    audit_database_reserve(&log->database, log->numbers.next - 1, why, sizeof(why));
}

/* So far that neither those who count on from what is on disk come here, nor others that jump. */
static uint64_t jump_length(void)
{
    const uint64_t least = UINT64_C(1) << 32;
    const uint64_t spread = UINT64_C(1) << 44;
    uint64_t random;

    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        random = wall_clock_now();
    return least + random % spread;
}

uint64_t audit_log_new_session(struct audit_log *log)
{
    struct session_numbers *numbers = &log->numbers;

    pthread_mutex_lock(&log->lock);
    if (numbers->next >= numbers->reserved && !numbers->jumped) {
        numbers->next += jump_length();
        numbers->jumped = true;
    }
    const uint64_t number = numbers->next++;
    if (numbers->jumped || numbers->reserved - numbers->next < RESERVED_SESSIONS / 2) {
        if (numbers->wanted == 0)
            pthread_cond_signal(&log->changed);
        numbers->wanted = numbers->next + RESERVED_SESSIONS - 1;
    }
    pthread_mutex_unlock(&log->lock);
    return number;
}

void audit_log_skip_sessions(struct audit_log *log, uint64_t highest)
{
    pthread_mutex_lock(&log->lock);
    if (log->numbers.next <= highest)
        log->numbers.next = highest + 1;
    pthread_mutex_unlock(&log->lock);
}

/* ------------------------------------------------------------------------------- start and stop
 */

struct audit_log *audit_log_start(const struct audit_log_options *options, char *error, size_t size)
{
    struct audit_log *log = calloc(1, sizeof(*log));
    pthread_condattr_t attributes;

    if (!log) {
        snprintf(error, size, "out of memory");
        return NULL;
    }
    log->options = *options;
    log->end = &log->first;
    if (!options->reading &&
        !audit_database_open(&log->database, options->directory, error, size)) {
        free(log);
        return NULL;
    }
    pthread_mutex_init(&log->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&log->changed, &attributes);
    pthread_cond_init(&log->finished, &attributes);
    pthread_condattr_destroy(&attributes);
    int result = 0;
    if (options->reading)
        return log;
    if (start_numbers(log, error, size) &&
        (result = pthread_create(&log->thread, NULL, run, log)) == 0)
        return log;
    if (result != 0)
        snprintf(error, size, "the audit thread cannot be started: %s", strerror(result));
    audit_database_close(&log->database);
    free(log);
    return NULL;
}

bool audit_log_stop(struct audit_log *log, char *error, size_t size)
{
    if (!log)
        return true;
    pthread_mutex_lock(&log->lock);
    log->stopping = true;
    pthread_cond_signal(&log->changed);
    pthread_mutex_unlock(&log->lock);
    if (!log->options.reading)
        pthread_join(log->thread, NULL);
    const bool done = log->lost == 0 && log->statistics.error[0] == '\0';
    if (!done)
        snprintf(error, size, "%" PRIu64 " records are lost: %s", log->lost, log->statistics.error);
    else if (!log->options.reading)
        give_back_numbers(log);
    audit_database_close(&log->database);
    pthread_cond_destroy(&log->changed);
    pthread_cond_destroy(&log->finished);
    pthread_mutex_destroy(&log->lock);
    free(log);
    return done;
}

void audit_log_add(struct audit_log *log, struct audit_item *item, int64_t owner, bool droppable)
{
    if (log->options.reading) {
        audit_item_free(item);
        return;
    }
    pthread_mutex_lock(&log->lock);
    if (!item || (droppable && is_half_full(log, owner))) {
        log->statistics.dropped++;
        log->unreported_drops++;
        audit_item_free(item);
    } else {
        const bool first = !log->first;
        item->next = NULL;
        item->owner = owner;
        *log->end = item;
        log->end = &item->next;
        log->bytes += item->size;
        log->added++;
        charge(log, item);
        if (first)
            pthread_cond_signal(&log->changed);
    }
    pthread_mutex_unlock(&log->lock);
}

bool audit_log_wait(struct audit_log *log, unsigned milliseconds)
{
    const struct timespec until = after_milliseconds((long)milliseconds);

    pthread_mutex_lock(&log->lock);
    const uint64_t wanted = log->added;
    log->waiting++;
    pthread_cond_signal(&log->changed);
    while (log->settled < wanted && pthread_cond_timedwait(&log->finished, &log->lock, &until) == 0)
        ;
    log->waiting--;
    const bool done = log->settled >= wanted;
    pthread_mutex_unlock(&log->lock);
    return done;
}

bool audit_log_is_full(struct audit_log *log, int64_t owner)
{
    pthread_mutex_lock(&log->lock);
    const size_t bytes = bytes_of(log, owner);
    const bool above_average = bytes > 0 && bytes * HASH_COUNT(log->shares) >= log->bytes;
    const bool full =
        bytes > share_bound(log) || (log->bytes > AUDIT_QUEUE_BYTES_MAX && above_average);
    pthread_mutex_unlock(&log->lock);
    return full;
}

void audit_log_statistics(struct audit_log *log, struct audit_statistics *statistics)
{
    pthread_mutex_lock(&log->lock);
    *statistics = log->statistics;
    statistics->waiting = 0;
    for (const struct audit_item *item = log->first; item; item = item->next)
        statistics->waiting++;
    pthread_mutex_unlock(&log->lock);
}
