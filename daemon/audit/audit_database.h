/* The tables of audit.db, and how items are written into them. Used by the audit thread alone. */
#ifndef WARDER_DAEMON_AUDIT_AUDIT_DATABASE_H
#define WARDER_DAEMON_AUDIT_AUDIT_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/audit/audit_item.h"
#include "daemon/audit/json_text.h"
#include "daemon/store/database.h"
#include "policies/engine/arena.h"

extern const struct database_kind audit_database_kind;

struct audit_database {
    sqlite3 *connection;
    sqlite3_stmt *insert_session;
    sqlite3_stmt *end_session;
    sqlite3_stmt *add_fact;
    sqlite3_stmt *insert_record;
    struct arena arena;        /* events are decoded here */
    struct json_text texts[3]; /* arguments, operations, and the rules that logged an event */
};

bool audit_database_open(struct audit_database *database, const char *directory, char *error,
                         size_t size);
void audit_database_close(struct audit_database *database);

/* One item, inside a transaction. False: the database did not take it, and `error` says why. */
bool audit_database_write(struct audit_database *database, const struct audit_item *item,
                          char *error, size_t size);

/* One more than the highest session number that the record has, or that may have been handed out
 * without a trace in it. */
bool audit_database_next_session(struct audit_database *database, uint64_t *number, char *error,
                                 size_t size);

/* Numbers up to `highest` may be handed out from now on: none of them comes from
 * audit_database_next_session again. On disk with the transaction around it. */
bool audit_database_reserve(struct audit_database *database, uint64_t highest, char *error,
                            size_t size);

#endif
