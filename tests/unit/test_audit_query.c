#include "daemon/audit/audit_query.h"

#include <inttypes.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit/audit_log.h"
#include "daemon/audit/audit_schema.h"
#include "proto/message.h"
#include "temporary_directory.h"
#include "unit_test.h"

enum {
    ALICE = 1000,
    PATIENCE_MILLISECONDS = 30000,
    RECORDS = 5 * AUDIT_CHUNK_RECORDS / 2,
    SESSIONS = 5, /* of which the last has records at both ends of the record alone */
    DENIED_EACH = 100,
    DENIED_AT = 7,
    DENIED = (RECORDS - DENIED_AT + DENIED_EACH - 1) / DENIED_EACH,
};

/* ----------------------------------------------------------------------------------- the record */

/* Event `made.here` or `made.there`, with a text. */
static size_t pack_event(const char *name, const char *text, unsigned char *bytes, size_t size)
{
    Warder__V1__Value value = WARDER__V1__VALUE__INIT;
    Warder__V1__Value *values[] = {&value};
    Warder__V1__Event event = WARDER__V1__EVENT__INIT;

    value.kind = WARDER__V1__VALUE_KIND__VALUE_KIND_TEXT;
    value.bytes = text_field(text);
    event.name = text_field(name);
    event.argument_count = 1;
    event.n_arguments = 1;
    event.arguments = values;
    assert_true(warder__v1__event__get_packed_size(&event) <= size);
    return warder__v1__event__pack(&event, bytes);
}

static struct audit_log *start(void **state)
{
    const struct audit_log_options options = {.directory = *state, .queue_megabytes_per_user = 64};
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

static uint64_t session_of(int i)
{
    const bool is_edge = i < 10 || i >= RECORDS - 10;
    return is_edge ? SESSIONS : (uint64_t)(i % (SESSIONS - 1) + 1);
}

/* Every hundredth is denied. Times go up and down by as much as a denial waits, and sometimes are
 * the same. */
static void add(struct audit_log *log, int i)
{
    const bool is_denied = i % DENIED_EACH == DENIED_AT;
    const char *name = i % 3 ? "made.here" : "made.there";
    unsigned char event[256];
    char text[32];

    (void)snprintf(text, sizeof(text), "number %d", i);
    const struct audit_decision decision = {
        .number = (uint64_t)i + 1,
        .count = is_denied ? 2 : 1,
        .generation = 1,
        .verdict = is_denied ? "deny" : "allow",
        .policy = "local/p",
        .rule = "r",
        .message = "",
        .name = name,
        .name_length = strlen(name),
        .time = 1000000000U + (uint64_t)(i / 2) * 1000 - (uint64_t)(i % 7) * 40000,
        .event = event,
        .event_size = pack_event(name, text, event, sizeof(event)),
        .plain = true,
    };
    audit_log_add_decision(log, session_of(i), &decision, ALICE, !is_denied);
}

static void make_record(void **state)
{
    struct audit_log *log = start(state);

    for (uint64_t i = 1; i <= SESSIONS; i++)
        audit_log_add(log, audit_item_session_start(i, "{\"asked\":{}}"), ALICE, false);
    for (int i = 0; i < RECORDS; i++)
        add(log, i);
    assert_true(audit_log_wait(log, PATIENCE_MILLISECONDS));
    stop(log);
}

/* ------------------------------------------------------------------------------------ comparing */

static sqlite3 *open_record(void **state)
{
    sqlite3 *database;
    assert_int_equal(sqlite3_open(temporary_path(state, "audit.db"), &database), SQLITE_OK);
    return database;
}

/* Reads all pages, and finds in them what the view gives by itself. The number of rows. */
static size_t assert_query_gives(void **state, struct audit_query query, const char *condition)
{
    static struct audit_rows rows;
    char error[512] = "";
    char sql[512];
    sqlite3_stmt *expected;
    size_t count = 0;

    (void)snprintf(sql, sizeof(sql),
                   "SELECT id, time FROM (SELECT * FROM records WHERE %s ORDER BY time DESC,"
                   " id DESC LIMIT %" PRId64 ") ORDER BY time, id",
                   condition, query.last ? (int64_t)query.last : -1);
    sqlite3 *database = open_record(state);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &expected, NULL), SQLITE_OK);
    struct audit_reader *reader = audit_reader_open(*state, error, sizeof(error));
    assert_string_equal(error, "");
    do {
        assert_true(audit_query_next(reader, &query, &rows, error, sizeof(error)));
        for (size_t i = 0; i < rows.count; i++) {
            assert_int_equal(sqlite3_step(expected), SQLITE_ROW);
            assert_int_equal(rows.rows[i].id, sqlite3_column_int64(expected, 0));
            assert_int_equal(rows.rows[i].time, sqlite3_column_int64(expected, 1));
        }
        count += rows.count;
        audit_rows_deinit(&rows);
    } while (!query.arriving);
    assert_int_equal(sqlite3_step(expected), SQLITE_DONE);
    audit_reader_free(reader);
    sqlite3_finalize(expected);
    sqlite3_close(database);
    return count;
}

