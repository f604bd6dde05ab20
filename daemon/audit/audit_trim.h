/* Making room in audit.db. Used by the audit thread alone. */
#ifndef WARDER_DAEMON_AUDIT_AUDIT_TRIM_H
#define WARDER_DAEMON_AUDIT_AUDIT_TRIM_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the database uses more than the bound (0: none), drops records until it is a tenth below:
 * allowed decisions first, of those who have the most of them, and when no allowed one is left,
 * whatever those have who have the most; the oldest of each first. One user's flood costs others
 * nothing as long as they have less. `*dropped` counts the records, and what those of them had
 * counted that tell of earlier losses. Sessions go with their last record when they had ended some
 * time before `waiting`, when the oldest record came about that is not written yet, or now. Part of
 * the transaction around it. */
bool audit_trim(sqlite3 *connection, unsigned megabytes, uint64_t waiting, uint64_t *dropped,
                char *error, size_t size);

#endif
