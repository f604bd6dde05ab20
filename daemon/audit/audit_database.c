#include "daemon/audit/audit_database.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit/audit_trim.h"
#include "daemon/audit/event_json.h"
#include "daemon/audit/shown_event.h"

enum {
    /* What a record weighs when room is made: its item, and what SQLite adds. Of a packed event,
     * what is written, alone. */
    ROW_BYTES = 128,
    PACKED_ROW_BYTES = 48,
    /* A longer event is kept in words: those cut what is long (event_json.h). */
    PACKED_BYTES_MAX = 1024,
    PACKED_COLUMNS = 12, /* that are bound */
};

/* For one row, and for many: a statement costs as much as three rows. */
static void prepare_packed(struct audit_database *database, char *error, size_t size)
{
    static const char head[] = "INSERT INTO entries (id, time, owner, bytes, session, number,"
                               " count, text, flags, generation, operation, packed, kind) VALUES";
    static const char row[] = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)";
    char sql[sizeof(head) + AUDIT_PACKED_ROWS * (sizeof(row) + 1)];
    size_t used = 0;

    for (int i = 0; i < AUDIT_PACKED_ROWS; i++) {
        used += (size_t)snprintf(sql + used, sizeof(sql) - used, "%s%s", i > 0 ? "," : head, row);
        if (i == 0)
            database->insert_packed = database_prepare(database->connection, sql, error, size);
    }
    database->insert_rows = database_prepare(database->connection, sql, error, size);
}

bool audit_database_open(struct audit_database *database, const char *directory, char *error,
                         size_t size)
{
    memset(database, 0, sizeof(*database));
    database->connection =
        database_open(&audit_database_kind, directory, DATABASE_WRITE, error, size);
    if (!database->connection)
        return false;
    database->insert_session = database_prepare(
        database
            ->connection, /* a session that a restarted daemon takes up again is there already */
        "INSERT INTO sessions (session, started, facts) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (session) DO UPDATE SET ended = NULL,"
        " facts = CASE WHEN json_valid(facts) THEN json_patch(facts, excluded.facts)"
        " ELSE excluded.facts END",
        error, size);
    database->end_session = database_prepare(
        database->connection,
        "UPDATE sessions SET ended = ?2, decisions = ?3, denials = ?4 WHERE session = ?1", error,
        size);
    database->add_fact =
        database_prepare(database->connection,
                         "UPDATE sessions SET facts = json_set(facts, '$.' || ?2, json(?3))"
                         " WHERE session = ?1 AND json_valid(facts) AND json_valid(?3)",
                         error, size);
    prepare_packed(database, error, size);
    database->insert_entry = database_prepare(
        database->connection,
        "INSERT INTO entries (id, time, owner, bytes, session, kind, number, count, text, flags,"
        " generation, operation, summary, arguments, operations, file, line, uid, pid)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?12, ?6, ?7, ?8, ?9, ?10, ?11, ?13, ?14, ?15, ?16, ?17, ?18,"
        " ?19)",
        error, size);
    database->chunk = audit_chunk_new(database->connection, error, size);
    void *memory = malloc(SHOWN_EVENT_ARENA_SIZE);
    if (memory)
        arena_init(&database->arena, memory, SHOWN_EVENT_ARENA_SIZE);
    else
        snprintf(error, size, "out of memory");
    if (database->insert_session && database->end_session && database->add_fact &&
        database->insert_packed && database->insert_rows && database->insert_entry &&
        database->chunk && memory)
        return true;
    audit_database_close(database);
    return false;
}

void audit_database_close(struct audit_database *database)
{
    sqlite3_finalize(database->insert_session);
    sqlite3_finalize(database->end_session);
    sqlite3_finalize(database->add_fact);
    sqlite3_finalize(database->insert_packed);
    sqlite3_finalize(database->insert_rows);
    sqlite3_finalize(database->insert_entry);
    audit_chunk_free(database->chunk);
    database_close(database->connection);
    free(database->arena.memory);
    for (size_t i = 0; i < sizeof(database->texts) / sizeof(*database->texts); i++)
        json_text_deinit(&database->texts[i]);
    memset(database, 0, sizeof(*database));
}

static int finish(sqlite3_stmt *statement)
{
    const int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return result;
}

