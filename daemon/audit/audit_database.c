#include "daemon/audit/audit_database.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit/event_json.h"
#include "daemon/audit/redaction.h"
#include "policies/engine/event_text.h"
#include "proto/event_wire.h"

enum {
    EVENT_ARENA_SIZE = MESSAGE_ARENA_SIZE + 2 * 1024 * 1024, /* the message, then the event */
    /* What a record weighs when room is made: its item, and what SQLite and the indices add. */
    ROW_BYTES = 256,
};

/* For making room by owner; the highest session number that may have been handed out. */
#define OWNERS_AND_RESERVED                                                                        \
    "CREATE INDEX records_by_owner ON records (owner, id, bytes, verdict);"                        \
    "CREATE TABLE reserved (session INTEGER NOT NULL) STRICT;"                                     \
    "INSERT INTO reserved VALUES (0);"

/* Files of before. A new one has all of it at once: a change of a table takes as long as making
 * one, and a private daemon makes a file for each run. */
static const char *const upgrades[] = {
    "ALTER TABLE records ADD COLUMN logged_by TEXT;"
    "ALTER TABLE records ADD COLUMN owner INTEGER;"
    "ALTER TABLE records ADD COLUMN bytes INTEGER;" OWNERS_AND_RESERVED,
    "ALTER TABLE records ADD COLUMN operation INTEGER;"
    "ALTER TABLE records ADD COLUMN spent INTEGER;",
};

const struct database_kind audit_database_kind = {
    .file = "audit.db",
    .application_id = 0x57445241, /* WDRA */
    .version = 3,
    /* One flush for each batch, ten a second at most: a denial is on disk within the stated second.
     */
    .synchronous = "FULL",
    .upgrades = upgrades,
    .schema = "CREATE TABLE sessions ("
              "  session INTEGER PRIMARY KEY,"
              "  started INTEGER NOT NULL," /* nanoseconds since 1970, UTC */
              "  ended INTEGER,"
              "  decisions INTEGER,"
              "  denials INTEGER,"
              "  facts TEXT NOT NULL" /* JSON: what is proved, what is said */
              ") STRICT;"
              "CREATE TABLE records ("
              "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
              "  time INTEGER NOT NULL,"
              "  kind TEXT NOT NULL," /* decision, refusal, drop, daemon */
              "  session INTEGER,"
              "  number INTEGER," /* of the decision in its session; the id is SESSION-NUMBER, the
                                     session in hexadecimal */
              "  count INTEGER NOT NULL," /* of denials like it that were told this number */
              "  verdict TEXT,"
              "  event TEXT,"
              "  summary TEXT NOT NULL," /* exec \"id\" */
              "  arguments TEXT,"        /* JSON */
              "  operations TEXT,"       /* JSON */
              "  policy TEXT,"
              "  rule TEXT,"
              "  message TEXT,"
              "  unknown INTEGER,"
              "  settled INTEGER," /* 1: by the hook in process */
              "  generation INTEGER,"
              "  file TEXT,"
              "  line INTEGER,"
              "  uid INTEGER,"
              "  pid INTEGER,"
              "  logged_by TEXT,"    /* JSON: policies and rules that named it */
              "  owner INTEGER,"     /* the uid that caused it, -1: nobody */
              "  bytes INTEGER,"     /* what it weighs */
              "  operation INTEGER," /* of the event, that was judged so */
              "  spent INTEGER"      /* 1: the steps of the decision were */
              ") STRICT;"
              "CREATE INDEX records_by_time ON records (time, id);"
              "CREATE INDEX records_by_session ON records (session, number);"
              "CREATE INDEX denials ON records (id) WHERE verdict IN ('deny', 'kill', "
              "'would-deny');" OWNERS_AND_RESERVED,
};

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
    database->insert_record = database_prepare(
        database->connection,
        "INSERT INTO records (time, kind, session, number, count, verdict, event, summary, "
        "arguments,"
        " operations, policy, rule, message, unknown, settled, generation, file, line, uid, pid,"
        " logged_by, owner, bytes, operation, spent)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
        " ?19, ?20, ?21, ?22, ?23, ?24, ?25)",
        error, size);
    void *memory = malloc(EVENT_ARENA_SIZE);
    if (memory)
        arena_init(&database->arena, memory, EVENT_ARENA_SIZE);
    else
        snprintf(error, size, "out of memory");
    if (database->insert_session && database->end_session && database->add_fact &&
        database->insert_record && memory)
        return true;
    audit_database_close(database);
    return false;
}

