#define _GNU_SOURCE
#include "daemon/audit/audit_log.h"

#include <fcntl.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "temporary_directory.h"
#include "unit_test.h"

enum {
    ROOT = 0,
    ALICE = 1000,
    BOB = 1001,
    PATIENCE_MILLISECONDS = 30000,
};

static struct audit_log *start(void **state, unsigned queue_megabytes)
{
    const struct audit_log_options options = {.directory = *state,
                                              .queue_megabytes_per_user = queue_megabytes};
    char error[512] = "";
    struct audit_log *log = audit_log_start(&options, error, sizeof(error));
    assert_string_equal(error, "");
    return log;
}

static void stop(struct audit_log *log)
{
    char error[512] = "";
    assert_true(audit_log_stop(log, error, sizeof(error)));
}

/* A second connection that holds the database: nothing can be written until it lets go. */
static sqlite3 *hold(void **state)
{
    sqlite3 *database;
    assert_int_equal(sqlite3_open(temporary_path(state, "audit.db"), &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return database;
}

static void let_go(sqlite3 *database)
{
    assert_int_equal(sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

/* Adds notices of about 64 KiB until a user's queue is full, or so many are there. */
static int fill(struct audit_log *log, int64_t owner, int most)
{
    static char text[64 * 1024];
    int added = 0;

    memset(text, 'x', sizeof(text) - 1);
    while (added < most && !audit_log_is_full(log, owner)) {
        audit_log_add(log, audit_item_notice(AUDIT_REFUSAL, 0, owner, 1, text), owner, false);
        added++;
    }
    return added;
}

static int64_t count(void **state, const char *sql)
{
    sqlite3 *database;
    sqlite3_stmt *statement;

    assert_int_equal(sqlite3_open(temporary_path(state, "audit.db"), &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return number;
}

static void queue_is_bounded_for_each_user(void **state)
{
    struct audit_log *log = start(state, 1);
    sqlite3 *held = hold(state);

    const int added = fill(log, ALICE, 1000);
    assert_in_range(added, 16, 18); /* a megabyte */
    assert_true(audit_log_is_full(log, ALICE));
    assert_false(audit_log_is_full(log, BOB));
    assert_true(fill(log, BOB, 1000) >= 16);
    let_go(held);
    assert_true(audit_log_wait(log, PATIENCE_MILLISECONDS));
    assert_false(audit_log_is_full(log, ALICE));
    assert_false(audit_log_is_full(log, BOB));
    stop(log);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE uid = 1000"), added);
}

static void whole_queue_is_bounded_by_those_with_the_most(void **state)
{
    struct audit_log *log = start(state, 1024);
    sqlite3 *held = hold(state);

    const int added = fill(log, ALICE, 10000);
    assert_in_range(added, AUDIT_QUEUE_BYTES_MAX / (66 * 1024), AUDIT_QUEUE_BYTES_MAX / 65000 + 2);
    assert_false(audit_log_is_full(log, BOB));
    assert_int_equal(fill(log, BOB, 3), 3);
    assert_true(audit_log_is_full(log, ALICE));
    assert_false(audit_log_is_full(log, BOB));
    let_go(held);
    stop(log);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE uid = 1001"), 3);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE uid = 1000"), added);
}

static void allowed_decisions_are_dropped_first_and_counted(void **state)
{
    struct audit_log *log = start(state, 1);
    sqlite3 *held = hold(state);
    struct audit_statistics statistics;

    fill(log, ALICE, 10); /* more than half a megabyte */
    for (int i = 0; i < 5; i++)
        audit_log_add(log, audit_item_notice(AUDIT_REFUSAL, 0, ALICE, 1, "dropped"), ALICE, true);
    audit_log_add(log, audit_item_notice(AUDIT_REFUSAL, 0, ALICE, 1, "kept"), ALICE, false);
    audit_log_add(log, audit_item_notice(AUDIT_REFUSAL, 0, BOB, 1, "of another"), BOB, true);
    audit_log_statistics(log, &statistics);
    assert_int_equal(statistics.dropped, 5);
    let_go(held);
    stop(log);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE summary = 'dropped'"), 0);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE summary = 'kept'"), 1);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE summary = 'of another'"), 1);
    assert_int_equal(count(state, "SELECT sum(count) FROM records WHERE kind = 'drop'"), 5);
}

static void what_is_known_of_a_session_later_is_among_its_facts(void **state)
{
    struct audit_log *log = start(state, 1);

    audit_log_add(log, audit_item_session_start(7, "{\"proved\":{\"uid\":1}}"), ALICE, false);
    audit_log_add(log, audit_item_session_fact(7, "floor", "{\"taken\":[\"exec\"]}"), ALICE, false);
    audit_log_add(log, audit_item_session_start(8, "not JSON"), ALICE, false);
    audit_log_add(log, audit_item_session_fact(8, "floor", "{}"), ALICE, false);
    audit_log_add(log, audit_item_session_fact(7, "broken", "{"), ALICE, false);
    /* A session that is taken up again says its facts anew, and not this one. */
    audit_log_add(log, audit_item_session_start(7, "{\"proved\":{\"uid\":2}}"), ALICE, false);
    audit_log_add(log, audit_item_session_start(8, "{}"), ALICE, false);
    stop(log);
    assert_int_equal(count(state, "SELECT count(*) FROM sessions WHERE session = 7 AND facts = "
                                  "'{\"proved\":{\"uid\":2},\"floor\":{\"taken\":[\"exec\"]}}'"),
                     1);
    assert_int_equal(count(state, "SELECT count(*) FROM sessions WHERE facts = '{}'"), 1);
}

static void numbers_of_sessions_go_on_where_they_ended(void **state)
{
    struct audit_log *log = start(state, 1);

    assert_int_equal(audit_log_new_session(log), 1);
    audit_log_add(log, audit_item_session_start(41, "{}"), ALICE, false);
    stop(log);
    log = start(state, 1);
    assert_int_equal(audit_log_new_session(log), 42);
    audit_log_skip_sessions(log, 77);
    audit_log_skip_sessions(log, 50);
    assert_int_equal(audit_log_new_session(log), 78);
    stop(log);
    log = start(state, 1);
    assert_int_equal(audit_log_new_session(log), 79);
    stop(log);
}

/* Runs in a process of its own that ends as if it had been killed: the numbers go into `out`. */
static void numbers_of_a_killed_daemon(void **state, bool held, int count, uint64_t *out)
{
    int ends[2];
    int status;

    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct audit_log *log = start(state, 1);
        if (held)
            hold(state);
        for (int i = 0; i < count; i++) {
            const uint64_t number = audit_log_new_session(log);
            if (write(ends[1], &number, sizeof(number)) != sizeof(number))
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    for (int i = 0; i < count; i++)
        assert_int_equal(read(ends[0], &out[i], sizeof(*out)), sizeof(*out));
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void numbers_of_sessions_that_left_no_record_are_not_used_again(void **state)
{
    uint64_t first[10];
    uint64_t second[10];

    numbers_of_a_killed_daemon(state, false, 10, first);
    assert_int_equal(first[0], 1);
    assert_int_equal(first[9], 10);
    numbers_of_a_killed_daemon(state, false, 10, second);
    assert_true(second[0] > first[9]);
    assert_true(second[9] < 10000); /* no jump without need */
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *one = a;
    const uint64_t *other = b;
    return *one < *other ? -1 : *one > *other;
}

/* More than are reserved, while nothing can be written: three times, from the same state. */
static void numbers_of_sessions_are_unique_where_they_cannot_be_reserved(void **state)
{
    enum { EACH = 2000, DAEMONS = 3, ALL = EACH * DAEMONS };
    static uint64_t numbers[ALL];

    for (size_t i = 0; i < DAEMONS; i++)
        numbers_of_a_killed_daemon(state, true, EACH, &numbers[i * EACH]);
    assert_int_equal(numbers[0], 1);
    qsort(numbers, ALL, sizeof(*numbers), by_number);
    for (size_t i = 1; i < ALL; i++)
        assert_true(numbers[i] > numbers[i - 1]);
    assert_true(numbers[DAEMONS * EACH - 1] < UINT64_C(1) << 62);
}

static void numbers_are_reserved_ahead_of_need(void **state)
{
    struct audit_log *log = start(state, 1);
    uint64_t last = 0;

    for (int i = 0; i < 20; i++) {
        for (int j = 0; j < 200; j++)
            last = audit_log_new_session(log);
        /* A record that is on disk says that what was asked for before is, too. */
        audit_log_add(log, audit_item_notice(AUDIT_REFUSAL, 0, ALICE, 1, "x"), ALICE, false);
        assert_true(audit_log_wait(log, PATIENCE_MILLISECONDS));
    }
    assert_int_equal(last, 4000);
    assert_true(count(state, "SELECT session FROM reserved") >= 4000);
    stop(log);
}

/* ------------------------------------------------------------------------ what is written first */

/* Stops the audit thread behind a batch until it is told to go on. */
struct gate {
    sem_t at;
    sem_t open;
    atomic_bool gone; /* it is not needed any more */
};

static bool wait_patiently(sem_t *semaphore)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE_MILLISECONDS / 1000;
    return sem_clockwait(semaphore, CLOCK_MONOTONIC, &until) == 0;
}

static void wait_at_gate(void *context)
{
    struct gate *gate = context;

    if (atomic_load(&gate->gone))
        return;
    sem_post(&gate->at);
    wait_patiently(&gate->open);
}

/* Lets one batch through, and waits until it is on disk. */
static void let_through(struct gate *gate)
{
    sem_post(&gate->open);
    assert_true(wait_patiently(&gate->at));
}

/* A log whose thread stands behind its first batch, which is of one notice. */
static struct audit_log *start_at_gate(void **state, struct gate *gate, unsigned megabytes)
{
    const struct audit_log_options options = {.directory = *state,
                                              .queue_megabytes_per_user = 64,
                                              .megabytes = megabytes,
                                              .written = wait_at_gate,
                                              .context = gate};
    char error[512] = "";

    sem_init(&gate->at, 0, 0);
    sem_init(&gate->open, 0, 0);
    atomic_store(&gate->gone, false);
    struct audit_log *log = audit_log_start(&options, error, sizeof(error));
    assert_string_equal(error, "");
    audit_log_add(log, audit_item_notice(AUDIT_DAEMON, 0, -1, 0, "first"), AUDIT_NOBODY, false);
    assert_true(wait_patiently(&gate->at));
    return log;
}

static void stop_at_gate(struct audit_log *log, struct gate *gate)
{
    atomic_store(&gate->gone, true);
    sem_post(&gate->open);
    stop(log);
    sem_destroy(&gate->at);
    sem_destroy(&gate->open);
}

/* Makes a text of ten bytes or more another one than those before. */
static void number_text(char *text)
{
    static unsigned number;
    char digits[16];

    snprintf(digits, sizeof(digits), "%010u", number++);
    memcpy(text, digits, 10);
}

/* So many decisions of a session, at that time (0: now), as the loop adds them. No two say the
 * same: what is said again takes no room. */
static void decide_often(struct audit_log *log, uint64_t session, const char *verdict, int times,
                         uint64_t time)
{
    char message[1000];
    memset(message, 'm', sizeof(message) - 1);
    message[sizeof(message) - 1] = '\0';
    const struct audit_decision decision = {.number = 1,
                                            .count = 1,
                                            .verdict = verdict,
                                            .policy = "local/p",
                                            .rule = verdict,
                                            .message = message,
                                            .time = time,
                                            .event = "",
                                            .event_size = 0};

    for (int i = 0; i < times; i++) {
        number_text(message);
        audit_log_add_decision(log, session, &decision, ALICE, strcmp(verdict, "allow") == 0);
    }
}

static void denial_is_written_before_what_was_allowed_earlier(void **state)
{
    enum { ALLOWED = 5 * AUDIT_BATCH_MAX };
    static struct gate gate; /* the thread of a test that failed has it still */
    struct audit_statistics statistics;
    struct audit_log *log = start_at_gate(state, &gate, 0);

    decide_often(log, 1, "allow", ALLOWED, 0);
    decide_often(log, 1, "deny", 1, 0);
    decide_often(log, 1, "allow", 1, 0);
    let_through(&gate); /* the next batch is on disk, and none after it */
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE rule = 'deny'"), 1);
    assert_true(audit_log_wait_for_kept(log, PATIENCE_MILLISECONDS));
    assert_false(audit_log_wait(log, 1));
    audit_log_statistics(log, &statistics);
    assert_int_equal(statistics.written, 1 + AUDIT_BATCH_MAX);
    assert_int_equal(statistics.waiting, ALLOWED + 2 - AUDIT_BATCH_MAX);
    assert_int_equal(statistics.dropped, 0);
    stop_at_gate(log, &gate);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE rule = 'allow'"),
                     ALLOWED + 1);
}

static void denials_leave_a_part_of_each_batch_to_what_was_allowed(void **state)
{
    static struct gate gate; /* the thread of a test that failed has it still */
    struct audit_log *log = start_at_gate(state, &gate, 0);

    decide_often(log, 1, "deny", 2 * AUDIT_BATCH_MAX, 0);
    decide_often(log, 1, "allow", 1, 0);
    let_through(&gate);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE rule = 'allow'"), 1);
    assert_in_range(count(state, "SELECT count(*) FROM records WHERE rule = 'deny'"),
                    AUDIT_BATCH_MAX / 2, AUDIT_BATCH_MAX - 1);
    let_through(&gate);
    stop_at_gate(log, &gate);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE rule = 'deny'"),
                     2 * AUDIT_BATCH_MAX);
}

/* ----------------------------------------------------------------------------------- the bound */

static struct audit_log *start_bounded(void **state, unsigned megabytes)
{
    const struct audit_log_options options = {
        .directory = *state, .queue_megabytes_per_user = 64, .megabytes = megabytes};
    char error[512] = "";
    struct audit_log *log = audit_log_start(&options, error, sizeof(error));
    assert_string_equal(error, "");
    return log;
}

/* A decision whose message says so much, and nothing that was said before. */
static void decide(struct audit_log *log, int64_t owner, const char *verdict, const char *rule,
                   size_t length)
{
    char *message = calloc(1, length + 1);
    memset(message, 'm', length);
    number_text(message);
    const struct audit_decision decision = {.number = 1,
                                            .count = 1,
                                            .verdict = verdict,
                                            .policy = "local/p",
                                            .rule = rule,
                                            .message = message,
                                            .event = "",
                                            .event_size = 0};
    audit_log_add(log, audit_item_decision(1, &decision), owner, false);
    free(message);
}

static void settle(struct audit_log *log)
{
    assert_true(audit_log_wait(log, PATIENCE_MILLISECONDS));
}

static int64_t bytes_in_use(void **state)
{
    return (count(state, "PRAGMA page_count") - count(state, "PRAGMA freelist_count")) *
           count(state, "PRAGMA page_size");
}

/* What is noted of chunks is what their records are. */
static void assert_notes_are_right(void **state)
{
    assert_int_equal(count(state, "SELECT (SELECT total(allowed) + 2 * total(other) FROM holdings)"
                                  " = (SELECT total(iif(kind, 2, 1) * bytes) FROM entries)"),
                     1);
    assert_int_equal(count(state, "SELECT count(*) FROM (SELECT id FROM texts EXCEPT SELECT text"
                                  " FROM entries UNION SELECT text FROM entries WHERE text NOT IN"
                                  " (SELECT id FROM texts))"),
                     0);
    assert_int_equal(count(state, "SELECT (SELECT count(*) FROM spans) - count(*) FROM (SELECT"
                                  " chunk, session FROM spans INTERSECT SELECT id >> 11, session"
                                  " FROM entries)"),
                     0);
    assert_int_equal(count(state, "SELECT count(*) FROM entries JOIN chunks ON chunk = id >> 11"
                                  " WHERE time < first OR time > last OR id > highest"),
                     0);
    assert_in_range(count(state, "SELECT count(*) FROM (SELECT chunk FROM chunks EXCEPT"
                                 " SELECT id >> 11 FROM entries)"),
                    0, 1);
}

static void flood_of_one_user_costs_others_nothing(void **state)
{
    struct audit_log *log = start_bounded(state, 1);

    for (int i = 0; i < 50; i++)
        decide(log, BOB, "deny", "of-bob", 100);
    settle(log);
    for (int i = 0; i < 20; i++) {
        for (int j = 0; j < 200; j++)
            decide(log, ALICE, "deny", "of-alice", 1000);
        settle(log);
        assert_true(bytes_in_use(state) <= 1024 * 1024 + 64 * 1024);
    }
    stop(log);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE rule = 'of-bob'"), 50);
    const int64_t left = count(state, "SELECT count(*) FROM records WHERE rule = 'of-alice'");
    assert_in_range(left, 100, 1000);
    /* It is the oldest that went, and how many is in the record. */
    assert_true(count(state, "SELECT min(id) FROM records WHERE rule = 'of-alice'") > 3000);
    assert_int_equal(count(state, "SELECT sum(count) FROM records WHERE kind = 'drop' AND"
                                  " summary LIKE '%record_megabytes%'") +
                         left,
                     4000);
    assert_notes_are_right(state);
}

static void allowed_decisions_make_room_before_denials(void **state)
{
    struct audit_log *log = start_bounded(state, 1);

    for (int i = 0; i < 300; i++)
        decide(log, ALICE, "deny", "denied", 1000);
    for (int i = 0; i < 20; i++) {
        for (int j = 0; j < 100; j++)
            decide(log, BOB, "allow", "allowed", 1000);
        settle(log);
    }
    for (int i = 0; i < 300; i++)
        decide(log, BOB, "would-deny", "denied", 1000);
    settle(log);
    stop(log);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE rule = 'denied'"), 600);
    assert_in_range(count(state, "SELECT count(*) FROM records WHERE rule = 'allowed'"), 1, 700);
    assert_notes_are_right(state);
}

/* What somebody did before a flood of what is allowed to him cannot be washed out by it. */
static void flood_of_allowed_decisions_costs_its_own_user_no_denial(void **state)
{
    enum { DENIED = 300, ROUNDS = 40, EACH = 250, BETWEEN = 2 };
    struct audit_log *log = start_bounded(state, 1);

    audit_log_add(log, audit_item_notice(AUDIT_DAEMON, 0, -1, 0, "started"), AUDIT_NOBODY, false);
    for (int i = 0; i < DENIED; i++)
        decide(log, ALICE, "deny", "denied", 1000);
    for (int i = 0; i < ROUNDS; i++) {
        for (int j = 0; j < EACH; j++)
            decide(log, ALICE, "allow", "allowed", 100);
        for (int j = 0; j < BETWEEN; j++)
            decide(log, ALICE, "would-deny", "denied", 100);
        settle(log);
    }
    stop(log);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE rule = 'denied'"),
                     DENIED + ROUNDS * BETWEEN);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE kind = 'daemon'"), 1);
    const int64_t left = count(state, "SELECT count(*) FROM records WHERE rule = 'allowed'");
    assert_in_range(left, 1, 4000);
    /* Nothing that tells of a loss is lost. */
    assert_true(count(state, "SELECT count(*) FROM records WHERE kind = 'drop'") > 1);
    assert_int_equal(count(state, "SELECT sum(count) FROM records WHERE kind = 'drop'") + left,
                     ROUNDS * EACH);
    assert_notes_are_right(state);
}

