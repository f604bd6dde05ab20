#include "daemon/store/database.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/store/database_locks.h"

enum {
    BUSY_MILLISECONDS = 5000, /* for a reader beside us (`sqlite3` by hand) to let go */
};

uint64_t wall_clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static bool is_for_room(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

/* What is wrong as the system has it, where SQLite's own words are of files and I/O at large. */
static const char *reason(sqlite3 *database)
{
    const int error = sqlite3_system_errno(database);
    const int code = sqlite3_errcode(database) & 0xff;

    return error != 0 && (code == SQLITE_IOERR || code == SQLITE_CANTOPEN)
               ? strerror(error)
               : sqlite3_errmsg(database);
}

/* What to do about it; "" where the reason says it. */
static const char *advice(sqlite3 *database)
{
    const int code = sqlite3_errcode(database) & 0xff;

    if (code == SQLITE_FULL ||
        (code == SQLITE_IOERR && is_for_room(sqlite3_system_errno(database))))
        return "; make room on its file system";
    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
        return "; restore it from a copy, or move it away to start anew";
    return "";
}

bool database_failed(sqlite3 *database, const char *doing, char *error, size_t size)
{
    const char *path = sqlite3_db_filename(database, NULL);
    snprintf(error, size, "%s: %s: %s%s", path ? path : "database", doing, reason(database),
             advice(database));
    return false;
}

bool database_is_in_place(sqlite3 *database, char *error, size_t size)
{
    int moved = 0;

    if (sqlite3_file_control(database, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
        !moved)
        return true;
    snprintf(error, size,
             "%s: was moved or removed: put it back, or restart the daemon, which begins a new one",
             sqlite3_db_filename(database, NULL));
    return false;
}

bool database_run(sqlite3 *database, const char *sql, char *error, size_t size)
{
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return database_failed(database, "cannot be used", error, size);
}

sqlite3_stmt *database_prepare(sqlite3 *database, const char *sql, char *error, size_t size)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
        SQLITE_OK)
        database_failed(database, "cannot be used", error, size);
    return statement;
}

static bool read_number(sqlite3 *database, const char *sql, int64_t *number, char *error,
                        size_t size)
{
    sqlite3_stmt *statement = database_prepare(database, sql, error, size);
    if (!statement)
        return false;
    const int result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        *number = sqlite3_column_int64(statement, 0);
    else
        database_failed(database, "cannot be read", error, size);
    sqlite3_finalize(statement);
    return result == SQLITE_ROW;
}

static bool make_schema(sqlite3 *database, const struct database_kind *kind, char *error,
                        size_t size)
{
    char numbers[128];

    snprintf(numbers, sizeof(numbers), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
             (int)kind->application_id, (int)kind->version);
    return database_run(database, "BEGIN IMMEDIATE", error, size) &&
           database_run(database, kind->schema, error, size) &&
           database_run(database, numbers, error, size) &&
           database_run(database, "COMMIT", error, size);
}

