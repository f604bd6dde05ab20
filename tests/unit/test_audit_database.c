#include "daemon/audit/audit_database.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "daemon/audit/audit_log.h"
#include "temporary_directory.h"
#include "unit_test.h"

enum {
    ALICE = 1000,
    MEGABYTES = 1,
};

static struct audit_log *start(void **state)
{
    const struct audit_log_options options = {
        .directory = *state, .queue_megabytes_per_user = 64, .megabytes = MEGABYTES};
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

/* A denial by that rule, with a message of its own. */
static void decide(struct audit_log *log, const char *rule)
{
    static unsigned number;
    char message[1001];

    snprintf(message, sizeof(message), "%01000u", number++);
    const struct audit_decision decision = {.number = 1,
                                            .count = 1,
                                            .verdict = "deny",
                                            .policy = "local/p",
                                            .rule = rule,
                                            .message = message,
                                            .event = ""};
    audit_log_add(log, audit_item_decision(1, &decision), ALICE, false);
}

/* ------------------------------------------------------------------------------ an older format */

/* A file of another version, as a daemon of that time has left it. */
static void make_older(void **state, const char *sql)
{
    sqlite3 *database;
    char *message = NULL;

    assert_int_equal(sqlite3_open(temporary_path(state, "audit.db"), &database), SQLITE_OK);
    sqlite3_exec(database, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    sqlite3_exec(database, sql, NULL, NULL, &message);
    assert_null(message);
    sqlite3_close(database);
}

#define OLD_SESSIONS                                                                               \
    "PRAGMA application_id = 1464095297;"                                                          \
    "CREATE TABLE sessions (session INTEGER PRIMARY KEY, started INTEGER NOT NULL, ended INTEGER," \
    " decisions INTEGER, denials INTEGER, facts TEXT NOT NULL) STRICT;"                            \
    "INSERT INTO sessions VALUES (1, 1, NULL, 1, 1, '{\"asked\":{}}');"

#define OLD_RECORDS                                                                                \
    "CREATE TABLE records (id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"           \
    " kind TEXT NOT NULL, session INTEGER, number INTEGER, count INTEGER NOT NULL, verdict TEXT,"  \
    " event TEXT, summary TEXT NOT NULL, arguments TEXT, operations TEXT, policy TEXT, rule TEXT," \
    " message TEXT, unknown INTEGER, settled INTEGER, generation INTEGER, file TEXT,"              \
    " line INTEGER, uid INTEGER, pid INTEGER) STRICT;"                                             \
    "CREATE INDEX records_by_time ON records (time, id);"                                          \
    "CREATE INDEX records_by_session ON records (session, number);"                                \
    "CREATE INDEX denials ON records (id) WHERE verdict IN ('deny', 'kill', 'would-deny');"

static void record_of_the_first_version_is_brought_up_to_this_one(void **state)
{
    make_older(state, OLD_SESSIONS OLD_RECORDS
               "INSERT INTO records (time, kind, session, number, count, verdict, summary, rule)"
               " VALUES (5, 'decision', 1, 1, 1, 'deny', 'exec', 'old');"
               "PRAGMA user_version = 1");
    struct audit_log *log = start(state);
    assert_int_equal(audit_log_new_session(log), 2);
    for (int i = 0; i < 3000; i++) /* has room made for it */
        decide(log, "new");
    stop(log);
    assert_int_equal(count(state, "PRAGMA user_version"), 4);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE rule = 'old'"), 1);
}

static void record_of_the_third_version_keeps_all_that_it_said(void **state)
{
    make_older(
        state, OLD_SESSIONS OLD_RECORDS
        "ALTER TABLE records ADD COLUMN logged_by TEXT;"
        "ALTER TABLE records ADD COLUMN owner INTEGER;"
        "ALTER TABLE records ADD COLUMN bytes INTEGER;"
        "CREATE INDEX records_by_owner ON records (owner, id, bytes, verdict);"
        "CREATE TABLE reserved (session INTEGER NOT NULL) STRICT; INSERT INTO reserved VALUES (9);"
        "ALTER TABLE records ADD COLUMN operation INTEGER;"
        "ALTER TABLE records ADD COLUMN spent INTEGER;"
        "INSERT INTO records VALUES (2047, 7, 'decision', 1, 4, 3, 'would-deny', 'open',"
        " 'read \"/a\"', '{\"path\":\"/a\"}', '[]', 'local/p', 'r', 'No', 1, 1, 2, 'x.py', 12,"
        " NULL, NULL, '[\"local/q.s\"]', 1000, 700, 1, 1);"
        "INSERT INTO records (id, time, kind, count, summary, uid, pid, owner, bytes)"
        " VALUES (2048, 6, 'refusal', 1, 'was refused', 1000, 77, 1000, 300);"
        "INSERT INTO records (id, time, kind, session, number, count, verdict, event, summary,"
        " owner, bytes) VALUES (2050, 8, 'decision', 1, 7, 1, 'allow', 'open', 'x', 1000, 20),"
        " (5000, 9, 'drop', NULL, NULL, 3, NULL, NULL, 'dropped', -1, 10);"
        "DELETE FROM records WHERE id = 5000;" /* no id is given twice */
        "CREATE TABLE before AS SELECT * FROM records;"
        "PRAGMA user_version = 3");
    stop(start(state));
    assert_int_equal(count(state, "PRAGMA user_version"), 4);
#define COLUMNS                                                                                    \
    "id, time, kind, session, number, count, verdict, event, summary, arguments, operations,"      \
    " policy, rule, message, file, line, uid, pid, logged_by, owner, bytes, operation"
    assert_int_equal(count(state, "SELECT count(*) FROM (SELECT " COLUMNS " FROM before INTERSECT"
                                  " SELECT " COLUMNS " FROM records)"),
                     3);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE unknown AND spent AND"
                                  " settled AND generation = 2"),
                     1);
    assert_int_equal(count(state, "SELECT count(*) FROM chunks"), 3);
    assert_int_equal(count(state, "SELECT count(*) FROM spans WHERE session = 1 AND"
                                  " (first, last) IN (VALUES (4, 6), (7, 7))"),
                     2);
    assert_int_equal(count(state, "SELECT sum(allowed) * 10000 + sum(other) FROM holdings"),
                     201000);
    struct audit_log *log = start(state);
    decide(log, "new");
    stop(log);
    assert_int_equal(count(state, "SELECT id FROM records WHERE rule = 'new'"), 5001);
}

