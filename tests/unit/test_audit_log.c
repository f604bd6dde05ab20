#include "daemon/audit/audit_log.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "temporary_directory.h"
#include "unit_test.h"

enum {
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

static void numbers_of_sessions_go_on_where_they_ended(void **state)
{
    struct audit_log *log = start(state, 1);

    assert_int_equal(audit_log_first_session(log), 1);
    audit_log_add(log, audit_item_session_start(41, "{}"), ALICE, false);
    stop(log);
    log = start(state, 1);
    assert_int_equal(audit_log_first_session(log), 42);
    stop(log);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, temporary_directory_make, temporary_directory_remove)
    const struct CMUnitTest tests[] = {
        TEST(queue_is_bounded_for_each_user),
        TEST(whole_queue_is_bounded_by_those_with_the_most),
        TEST(allowed_decisions_are_dropped_first_and_counted),
        TEST(numbers_of_sessions_go_on_where_they_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