/* The row itself cannot be stored, however often it is tried: it must not hold up those behind it.
 */
static bool is_fault_of_row(int result)
{
    return result == SQLITE_CONSTRAINT || result == SQLITE_TOOBIG || result == SQLITE_MISMATCH;
}

/* SQLite makes a copy. */
static void bind_text(sqlite3_stmt *statement, int column, const char *text)
{
    if (text)
        sqlite3_bind_text(statement, column, text, -1, SQLITE_TRANSIENT);
}

/* The text stays until the statement has run. */
static void bind_borrowed(sqlite3_stmt *statement, int column, const char *text)
{
    if (text)
        sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
}

/* Takes the reference; the text is kept in `text` until the statement has run. */
static void bind_json(sqlite3_stmt *statement, int column, json_t *json, struct json_text *text)
{
    if (json)
        bind_borrowed(statement, column, json_text_of(text, json));
    json_decref(json);
}

static void bind_number(sqlite3_stmt *statement, int column, uint64_t number)
{
    sqlite3_bind_int64(statement, column, (sqlite3_int64)number);
}

/* Texts that a program chose are stored so that they can be shown. */
static void bind_printable(sqlite3_stmt *statement, int column, const char *text)
{
    char printable[RECORD_TEXT_MAX + 8];
    if (!text)
        return;
    printable_text(text, strlen(text), printable, sizeof(printable));
    bind_text(statement, column, printable);
}

static void bind_event(struct audit_database *database, const struct audit_decision *decision,
                       struct shown_event *shown)
{
    sqlite3_stmt *statement = database->insert_entry;

    shown_event_init(shown, &database->arena, decision->event, decision->event_size,
                     decision->operation);
    bind_borrowed(statement, 13, shown->summary);
    if (shown->is_readable) {
        bind_json(statement, 14, event_arguments_json(&shown->event), &database->texts[0]);
        bind_json(statement, 15, event_operations_json(&shown->event), &database->texts[1]);
    }
    shown_event_deinit(shown);
}

/* A list of the lines; NULL if there are none. */
static json_t *lines_json(const char *lines)
{
    json_t *list = lines ? json_array() : NULL;

    while (list && *lines) {
        const size_t length = strcspn(lines, "\n");
        json_array_append_new(list, json_stringn(lines, length));
        lines += length + (lines[length] == '\n');
    }
    return list;
}

static const char *logged_by_text(void *context, const char *lines)
{
    struct audit_database *database = context;
    json_t *json = lines_json(lines);
    const char *text = json ? json_text_of(&database->texts[2], json) : NULL;

    json_decref(json);
    return text;
}

static bool is_allowed(const struct audit_item *item)
{
    return item->kind == AUDIT_DECISION && item->decision.verdict &&
           strcmp(item->decision.verdict, "allow") == 0;
}

static bool is_packed(const struct audit_item *item)
{
    const struct audit_decision *decision = &item->decision;
    return is_allowed(item) && decision->plain && !decision->file && decision->event_size > 0 &&
           decision->event_size <= PACKED_BYTES_MAX;
}

static void bind_decision(sqlite3_stmt *statement, int before,
                          const struct audit_decision *decision, uint64_t text)
{
    bind_number(statement, before + 6, decision->number);
    bind_number(statement, before + 7, decision->count);
    bind_number(statement, before + 8, text);
    sqlite3_bind_int(statement, before + 9,
                     (decision->unknown ? ENTRY_UNKNOWN : 0) | (decision->spent ? ENTRY_SPENT : 0) |
                         (decision->settled ? ENTRY_SETTLED : 0));
    bind_number(statement, before + 10, decision->generation);
    bind_number(statement, before + 11, decision->operation);
}

static void bind_notice(sqlite3_stmt *statement, const struct audit_item *item)
{
    bind_number(statement, 7, item->notice.count);
    sqlite3_bind_int(statement, 9, 0);
    sqlite3_bind_int(statement, 12,
                     item->kind == AUDIT_REFUSAL ? ENTRY_REFUSAL
                     : item->kind == AUDIT_DROP  ? ENTRY_DROP
                                                 : ENTRY_DAEMON);
    bind_printable(statement, 13, item->notice.text);
    if (item->notice.uid >= 0)
        sqlite3_bind_int64(statement, 18, item->notice.uid);
    if (item->notice.pid > 0)
        sqlite3_bind_int64(statement, 19, item->notice.pid);
}

