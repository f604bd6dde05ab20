#include "daemon/store/policy_store.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/store/database.h"

struct policy_store {
    sqlite3 *database;
};

/* Revisions are only ever added. What is active is the newest revision of each name, unless its
 * text is NULL: then the policy was removed. */
static const struct database_kind kind = {
    .file = "policy.db",
    .application_id = 0x57445250, /* WDRP */
    .version = 1,
    .synchronous = "FULL",
    .schema = "CREATE TABLE revisions ("
              "  tier INTEGER NOT NULL," /* enum policy_tier */
              "  name TEXT NOT NULL,"
              "  revision INTEGER NOT NULL,"   /* counts from 1 for each policy */
              "  generation INTEGER NOT NULL," /* of the store, after this change */
              "  time INTEGER NOT NULL,"       /* nanoseconds since 1970, UTC */
              "  who TEXT NOT NULL,"
              "  text TEXT,"
              "  PRIMARY KEY (tier, name, revision)"
              ") STRICT, WITHOUT ROWID;"
              "CREATE INDEX revisions_by_generation ON revisions (generation);",
};

struct policy_store *policy_store_open(const char *directory, char *error, size_t size)
{
    struct policy_store *store = calloc(1, sizeof(*store));
    if (!store)
        return NULL;
    store->database = database_open(&kind, directory, DATABASE_WRITE, error, size);
    if (store->database)
        return store;
    free(store);
    return NULL;
}

void policy_store_free(struct policy_store *store)
{
    if (!store)
        return;
    database_close(store->database);
    free(store);
}

static char *column_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text ? strdup((const char *)text) : NULL;
}

static bool append(struct stored_policies *policies, sqlite3_stmt *statement)
{
    struct stored_policy *grown =
        realloc(policies->policies, (policies->count + 1) * sizeof(*grown));
    if (!grown)
        return false;
    policies->policies = grown;
    struct stored_policy *policy = &grown[policies->count++];
    *policy = (struct stored_policy){
        .tier = (enum policy_tier)sqlite3_column_int(statement, 0),
        .name = column_text(statement, 1),
        .revision = (uint64_t)sqlite3_column_int64(statement, 2),
        .time = (uint64_t)sqlite3_column_int64(statement, 3),
        .who = column_text(statement, 4),
        .text = column_text(statement, 5),
    };
    return policy->name && policy->who && policy->text;
}

static bool load_generation(struct policy_store *store, struct stored_policies *policies,
                            char *error, size_t size)
{
    sqlite3_stmt *statement = database_prepare(
        store->database, "SELECT coalesce(max(generation), 0) FROM revisions", error, size);
    if (!statement)
        return false;
    const bool found = sqlite3_step(statement) == SQLITE_ROW;
    if (found)
        policies->generation = (uint64_t)sqlite3_column_int64(statement, 0);
    else
        database_failed(store->database, "cannot be read", error, size);
    sqlite3_finalize(statement);
    return found;
}

/* Policies of the tier mandatory are signed by a fleet, and nothing here can verify a signature
 * yet: a row that claims the tier got there by another way. It is neither believed nor passed over.
 */
static bool is_known_tier(enum policy_tier tier, const char *name, char *error, size_t size)
{
    if (tier == TIER_LOCAL || tier == TIER_VENDOR)
        return true;
    (void)snprintf(error, size,
                   "the policy `%s` is said to be of the tier mandatory: this version of Warder "
                   "cannot verify a signature, and takes no such policy",
                   name);
    return false;
}

static bool are_known_tiers(const struct stored_policies *policies, char *error, size_t size)
{
    for (size_t i = 0; i < policies->count; i++)
        if (!is_known_tier(policies->policies[i].tier, policies->policies[i].name, error, size))
            return false;
    return true;
}

