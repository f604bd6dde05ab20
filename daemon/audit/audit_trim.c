/* What users have is brought down to one level, as low as needed: who is below keeps everything. */
#include "daemon/audit/audit_trim.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/store/database.h"

enum {
    MEGABYTE = 1024 * 1024,
    /* Pages that other records still lie on are not free yet, so one look may not do. */
    ROUNDS = 4,
    /* Denials are written a moment after their session's end (PLACE_MILLISECONDS), and a disk that
     * is full may hold them up for longer. */
    SESSION_GRACE_SECONDS = 60,
};

/* Records of an older version have no weight of their own. */
#define WEIGHT "coalesce(bytes, 1024)"

static const char *const holders_sql[] = {
    "SELECT owner, sum(" WEIGHT ") AS weight FROM records WHERE verdict = 'allow'"
    " GROUP BY owner ORDER BY weight DESC",
    "SELECT owner, sum(" WEIGHT ") AS weight FROM records GROUP BY owner ORDER BY weight DESC",
};

#define DROP_OLDEST(condition)                                                                     \
    "DELETE FROM records WHERE id IN (SELECT id FROM (SELECT id, sum(" WEIGHT                      \
    ") OVER (ORDER BY id) - " WEIGHT " AS before FROM records WHERE owner IS ?1" condition         \
    ") WHERE before < ?2)"

static const char *const drop_sql[] = {DROP_OLDEST(" AND verdict = 'allow'"), DROP_OLDEST("")};

struct holder {
    sqlite3_int64 owner;
    bool unknown; /* records of an older version */
    uint64_t weight;
};

struct holders {
    struct holder *list; /* those with the most first */
    size_t count;
};

static bool read_number(sqlite3 *connection, const char *sql, uint64_t *number, char *error,
                        size_t size)
{
    sqlite3_stmt *statement = database_prepare(connection, sql, error, size);
    if (!statement)
        return false;
    const bool found = sqlite3_step(statement) == SQLITE_ROW;
    if (found)
        *number = (uint64_t)sqlite3_column_int64(statement, 0);
    else
        database_failed(connection, "cannot be read", error, size);
    sqlite3_finalize(statement);
    return found;
}

/* Pages that are in use: free ones are used again before the file grows. */
static bool bytes_used(sqlite3 *connection, uint64_t *bytes, char *error, size_t size)
{
    uint64_t pages;
    uint64_t free_pages;
    uint64_t page_size;

    if (!read_number(connection, "PRAGMA page_count", &pages, error, size) ||
        !read_number(connection, "PRAGMA freelist_count", &free_pages, error, size) ||
        !read_number(connection, "PRAGMA page_size", &page_size, error, size))
        return false;
    *bytes = (pages - free_pages) * page_size;
    return true;
}

static bool add_holder(struct holders *holders, sqlite3_stmt *statement)
{
    struct holder *grown = realloc(holders->list, (holders->count + 1) * sizeof(*holders->list));
    if (!grown)
        return false;
    holders->list = grown;
    grown[holders->count++] = (struct holder){
        .owner = sqlite3_column_int64(statement, 0),
        .unknown = sqlite3_column_type(statement, 0) == SQLITE_NULL,
        .weight = (uint64_t)sqlite3_column_int64(statement, 1),
    };
    return true;
}

static bool read_holders(sqlite3 *connection, const char *sql, struct holders *holders, char *error,
                         size_t size)
{
    sqlite3_stmt *statement = database_prepare(connection, sql, error, size);
    int result = SQLITE_NOMEM;

    if (!statement)
        return false;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW && add_holder(holders, statement))
        ;
    if (result != SQLITE_DONE)
        database_failed(connection, "cannot be read", error, size);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE;
}

/* The level above which there is `excess`; `*above` holders reach over it. */
static uint64_t find_level(const struct holders *holders, uint64_t excess, size_t *above)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < holders->count; i++) {
        const uint64_t next = i + 1 < holders->count ? holders->list[i + 1].weight : 0;
        sum += holders->list[i].weight;
        *above = i + 1;
        if (sum - (i + 1) * next >= excess)
            return (sum - excess) / (i + 1);
    }
    return 0;
}

static bool drop_oldest(sqlite3 *connection, const char *sql, const struct holder *holder,
                        uint64_t weight, uint64_t *dropped, char *error, size_t size)
{
    sqlite3_stmt *statement = database_prepare(connection, sql, error, size);

    if (!statement)
        return false;
    if (!holder->unknown)
        sqlite3_bind_int64(statement, 1, holder->owner);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)weight);
    const bool done = sqlite3_step(statement) == SQLITE_DONE;
    if (done)
        *dropped += (uint64_t)sqlite3_changes(connection);
    else
        database_failed(connection, "cannot be written", error, size);
    sqlite3_finalize(statement);
    return done;
}

/* Drops records of one kind that weigh `excess`, or all of them if they weigh less. */
static bool drop_kind(sqlite3 *connection, int kind, uint64_t excess, uint64_t *dropped,
                      char *error, size_t size)
{
    struct holders holders = {.list = NULL};
    size_t above = 0;
    bool done = read_holders(connection, holders_sql[kind], &holders, error, size);

    const uint64_t level = find_level(&holders, excess, &above);
    for (size_t i = 0; done && i < above; i++)
        if (holders.list[i].weight > level)
            done = drop_oldest(connection, drop_sql[kind], &holders.list[i],
                               holders.list[i].weight - level, dropped, error, size);
    free(holders.list);
    return done;
}

/* Sessions of which the record has nothing more to say. */
static bool drop_sessions(sqlite3 *connection, char *error, size_t size)
{
    char sql[256];
    const uint64_t before = wall_clock_now() - SESSION_GRACE_SECONDS * 1000000000ULL;

    snprintf(sql, sizeof(sql),
             "DELETE FROM sessions WHERE ended < %llu AND NOT EXISTS (SELECT 1 FROM records WHERE"
             " records.session = sessions.session)",
             (unsigned long long)before);
    return database_run(connection, sql, error, size);
}

bool audit_trim(sqlite3 *connection, unsigned megabytes, uint64_t *dropped, char *error,
                size_t size)
{
    const uint64_t bound = (uint64_t)megabytes * MEGABYTE;
    const uint64_t target = bound - bound / 10;
    uint64_t bytes;

    *dropped = 0;
    if (megabytes == 0)
        return true;
    if (!bytes_used(connection, &bytes, error, size))
        return false;
    if (bytes <= bound)
        return true;
    for (int round = 0; round < ROUNDS; round++) {
        for (int kind = 0; kind < 2; kind++) {
            uint64_t weight;
            if (!drop_sessions(connection, error, size) ||
                !bytes_used(connection, &bytes, error, size) ||
                !read_number(connection, "SELECT coalesce(sum(" WEIGHT "), 0) FROM records",
                             &weight, error, size))
                return false;
            if (bytes <= target || weight == 0)
                return true;
            /* Weights are no sizes in the file, but go with them. */
            const double share = (double)(bytes - target) / (double)bytes;
            const uint64_t excess = (uint64_t)((double)weight * share) + 1;
            if (!drop_kind(connection, kind, excess, dropped, error, size))
                return false;
        }
    }
    return true;
}