static void what_a_lost_record_had_counted_is_counted_on(void **state)
{
    enum { ROUNDS = 30, EACH = 100 };
    struct audit_log *log = start_bounded(state, 1);

    for (int i = 0; i < ROUNDS; i++) { /* records of losses are nobody's as well */
        for (int j = 0; j < EACH; j++)
            decide(log, j % 2 ? AUDIT_NOBODY : ROOT, "deny", "flood", 1000);
        settle(log);
    }
    stop(log);
    const int64_t left = count(state, "SELECT count(*) FROM records WHERE rule = 'flood'");
    assert_in_range(left, 100, 1000);
    assert_int_equal(count(state, "SELECT sum(count) FROM records WHERE kind = 'drop'") + left,
                     ROUNDS * EACH);
    assert_notes_are_right(state);
}

static void sessions_that_ended_go_with_their_last_record(void **state)
{
    struct audit_log *log = start_bounded(state, 1);

    audit_log_add(log, audit_item_session_start(1, "{}"), BOB, false);
    decide(log, BOB, "deny", "of-bob", 100);
    audit_log_add(log, audit_item_session_end(1, 1, 1), BOB, false);
    audit_log_add(log, audit_item_session_start(2, "{}"), ALICE, false);
    audit_log_add(log, audit_item_session_start(3, "{}"), ALICE, false);
    audit_log_add(log, audit_item_session_end(3, 0, 0), ALICE, false);
    settle(log);
    sqlite3 *database;
    assert_int_equal(sqlite3_open(temporary_path(state, "audit.db"), &database), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(database, "UPDATE sessions SET ended = 1 WHERE ended > 0", NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(database);
    for (int i = 0; i < 3000; i++)
        decide(log, ALICE, "deny", "of-alice", 1000);
    stop(log);
    assert_int_equal(count(state, "SELECT count(*) FROM sessions WHERE session = 1"), 1);
    assert_int_equal(count(state, "SELECT count(*) FROM sessions WHERE session = 2"), 1);
    assert_int_equal(count(state, "SELECT count(*) FROM sessions WHERE session = 3"), 0);
    assert_notes_are_right(state);
}

/* Its end stands in the queue before what was allowed to it. */
static void session_stays_while_records_of_it_wait(void **state)
{
    enum { LATE = 20 };
    const uint64_t time = 1000000000; /* long ago */
    static struct gate gate;          /* the thread of a test that failed has it still */
    struct audit_log *log = start_at_gate(state, &gate, 1);
    struct audit_item *end = audit_item_session_end(1, 1, 0);

    audit_log_add(log, audit_item_session_start(1, "{}"), ALICE, false);
    decide_often(log, 1, "allow", AUDIT_BATCH_MAX, time);
    end->time = time;
    audit_log_add(log, end, ALICE, false);
    decide_often(log, 2, "deny", AUDIT_BATCH_MAX / 2, 0);
    decide_often(log, 1, "allow", LATE, time);
    let_through(&gate); /* room was made, and all that was allowed went for it */
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE rule = 'allow'"), 0);
    assert_int_equal(count(state, "SELECT count(*) FROM sessions WHERE session = 1"), 1);
    stop_at_gate(log, &gate);
}

static void record_without_a_bound_drops_nothing(void **state)
{
    struct audit_log *log = start_bounded(state, 0);

    for (int i = 0; i < 3000; i++)
        decide(log, ALICE, "allow", "kept", 1000);
    stop(log);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE rule = 'kept'"), 3000);
}

/* ------------------------------------------------------------------------------ others' locks */

/* Another process, forked before SQLite has anything open. It begins when it is told, says when it
 * is ready, and ends when it is told. */
struct other_process {
    pid_t pid;
    int ready;
    int go;
};

static struct other_process fork_other(void (*serve)(const char *directory, int ready, int go),
                                       const char *directory)
{
    int ready[2];
    int go[2];
    char byte;

    assert_int_equal(pipe(ready) | pipe(go), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        close(go[1]);
        (void)!read(go[0], &byte, 1);
        serve(directory, ready[1], go[0]);
        _exit(1);
    }
    close(ready[1]);
    close(go[0]);
    return (struct other_process){.pid = pid, .ready = ready[0], .go = go[1]};
}

static void let_begin(const struct other_process *other)
{
    char byte = 0;

    assert_int_equal(write(other->go, &byte, 1), 1);
    assert_int_equal(read(other->ready, &byte, 1), 1);
}

static int end_other(const struct other_process *other)
{
    int status;

    close(other->go);
    assert_int_equal(waitpid(other->pid, &status, 0), other->pid);
    close(other->ready);
    return status;
}

/* Takes what locks a process can get that may read the record and no more. */
static void lock_for_reading(const char *directory, int ready, int go)
{
    static const char *const files[] = {"audit.db", "audit.db-shm", "audit.db-wal"};
    char path[512];
    char byte = 0;

    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        struct flock all = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
        snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
        const int file = open(path, O_RDONLY);
        if (file < 0 || fcntl(file, F_SETLK, &all) < 0)
            _exit(1);
    }
    (void)!write(ready, &byte, 1);
    (void)!read(go, &byte, 1);
    _exit(0);
}

static void who_can_only_read_the_record_cannot_stop_it(void **state)
{
    const struct other_process other = fork_other(lock_for_reading, *state);
    struct audit_log *log = start(state, 16);

    decide(log, ALICE, "deny", "before", 10);
    settle(log);
    let_begin(&other);
    for (int i = 0; i < 20; i++) {
        decide(log, ALICE, "deny", "locked", 10);
        settle(log);
    }
    stop(log);
    log = start(state, 16); /* neither does it keep another daemon from its start */
    decide(log, ALICE, "deny", "again", 10);
    stop(log);
    assert_int_equal(end_other(&other), 0);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE rule = 'locked'"), 20);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE rule = 'again'"), 1);
    assert_notes_are_right(state);
}

