#include "daemon/audit/audit_query.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/audit/audit_database.h"

#define CONDITION                                                                                  \
    " (?1 = 0 OR records.session = ?1)"                                                            \
    " AND (?7 = 0 OR records.number = ?7)"                                                         \
    " AND (?2 = 0 OR verdict IN ('deny', 'kill', 'would-deny'))"                                   \
    " AND (?8 = '' OR event GLOB ?8)"

#define COLUMNS                                                                                    \
    "SELECT id, time, kind, records.session, number, count, verdict, event, summary, arguments,"   \
    " operations, policy, rule, message, unknown, settled, generation, file, line, uid, pid,"      \
    " facts, logged_by, operation, spent FROM records LEFT JOIN sessions ON records.session = "    \
    "sessions.session "                                                                            \
    "WHERE"

enum column {
    COLUMN_ID,
    COLUMN_TIME,
    COLUMN_KIND,
    COLUMN_SESSION,
    COLUMN_NUMBER,
    COLUMN_COUNT,
    COLUMN_VERDICT,
    COLUMN_EVENT,
    COLUMN_SUMMARY,
    COLUMN_ARGUMENTS,
    COLUMN_OPERATIONS,
    COLUMN_POLICY,
    COLUMN_RULE,
    COLUMN_MESSAGE,
    COLUMN_UNKNOWN,
    COLUMN_SETTLED,
    COLUMN_GENERATION,
    COLUMN_FILE,
    COLUMN_LINE,
    COLUMN_UID,
    COLUMN_PID,
    COLUMN_FACTS,
    COLUMN_LOGGED_BY,
    COLUMN_OPERATION,
    COLUMN_SPENT,
};

/* ?1 session, ?2 denied, ?7 decision, ?8 event; the rest as each needs it. */
static const char held_sql[] = "SELECT coalesce(max(id), 0) FROM records";
static const char start_sql[] =
    "SELECT time, id FROM records WHERE" CONDITION " ORDER BY time DESC, id DESC LIMIT 1 OFFSET ?3";
static const char held_rows_sql[] =
    COLUMNS CONDITION " AND id <= ?3 AND (time, id) > (?4, ?5) ORDER BY time, id LIMIT ?6";
static const char arriving_rows_sql[] = COLUMNS CONDITION " AND id > ?5 ORDER BY id LIMIT ?6";

struct audit_reader {
    sqlite3 *connection;
    sqlite3_stmt *held;
    sqlite3_stmt *start;
    sqlite3_stmt *held_rows;
    sqlite3_stmt *arriving_rows;
};

struct audit_reader *audit_reader_open(const char *directory, char *error, size_t size)
{
    struct audit_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return NULL;
    reader->connection = database_open(&audit_database_kind, directory, DATABASE_READ, error, size);
    if (reader->connection) {
        reader->held = database_prepare(reader->connection, held_sql, error, size);
        reader->start = database_prepare(reader->connection, start_sql, error, size);
        reader->held_rows = database_prepare(reader->connection, held_rows_sql, error, size);
        reader->arriving_rows =
            database_prepare(reader->connection, arriving_rows_sql, error, size);
    }
    if (reader->held && reader->start && reader->held_rows && reader->arriving_rows)
        return reader;
    audit_reader_free(reader);
    return NULL;
}

void audit_reader_free(struct audit_reader *reader)
{
    if (!reader)
        return;
    sqlite3_finalize(reader->held);
    sqlite3_finalize(reader->start);
    sqlite3_finalize(reader->held_rows);
    sqlite3_finalize(reader->arriving_rows);
    database_close(reader->connection);
    free(reader);
}

static void bind_condition(sqlite3_stmt *statement, const struct audit_query *query)
{
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)query->session);
    sqlite3_bind_int(statement, 2, query->denied);
    sqlite3_bind_int64(statement, 7, (sqlite3_int64)query->decision);
    sqlite3_bind_text(statement, 8, query->event, -1, SQLITE_TRANSIENT);
}

/* Notes what the record holds, and where the last rows begin. */
static bool start(struct audit_reader *reader, struct audit_query *query, char *error, size_t size)
{
    int result = sqlite3_step(reader->held);

    if (result == SQLITE_ROW)
        query->held = (uint64_t)sqlite3_column_int64(reader->held, 0);
    sqlite3_reset(reader->held);
    if (query->after > 0) {
        /* No id is given twice: one that is higher than all is of a record that was here before. */
        query->arriving = true;
        query->id = query->after <= query->held ? query->after : 0;
    } else if (result == SQLITE_ROW && query->last > 0) {
        bind_condition(reader->start, query);
        sqlite3_bind_int64(reader->start, 3, (sqlite3_int64)query->last);
        result = sqlite3_step(reader->start);
        if (result == SQLITE_ROW) { /* the one before the first that is wanted */
            query->time = sqlite3_column_int64(reader->start, 0);
            query->id = (uint64_t)sqlite3_column_int64(reader->start, 1);
        }
        sqlite3_reset(reader->start);
    }
    query->started = true;
    if (result == SQLITE_ROW || result == SQLITE_DONE)
        return true;
    return database_failed(reader->connection, "cannot be read", error, size);
}

static void set_text(json_t *object, const char *key, sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    if (text)
        json_object_set_new(object, key, json_string(text));
}

static void set_json(json_t *object, const char *key, sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    json_t *value = text ? json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
    if (value)
        json_object_set_new(object, key, value);
}

static void set_number(json_t *object, const char *key, sqlite3_stmt *statement, int column)
{
    if (sqlite3_column_type(statement, column) != SQLITE_NULL)
        json_object_set_new(object, key, json_integer(sqlite3_column_int64(statement, column)));
}

