/* What users have is brought down to one level, as low as needed: who is below keeps everything. */
#include "daemon/audit/audit_trim.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/audit/audit_schema.h"

enum {
    MEGABYTE = 1024 * 1024,
    /* Pages that other records still lie on are not free yet, so one look may not do. Of what is
     * allowed the first round takes a 64th of all at least, each further one twice as much, and the
     * last one what is left: only then something else has to go. */
    ROUNDS_ALLOWED = 7,
    ROUNDS_ANY = 4,
    /* Records may be added a moment after their session's end (PLACE_MILLISECONDS). */
    SESSION_GRACE_SECONDS = 60,
};

enum kind { KIND_ALLOWED, KIND_ANY, KINDS };

/* What an owner's records of that kind weigh. */
static const char *const weight_of[KINDS] = {"allowed", "allowed + other"};

#define IN_CHUNK "id BETWEEN " AUDIT_CHUNK_FIRST("?1") " AND " AUDIT_CHUNK_LAST("?1")

#define DROP_OLDEST(condition)                                                                     \
    "DELETE FROM entries WHERE id IN (SELECT id FROM (SELECT id, sum(bytes) OVER (ORDER BY id)"    \
    " - bytes AS before FROM entries WHERE " IN_CHUNK " AND owner = ?2" condition                  \
    ") WHERE before < ?3)"

/* What an earlier loss has counted goes on in the record of this one: a row for each record, with
 * how many more it stood for. Of the allowed none has counted anything. */
static const char *const drop_sql[KINDS] = {
    DROP_OLDEST(" AND kind = 0"),
    DROP_OLDEST("") " RETURNING CASE kind WHEN 3 THEN count - 1 ELSE 0 END",
};

/* What the chunk still holds for the owner. */
static const char held_sql[] =
    "INSERT OR REPLACE INTO holdings SELECT ?1, ?2, coalesce(sum(iif(kind = 0, bytes, 0)), 0),"
    " coalesce(sum(iif(kind = 0, 0, bytes)), 0) FROM entries WHERE " IN_CHUNK " AND owner = ?2";

/* What is noted of a chunk goes with the records that it was noted of; but who gives out ids goes
 * on from the last chunk's. */
static const char *const tidy_sql[] = {
    "DELETE FROM holdings WHERE chunk = ?1 AND allowed + other = 0",
    "DELETE FROM texts WHERE " IN_CHUNK " AND id NOT IN (SELECT text FROM entries WHERE " IN_CHUNK
    " AND text IS NOT NULL)",
    "DELETE FROM spans WHERE chunk = ?1 AND session NOT IN (SELECT session FROM entries"
    " WHERE " IN_CHUNK " AND session IS NOT NULL)",
    "DELETE FROM chunks WHERE chunk = ?1 AND chunk < (SELECT max(chunk) FROM chunks)"
    " AND NOT EXISTS (SELECT 1 FROM entries WHERE " IN_CHUNK ")",
};

/* An owner in the whole record, or a chunk among those of one owner. */
struct holder {
    sqlite3_int64 number;
    uint64_t weight;
};

struct holders {
    struct holder *list;
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
        .number = sqlite3_column_int64(statement, 0),
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

/* Those with the most first. */
static bool read_owners(sqlite3 *connection, enum kind kind, struct holders *owners, char *error,
                        size_t size)
{
    char sql[160];

    (void)snprintf(sql, sizeof(sql),
                   "SELECT owner, sum(%s) AS weight FROM holdings GROUP BY owner HAVING weight > 0"
                   " ORDER BY weight DESC",
                   weight_of[kind]);
    return read_holders(connection, sql, owners, error, size);
}

/* The oldest first. */
static bool read_chunks(sqlite3 *connection, enum kind kind, sqlite3_int64 owner,
                        struct holders *chunks, char *error, size_t size)
{
    char sql[160];

    (void)snprintf(sql, sizeof(sql),
                   "SELECT chunk, %s AS weight FROM holdings WHERE owner = %lld AND weight > 0"
                   " ORDER BY chunk",
                   weight_of[kind], (long long)owner);
    return read_holders(connection, sql, chunks, error, size);
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

/* Runs a statement about a chunk, and what an owner has in it up to a weight. Adds what it returns
 * and how many rows it changed. */
static bool change(sqlite3 *connection, const char *sql, sqlite3_int64 chunk, sqlite3_int64 owner,
                   uint64_t weight, uint64_t *changed, char *error, size_t size)
{
    sqlite3_stmt *statement = database_prepare(connection, sql, error, size);
    int result;

    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, chunk);
    sqlite3_bind_int64(statement, 2, owner); /* of what has no such parameter nothing comes */
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)weight);
    uint64_t returned = 0;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
        returned += (uint64_t)sqlite3_column_int64(statement, 0);
    if (result == SQLITE_DONE)
        *changed += (uint64_t)sqlite3_changes(connection) + returned;
    else
        database_failed(connection, "cannot be written", error, size);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE;
}