/* All steps or none. */
static bool upgrade(sqlite3 *database, const struct database_kind *kind, int64_t version,
                    char *error, size_t size)
{
    char number[64];

    snprintf(number, sizeof(number), "PRAGMA user_version = %d", (int)kind->version);
    bool done = database_run(database, "BEGIN IMMEDIATE", error, size);
    for (; done && version < kind->version; version++)
        done = database_run(database, kind->upgrades[version - 1], error, size);
    if (done && database_run(database, number, error, size) &&
        database_run(database, "COMMIT", error, size))
        return true;
    sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

/* A new file gets our schema; an existing one must be ours, and not of a newer program. */
static bool check_version(sqlite3 *database, const struct database_kind *kind, const char *path,
                          enum database_access access, char *error, size_t size)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t tables = 0;

    if (!read_number(database, "PRAGMA application_id", &application, error, size) ||
        !read_number(database, "PRAGMA user_version", &version, error, size) ||
        !read_number(database, "SELECT count(*) FROM sqlite_schema", &tables, error, size))
        return false;
    if (application == 0 && version == 0 && tables == 0 && access == DATABASE_WRITE)
        return make_schema(database, kind, error, size);
    if (application != kind->application_id) {
        snprintf(error, size, "%s: this is not Warder's database; move it away to start anew",
                 path);
        return false;
    }
    if (version > kind->version) {
        snprintf(error, size,
                 "%s: made by a newer Warder (format %lld, this program knows %d); start the newer "
                 "one, or restore an older file",
                 path, (long long)version, (int)kind->version);
        return false;
    }
    if (version >= kind->version)
        return true;
    if (access == DATABASE_WRITE)
        return upgrade(database, kind, version, error, size);
    snprintf(error, size,
             "%s: made by an older Warder (format %lld, this program reads %d): a daemon of this "
             "version that is started on it brings it up to date",
             path, (long long)version, (int)kind->version);
    return false;
}

/* No writer has it, or had it and was killed. */
static bool is_at_rest(const struct database_kind *kind, const char *directory)
{
    char path[4200];

    return snprintf(path, sizeof(path), "%s/%s-wal", directory, kind->file) < (int)sizeof(path) &&
           access(path, F_OK) < 0;
}

/* What SQLite is to open, as a URI. In memory it is memdb, one for all connections of this process
 * that name it. What is at rest is read as it lies: a reader of a file in WAL mode makes files
 * beside it otherwise, and leaves them there. */
static bool name_file(const struct database_kind *kind, const char *directory,
                      enum database_access mode, char *uri, size_t size)
{
    const char *query = "";
    size_t used = (size_t)snprintf(uri, size, "file:");

    if (directory[0] == '\0')
        query = "?vfs=memdb";
    else if (mode == DATABASE_READ && is_at_rest(kind, directory))
        query = "?immutable=1";
    for (const char *byte = directory; *byte && used + 3 < size; byte++)
        used += (size_t)snprintf(uri + used, size - used, strchr("%?#", *byte) ? "%%%02X" : "%c",
                                 (unsigned char)*byte);
    used += (size_t)snprintf(uri + used, size - used, "/%s%s", kind->file, query);
    return used < size;
}

/* SQLite counts its memory under a lock of the whole process, at every allocation, and nobody asks.
 * It can be told so before its first use alone. */
static void configure(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

sqlite3 *database_open(const struct database_kind *kind, const char *directory,
                       enum database_access access, char *error, size_t size)
{
    char uri[2 * PATH_MAX];
    char path[4200];
    char pragmas[128];
    sqlite3 *database = NULL;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const int flags =
        SQLITE_OPEN_URI | (access == DATABASE_READ ? SQLITE_OPEN_READONLY
                                                   : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

    pthread_once(&once, configure);
    if (!name_file(kind, directory, access, uri, sizeof(uri))) {
        snprintf(error, size, "%s: the path is too long", directory);
        return NULL;
    }
    snprintf(path, sizeof(path), "%s/%s", directory, kind->file); /* for messages */
    const mode_t before = umask(077);
    const int result = sqlite3_open_v2(
        uri, &database, flags | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX, database_locks_vfs());
    umask(before);
    snprintf(pragmas, sizeof(pragmas), "PRAGMA journal_mode = WAL; PRAGMA synchronous = %s;",
             kind->synchronous);
    if (result != SQLITE_OK) {
        snprintf(error, size, "%s: cannot be opened: %s", path,
                 database ? reason(database) : "out of memory");
    } else {
        sqlite3_busy_timeout(database, BUSY_MILLISECONDS);
        if ((access == DATABASE_READ || database_run(database, pragmas, error, size)) &&
            check_version(database, kind, path, access, error, size))
            return database;
    }
    sqlite3_close(database);
    return NULL;
}

void database_close(sqlite3 *database)
{
    sqlite3_close_v2(database);
}