/* What every record has. */
static void bind_head(sqlite3_stmt *statement, int before, const struct audit_item *item,
                      uint64_t id, uint64_t bytes)
{
    bind_number(statement, before + 1, id);
    bind_number(statement, before + 2, item->time);
    sqlite3_bind_int64(statement, before + 3, item->owner);
    bind_number(statement, before + 4, bytes);
    if (item->session > 0)
        bind_number(statement, before + 5, item->session);
    else
        sqlite3_bind_null(statement, before + 5);
}

/* Binds a row whose parameters are behind so many others. Every column is bound anew each time: the
 * bindings stay. */
static void bind_packed(sqlite3_stmt *statement, int before, const struct packed_row *row)
{
    const struct audit_item *item = row->item;

    bind_head(statement, before, item, row->id, row->bytes);
    bind_decision(statement, before, &item->decision, row->text);
    sqlite3_bind_blob64(statement, before + PACKED_COLUMNS, item->decision.event,
                        item->decision.event_size, SQLITE_STATIC);
}

static int run(sqlite3_stmt *statement)
{
    const int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    return result;
}

static int write_loss(struct audit_database *database, const struct audit_item *item);

/* One at a time: those that there were too few of, or one of which could not be stored. */
static int insert_each(struct audit_database *database, uint32_t count)
{
    int result = SQLITE_DONE;

    for (uint32_t i = 0; result == SQLITE_DONE && i < count; i++) {
        bind_packed(database->insert_packed, 0, &database->packed[i]);
        result = run(database->insert_packed);
        if (is_fault_of_row(result))
            result = write_loss(database, database->packed[i].item);
    }
    return result;
}

/* Writes the rows that wait for company. */
static int insert_packed(struct audit_database *database)
{
    const uint32_t count = database->packed_count;
    int result = SQLITE_CONSTRAINT;

    database->packed_count = 0;
    if (count == AUDIT_PACKED_ROWS) {
        for (int i = 0; i < AUDIT_PACKED_ROWS; i++)
            bind_packed(database->insert_rows, i * PACKED_COLUMNS, &database->packed[i]);
        result = run(database->insert_rows);
    }
    if (is_fault_of_row(result))
        result = insert_each(database, count);
    return result;
}

static int insert_entry(struct audit_database *database, const struct audit_item *item, uint64_t id,
                        uint64_t bytes, uint64_t text)
{
    sqlite3_stmt *statement = database->insert_entry;
    struct shown_event shown;

    bind_head(statement, 0, item, id, bytes);
    if (item->kind == AUDIT_DECISION) {
        bind_decision(statement, 0, &item->decision, text);
        sqlite3_bind_int(statement, 12, is_allowed(item) ? ENTRY_ALLOWED : ENTRY_DENIED);
        bind_event(database, &item->decision, &shown);
        bind_printable(statement, 16, item->decision.file);
        if (item->decision.file)
            sqlite3_bind_int64(statement, 17, item->decision.line);
    } else {
        bind_notice(statement, item);
    }
    return finish(statement);
}

static int insert(struct audit_database *database, const struct audit_item *item)
{
    const bool packed = is_packed(item);
    const uint64_t bytes =
        packed ? item->decision.event_size + PACKED_ROW_BYTES : item->size + ROW_BYTES;
    uint64_t text = 0;
    uint64_t id;
    int result = audit_chunk_next(database->chunk, &id);

    if (result == SQLITE_DONE && item->kind == AUDIT_DECISION)
        result =
            audit_chunk_text(database->chunk, &item->decision, logged_by_text, database, &text);
    if (result == SQLITE_DONE && packed)
        database->packed[database->packed_count++] = (struct packed_row){item, id, bytes, text};
    else if (result == SQLITE_DONE)
        result = insert_entry(database, item, id, bytes, text);
    if (result != SQLITE_DONE)
        return result;
    /* Before rows are written: what is said of one that cannot be needs an id as well. */
    audit_chunk_add(database->chunk, item, is_allowed(item), bytes);
    return database->packed_count == AUDIT_PACKED_ROWS ? insert_packed(database) : SQLITE_DONE;
}