void audit_database_close(struct audit_database *database)
{
    sqlite3_finalize(database->insert_session);
    sqlite3_finalize(database->end_session);
    sqlite3_finalize(database->add_fact);
    sqlite3_finalize(database->insert_record);
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

/* The event was decoded once before, by the loop; one that does not decode now is kept by name of
 * its failure. */
static void bind_event(struct audit_database *database, const struct audit_decision *decision)
{
    sqlite3_stmt *statement = database->insert_record;
    struct event event;
    struct event shown;
    struct redaction redaction;
    char name[EVENT_NAME_MAX * 4 + 8];
    char summary[EVENT_TEXT_MAX];

    arena_reset(&database->arena);
    const Warder__V1__Event *message = (const Warder__V1__Event *)message_decode(
        &warder__v1__event__descriptor, &database->arena, decision->event, decision->event_size);
    if (!message || !event_from_wire(message, &database->arena, &event)) {
        bind_text(statement, 8, "an event that cannot be shown");
        return;
    }
    printable_text(event.name, event.name_length, name, sizeof(name));
    bind_text(statement, 7, name);
    redaction_init(&redaction);
    if (redaction_mask_event(&redaction, &event, &shown)) {
        event_text(&shown, decision->operation, summary, sizeof(summary));
        bind_text(statement, 8, summary);
        bind_json(statement, 9, event_arguments_json(&shown), &database->texts[0]);
        bind_json(statement, 10, event_operations_json(&shown), &database->texts[1]);
    } else {
        bind_text(statement, 8, "an event that cannot be shown: out of memory");
    }
    redaction_deinit(&redaction);
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

static void bind_decision(struct audit_database *database, const struct audit_item *item)
{
    const struct audit_decision *decision = &item->decision;
    sqlite3_stmt *statement = database->insert_record;

    bind_borrowed(statement, 2, "decision");
    bind_number(statement, 4, decision->number);
    bind_number(statement, 5, decision->count);
    bind_borrowed(statement, 6, decision->verdict);
    bind_event(database, decision);
    bind_borrowed(statement, 11, decision->policy);
    bind_borrowed(statement, 12, decision->rule);
    bind_borrowed(statement, 13, decision->message);
    sqlite3_bind_int(statement, 14, decision->unknown);
    sqlite3_bind_int(statement, 15, decision->settled);
    bind_number(statement, 16, decision->generation);
    bind_printable(statement, 17, decision->file);
    if (decision->file)
        sqlite3_bind_int64(statement, 18, decision->line);
    bind_json(statement, 21, lines_json(decision->logged_by), &database->texts[2]);
    sqlite3_bind_int64(statement, 24, decision->operation);
    sqlite3_bind_int(statement, 25, decision->spent);
}

static void bind_notice(struct audit_database *database, const struct audit_item *item)
{
    sqlite3_stmt *statement = database->insert_record;

    bind_text(statement, 2,
              item->kind == AUDIT_REFUSAL ? "refusal"
              : item->kind == AUDIT_DROP  ? "drop"
                                          : "daemon");
    bind_number(statement, 5, item->notice.count);
    bind_printable(statement, 8, item->notice.text);
    if (item->notice.uid >= 0)
        sqlite3_bind_int64(statement, 19, item->notice.uid);
    if (item->notice.pid > 0)
        sqlite3_bind_int64(statement, 20, item->notice.pid);
}

static sqlite3_stmt *bind_item(struct audit_database *database, const struct audit_item *item)
{
    sqlite3_stmt *statement = database->insert_record;

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
        bind_text(statement, 2, item->fact.name);
        bind_text(statement, 3, item->fact.json);
        break;
    default:
        bind_number(statement, 1, item->time);
        sqlite3_bind_int64(statement, 22, item->owner);
        bind_number(statement, 23, item->size + ROW_BYTES);
        if (item->session > 0)
            bind_number(statement, 3, item->session);
        if (item->kind == AUDIT_DECISION)
            bind_decision(database, item);
        else
            bind_notice(database, item);
        break;
    }
    return statement;
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
    return finish(bind_item(database, loss));
}

bool audit_database_write(struct audit_database *database, const struct audit_item *item,
                          char *error, size_t size)
{
    int result = finish(bind_item(database, item));

    if (is_fault_of_row(result))
        result = write_loss(database, item);
    return result == SQLITE_DONE ||
           database_failed(database->connection, "cannot be written", error, size);
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
                     "           coalesce((SELECT max(session) FROM records), 0),"
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