static void rows_come_in_order_of_time_over_all_chunks(void **state)
{
    make_record(state);
    assert_int_equal(assert_query_gives(state, (struct audit_query){.denied = false}, "1"),
                     RECORDS);
}

static void last_rows_are_those_of_the_latest_time(void **state)
{
    static const uint64_t lasts[] = {1, 2, 199, 200, 201, 3000, RECORDS, RECORDS + 1};

    make_record(state);
    for (size_t i = 0; i < sizeof(lasts) / sizeof(*lasts); i++)
        assert_int_equal(assert_query_gives(state, (struct audit_query){.last = lasts[i]}, "1"),
                         lasts[i] < RECORDS ? lasts[i] : RECORDS);
}

static void denials_are_found_by_time(void **state)
{
    make_record(state);
    assert_int_equal(
        assert_query_gives(state, (struct audit_query){.denied = true}, "verdict = 'deny'"),
        DENIED);
    assert_int_equal(assert_query_gives(state, (struct audit_query){.denied = true, .last = 20},
                                        "verdict = 'deny'"),
                     20);
    assert_in_range(assert_query_gives(state, (struct audit_query){.denied = true, .session = 2},
                                       "verdict = 'deny' AND session = 2"),
                    0, DENIED);
    assert_in_range(assert_query_gives(state,
                                       (struct audit_query){.denied = true, .event = "*.there"},
                                       "verdict = 'deny' AND event = 'made.there'"),
                    1, DENIED);
}

static void records_of_a_session_are_found_wherever_they_are(void **state)
{
    make_record(state);
    for (uint64_t i = 1; i <= SESSIONS + 1; i++) {
        char condition[64];
        (void)snprintf(condition, sizeof(condition), "session = %" PRIu64, i);
        const size_t count =
            assert_query_gives(state, (struct audit_query){.session = i}, condition);
        assert_true(i <= SESSIONS ? count > 0 : count == 0);
        (void)assert_query_gives(state, (struct audit_query){.session = i, .last = 15}, condition);
    }
    (void)assert_query_gives(state, (struct audit_query){.session = 1, .event = "made.t*"},
                             "session = 1 AND event = 'made.there'");
    (void)assert_query_gives(state, (struct audit_query){.event = "made.t*", .last = 700},
                             "event = 'made.there'");
}

static void decision_is_found_by_its_session_and_number(void **state)
{
    static const int numbers[] = {0, 11, AUDIT_CHUNK_RECORDS, RECORDS / 2 + 7, RECORDS - 1};

    make_record(state);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        const uint64_t session = session_of(numbers[i]);
        const uint64_t number = (uint64_t)numbers[i] + 1;
        char condition[64];
        (void)snprintf(condition, sizeof(condition), "session = %" PRIu64 " AND number = %" PRIu64,
                       session, number);
        assert_int_equal(
            assert_query_gives(state, (struct audit_query){.session = session, .decision = number},
                               condition),
            1);
    }
    assert_int_equal(
        assert_query_gives(state, (struct audit_query){.session = 1, .decision = RECORDS + 9}, "0"),
        0);
}

static void last_decision_counts_what_was_told_its_number(void **state)
{
    char error[512] = "";
    struct audit_log *log = start(state);

    add(log, 6);
    add(log, 7); /* denied, and counted twice */
    stop(log);
    struct audit_reader *reader = audit_reader_open(*state, error, sizeof(error));
    assert_int_equal(audit_reader_last_decision(reader, SESSIONS), 9);
    assert_int_equal(audit_reader_last_decision(reader, 1), 0);
    audit_reader_free(reader);
}

/* -------------------------------------------------------------------------------- what rows say */

static json_t *first_row(void **state, struct audit_query query)
{
    static struct audit_rows rows;
    char error[512] = "";
    struct audit_reader *reader = audit_reader_open(*state, error, sizeof(error));

    assert_true(audit_query_next(reader, &query, &rows, error, sizeof(error)));
    assert_int_equal(rows.count, 1);
    json_t *row = json_loads(rows.rows[0].json, 0, NULL);
    audit_rows_deinit(&rows);
    audit_reader_free(reader);
    return row;
}

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : "";
}

