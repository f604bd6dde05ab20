/* What is noted once for many records (audit_schema.h): ids, texts that they say alike, and by what
 * they are found. Used by the audit thread alone.
 *
 * Kept in memory for the chunk that is being written, and on disk by audit_chunk_flush: before a
 * transaction ends, and before anybody counts in it. */
#ifndef WARDER_DAEMON_AUDIT_AUDIT_CHUNK_H
#define WARDER_DAEMON_AUDIT_AUDIT_CHUNK_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/audit/audit_item.h"
#include "daemon/audit/audit_schema.h"

/* Of an open addressing table for what a chunk has of one kind: no more than its records. */
struct chunk_slots {
    uint16_t of[2 * AUDIT_CHUNK_RECORDS]; /* 0: free, else the place in the list and 1 */
};

struct chunk_session {
    uint64_t session;
    uint64_t first;
    uint64_t last;
};

struct chunk_owner {
    int64_t owner;
    uint64_t allowed;
    uint64_t other;
};

struct chunk_text {
    uint64_t hash;
    size_t at; /* in `bytes` */
    size_t size;
    unsigned present;
    uint64_t id;
};

struct audit_chunk {
    sqlite3 *connection;
    sqlite3_stmt *note_chunk;
    sqlite3_stmt *note_session;
    sqlite3_stmt *note_owner;
    sqlite3_stmt *add_text;

    uint64_t next_id;
    uint64_t began_id; /* the next one when the transaction began */

    /* Not on disk yet. */
    uint64_t chunk;
    bool is_noted; /* there is nothing */
    uint64_t first_time;
    uint64_t last_time;
    uint32_t session_count;
    uint32_t owner_count;
    struct chunk_session sessions[AUDIT_CHUNK_RECORDS];
    struct chunk_owner owners[AUDIT_CHUNK_RECORDS];
    struct chunk_slots session_slots;
    struct chunk_slots owner_slots;

    /* Texts of `text_chunk`, on disk as far as the transaction is. */
    uint64_t text_chunk;
    uint32_t text_count;
    struct chunk_text texts[AUDIT_CHUNK_RECORDS];
    struct chunk_slots text_slots;
    char *bytes;
    size_t used;
    size_t capacity;
};

/* NULL with `error` filled in. */
struct audit_chunk *audit_chunk_new(sqlite3 *connection, char *error, size_t size);
void audit_chunk_free(struct audit_chunk *chunk);

/* A transaction begins; it was rolled back. */
void audit_chunk_begin(struct audit_chunk *chunk);
void audit_chunk_rollback(struct audit_chunk *chunk);

/* The next record's id. Before that of another chunk what is to be noted of this one is written. An
 * SQLite result: SQLITE_OK or SQLITE_DONE. */
int audit_chunk_next(struct audit_chunk *chunk, uint64_t *id);

/* The id of a decision's texts, which the next record has. `logged_by` makes its text of the lines,
 * for texts that are new; NULL is none. SQLITE_DONE, or what went wrong. */
int audit_chunk_text(struct audit_chunk *chunk, const struct audit_decision *decision,
                     const char *(*logged_by)(void *context, const char *lines), void *context,
                     uint64_t *id);

/* The record with the next id is there: it is noted, and its id is used up. */
void audit_chunk_add(struct audit_chunk *chunk, const struct audit_item *item, bool is_allowed,
                     uint64_t bytes);

/* Writes what is noted. */
int audit_chunk_flush(struct audit_chunk *chunk);

/* Records, and what was noted of them, were deleted. */
void audit_chunk_forget(struct audit_chunk *chunk);

#endif
