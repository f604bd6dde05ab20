/* Records lie in the order in which they arrived, and are wanted in the order of time. Which chunks
 * have records of a time is known, so a page is read from a window of time: all chunks that reach
 * into it, sorted. It is widened until the page is full. Denials have an index by time.
 *
 * Statements are made for what is asked, so that each looks at as little as it can. */
#include "daemon/audit/audit_query.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/audit/audit_schema.h"
#include "daemon/audit/event_json.h"
#include "daemon/audit/shown_event.h"

/* Parameters of all statements. */
enum parameter {
    PARAMETER_SESSION = 1,
    PARAMETER_DECISION,
    PARAMETER_EVENT,
    PARAMETER_TIME,  /* of the row that was last, */
    PARAMETER_ID,    /* and its id */
    PARAMETER_BOUND, /* of the window: a time */
    PARAMETER_LIMIT,
    PARAMETER_HELD,
};

#define COLUMNS                                                                                    \
    "SELECT e.id, e.time, e.kind, e.session, e.number, e.count, t.verdict, t.event, e.summary,"    \
    " e.arguments, e.operations, t.policy, t.rule, t.message, e.flags, e.generation, e.file,"      \
    " e.line, e.uid, e.pid, s.facts, t.logged_by, e.operation, e.packed"

#define JOINED " LEFT JOIN texts t ON t.id = e.text LEFT JOIN sessions s ON s.session = e.session"

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
    COLUMN_FLAGS,
    COLUMN_GENERATION,
    COLUMN_FILE,
    COLUMN_LINE,
    COLUMN_UID,
    COLUMN_PID,
    COLUMN_FACTS,
    COLUMN_LOGGED_BY,
    COLUMN_OPERATION,
    COLUMN_PACKED,
};

enum { SQL_MAX = 2048 };

struct audit_reader {
    sqlite3 *connection;
    struct arena arena; /* for events that are packed; no memory before the first */
};

struct audit_reader *audit_reader_open(const char *directory, char *error, size_t size)
{
    struct audit_reader *reader = calloc(1, sizeof(*reader));
    if (!reader) {
        (void)snprintf(error, size, "out of memory");
        return NULL;
    }
    reader->connection = database_open(&audit_database_kind, directory, DATABASE_READ, error, size);
    /* SQLite would make an index of its own, for which it reads everything. */
    if (reader->connection &&
        database_run(reader->connection, "PRAGMA automatic_index = OFF", error, size))
        return reader;
    audit_reader_free(reader);
    return NULL;
}

void audit_reader_free(struct audit_reader *reader)
{
    if (!reader)
        return;
    database_close(reader->connection);
    free(reader->arena.memory);
    free(reader);
}

/* ------------------------------------------------------------------------------------- statements
 */

/* What a row must be, beside where it is looked for. */
static const char *condition(const struct audit_query *query, char *text, size_t size)
{
    (void)snprintf(text, size, "%s%s%s%s", query->session ? " AND e.session = ?1" : "",
                   query->decision ? " AND e.number = ?2" : "",
                   query->event[0]
                       ? " AND EXISTS (SELECT 1 FROM texts WHERE id = e.text AND event GLOB ?3)"
                       : "",
                   query->denied ? " AND e.kind = 1" : "");
    return text;
}

/* Chunks in which there may be rows. */
static const char *chunks_of(const struct audit_query *query)
{
    if (query->session == 0)
        return "chunks c";
    return query->decision
               ? "chunks c CROSS JOIN spans ON spans.chunk = c.chunk AND spans.session = ?1"
                 " AND ?2 BETWEEN spans.first AND spans.last"
               : "chunks c CROSS JOIN spans ON spans.chunk = c.chunk AND spans.session = ?1";
}

/* Denials are few, and in order of time as they are. */
static bool has_index(const struct audit_query *query)
{
    return query->denied && query->session == 0;
}

static sqlite3_stmt *prepare(struct audit_reader *reader, const struct audit_query *query,
                             const char *sql, char *error, size_t size)
{
    sqlite3_stmt *statement = database_prepare(reader->connection, sql, error, size);

    if (!statement)
        return NULL;
    sqlite3_bind_int64(statement, PARAMETER_SESSION, (sqlite3_int64)query->session);
    sqlite3_bind_int64(statement, PARAMETER_DECISION, (sqlite3_int64)query->decision);
    sqlite3_bind_text(statement, PARAMETER_EVENT, query->event, -1, SQLITE_STATIC);
    return statement;
}

