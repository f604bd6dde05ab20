/* What is found out about this host for the checker. */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "temporary_directory.h"
#include "unit_test.h"

#include "host/policy_host.h"

enum { PATH_SIZE = 4096 };

static const char *const nobody[] = {"nobody"};

/* A file of that name and mode in the test's directory, which others may go through. */
static const char *make(void **state, const char *name, mode_t mode)
{
    const char *path = temporary_file(state, name, "", 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static struct file_facts look(const char *path, const char *const *users, size_t count)
{
    struct file_facts facts;
    assert_true(policy_host_look(NULL, path, users, count, &facts));
    return facts;
}

static void path_resolves_as_far_as_it_exists(void **state)
{
    char target[PATH_SIZE];
    char resolved[PATH_SIZE];
    char real[PATH_SIZE];

    (void)snprintf(target, sizeof(target), "%s", make(state, "target", 0600));
    assert_non_null(realpath(target, real));
    assert_int_equal(symlink("target", temporary_path(state, "link")), 0);
    assert_true(
        policy_host_resolve(NULL, temporary_path(state, "link"), resolved, sizeof(resolved)));
    assert_string_equal(resolved, real);
    assert_false(policy_host_resolve(NULL, real, resolved, sizeof(resolved)));
    assert_false(policy_host_resolve(NULL, "/nonexistent/a/b", resolved, sizeof(resolved)));
    assert_false(policy_host_resolve(NULL, temporary_path(state, "link"), resolved, strlen(real)));
}

static void file_that_everybody_can_write_has_a_writer(void **state)
{
    const char *path = make(state, "open", 0666);
    const struct file_facts facts = look(path, nobody, 1);

    assert_string_equal(facts.who, "user nobody");
    assert_string_equal(facts.what, path);
}

static void directory_that_others_can_write_is_as_good_as_the_file(void **state)
{
    char path[PATH_SIZE];
    char directory[PATH_SIZE];

    (void)snprintf(directory, sizeof(directory), "%s", temporary_path(state, "directory"));
    assert_int_equal(mkdir(directory, 0700), 0);
    assert_int_equal(chmod(directory, 0777), 0);
    (void)snprintf(path, sizeof(path), "%.4000s/missing", directory);
    struct file_facts facts = look(path, nobody, 1);
    assert_string_equal(facts.who, "user nobody");
    assert_string_equal(facts.what, directory);

    /* What is there already is replaced by its owner alone, where the directory is sticky. */
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
    facts = look(path, nobody, 1);
    assert_string_equal(facts.what, directory);
    assert_int_equal(chmod(directory, 01777), 0);
    facts = look(path, nobody, 1);
    assert_string_equal(facts.who, "");

    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

static void file_of_its_owner_alone_has_no_other_writer(void **state)
{
    const struct file_facts facts = look(make(state, "own", 0600), nobody, 1);
    assert_string_equal(facts.who, "");
    assert_false(facts.set_id);
}

static void owner_can_write_whatever_the_mode_says(void **state)
{
    struct passwd *account = getpwnam("nobody");
    const char *path = make(state, "given", 0400);

    if (!account || chown(path, account->pw_uid, (gid_t)-1) < 0) {
        print_message("only root can give a file to another user\n");
        skip();
    }
    assert_string_equal(look(path, nobody, 1).who, "user nobody");
    assert_string_equal(look(path, NULL, 0).who, "user nobody"); /* of anyone, the first found */
    const char *const root[] = {"root"};
    assert_string_equal(look(path, root, 1).who, "");
}

static void unknown_user_can_write_what_everybody_can(void **state)
{
    static const char *const unknown[] = {"no-such-user-here"};
    assert_string_equal(look(make(state, "closed", 0600), unknown, 1).who, "");
    assert_string_equal(look(make(state, "open", 0622), unknown, 1).who, "user no-such-user-here");
}

static void set_id_program_is_seen(void **state)
{
    assert_true(look(make(state, "program", 04755), nobody, 1).set_id);
    assert_true(look(make(state, "group", 02755), nobody, 1).set_id);
    assert_false(look(make(state, "plain", 0755), nobody, 1).set_id);
}

static void interpreters_are_found_by_their_names(void **state)
{
    static const char *const names[] = {"python3.30", "python3.31", "python3.30-config",
                                        "python3.32", "python3.",   "python3.x"};
    const uint32_t own = policy_host_pythons(NULL);
    char path[PATH_SIZE];

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        (void)make(state, names[i], 0755);
    (void)snprintf(path, sizeof(path), "/nonexistent::%s", (const char *)*state);
    assert_int_equal(policy_host_pythons(path), own | 1U << 30 | 1U << 31);
}

static void names_of_the_asking_process_are_left_as_they_are(void **state)
{
    static const char *const names[] = {"/proc/self", "/proc/self/status", "/proc/thread-self/fd",
                                        "/dev/fd/1", "/dev/stdin"};
    char resolved[PATH_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_false(policy_host_resolve(NULL, names[i], resolved, sizeof(resolved)));
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, temporary_directory_make, temporary_directory_remove)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_the_asking_process_are_left_as_they_are),
        TEST(path_resolves_as_far_as_it_exists),
        TEST(file_that_everybody_can_write_has_a_writer),
        TEST(directory_that_others_can_write_is_as_good_as_the_file),
        TEST(file_of_its_owner_alone_has_no_other_writer),
        TEST(owner_can_write_whatever_the_mode_says),
        TEST(unknown_user_can_write_what_everybody_can),
        TEST(set_id_program_is_seen),
        TEST(interpreters_are_found_by_their_names),
    };
    return cmocka_run_group_tests_name("policy_host", tests, NULL, NULL);
}