/* --------------------------------------------------------------------------------- what is refused
 */

/* One of those that are written by one statement: it costs no other its row. */
static void record_that_cannot_be_stored_is_said_to_be_missing_and_no_other_is(void **state)
{
    enum { RECORDS = 3 * AUDIT_PACKED_ROWS + 5, REFUSED = AUDIT_PACKED_ROWS + 3 };
    static const unsigned char event[] = {0x0a, 1, 'x'}; /* an Event of the name x */

    stop(start(state));
    sqlite3 *database;
    assert_int_equal(sqlite3_open(temporary_path(state, "audit.db"), &database), SQLITE_OK);
    char sql[160];
    snprintf(sql, sizeof(sql),
             "CREATE TRIGGER refused BEFORE INSERT ON entries WHEN new.number = %d BEGIN"
             " SELECT raise(ABORT, 'not this one'); END",
             REFUSED);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
    struct audit_log *log = start(state);
    for (uint64_t i = 1; i <= RECORDS; i++) {
        const struct audit_decision decision = {.number = i,
                                                .count = 1,
                                                .verdict = "allow",
                                                .policy = "local/p",
                                                .rule = "r",
                                                .message = "",
                                                .name = "x",
                                                .name_length = 1,
                                                .event = event,
                                                .event_size = sizeof(event),
                                                .plain = true};
        audit_log_add_decision(log, 1, &decision, ALICE, true);
    }
    stop(log);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE packed IS NOT NULL"),
                     RECORDS - 1);
    assert_int_equal(count(state, "SELECT count(DISTINCT number) FROM records WHERE"
                                  " verdict = 'allow' AND event = 'x'"),
                     RECORDS - 1);
    assert_int_equal(count(state, "SELECT count(*) FROM records WHERE kind = 'drop' AND summary ="
                                  " 'a record that could not be stored: not this one'"),
                     1);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, temporary_directory_make, temporary_directory_remove)
    const struct CMUnitTest tests[] = {
        TEST(record_of_the_first_version_is_brought_up_to_this_one),
        TEST(record_of_the_third_version_keeps_all_that_it_said),
        TEST(record_that_cannot_be_stored_is_said_to_be_missing_and_no_other_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