/* A number that a statement gives, or `otherwise`. False if it fails. */
static bool read_number(struct audit_reader *reader, const struct audit_query *query,
                        const char *sql, int64_t time, uint64_t offset, int64_t *number,
                        int64_t otherwise, char *error, size_t size)
{
    sqlite3_stmt *statement = prepare(reader, query, sql, error, size);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, PARAMETER_TIME, time);
    sqlite3_bind_int64(statement, PARAMETER_LIMIT, (sqlite3_int64)offset);
    const int result = sqlite3_step(statement);
    *number = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : otherwise;
    sqlite3_finalize(statement);
    return result == SQLITE_ROW || result == SQLITE_DONE ||
           database_failed(reader->connection, "cannot be read", error, size);
}

/* The time up to which a window reaches that begins at `time`, or for one that ends there, from
 * which on: where the next chunk begins (ends) behind (before) so many. */
static bool find_bound(struct audit_reader *reader, const struct audit_query *query, bool backwards,
                       int64_t time, uint64_t chunks, int64_t *bound, char *error, size_t size)
{
    char sql[SQL_MAX];

    if (has_index(query)) {
        *bound = backwards ? INT64_MIN : INT64_MAX;
        return true;
    }
    (void)snprintf(sql, sizeof(sql),
                   backwards ? "SELECT c.last FROM %s WHERE c.last < ?4 ORDER BY 1 DESC"
                               " LIMIT 1 OFFSET ?7"
                             : "SELECT c.first FROM %s WHERE c.first > ?4 ORDER BY 1"
                               " LIMIT 1 OFFSET ?7",
                   chunks_of(query));
    return read_number(reader, query, sql, time, chunks, bound, backwards ? INT64_MIN : INT64_MAX,
                       error, size);
}

/* The keys of a window's rows, in order. With its sign in front an id bounds no search: the chunk
 * does. */
static void window_sql(const struct audit_query *query, bool backwards, char *sql, size_t size)
{
    char conditions[512];
    const char *order = backwards ? "e.time DESC, e.id DESC" : "e.time, e.id";

    condition(query, conditions, sizeof(conditions));
    if (has_index(query))
        (void)snprintf(sql, size,
                       "SELECT e.id AS id, e.time AS time FROM entries e INDEXED BY denials WHERE"
                       " (e.time, e.id) %s (?4, ?5)%s%s ORDER BY %s LIMIT ?7",
                       backwards ? "<" : ">", backwards ? "" : " AND +e.id <= ?8", conditions,
                       order);
    else
        (void)snprintf(sql, size,
                       "SELECT e.id AS id, e.time AS time FROM %s CROSS JOIN entries e ON e.id"
                       " BETWEEN " AUDIT_CHUNK_FIRST("c.chunk") " AND " AUDIT_CHUNK_LAST(
                           "c.chunk") " WHERE %s AND (e.time, e.id) %s (?4, ?5)%s%s"
                                      " ORDER BY %s LIMIT ?7",
                       chunks_of(query),
                       backwards ? "c.first <= ?4 AND c.last >= ?6 AND e.time >= ?6"
                                 : "c.last >= ?4 AND c.first <= ?6 AND e.time <= ?6",
                       backwards ? "<" : ">", backwards ? "" : " AND +e.id <= ?8", conditions,
                       order);
}

static void bind_window(sqlite3_stmt *statement, int64_t time, int64_t id, int64_t bound,
                        uint64_t limit, uint64_t held)
{
    sqlite3_bind_int64(statement, PARAMETER_TIME, time);
    sqlite3_bind_int64(statement, PARAMETER_ID, id);
    sqlite3_bind_int64(statement, PARAMETER_BOUND, bound);
    sqlite3_bind_int64(statement, PARAMETER_LIMIT, (sqlite3_int64)limit);
    sqlite3_bind_int64(statement, PARAMETER_HELD, (sqlite3_int64)held);
}

/* Goes back over as many rows as are wanted; the one before them is where the query begins. */
static bool start_before_last(struct audit_reader *reader, struct audit_query *query, char *error,
                              size_t size)
{
    char sql[SQL_MAX];
    int64_t time = INT64_MAX;
    int64_t id = INT64_MAX;
    int64_t bound = INT64_MAX;
    uint64_t left = query->last < INT64_MAX ? query->last + 1 : INT64_MAX;

    window_sql(query, true, sql, sizeof(sql));
    sqlite3_stmt *statement = prepare(reader, query, sql, error, size);
    bool done = statement != NULL;
    for (uint64_t chunks = 0; done && bound > INT64_MIN; chunks = 2 * chunks + 1) {
        int result = SQLITE_DONE;
        done = find_bound(reader, query, true, time, chunks, &bound, error, size);
        bind_window(statement, time, id, bound, left, 0);
        while (done && left > 0 && (result = sqlite3_step(statement)) == SQLITE_ROW && --left > 0)
            ;
        if (left == 0) {
            query->id = (uint64_t)sqlite3_column_int64(statement, 0);
            query->time = sqlite3_column_int64(statement, 1);
            break;
        }
        done = done && (result == SQLITE_DONE ||
                        database_failed(reader->connection, "cannot be read", error, size));
        sqlite3_reset(statement);
        time = bound;
        id = 0;
    }
    sqlite3_finalize(statement);
    return done;
}

