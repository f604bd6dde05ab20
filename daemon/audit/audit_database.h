/* How items are written into audit.db (audit_schema.h). Used by the audit thread alone. */
#ifndef WARDER_DAEMON_AUDIT_AUDIT_DATABASE_H
#define WARDER_DAEMON_AUDIT_AUDIT_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/audit/audit_chunk.h"
#include "daemon/audit/audit_item.h"
#include "daemon/audit/json_text.h"
#include "daemon/store/database.h"
#include "policies/engine/arena.h"

enum { AUDIT_PACKED_ROWS = 16 }; /* in one statement */

/* An allowed decision with its event as it came, before it is written. */
struct packed_row {
    const struct audit_item *item;
    uint64_t id;
    uint64_t bytes;
    uint64_t text;
};

struct audit_database {
    sqlite3 *connection;
    sqlite3_stmt *insert_session;
    sqlite3_stmt *end_session;
    sqlite3_stmt *add_fact;
    sqlite3_stmt *insert_packed; /* one packed row, */
    sqlite3_stmt *insert_rows;   /* and AUDIT_PACKED_ROWS of them */
    sqlite3_stmt *insert_entry;  /* any other record */
    struct audit_chunk *chunk;
    struct packed_row packed[AUDIT_PACKED_ROWS]; /* those that wait for company */
    uint32_t packed_count;
    struct arena arena;        /* events are decoded here */
    struct json_text texts[3]; /* arguments, operations, and the rules that logged an event */
};

bool audit_database_open(struct audit_database *database, const char *directory, char *error,
                         size_t size);
void audit_database_close(struct audit_database *database);

/* A transaction. One that was not begun, or not committed, is to be rolled back. */
bool audit_database_begin(struct audit_database *database, char *error, size_t size);
bool audit_database_commit(struct audit_database *database, char *error, size_t size);
void audit_database_rollback(struct audit_database *database);

/* One item, inside a transaction, until whose end it must stay where it is. False: the database did
 * not take it, and `error` says why. */
bool audit_database_write(struct audit_database *database, const struct audit_item *item,
                          char *error, size_t size);

/* Makes room inside a transaction: audit_trim.h. */
bool audit_database_trim(struct audit_database *database, unsigned megabytes, uint64_t waiting,
                         uint64_t *dropped, char *error, size_t size);

/* One more than the highest session number that the record has, or that may have been handed out
 * without a trace in it. */
bool audit_database_next_session(struct audit_database *database, uint64_t *number, char *error,
                                 size_t size);

/* Numbers up to `highest` may be handed out from now on: none of them comes from
 * audit_database_next_session again. On disk with the transaction around it. */
bool audit_database_reserve(struct audit_database *database, uint64_t highest, char *error,
                            size_t size);

#endif
