/* Invariants. No lock lies between the loop and the thread: records go through rings, counters are
 * atomic, and each has one writer. A record stays in its ring until its transaction has been
 * committed: what could not be written is tried again, in order, for as long as the daemon lives.
 * What may not be dropped has a ring of its own, in order, which a batch begins with: a denial
 * stands behind no flood of what was allowed, and a session's start is written before all that it
 * did. Its end may be written before what was allowed to it.
 * The database belongs to the thread alone. `lock` is for those who wait for the thread, and guards
 * the error's text; the loop only tries it. */
#define _GNU_SOURCE
#include "daemon/audit/audit_log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

#include "daemon/audit/audit_database.h"
#include "daemon/audit/audit_ring.h"
#include "daemon/audit/session_numbers.h"

enum {
    PRIORITY = 10,            /* nice: keeps p99.9 of verdicts down (limits.md, "A round trip") */
    RETRY_MILLISECONDS = 500, /* while the database does not take what is written */
    RETRY_WANTED_MILLISECONDS = 50, /* the same while somebody waits for it */
    STOP_ATTEMPTS = 10,             /* then what is left is given up, and said: 5 seconds */
    LOCK_MILLISECONDS = 5000,       /* an attempt waits so long for who has the database locked */
    LOCK_NAP_MILLISECONDS = 10,
    RING_SPARE_BYTES = 48 * 1024 * 1024, /* between records, and for those who have little */
    RING_FULL_BYTES = 32 * 1024 * 1024,  /* with no more left than this, everybody waits: more
                                            than one message of each loop can bring, and all
                                            denials that wait for their lines */
    BATCH_BYTES_MAX = 8 * 1024 * 1024,   /* of a transaction */
    BATCH_PARTS = 4, /* one of them is for what may be dropped, where there is something of both */
};

enum lane_name {
    LANE_KEPT,      /* denials, sessions, refusals, notices */
    LANE_DROPPABLE, /* allowed decisions: no more than half of what may wait in all */
    LANES,
};

static const size_t ring_sizes[LANES] = {
    AUDIT_QUEUE_BYTES_MAX + RING_SPARE_BYTES,
    AUDIT_QUEUE_BYTES_MAX / 2 + RING_SPARE_BYTES / 2,
};

/* Records that are written in the order in which they were added. */
struct lane {
    struct audit_ring ring;   /* first, because it is aligned to lines of the cache */
    _Atomic uint64_t added;   /* records, ever; the loop counts */
    _Atomic uint64_t settled; /* written, or given up; the thread counts */
};

/* What one user has in the queue: what the loop added, less what the thread has settled. Made on
 * first sight and kept, as accounts are. */
struct audit_share {
    int64_t owner;
    size_t added; /* the loop's, bytes ever */
    _Atomic size_t settled;
    UT_hash_handle hh;
};

/* Why the thread does not run. */
enum rest {
    REST_NONE,
    REST_IDLE,   /* there was nothing to do: the next record wakes it */
    REST_GATHER, /* a batch waits for company: enough for a full one wakes it */
};

struct audit_log {
    struct lane lanes[LANES]; /* first, because they are aligned */
    pthread_t thread;
    sem_t wake; /* the thread rests on it */
    _Atomic int rest;
    atomic_bool stopping;
    _Atomic unsigned waiting; /* threads in audit_log_wait: a batch does not wait for company */
    pthread_mutex_t lock;
    pthread_cond_t finished; /* a batch is on disk */

    /* The loop's. */
    struct audit_share *shares; /* by owner */
    struct audit_share *last;   /* that was looked up */
    struct audit_share nobody;  /* of AUDIT_NOBODY, and of those there was no memory for */
    size_t added_bytes;         /* ever */
    char known_error[256];      /* the last one that was seen */

    /* The loop counts, the thread reads. */
    _Atomic uint64_t dropped;

    /* The thread counts, the loop reads. */
    _Atomic size_t settled_bytes;
    _Atomic uint64_t written;

    /* The thread's. */
    uint64_t reported_drops;
    uint64_t lost;            /* what was given up when the log stopped */
    bool stalled;             /* the database takes nothing, and that has been said */
    uint64_t stalled_dropped; /* what had been dropped by then */
    char error[256];          /* with the lock held */