static void set_truth(json_t *object, const char *key, sqlite3_stmt *statement, int column)
{
    json_object_set_new(object, key, json_boolean(sqlite3_column_int(statement, column)));
}

static void set_time(json_t *object, uint64_t time)
{
    const time_t seconds = (time_t)(time / 1000000000U);
    struct tm parts;
    char day[32];
    char text[64];

    gmtime_r(&seconds, &parts);
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text, sizeof(text), "%s.%09uZ", day, (unsigned)(time % 1000000000U));
    json_object_set_new(object, "time", json_string(text));
}

static void set_decision(json_t *object, sqlite3_stmt *statement)
{
    const uint64_t session = (uint64_t)sqlite3_column_int64(statement, COLUMN_SESSION);
    const uint64_t number = (uint64_t)sqlite3_column_int64(statement, COLUMN_NUMBER);
    char text[64];

    snprintf(text, sizeof(text), "%llx-%llu", (unsigned long long)session,
             (unsigned long long)number);
    json_object_set_new(object, "decision", json_string(text));
    set_text(object, "verdict", statement, COLUMN_VERDICT);
    set_text(object, "event", statement, COLUMN_EVENT);
    set_json(object, "arguments", statement, COLUMN_ARGUMENTS);
    set_json(object, "operations", statement, COLUMN_OPERATIONS);
    set_text(object, "policy", statement, COLUMN_POLICY);
    set_text(object, "rule", statement, COLUMN_RULE);
    set_text(object, "message", statement, COLUMN_MESSAGE);
    set_json(object, "logged_by", statement, COLUMN_LOGGED_BY);
    set_number(object, "operation", statement, COLUMN_OPERATION);
    set_truth(object, "unknown", statement, COLUMN_UNKNOWN);
    set_truth(object, "spent", statement, COLUMN_SPENT);
    set_truth(object, "settled", statement, COLUMN_SETTLED);
    set_number(object, "generation", statement, COLUMN_GENERATION);
    set_text(object, "file", statement, COLUMN_FILE);
    set_number(object, "line", statement, COLUMN_LINE);
    set_json(object, "subject", statement, COLUMN_FACTS);
}

static bool take_row(sqlite3_stmt *statement, struct audit_row *row)
{
    json_t *object = json_object();
    char session[32];

    row->id = (uint64_t)sqlite3_column_int64(statement, COLUMN_ID);
    row->time = (uint64_t)sqlite3_column_int64(statement, COLUMN_TIME);
    snprintf(row->kind, sizeof(row->kind), "%s", sqlite3_column_text(statement, COLUMN_KIND));
    json_object_set_new(object, "id", json_integer((json_int_t)row->id));
    set_time(object, row->time);
    json_object_set_new(object, "kind", json_string(row->kind));
    set_text(object, "summary", statement, COLUMN_SUMMARY);
    set_number(object, "count", statement, COLUMN_COUNT);
    if (sqlite3_column_type(statement, COLUMN_SESSION) != SQLITE_NULL) {
        snprintf(session, sizeof(session), "%llx",
                 (unsigned long long)sqlite3_column_int64(statement, COLUMN_SESSION));
        json_object_set_new(object, "session", json_string(session));
    }
    if (strcmp(row->kind, "decision") == 0) {
        set_decision(object, statement);
    } else {
        set_number(object, "uid", statement, COLUMN_UID);
        set_number(object, "pid", statement, COLUMN_PID);
    }
    row->json = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(object);
    return row->json != NULL;
}

/* Adds rows of one statement until the page is full. */
static int add_rows(sqlite3_stmt *statement, struct audit_query *query, struct audit_rows *rows)
{
    int result = SQLITE_DONE;

    bind_condition(statement, query);
    if (!query->arriving) {
        sqlite3_bind_int64(statement, 3, (sqlite3_int64)query->held);
        sqlite3_bind_int64(statement, 4, query->time);
    }
    sqlite3_bind_int64(statement, 5, (sqlite3_int64)query->id);
    sqlite3_bind_int64(statement, 6, (sqlite3_int64)(AUDIT_ROWS_MAX - rows->count));
    while (rows->count < AUDIT_ROWS_MAX && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        if (!take_row(statement, &rows->rows[rows->count])) {
            result = SQLITE_NOMEM;
            break;
        }
        query->time = (int64_t)rows->rows[rows->count].time;
        query->id = rows->rows[rows->count++].id;
    }
    sqlite3_reset(statement);
    return result;
}

bool audit_query_next(struct audit_reader *reader, struct audit_query *query,
                      struct audit_rows *rows, char *error, size_t size)
{
    int result = SQLITE_DONE;

    rows->count = 0;
    if (!query->started && !start(reader, query, error, size))
        return false;
    if (!query->arriving) {
        result = add_rows(reader->held_rows, query, rows);
        if (result == SQLITE_DONE) {
            query->arriving = true;
            query->id = query->held;
        }
    }
    if (query->arriving && result == SQLITE_DONE)
        result = add_rows(reader->arriving_rows, query, rows);
    if (result == SQLITE_ROW || result == SQLITE_DONE)
        return true;
    audit_rows_deinit(rows);
    return database_failed(reader->connection, "cannot be read", error, size);
}

void audit_rows_deinit(struct audit_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        free(rows->rows[i].json);
    rows->count = 0;
}

uint64_t audit_reader_last_decision(struct audit_reader *reader, uint64_t session)
{
    char error[256];
    uint64_t number = 0;
    sqlite3_stmt *statement = database_prepare(
        reader->connection, "SELECT max(number + count - 1) FROM records WHERE session = ?1", error,
        sizeof(error));

    if (!statement)
        return 0;
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)session);
    if (sqlite3_step(statement) == SQLITE_ROW)
        number = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}