/* What was allowed is kept as it came, what was denied in words: nobody sees the difference. */
static void event_that_was_kept_as_it_came_reads_as_one_in_words(void **state)
{
    struct audit_log *log = start(state);

    add(log, 6);
    add(log, 7);
    stop(log);
    sqlite3 *database = open_record(state);
    sqlite3_stmt *kept;
    assert_int_equal(sqlite3_prepare_v2(database,
                                        "SELECT sum(packed IS NOT NULL AND verdict = 'allow' AND"
                                        " arguments IS NULL), sum(packed IS NULL AND"
                                        " verdict = 'deny' AND arguments IS NOT NULL) FROM records",
                                        -1, &kept, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(kept), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(kept, 0), 1);
    assert_int_equal(sqlite3_column_int(kept, 1), 1);
    sqlite3_finalize(kept);
    sqlite3_close(database);

    json_auto_t *allowed = first_row(state, (struct audit_query){.session = 5, .decision = 7});
    json_auto_t *denied = first_row(state, (struct audit_query){.session = 5, .decision = 8});
    assert_string_equal(text_of(allowed, "event"), "made.there");
    assert_string_equal(text_of(denied, "event"), "made.here");
    assert_string_equal(text_of(allowed, "summary"), "event \"made.there\"");
    assert_string_equal(text_of(denied, "summary"), "event \"made.here\"");
    assert_string_equal(text_of(json_object_get(allowed, "arguments"), "0"), "number 6");
    assert_string_equal(text_of(json_object_get(denied, "arguments"), "0"), "number 7");
    assert_true(json_is_array(json_object_get(allowed, "operations")));
    assert_string_equal(text_of(allowed, "policy"), "local/p");
    assert_string_equal(text_of(allowed, "decision"), "5-7");
}

static void event_with_secrets_or_too_long_is_never_kept_as_it_came(void **state)
{
    char text[2048];
    unsigned char event[4096];
    struct audit_log *log = start(state);

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct audit_decision decision = {.number = 1,
                                      .count = 1,
                                      .verdict = "allow",
                                      .policy = "local/p",
                                      .rule = "r",
                                      .message = "",
                                      .name = "made.here",
                                      .name_length = 9,
                                      .event = event,
                                      .plain = true};
    decision.event_size = pack_event("made.here", text, event, sizeof(event));
    audit_log_add_decision(log, 1, &decision, ALICE, true);
    assert_true(audit_log_wait(log, PATIENCE_MILLISECONDS));
    decision.event_size = pack_event("made.here", "short", event, sizeof(event));
    decision.plain = false;
    audit_log_add_decision(log, 1, &decision, ALICE, true);
    stop(log);
    sqlite3 *database = open_record(state);
    sqlite3_stmt *kept;
    assert_int_equal(
        sqlite3_prepare_v2(database,
                           "SELECT count(*) FROM records WHERE packed IS NULL AND"
                           " arguments IS NOT NULL AND summary = 'event \"made.here\"'",
                           -1, &kept, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(kept), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(kept, 0), 2);
    sqlite3_finalize(kept);
    sqlite3_close(database);
}

/* Texts that differ in where one ends alone. */
static void texts_are_shared_by_those_that_say_the_same(void **state)
{
    static const struct {
        const char *rule;
        const char *message;
        const char *logged_by;
    } said[] = {
        {"r", "m", NULL}, {"r", "m", NULL}, {"r", "m", "local/q.s"},
        {"rm", "", NULL}, {"r", "m", ""},
    };
    struct audit_log *log = start(state);

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
            const struct audit_decision decision = {.number = i + 1,
                                                    .count = 1,
                                                    .verdict = "allow",
                                                    .policy = "local/p",
                                                    .rule = said[i].rule,
                                                    .message = said[i].message,
                                                    .logged_by = said[i].logged_by,
                                                    .event = ""};
            audit_log_add_decision(log, 1, &decision, ALICE, true);
        }
        assert_true(audit_log_wait(log, PATIENCE_MILLISECONDS));
    }
    stop(log);
    sqlite3 *database = open_record(state);
    sqlite3_stmt *found;
    assert_int_equal(sqlite3_prepare_v2(database,
                                        "SELECT (SELECT count(*) FROM texts), (SELECT count(*)"
                                        " FROM records WHERE rule = 'r' AND message = 'm' AND"
                                        " logged_by = '[\"local/q.s\"]'), (SELECT count(*) FROM"
                                        " records WHERE rule = 'rm' AND logged_by IS NULL)",
                                        -1, &found, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(found), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(found, 0), 4);
    assert_int_equal(sqlite3_column_int(found, 1), 3);
    assert_int_equal(sqlite3_column_int(found, 2), 3);
    sqlite3_finalize(found);
    sqlite3_close(database);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, temporary_directory_make, temporary_directory_remove)
    const struct CMUnitTest tests[] = {
        TEST(rows_come_in_order_of_time_over_all_chunks),
        TEST(last_rows_are_those_of_the_latest_time),
        TEST(denials_are_found_by_time),
        TEST(records_of_a_session_are_found_wherever_they_are),
        TEST(decision_is_found_by_its_session_and_number),
        TEST(last_decision_counts_what_was_told_its_number),
        TEST(event_that_was_kept_as_it_came_reads_as_one_in_words),
        TEST(event_with_secrets_or_too_long_is_never_kept_as_it_came),
        TEST(texts_are_shared_by_those_that_say_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