static int64_t number_of(sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        _exit(2);
    const int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

/* Reads in one transaction, before and after. */
static void read_slowly(const char *directory, int ready, int go)
{
    static const char sum[] = "SELECT count(*) + total(length(summary)) FROM records";
    char path[512];
    char byte = 0;
    sqlite3 *database;

    snprintf(path, sizeof(path), "%s/audit.db", directory);
    if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_exec(database, "PRAGMA cache_size = 1; BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        _exit(3); /* what it has read before is read anew */
    const int64_t before = number_of(database, sum);
    (void)!write(ready, &byte, 1);
    (void)!read(go, &byte, 1);
    const bool same = number_of(database, sum) == before &&
                      number_of(database, "SELECT count(*) FROM pragma_integrity_check"
                                          " WHERE integrity_check = 'ok'") == 1;
    _exit(same ? 0 : 4);
}

static void who_reads_the_record_slowly_sees_what_was_there(void **state)
{
    const struct other_process other = fork_other(read_slowly, *state);
    struct audit_log *log = start_bounded(state, 1);

    fill(log, ALICE, 900);
    settle(log);
    decide(log, ALICE, "deny", "newest", 10); /* in SQLite's log, what was before is not */
    settle(log);
    let_begin(&other);
    for (int i = 0; i < 3; i++) { /* makes room for itself, and SQLite's log too long */
        fill(log, BOB, 500);
        settle(log);
    }
    assert_int_equal(end_other(&other), 0);
    stop(log);
}

/* ------------------------------------------------------------------------------------ full disk */

static void what_is_lost_at_the_end_is_counted(void **state)
{
    struct audit_log *log = start(state, 1);
    sqlite3 *database;
    char error[512] = "";

    settle(log);
    assert_int_equal(sqlite3_open(temporary_path(state, "audit.db"), &database), SQLITE_OK);
    /* Whatever is written fails, as it does where the disk is full. */
    assert_int_equal(sqlite3_exec(database,
                                  "CREATE TRIGGER full BEFORE INSERT ON entries BEGIN"
                                  " SELECT missing(); END",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(database);
    for (int i = 0; i < 7; i++)
        decide(log, ALICE, "deny", "lost", 10);
    assert_false(audit_log_stop(log, error, sizeof(error)));
    assert_non_null(strstr(error, "7 records are lost: "));
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, temporary_directory_make, temporary_directory_remove)
    const struct CMUnitTest tests[] = {
        TEST(queue_is_bounded_for_each_user),
        TEST(whole_queue_is_bounded_by_those_with_the_most),
        TEST(allowed_decisions_are_dropped_first_and_counted),
        TEST(what_is_known_of_a_session_later_is_among_its_facts),
        TEST(numbers_of_sessions_go_on_where_they_ended),
        TEST(numbers_of_sessions_that_left_no_record_are_not_used_again),
        TEST(numbers_of_sessions_are_unique_where_they_cannot_be_reserved),
        TEST(numbers_are_reserved_ahead_of_need),
        TEST(denial_is_written_before_what_was_allowed_earlier),
        TEST(denials_leave_a_part_of_each_batch_to_what_was_allowed),
        TEST(flood_of_one_user_costs_others_nothing),
        TEST(allowed_decisions_make_room_before_denials),
        TEST(flood_of_allowed_decisions_costs_its_own_user_no_denial),
        TEST(what_a_lost_record_had_counted_is_counted_on),
        TEST(sessions_that_ended_go_with_their_last_record),
        TEST(session_stays_while_records_of_it_wait),
        TEST(record_without_a_bound_drops_nothing),
        TEST(who_can_only_read_the_record_cannot_stop_it),
        TEST(who_reads_the_record_slowly_sees_what_was_there),
        TEST(what_is_lost_at_the_end_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
