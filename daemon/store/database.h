/* What both databases have in common: how they are opened, and how their versions are told. */
#ifndef WARDER_DAEMON_STORE_DATABASE_H
#define WARDER_DAEMON_STORE_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct database_kind {
    const char *file;       /* in the state directory */
    int32_t application_id; /* PRAGMA application_id: whose file this is */
    int32_t version;        /* PRAGMA user_version that this program writes */
    const char *schema;     /* of a new file */
    const char *const
        *upgrades;           /* [n - 1]: from version n to the next; one for each older version */
    const char *synchronous; /* PRAGMA synchronous: "FULL", "NORMAL" */
};

enum database_access {
    DATABASE_WRITE,
    DATABASE_READ, /* an existing file; never makes or changes one */
};

/* Opens DIRECTORY/FILE, making it if it is missing (mode 0600), in WAL mode. An
 * older one that is opened for writing is brought up to this version first. Where the directory is
 * "", it is in memory and in no file: all that open it in this process share it, and it is gone
 * when the last one closes it. NULL, with a message for a person, if it cannot be read, is somebody
 * else's, or was made by a newer program. */
sqlite3 *database_open(const struct database_kind *kind, const char *directory,
                       enum database_access access, char *error, size_t size);

/* Closes; NULL is accepted. */
void database_close(sqlite3 *database);

/* Prepares a statement that is kept; NULL with `error` filled in. */
sqlite3_stmt *database_prepare(sqlite3 *database, const char *sql, char *error, size_t size);

/* Runs statements that give no rows. */
bool database_run(sqlite3 *database, const char *sql, char *error, size_t size);

/* Copies the database's own message. Always false, to be returned. */
bool database_failed(sqlite3 *database, const char *doing, char *error, size_t size);

/* False if the file is not under its name any more: what is written would be in no file that
 * anybody finds. `error` says so, and what to do. */
bool database_is_in_place(sqlite3 *database, char *error, size_t size);

/* Nanoseconds since 1970, UTC. */
uint64_t wall_clock_now(void);

#endif
