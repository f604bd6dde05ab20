/* What audit.db consists of, for those who write it, read it, and make room in it.
 *
 * Whoever opens it by hand reads `records`, a view with a row for each record in plain columns, and
 * `sessions`. What lies behind it is made for cheap writing: a record is one row of a table that
 * grows at its end alone, and everything by which records are found is noted once for many.
 *
 *     entries    a record: numbers, and what no other has. `packed` is the event of an allowed
 *                decision as it came (Event in proto/warder.proto), where nothing of it is secret;
 *                `warder log` shows it. Of every other event `summary`, `arguments` and
 *                `operations` are there as texts, with secrets masked (event_json.h).
 *     chunks     ids are cut into chunks of AUDIT_CHUNK_RECORDS. Of each: the times between which
 *                its records came about, and the highest id, which is given to nobody else
 *     texts      what many records of a chunk say alike: entries.text is the id of the first of
 * them spans      of a chunk: sessions that have records in it, and between which numbers the
 *                decisions are; 0 for what is none
 *     holdings   of a chunk: what each owner's records in it weigh
 *     reserved   the highest session number that may have been handed out
 *
 * Of times and numbers the bounds may be wider than what a chunk still has; all else is exact. */
#ifndef WARDER_DAEMON_AUDIT_AUDIT_SCHEMA_H
#define WARDER_DAEMON_AUDIT_AUDIT_SCHEMA_H

#include "daemon/store/database.h"

enum {
    AUDIT_CHUNK_BITS = 11,
    AUDIT_CHUNK_RECORDS = 1 << AUDIT_CHUNK_BITS,
};

/* The same in SQL. */
#define AUDIT_CHUNK_OF(id) "(" id " >> 11)"
#define AUDIT_CHUNK_FIRST(chunk) "(" chunk " << 11)"
#define AUDIT_CHUNK_LAST(chunk) "((" chunk " << 11) + 2047)"

/* entries.kind. The numbers are on disk. */
enum entry_kind {
    ENTRY_ALLOWED = 0,
    ENTRY_DENIED = 1, /* deny, kill, would-deny: the index `denials` has them, by time */
    ENTRY_REFUSAL = 2,
    ENTRY_DROP = 3,
    ENTRY_DAEMON = 4,
};

/* entries.flags, or-ed. The numbers are on disk. */
enum entry_flag {
    ENTRY_UNKNOWN = 1, /* the rule fired because something could not be known, */
    ENTRY_SPENT = 2,   /* and that because the steps of the decision were spent */
    ENTRY_SETTLED = 4, /* by the hook, in process */
};

extern const struct database_kind audit_database_kind;

#endif