static int write_item(struct audit_database *database, const struct audit_item *item)
{
    sqlite3_stmt *statement;

    switch (item->kind) {
    case AUDIT_SESSION_START:
        statement = database->insert_session;
        bind_number(statement, 1, item->session);
        bind_number(statement, 2, item->time);
        bind_borrowed(statement, 3, item->start.json);
        break;
    case AUDIT_SESSION_END:
        statement = database->end_session;
        bind_number(statement, 1, item->session);
        bind_number(statement, 2, item->time);
        bind_number(statement, 3, item->end.decisions);
        bind_number(statement, 4, item->end.denials);
        break;
    case AUDIT_SESSION_FACT:
        statement = database->add_fact;
        bind_number(statement, 1, item->session);
        bind_borrowed(statement, 2, item->fact.name);
        bind_borrowed(statement, 3, item->fact.json);
        break;
    default:
        return insert(database, item);
    }
    return finish(statement);
}

/* Says in the record that something is missing from it. */
static int write_loss(struct audit_database *database, const struct audit_item *item)
{
    char text[320];

    snprintf(text, sizeof(text), "a record that could not be stored: %s",
             sqlite3_errmsg(database->connection));
    CLEANUP(audit_item_free)
    struct audit_item *loss = audit_item_notice(AUDIT_DROP, item->session, -1, 0, text);
    if (!loss)
        return SQLITE_NOMEM;
    loss->owner = item->owner;
    return write_item(database, loss);
}

bool audit_database_write(struct audit_database *database, const struct audit_item *item,
                          char *error, size_t size)
{
    int result = write_item(database, item);

    if (is_fault_of_row(result))
        result = write_loss(database, item);
    return result == SQLITE_DONE ||
           database_failed(database->connection, "cannot be written", error, size);
}

bool audit_database_begin(struct audit_database *database, char *error, size_t size)
{
    if (!database_run(database->connection, "BEGIN", error, size))
        return false;
    audit_chunk_begin(database->chunk);
    return true;
}

static bool flush(struct audit_database *database, char *error, size_t size)
{
    return (insert_packed(database) == SQLITE_DONE &&
            audit_chunk_flush(database->chunk) == SQLITE_DONE) ||
           database_failed(database->connection, "cannot be written", error, size);
}

bool audit_database_trim(struct audit_database *database, unsigned megabytes, uint64_t waiting,
                         uint64_t *dropped, char *error, size_t size)
{
    if (!flush(database, error, size) ||
        !audit_trim(database->connection, megabytes, waiting, dropped, error, size))
        return false;
    if (*dropped > 0)
        audit_chunk_forget(database->chunk);
    return true;
}

bool audit_database_commit(struct audit_database *database, char *error, size_t size)
{
    return flush(database, error, size) &&
           database_run(database->connection, "COMMIT", error, size);
}

void audit_database_rollback(struct audit_database *database)
{
    sqlite3_exec(database->connection, "ROLLBACK", NULL, NULL, NULL);
    audit_chunk_rollback(database->chunk);
    database->packed_count = 0;
}

static bool read_number(struct audit_database *database, const char *sql, uint64_t *number,
                        char *error, size_t size)
{
    sqlite3_stmt *statement = database_prepare(database->connection, sql, error, size);
    if (!statement)
        return false;
    const bool found = sqlite3_step(statement) == SQLITE_ROW;
    if (found)
        *number = (uint64_t)sqlite3_column_int64(statement, 0);
    else
        database_failed(database->connection, "cannot be read", error, size);
    sqlite3_finalize(statement);
    return found;
}

bool audit_database_next_session(struct audit_database *database, uint64_t *number, char *error,
                                 size_t size)
{
    if (!read_number(database,
                     "SELECT max(coalesce((SELECT max(session) FROM sessions), 0),"
                     "           coalesce((SELECT max(session) FROM spans), 0),"
                     "           coalesce((SELECT max(session) FROM reserved), 0))",
                     number, error, size))
        return false;
    (*number)++;
    return true;
}

bool audit_database_reserve(struct audit_database *database, uint64_t highest, char *error,
                            size_t size)
{
    char sql[80];

    snprintf(sql, sizeof(sql), "UPDATE reserved SET session = %" PRIu64, highest);
    return database_run(database->connection, sql, error, size);
}
