#include "daemon/store/policy_store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "temporary_directory.h"
#include "unit_test.h"

static struct policy_store *open_store(void **state)
{
    char error[512] = "";
    struct policy_store *store = policy_store_open(*state, error, sizeof(error));
    assert_string_equal(error, "");
    assert_non_null(store);
    return store;
}

static uint64_t change(struct policy_store *store, const char *name, enum policy_tier tier,
                       const char *text)
{
    const struct policy_change one = {.name = name, .tier = tier, .text = text};
    uint64_t generation = 0;
    char error[512] = "";

    assert_true(policy_store_change(store, &one, 1, "uid 7", &generation, error, sizeof(error)));
    return generation;
}

static struct stored_policies load(struct policy_store *store)
{
    struct stored_policies stored;
    char error[512] = "";
    assert_true(policy_store_load(store, &stored, error, sizeof(error)));
    return stored;
}

static void new_store_is_empty_and_its_owner_s_alone(void **state)
{
    struct policy_store *store = open_store(state);
    struct stored_policies stored = load(store);
    struct stat status;

    assert_int_equal(stored.count, 0);
    assert_int_equal(stored.generation, 0);
    stored_policies_deinit(&stored);
    policy_store_free(store);
    assert_int_equal(stat(temporary_path(state, "policy.db"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void the_mandatory_tier_has_no_way_in(void **state)
{
    struct policy_store *store = open_store(state);
    const struct policy_change mandatory = {
        .name = "fleet", .tier = TIER_MANDATORY, .text = "policy fleet { }"};
    struct stored_policies stored;
    uint64_t generation;
    char error[512] = "";
    sqlite3 *database;

    assert_false(
        policy_store_change(store, &mandatory, 1, "uid 7", &generation, error, sizeof(error)));
    assert_non_null(strstr(error, "`fleet` is said to be of the tier mandatory"));
    stored = load(store);
    assert_int_equal(stored.count, 0);
    stored_policies_deinit(&stored);

    /* Nor around the store: it is not passed over in silence either. */
    (void)change(store, "p", TIER_LOCAL, "policy p { }");
    assert_int_equal(sqlite3_open(temporary_path(state, "policy.db"), &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "UPDATE revisions SET tier = 0", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(database);
    assert_false(policy_store_load(store, &stored, error, sizeof(error)));
    assert_non_null(strstr(error, "`p` is said to be of the tier mandatory"));
    policy_store_free(store);
}

static void newest_revision_is_what_is_active(void **state)
{
    struct policy_store *store = open_store(state);

    assert_int_equal(change(store, "p", TIER_LOCAL, "one"), 1);
    assert_int_equal(change(store, "p", TIER_LOCAL, "two"), 2);
    assert_int_equal(change(store, "p", TIER_VENDOR, "the vendor's"), 3);
    assert_int_equal(change(store, "gone", TIER_LOCAL, "here"), 4);
    assert_int_equal(change(store, "gone", TIER_LOCAL, NULL), 5);
    policy_store_free(store);

    store = open_store(state); /* and it stays, when the daemon does not */
    struct stored_policies stored = load(store);
    assert_int_equal(stored.generation, 5);
    assert_int_equal(stored.count, 2);
    for (size_t i = 0; i < stored.count; i++) {
        const struct stored_policy *policy = &stored.policies[i];
        const bool local = policy->tier == TIER_LOCAL;
        assert_string_equal(policy->name, "p");
        assert_string_equal(policy->text, local ? "two" : "the vendor's");
        assert_int_equal(policy->revision, local ? 2 : 1);
        assert_string_equal(policy->who, "uid 7");
    }
    stored_policies_deinit(&stored);
    policy_store_free(store);
}

static void every_generation_can_be_read_beside_the_store(void **state)
{
    struct policy_store *store = open_store(state);
    static const struct {
        uint64_t generation;
        const char *text; /* of local/p */
        size_t count;
    } generations[] = {{1, "one", 1}, {2, "two", 1}, {3, "two", 2}, {4, NULL, 1}, {0, "new", 2}};
    struct stored_policies stored;
    char error[512] = "";

    change(store, "p", TIER_LOCAL, "one");
    change(store, "p", TIER_LOCAL, "two");
    change(store, "q", TIER_VENDOR, "q");
    change(store, "p", TIER_LOCAL, NULL);
    change(store, "p", TIER_LOCAL, "new");
    for (size_t i = 0; i < sizeof(generations) / sizeof(*generations); i++) {
        const char *found = NULL;
        assert_true(
            policy_store_read(*state, generations[i].generation, &stored, error, sizeof(error)));
        assert_int_equal(stored.count, generations[i].count);
        assert_int_equal(stored.generation,
                         generations[i].generation > 0 ? generations[i].generation : 5);
        for (size_t j = 0; j < stored.count; j++)
            if (strcmp(stored.policies[j].name, "p") == 0)
                found = stored.policies[j].text;
        if (generations[i].text)
            assert_string_equal(found, generations[i].text);
        else
            assert_null(found);
        stored_policies_deinit(&stored);
    }
    policy_store_free(store);
    assert_false(policy_store_read("/nonexistent", 1, &stored, error, sizeof(error)));
    assert_int_equal(stored.count, 0);
}

static void change_that_cannot_be_whole_changes_nothing(void **state)
{
    struct policy_store *store = open_store(state);
    const struct policy_change changes[] = {{.name = "first", .tier = TIER_LOCAL, .text = "x"},
                                            {.name = NULL, .tier = TIER_LOCAL, .text = "x"}};
    uint64_t generation;
    char error[512] = "";

    change(store, "before", TIER_LOCAL, "x");
    assert_false(
        policy_store_change(store, changes, 2, "uid 7", &generation, error, sizeof(error)));
    assert_non_null(strstr(error, "policy.db"));
    struct stored_policies stored = load(store);
    assert_int_equal(stored.count, 1);
    assert_int_equal(stored.generation, 1);
    stored_policies_deinit(&stored);
    assert_int_equal(change(store, "after", TIER_LOCAL, "x"), 2);
    policy_store_free(store);
}

static void run_sql(void **state, const char *sql)
{
    sqlite3 *database;
    assert_int_equal(sqlite3_open(temporary_path(state, "policy.db"), &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

/* Opening fails with these words, and the file is what it was. */
static void assert_refused(void **state, const char *words)
{
    static char before[256 * 1024];
    static char after[sizeof(before)];
    char error[512] = "";
    const int file = open(temporary_path(state, "policy.db"), O_RDONLY);
    const ssize_t size = read(file, before, sizeof(before));

    assert_true(size > 0);
    assert_null(policy_store_open(*state, error, sizeof(error)));
    assert_non_null(strstr(error, words));
    assert_non_null(strstr(error, "policy.db"));
    assert_int_equal(pread(file, after, sizeof(after), 0), size);
    assert_memory_equal(before, after, (size_t)size);
    close(file);
}

static void store_of_a_newer_program_is_refused_and_left_alone(void **state)
{
    struct policy_store *store = open_store(state);
    change(store, "p", TIER_LOCAL, "text");
    policy_store_free(store);
    run_sql(state, "PRAGMA user_version = 2");
    assert_refused(state, "made by a newer Warder");
    run_sql(state, "PRAGMA user_version = 1");
    store = open_store(state);
    struct stored_policies stored = load(store);
    assert_int_equal(stored.count, 1);
    stored_policies_deinit(&stored);
    policy_store_free(store);
}

static void file_that_is_no_database_is_refused_and_left_alone(void **state)
{
    char garbage[4096];
    memset(garbage, 'x', sizeof(garbage));
    temporary_file(state, "policy.db", garbage, sizeof(garbage));
    assert_refused(state, "not a database");
}

static void somebody_else_s_database_is_refused_and_left_alone(void **state)
{
    run_sql(state, "CREATE TABLE theirs (x)");
    /* SQLite notes the journal's mode in the file when it is first written to. */
    run_sql(state, "PRAGMA journal_mode = WAL");
    assert_refused(state, "not Warder's database");
}

static void link_in_its_place_is_not_followed(void **state)
{
    char error[512] = "";
    char target[512];

    snprintf(target, sizeof(target), "%s", temporary_path(state, "elsewhere"));
    assert_int_equal(symlink(target, temporary_path(state, "policy.db")), 0);
    assert_null(policy_store_open(*state, error, sizeof(error)));
    assert_int_not_equal(access(target, F_OK), 0);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, temporary_directory_make, temporary_directory_remove)
    const struct CMUnitTest tests[] = {
        TEST(new_store_is_empty_and_its_owner_s_alone),
        TEST(the_mandatory_tier_has_no_way_in),
        TEST(newest_revision_is_what_is_active),
        TEST(every_generation_can_be_read_beside_the_store),
        TEST(change_that_cannot_be_whole_changes_nothing),
        TEST(store_of_a_newer_program_is_refused_and_left_alone),
        TEST(file_that_is_no_database_is_refused_and_left_alone),
        TEST(somebody_else_s_database_is_refused_and_left_alone),
        TEST(link_in_its_place_is_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