static bool tidy(sqlite3 *connection, sqlite3_int64 chunk, char *error, size_t size)
{
    uint64_t changed = 0;
    bool done = true;

    for (size_t i = 0; done && i < sizeof(tidy_sql) / sizeof(*tidy_sql); i++)
        done = change(connection, tidy_sql[i], chunk, 0, 0, &changed, error, size);
    return done;
}

/* Drops an owner's oldest records until so much is gone. */
static bool drop_oldest(sqlite3 *connection, enum kind kind, sqlite3_int64 owner, uint64_t weight,
                        uint64_t *dropped, char *error, size_t size)
{
    struct holders chunks = {.list = NULL};
    uint64_t changed = 0;
    bool done = read_chunks(connection, kind, owner, &chunks, error, size);

    for (size_t i = 0; done && weight > 0 && i < chunks.count; i++) {
        const struct holder *chunk = &chunks.list[i];
        done = change(connection, drop_sql[kind], chunk->number, owner, weight, dropped, error,
                      size) &&
               change(connection, held_sql, chunk->number, owner, 0, &changed, error, size) &&
               tidy(connection, chunk->number, error, size);
        weight -= chunk->weight < weight ? chunk->weight : weight;
    }
    free(chunks.list);
    return done;
}

/* Drops records of one kind that weigh `excess`, or all of them if they weigh less. */
static bool drop_kind(sqlite3 *connection, enum kind kind, uint64_t excess, uint64_t *dropped,
                      char *error, size_t size)
{
    struct holders owners = {.list = NULL};
    size_t above = 0;
    bool done = read_owners(connection, kind, &owners, error, size);

    const uint64_t level = find_level(&owners, excess, &above);
    for (size_t i = 0; done && i < above; i++)
        if (owners.list[i].weight > level)
            done = drop_oldest(connection, kind, owners.list[i].number,
                               owners.list[i].weight - level, dropped, error, size);
    free(owners.list);
    return done;
}

/* Sessions of which the record has nothing more to say. */
static bool drop_sessions(sqlite3 *connection, uint64_t waiting, char *error, size_t size)
{
    char sql[256];
    const uint64_t grace = SESSION_GRACE_SECONDS * 1000000000ULL;
    const uint64_t before = waiting > grace ? waiting - grace : 0;

    snprintf(
        sql, sizeof(sql),
        "DELETE FROM sessions WHERE ended < %llu AND session NOT IN (SELECT session FROM spans)",
        (unsigned long long)before);
    return database_run(connection, sql, error, size);
}

/* What audit_trim is asked for. */
struct trim {
    sqlite3 *connection;
    uint64_t target;
    uint64_t waiting;
    uint64_t *dropped;
};

/* Drops records of one kind until no more than the target is in use: all that are allowed if need
 * be, of others as many as rounds go. `*reached` says whether it was enough. */
static bool make_room(const struct trim *trim, enum kind kind, bool *reached, char *error,
                      size_t size)
{
    const int rounds = kind == KIND_ALLOWED ? ROUNDS_ALLOWED : ROUNDS_ANY;
    uint64_t bytes;
    uint64_t weight;

    for (int round = 0; round <= rounds; round++) {
        if (!drop_sessions(trim->connection, trim->waiting, error, size) ||
            !bytes_used(trim->connection, &bytes, error, size) ||
            !read_number(trim->connection, "SELECT coalesce(sum(allowed + other), 0) FROM holdings",
                         &weight, error, size))
            return false;
        *reached = bytes <= trim->target || weight == 0;
        if (*reached || round == rounds)
            break;
        /* Weights are no sizes in the file, but go with them. */
        const double share = (double)(bytes - trim->target) / (double)bytes;
        uint64_t excess = (uint64_t)((double)weight * share) + 1;
        const uint64_t least = kind == KIND_ALLOWED ? weight >> (rounds - 1 - round) : 0;
        if (excess < least)
            excess = least;
        const uint64_t before = *trim->dropped;
        if (!drop_kind(trim->connection, kind, excess, trim->dropped, error, size))
            return false;
        if (*trim->dropped == before) /* none is left */
            break;
    }
    return true;
}

bool audit_trim(sqlite3 *connection, unsigned megabytes, uint64_t waiting, uint64_t *dropped,
                char *error, size_t size)
{
    const uint64_t bound = (uint64_t)megabytes * MEGABYTE;
    const struct trim trim = {.connection = connection,
                              .target = bound - bound / 10,
                              .waiting = waiting,
                              .dropped = dropped};
    uint64_t bytes;

    *dropped = 0;
    if (megabytes == 0)
        return true;
    if (!bytes_used(connection, &bytes, error, size))
        return false;
    bool reached = bytes <= bound;
    for (enum kind kind = 0; !reached && kind < KINDS; kind++)
        if (!make_room(&trim, kind, &reached, error, size))
            return false;
    return true;
}