    struct session_numbers numbers;
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

/* ------------------------------------------------------------------------------ shares, the loop's
 */

static size_t share_bound(const struct audit_log *log)
{
    return (size_t)log->options.queue_megabytes_per_user * 1024 * 1024;
}

static size_t bytes_of(const struct audit_share *share)
{
    return share->added - atomic_load_explicit(&share->settled, memory_order_relaxed);
}

static size_t bytes_of_all(const struct audit_log *log)
{
    return log->added_bytes - atomic_load_explicit(&log->settled_bytes, memory_order_relaxed);
}

/* On lack of memory what somebody adds is nobody's: it counts in the whole alone. */
static struct audit_share *share_of(struct audit_log *log, int64_t owner)
{
    struct audit_share *share = NULL;

    if (log->last->owner == owner)
        return log->last;
    HASH_FIND(hh, log->shares, &owner, sizeof(owner), share);
    if (!share) {
        share = calloc(1, sizeof(*share));
        if (!share)
            return &log->nobody;
        share->owner = owner;
        HASH_ADD(hh, log->shares, owner, sizeof(share->owner), share);
    }
    log->last = share;
    return share;
}

static bool is_half_full(const struct audit_log *log, const struct audit_share *share)
{
    return bytes_of(share) > share_bound(log) / 2 || bytes_of_all(log) > AUDIT_QUEUE_BYTES_MAX / 2;
}

/* Has as much as those who have something have on average, or more. */
static bool is_above_average(const struct audit_log *log, size_t bytes)
{
    size_t sharing = 0;
    const struct audit_share *share;

    for (share = log->shares; share; share = share->hh.next)
        sharing += bytes_of(share) > 0;
    return bytes > 0 && bytes * sharing >= bytes_of_all(log);
}

static void free_shares(struct audit_log *log)
{
    struct audit_share *share;
    struct audit_share *next;

    HASH_ITER(hh, log->shares, share, next)
    {
        /* uthash frees its table with the last one. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        HASH_DEL(log->shares, share);
        free(share);
    }
}

/* -------------------------------------------------------------------------------------- the thread
 */

/* For the loop and for the thread: each of them moves one of the two. */
static uint64_t queued(struct audit_log *log)
{
    uint64_t count = 0;

    for (size_t i = 0; i < LANES; i++)
        count += atomic_load(&log->lanes[i].added) - atomic_load(&log->lanes[i].settled);
    return count;
}

static bool has_work(struct audit_log *log)
{
    return queued(log) > 0 || atomic_load(&log->dropped) > log->reported_drops ||
           atomic_load(&log->numbers.wanted);
}

/* Sleeps until it is woken, or so long; 0 milliseconds: for ever. */
static void rest(struct audit_log *log, enum rest why, long milliseconds)
{
    const struct timespec until = after_milliseconds(milliseconds);
    int error = 0;

    /* Who adds after this sees it and wakes us; what was added before is seen by us. */
    atomic_store(&log->rest, why);
    if (!atomic_load(&log->stopping) && atomic_load(&log->waiting) == 0 &&
        !(why == REST_IDLE && has_work(log)) &&
        !(why == REST_GATHER && queued(log) >= AUDIT_BATCH_MAX)) {
        do
            error = milliseconds == 0 ? sem_wait(&log->wake)
                                      : sem_clockwait(&log->wake, CLOCK_MONOTONIC, &until);
        while (error < 0 && errno == EINTR);
    }
    atomic_store(&log->rest, REST_NONE);
}

static void wake(struct audit_log *log)
{
    sem_post(&log->wake);
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
    item->owner = AUDIT_NOBODY; /* no user's flood makes room by it */
    return audit_database_write(&log->database, item, error, size);
}

/* What goes into one transaction. */
struct batch {
    struct {
        uint64_t count; /* of records in the ring */
        uint64_t end;   /* cursor behind the last one */
    } of[LANES];
    uint64_t drops; /* that are reported with it */
    uint64_t reserve;
};

/* Those of one lane, until the whole batch has so many, or so many bytes. */
static bool write_lane(struct audit_log *log, enum lane_name name, struct batch *batch,
                       uint64_t most, size_t most_bytes, size_t *bytes, char *error, size_t size)
{
    const struct audit_ring *ring = &log->lanes[name].ring;
    const struct audit_item *item;
    bool done = true;

    batch->of[name].end = audit_ring_begin(ring);
    batch->of[name].count = 0;
    while (done && batch->of[name].count < most && *bytes < most_bytes &&
           (item = audit_ring_next(ring, &batch->of[name].end))) {
        done = audit_database_write(&log->database, item, error, size);
        batch->of[name].count++;
        *bytes += item->size;
    }
    return done;
}

static bool write_items(struct audit_log *log, struct batch *batch, char *error, size_t size)
{
    size_t bytes = 0;
    uint64_t most = AUDIT_BATCH_MAX;
    size_t most_bytes = BATCH_BYTES_MAX;

    if (audit_ring_used(&log->lanes[LANE_DROPPABLE].ring) > 0) {
        most -= AUDIT_BATCH_MAX / BATCH_PARTS;
        most_bytes -= BATCH_BYTES_MAX / BATCH_PARTS;
    }
    return write_lane(log, LANE_KEPT, batch, most, most_bytes, &bytes, error, size) &&
           write_lane(log, LANE_DROPPABLE, batch, AUDIT_BATCH_MAX - batch->of[LANE_KEPT].count,
                      BATCH_BYTES_MAX, &bytes, error, size);
}

/* When the oldest record came about that still waits behind the batch; now, if there is none. */
static uint64_t oldest_behind(struct audit_log *log, const struct batch *batch)
{
    uint64_t oldest = wall_clock_now();

    for (size_t i = 0; i < LANES; i++) {
        uint64_t cursor = batch->of[i].end;
        const struct audit_item *item = audit_ring_next(&log->lanes[i].ring, &cursor);
        if (item && item->time < oldest)
            oldest = item->time;
    }
    return oldest;
}

static bool write_batch(struct audit_log *log, struct batch *batch, char *error, size_t size)
{
    uint64_t trimmed = 0;

    if (!database_is_in_place(log->database.connection, error, size) ||
        !audit_database_begin(&log->database, error, size))
        return false;
    bool done = (batch->reserve == 0 ||
                 audit_database_reserve(&log->database, batch->reserve, error, size)) &&
                write_drops(log, batch->drops,
                            "allowed decisions dropped: they came faster than the disk takes them",
                            error, size) &&
                write_items(log, batch, error, size);
    if (done)
        done = audit_database_trim(&log->database, log->options.megabytes,
                                   oldest_behind(log, batch), &trimmed, error, size) &&
               write_drops(log, trimmed,
                           "records dropped, of those who had the most: record_megabytes is "
                           "reached",
                           error, size);
    if (done && audit_database_commit(&log->database, error, size))
        return true;
    audit_database_rollback(&log->database);
    return false;
}

/* Everything up to the end of the batch is out of the queue. */
static void settle(struct audit_log *log, const struct batch *batch)
{
    for (size_t i = 0; i < LANES; i++) {
        struct audit_ring *ring = &log->lanes[i].ring;
        uint64_t cursor = audit_ring_begin(ring);
        for (uint64_t j = 0; j < batch->of[i].count; j++) {
            const struct audit_item *item = audit_ring_next(ring, &cursor);
            atomic_fetch_add_explicit(&item->share->settled, item->size, memory_order_relaxed);
            atomic_fetch_add_explicit(&log->settled_bytes, item->size, memory_order_relaxed);
        }
        audit_ring_release(ring, batch->of[i].end);
    }
    pthread_mutex_lock(&log->lock);
    for (size_t i = 0; i < LANES; i++)
        atomic_fetch_add(&log->lanes[i].settled, batch->of[i].count);
    pthread_cond_broadcast(&log->finished);
    pthread_mutex_unlock(&log->lock);
}

/* People read this: nothing else tells them while the daemon runs. */
static void say_state(struct audit_log *log, bool done, const char *error)
{
    const uint64_t waiting = queued(log);
    const uint64_t dropped = atomic_load(&log->dropped);

    if (done == !log->stalled)
        return;
    log->stalled = !done;
    if (!done) {
        log->stalled_dropped = dropped;
        fprintf(stderr,
                "warderd: recording has stopped: %s; %" PRIu64
                " %s, and it is tried again until it works\n",
                error, waiting, waiting == 1 ? "record waits" : "records wait");
    } else {
        fprintf(stderr,
                "warderd: recording goes on: of the %" PRIu64
                " records that waited the first are written; %" PRIu64
                " allowed decisions were dropped meanwhile\n",
                waiting, dropped - log->stalled_dropped);
    }
}

static void tell_error(struct audit_log *log, bool done, const char *error)
{
    pthread_mutex_lock(&log->lock);
    snprintf(log->error, sizeof(log->error), "%s", done ? "" : error);
    pthread_mutex_unlock(&log->lock);
    say_state(log, done, error);
}

/* SQLite asks whether to wait for somebody else's lock. Not while the log stops: then the attempts
 * are counted, and who waits for the daemon's end waits no longer than for them. */
static int waits_for_lock(void *context, int before)
{
    struct audit_log *log = context;

    if (atomic_load(&log->stopping) || before >= LOCK_MILLISECONDS / LOCK_NAP_MILLISECONDS)
        return 0;
    usleep(1000 * LOCK_NAP_MILLISECONDS);
    return 1;
}

/* Waits until it may be tried again. */
static void pause_after_failure(struct audit_log *log)
{
    const bool wanted = atomic_load(&log->waiting) > 0;

    if (atomic_load(&log->stopping) || wanted)
        usleep(1000 * (wanted ? RETRY_WANTED_MILLISECONDS : RETRY_MILLISECONDS));
    else
        rest(log, REST_NONE, RETRY_MILLISECONDS);
}

/* Writes one batch, however often it takes. False: given up. */
static bool write_or_wait(struct audit_log *log, struct batch *batch)
{
    char error[sizeof(log->error)] = "";
    int attempts = 0;

    for (;;) {
        batch->drops = atomic_load(&log->dropped) - log->reported_drops;
        batch->reserve = atomic_load(&log->numbers.wanted);
        const bool done = write_batch(log, batch, error, sizeof(error));
        tell_error(log, done, error);
        if (done) {
            for (size_t i = 0; i < LANES; i++)
                atomic_fetch_add(&log->written, batch->of[i].count);
            log->reported_drops += batch->drops;
            session_numbers_reserved(&log->numbers, batch->reserve);
            settle(log, batch);
            if (log->options.written)
                log->options.written(log->options.context);
            return true;
        }
        if (atomic_load(&log->stopping) && ++attempts == STOP_ATTEMPTS)
            return false;
        pause_after_failure(log);
    }
}

/* The log stops, and the database takes nothing. */
static void give_up(struct audit_log *log)
{
    struct batch rest = {.drops = atomic_load(&log->dropped) - log->reported_drops};

    log->lost += rest.drops;
    for (size_t i = 0; i < LANES; i++) {
        rest.of[i].end = audit_ring_begin(&log->lanes[i].ring);
        while (audit_ring_next(&log->lanes[i].ring, &rest.of[i].end))
            rest.of[i].count++;
        log->lost += rest.of[i].count;
    }
    settle(log, &rest);
}

static void *run(void *context)
{
    struct audit_log *log = context;
    struct batch batch;

    pthread_setname_np(pthread_self(), "warderd-audit");
    /* On Linux a thread has a priority of its own. */
    setpriority(PRIO_PROCESS, (id_t)gettid(), PRIORITY);
    for (;;) {
        while (!has_work(log) && !atomic_load(&log->stopping))
            rest(log, REST_IDLE, 0);
        if (!has_work(log))
            return NULL;
        /* By age and by size: a full batch waits for nothing. */
        if (!atomic_load(&log->numbers.wanted) && queued(log) < AUDIT_BATCH_MAX)
            rest(log, REST_GATHER, AUDIT_GATHER_MILLISECONDS);
        if (!write_or_wait(log, &batch)) {
            give_up(log);
            return NULL;
        }
    }
}

/* ------------------------------------------------------------------------------- session numbers
 */

/* The first numbers; where they cannot be reserved, the first session jumps. */
static bool start_numbers(struct audit_log *log, char *error, size_t size)
{
    uint64_t next;
    char why[256];

    if (!audit_database_next_session(&log->database, &next, error, size))
        return false;
    const bool reserved =
        audit_database_reserve(&log->database, next + RESERVED_SESSIONS - 1, why, sizeof(why));
    session_numbers_init(&log->numbers, next, reserved ? next + RESERVED_SESSIONS : next);
    return true;
}

/* A stop in good order gives back what was not needed. */
static void give_back_numbers(struct audit_log *log)
{
    char why[256];
    audit_database_reserve(&log->database, log->numbers.next - 1, why, sizeof(why));
}

uint64_t audit_log_new_session(struct audit_log *log)
{
    bool wants;
    const uint64_t number = session_numbers_take(&log->numbers, &wants);

    if (wants)
        wake(log);
    return number;
}

void audit_log_skip_sessions(struct audit_log *log, uint64_t highest)
{
    session_numbers_skip(&log->numbers, highest);
}

/* ------------------------------------------------------------------------------- start and stop
 */

static void deinit_rings(struct audit_log *log)
{
    for (size_t i = 0; i < LANES; i++)
        audit_ring_deinit(&log->lanes[i].ring);
}

static bool init_rings(struct audit_log *log)
{
    for (size_t i = 0; i < LANES; i++) {
        if (!audit_ring_init(&log->lanes[i].ring, ring_sizes[i])) {
            deinit_rings(log);
            return false;
        }
    }
    return true;
}

static void log_free(struct audit_log *log)
{
    audit_database_close(&log->database);
    deinit_rings(log);
    free_shares(log);
    pthread_cond_destroy(&log->finished);
    pthread_mutex_destroy(&log->lock);
    sem_destroy(&log->wake);
    free(log);
}

static bool start_thread(struct audit_log *log, char *error, size_t size)
{
    if (!audit_database_open(&log->database, log->options.directory, error, size) ||
        !start_numbers(log, error, size))
        return false;
    sqlite3_busy_handler(log->database.connection, waits_for_lock, log);
    const int result = pthread_create(&log->thread, NULL, run, log);
    if (result != 0)
        snprintf(error, size, "the audit thread cannot be started: %s", strerror(result));
    return result == 0;
}

struct audit_log *audit_log_start(const struct audit_log_options *options, char *error, size_t size)
{
    struct audit_log *log = aligned_alloc(_Alignof(struct audit_log), sizeof(*log));
    pthread_condattr_t attributes;

    if (log)
        memset(log, 0, sizeof(*log));
    if (!log || !init_rings(log)) {
        snprintf(error, size, "out of memory");
        free(log);
        return NULL;
    }
    log->options = *options;
    log->nobody.owner = AUDIT_NOBODY;
    log->last = &log->nobody;
    sem_init(&log->wake, 0, 0);
    pthread_mutex_init(&log->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&log->finished, &attributes);
    pthread_condattr_destroy(&attributes);
    if (options->reading || start_thread(log, error, size))
        return log;
    log_free(log);
    return NULL;
}

bool audit_log_stop(struct audit_log *log, char *error, size_t size)
{
    if (!log)
        return true;
    atomic_store(&log->stopping, true);
    wake(log);
    if (!log->options.reading)
        pthread_join(log->thread, NULL);
    const bool done = log->lost == 0 && log->error[0] == '\0';
    if (!done)
        snprintf(error, size, "%" PRIu64 " records are lost: %s", log->lost, log->error);
    else if (!log->options.reading)
        give_back_numbers(log);
    log_free(log);
    return done;
}

/* ----------------------------------------------------------------------------------------- adding
 */

static void drop(struct audit_log *log)
{
    atomic_fetch_add(&log->dropped, 1);
    if (atomic_load(&log->rest) == REST_IDLE)
        wake(log);
}

static struct lane *lane_of(struct audit_log *log, bool droppable)
{
    return &log->lanes[droppable ? LANE_DROPPABLE : LANE_KEPT];
}

/* Room for an item of `size` bytes; NULL, and the drop counted, if there is none for it. */
static void *reserve(struct audit_log *log, const struct audit_share *share, size_t size,
                     bool droppable)
{
    void *memory = droppable && is_half_full(log, share)
                       ? NULL
                       : audit_ring_reserve(&lane_of(log, droppable)->ring, size);
    if (!memory)
        drop(log);
    return memory;
}

static void commit(struct audit_log *log, struct audit_item *item, struct audit_share *share,
                   bool droppable)
{
    struct lane *lane = lane_of(log, droppable);

    item->owner = share->owner;
    item->share = share;
    share->added += item->size;
    log->added_bytes += item->size;
    audit_ring_commit(&lane->ring);
    atomic_fetch_add(&lane->added, 1);
    const int resting = atomic_load(&log->rest);
    if (resting == REST_NONE || (resting == REST_GATHER && queued(log) < AUDIT_BATCH_MAX))
        return;
    int seen = resting;
    if (atomic_compare_exchange_strong(&log->rest, &seen, REST_NONE)) /* one wakes it */
        wake(log);
}

void audit_log_add_copy(struct audit_log *log, const struct audit_item *item, int64_t owner,
                        bool droppable)
{
    struct audit_share *share = share_of(log, owner);

    if (log->options.reading)
        return;
    if (!item) {
        drop(log);
        return;
    }
    void *memory = reserve(log, share, item->size, droppable);
    if (memory)
        commit(log, audit_item_copy_in(memory, item), share, droppable);
}

void audit_log_add(struct audit_log *log, struct audit_item *item, int64_t owner, bool droppable)
{
    audit_log_add_copy(log, item, owner, droppable);
    audit_item_free(item);
}

void audit_log_add_decision(struct audit_log *log, uint64_t session,
                            const struct audit_decision *decision, int64_t owner, bool droppable)
{
    struct audit_share *share = share_of(log, owner);

    if (log->options.reading)
        return;
    void *memory = reserve(log, share, audit_item_decision_size(decision), droppable);
    if (memory)
        commit(log, audit_item_decision_in(memory, session, decision), share, droppable);
}

/* Waits for the lanes up to the one that is named last. */
static bool wait_for(struct audit_log *log, enum lane_name last, unsigned milliseconds)
{
    const struct timespec until = after_milliseconds((long)milliseconds);
    uint64_t wanted[LANES];
    bool done = true;

    if (log->options.reading)
        return true;
    for (size_t i = 0; i <= last; i++)
        wanted[i] = atomic_load(&log->lanes[i].added);
    pthread_mutex_lock(&log->lock);
    atomic_fetch_add(&log->waiting, 1);
    wake(log);
    for (size_t i = 0; i <= last; i++) {
        while (atomic_load(&log->lanes[i].settled) < wanted[i] &&
               pthread_cond_timedwait(&log->finished, &log->lock, &until) == 0)
            ;
        done = done && atomic_load(&log->lanes[i].settled) >= wanted[i];
    }
    atomic_fetch_sub(&log->waiting, 1);
    pthread_mutex_unlock(&log->lock);
    return done;
}

bool audit_log_wait(struct audit_log *log, unsigned milliseconds)
{
    return wait_for(log, LANE_DROPPABLE, milliseconds);
}

bool audit_log_wait_for_kept(struct audit_log *log, unsigned milliseconds)
{
    return wait_for(log, LANE_KEPT, milliseconds);
}

bool audit_log_is_full(struct audit_log *log, int64_t owner)
{
    const size_t bytes = bytes_of(share_of(log, owner));

    if (bytes > share_bound(log))
        return true;
    size_t used = 0;
    for (size_t i = 0; i < LANES; i++)
        used += audit_ring_used(&log->lanes[i].ring);
    if (used <= AUDIT_QUEUE_BYTES_MAX)
        return false;
    return used > ring_sizes[LANE_KEPT] - RING_FULL_BYTES ||
           (bytes_of_all(log) > AUDIT_QUEUE_BYTES_MAX && is_above_average(log, bytes));
}

void audit_log_statistics(struct audit_log *log, struct audit_statistics *statistics)
{
    statistics->written = atomic_load(&log->written);
    statistics->dropped = atomic_load(&log->dropped);
    statistics->waiting = queued(log);
    /* The thread holds the lock for a moment alone; if it is just this one, what was known stands.
     */
    if (pthread_mutex_trylock(&log->lock) == 0) {
        memcpy(log->known_error, log->error, sizeof(log->known_error));
        pthread_mutex_unlock(&log->lock);
    }
    memcpy(statistics->error, log->known_error, sizeof(statistics->error));
}