/* What was active once `generation` was in force. */
static bool load_at(struct policy_store *store, uint64_t generation,
                    struct stored_policies *policies, char *error, size_t size)
{
    sqlite3_stmt *statement =
        database_prepare(store->database,
                         "SELECT tier, name, revision, time, who, text FROM revisions AS r"
                         " WHERE text IS NOT NULL AND revision ="
                         "   (SELECT max(revision) FROM revisions"
                         "    WHERE tier = r.tier AND name = r.name AND generation <= ?1)"
                         " ORDER BY tier, name",
                         error, size);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)generation);
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        if (!append(policies, statement)) {
            result = SQLITE_NOMEM;
            break;
        }
    }
    sqlite3_finalize(statement);
    if (result == SQLITE_DONE && are_known_tiers(policies, error, size))
        return true;
    if (result != SQLITE_DONE)
        database_failed(store->database, "cannot be read", error, size);
    stored_policies_deinit(policies);
    return false;
}

bool policy_store_load(struct policy_store *store, struct stored_policies *policies, char *error,
                       size_t size)
{
    *policies = (struct stored_policies){.count = 0};
    return load_generation(store, policies, error, size) &&
           load_at(store, policies->generation, policies, error, size);
}

bool policy_store_is_there(const char *directory)
{
    char path[4200];

    return snprintf(path, sizeof(path), "%s/%s", directory, kind.file) < (int)sizeof(path) &&
           access(path, F_OK) == 0;
}

bool policy_store_read(const char *directory, uint64_t generation, struct stored_policies *policies,
                       char *error, size_t size)
{
    struct policy_store store = {database_open(&kind, directory, DATABASE_READ, error, size)};

    *policies = (struct stored_policies){.generation = generation};
    if (!store.database)
        return false;
    bool read = generation > 0 || load_generation(&store, policies, error, size);
    read = read && load_at(&store, policies->generation, policies, error, size);
    database_close(store.database);
    return read;
}

void stored_policies_deinit(struct stored_policies *policies)
{
    for (size_t i = 0; i < policies->count; i++) {
        free(policies->policies[i].name);
        free(policies->policies[i].text);
        free(policies->policies[i].who);
    }
    free(policies->policies);
    *policies = (struct stored_policies){.count = 0};
}

static bool insert(sqlite3_stmt *statement, const struct policy_change *change, const char *who,
                   uint64_t generation)
{
    sqlite3_reset(statement);
    sqlite3_bind_int(statement, 1, (int)change->tier);
    sqlite3_bind_text(statement, 2, change->name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)generation);
    sqlite3_bind_int64(statement, 4, (sqlite3_int64)wall_clock_now());
    sqlite3_bind_text(statement, 5, who, -1, SQLITE_STATIC);
    if (change->text)
        sqlite3_bind_text(statement, 6, change->text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, 6);
    return sqlite3_step(statement) == SQLITE_DONE;
}

bool policy_store_change(struct policy_store *store, const struct policy_change *changes,
                         size_t count, const char *who, uint64_t *generation, char *error,
                         size_t size)
{
    struct stored_policies now = {.count = 0};
    bool done = true;

    for (size_t i = 0; i < count; i++)
        if (!is_known_tier(changes[i].tier, changes[i].name, error, size))
            return false;
    if (!database_run(store->database, "BEGIN IMMEDIATE", error, size))
        return false;
    if (!load_generation(store, &now, error, size)) {
        sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
        return false;
    }
    *generation = now.generation + 1;
    sqlite3_stmt *statement =
        database_prepare(store->database,
                         "INSERT INTO revisions (tier, name, revision, generation, time, who, text)"
                         " VALUES (?1, ?2, (SELECT coalesce(max(revision), 0) + 1 FROM revisions"
                         "                  WHERE tier = ?1 AND name = ?2), ?3, ?4, ?5, ?6)",
                         error, size);
    done = statement != NULL;
    for (size_t i = 0; i < count && done; i++) {
        done = insert(statement, &changes[i], who, *generation);
        if (!done)
            database_failed(store->database, "cannot be changed", error, size);
    }
    sqlite3_finalize(statement);
    if (done && database_run(store->database, "COMMIT", error, size))
        return true;
    sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
    return false;
}