/* Notes what the record holds, and where the last rows begin. */
static bool start(struct audit_reader *reader, struct audit_query *query, char *error, size_t size)
{
    int64_t held;

    if (!read_number(reader, query, "SELECT coalesce(max(id), 0) FROM entries", 0, 0, &held, 0,
                     error, size))
        return false;
    query->held = (uint64_t)held;
    if (query->after > 0) {
        /* No id is given twice: one that is higher than all is of a record that was here before. */
        query->arriving = true;
        query->id = query->after <= query->held ? query->after : 0;
    } else if (query->last > 0 && !start_before_last(reader, query, error, size)) {
        return false;
    }
    query->started = true;
    return true;
}

/* ------------------------------------------------------------------------------------------- rows
 */

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

static void set_flag(json_t *object, const char *key, sqlite3_stmt *statement, int flag)
{
    json_object_set_new(object, key,
                        json_boolean(sqlite3_column_int(statement, COLUMN_FLAGS) & flag));
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

/* The event as it came, in the words in which others are written. */
static void set_packed(struct audit_reader *reader, json_t *object, sqlite3_stmt *statement)
{
    struct shown_event shown;

    if (!reader->arena.memory) {
        void *memory = malloc(SHOWN_EVENT_ARENA_SIZE);
        if (!memory)
            return;
        arena_init(&reader->arena, memory, SHOWN_EVENT_ARENA_SIZE);
    }
    shown_event_init(&shown, &reader->arena, sqlite3_column_blob(statement, COLUMN_PACKED),
                     (size_t)sqlite3_column_bytes(statement, COLUMN_PACKED),
                     (uint32_t)sqlite3_column_int64(statement, COLUMN_OPERATION));
    json_object_set_new(object, "summary", json_string(shown.summary));
    if (shown.is_readable) {
        json_object_set_new(object, "arguments", event_arguments_json(&shown.event));
        json_object_set_new(object, "operations", event_operations_json(&shown.event));
    }
    shown_event_deinit(&shown);
}

static void set_event(struct audit_reader *reader, json_t *object, sqlite3_stmt *statement)
{
    if (sqlite3_column_type(statement, COLUMN_PACKED) != SQLITE_NULL) {
        set_packed(reader, object, statement);
    } else {
        set_json(object, "arguments", statement, COLUMN_ARGUMENTS);
        set_json(object, "operations", statement, COLUMN_OPERATIONS);
    }
}

static void set_decision(struct audit_reader *reader, json_t *object, sqlite3_stmt *statement)
{
    const uint64_t session = (uint64_t)sqlite3_column_int64(statement, COLUMN_SESSION);
    const uint64_t number = (uint64_t)sqlite3_column_int64(statement, COLUMN_NUMBER);
    char text[64];

    snprintf(text, sizeof(text), "%llx-%llu", (unsigned long long)session,
             (unsigned long long)number);
    json_object_set_new(object, "decision", json_string(text));
    set_text(object, "verdict", statement, COLUMN_VERDICT);
    set_text(object, "event", statement, COLUMN_EVENT);
    set_event(reader, object, statement);
    set_text(object, "policy", statement, COLUMN_POLICY);
    set_text(object, "rule", statement, COLUMN_RULE);
    set_text(object, "message", statement, COLUMN_MESSAGE);
    set_json(object, "logged_by", statement, COLUMN_LOGGED_BY);
    set_number(object, "operation", statement, COLUMN_OPERATION);
    set_flag(object, "unknown", statement, ENTRY_UNKNOWN);
    set_flag(object, "spent", statement, ENTRY_SPENT);
    set_flag(object, "settled", statement, ENTRY_SETTLED);
    set_number(object, "generation", statement, COLUMN_GENERATION);
    set_text(object, "file", statement, COLUMN_FILE);
    set_number(object, "line", statement, COLUMN_LINE);
    set_json(object, "subject", statement, COLUMN_FACTS);
}

static const char *kind_name(int kind)
{
    return kind == ENTRY_REFUSAL  ? "refusal"
           : kind == ENTRY_DROP   ? "drop"
           : kind == ENTRY_DAEMON ? "daemon"
                                  : "decision";
}

static bool take_row(struct audit_reader *reader, sqlite3_stmt *statement, struct audit_row *row)
{
    const int kind = sqlite3_column_int(statement, COLUMN_KIND);
    json_t *object = json_object();
    char session[32];

    row->id = (uint64_t)sqlite3_column_int64(statement, COLUMN_ID);
    row->time = (uint64_t)sqlite3_column_int64(statement, COLUMN_TIME);
    snprintf(row->kind, sizeof(row->kind), "%s", kind_name(kind));
    json_object_set_new(object, "id", json_integer((json_int_t)row->id));
    set_time(object, row->time);
    json_object_set_new(object, "kind", json_string(row->kind));
    /* Takes its place; of a packed event the text comes later. */
    json_object_set_new(object, "summary", json_string(""));
    set_text(object, "summary", statement, COLUMN_SUMMARY);
    set_number(object, "count", statement, COLUMN_COUNT);
    if (sqlite3_column_type(statement, COLUMN_SESSION) != SQLITE_NULL) {
        snprintf(session, sizeof(session), "%llx",
                 (unsigned long long)sqlite3_column_int64(statement, COLUMN_SESSION));
        json_object_set_new(object, "session", json_string(session));
    }
    if (kind == ENTRY_ALLOWED || kind == ENTRY_DENIED) {
        set_decision(reader, object, statement);
    } else {
        set_number(object, "uid", statement, COLUMN_UID);
        set_number(object, "pid", statement, COLUMN_PID);
    }
    row->json = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(object);
    return row->json != NULL;
}

/* Adds rows of one statement until the page is full. */
static int add_rows(struct audit_reader *reader, sqlite3_stmt *statement, struct audit_query *query,
                    struct audit_rows *rows)
{
    int result = SQLITE_DONE;

    while (rows->count < AUDIT_ROWS_MAX && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        if (!take_row(reader, statement, &rows->rows[rows->count])) {
            result = SQLITE_NOMEM;
            break;
        }
        query->time = (int64_t)rows->rows[rows->count].time;
        query->id = rows->rows[rows->count++].id;
    }
    sqlite3_reset(statement);
    return result;
}

/* Those that were there at the start, by time. */
static int add_held(struct audit_reader *reader, struct audit_query *query, struct audit_rows *rows,
                    char *error, size_t size)
{
    char keys[SQL_MAX];
    char sql[SQL_MAX + 512];
    int64_t time = query->time;
    int64_t id = (int64_t)query->id;
    int64_t bound = INT64_MIN;
    int result = SQLITE_DONE;

    window_sql(query, false, keys, sizeof(keys));
    (void)snprintf(sql, sizeof(sql),
                   COLUMNS " FROM (%s) k CROSS JOIN entries e ON e.id = k.id" JOINED
                           " ORDER BY k.time, k.id",
                   keys);
    sqlite3_stmt *statement = prepare(reader, query, sql, error, size);
    if (!statement)
        return SQLITE_ERROR;
    for (uint64_t chunks = 0;
         result == SQLITE_DONE && rows->count < AUDIT_ROWS_MAX && bound < INT64_MAX;
         chunks = 2 * chunks + 1) {
        if (!find_bound(reader, query, false, time, chunks, &bound, error, size)) {
            result = SQLITE_ERROR;
            break;
        }
        bind_window(statement, time, id, bound, AUDIT_ROWS_MAX - rows->count, query->held);
        result = add_rows(reader, statement, query, rows);
        time = bound;
        id = INT64_MAX;
    }
    sqlite3_finalize(statement);
    return result;
}

static int add_arriving(struct audit_reader *reader, struct audit_query *query,
                        struct audit_rows *rows, char *error, size_t size)
{
    char conditions[512];
    char sql[SQL_MAX];

    (void)snprintf(sql, sizeof(sql),
                   COLUMNS " FROM entries e" JOINED " WHERE e.id > ?5%s ORDER BY e.id LIMIT ?7",
                   condition(query, conditions, sizeof(conditions)));
    sqlite3_stmt *statement = prepare(reader, query, sql, error, size);
    if (!statement)
        return SQLITE_ERROR;
    bind_window(statement, 0, (int64_t)query->id, 0, AUDIT_ROWS_MAX - rows->count, 0);
    const int result = add_rows(reader, statement, query, rows);
    sqlite3_finalize(statement);
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
        result = add_held(reader, query, rows, error, size);
        if (result == SQLITE_DONE && rows->count < AUDIT_ROWS_MAX) {
            query->arriving = true;
            query->id = query->held;
        }
    }
    if (query->arriving && result == SQLITE_DONE)
        result = add_arriving(reader, query, rows, error, size);
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
    sqlite3_stmt *statement =
        database_prepare(reader->connection,
                         "SELECT max(spans.last) FROM chunks c CROSS JOIN spans ON spans.chunk = "
                         "c.chunk AND spans.session = ?1",
                         error, sizeof(error));

    if (!statement)
        return 0;
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)session);
    if (sqlite3_step(statement) == SQLITE_ROW)
        number = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}
