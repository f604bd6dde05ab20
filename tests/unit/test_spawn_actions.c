#define _GNU_SOURCE
#include "tests/unit/unit_test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/hook/spawn_actions.h"

static posix_spawn_file_actions_t actions;

/* The actions in a child, and what it finds then. */
static int in_child(bool (*holds)(void))
{
    int status = 0;
    const pid_t child = fork();

    if (child == 0) {
        const int error = spawn_actions_do(&actions);
        _exit(error ? error : holds() ? 0 : 200);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    posix_spawn_file_actions_destroy(&actions);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool is_null_device(int descriptor)
{
    struct stat status;
    struct stat null;
    return fstat(descriptor, &status) == 0 && stat("/dev/null", &null) == 0 &&
           status.st_rdev == null.st_rdev;
}

static bool all_is_done(void)
{
    char directory[64];
    return is_null_device(21) && is_null_device(23) && fcntl(22, F_GETFD) < 0 &&
           !(fcntl(23, F_GETFD) & FD_CLOEXEC) && getcwd(directory, sizeof(directory)) &&
           directory[1] == '\0';
}

static void this_libcs_actions_are_known(void **state)
{
    (void)state;
    struct rlimit before;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit few = {.rlim_cur = 4, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    const bool known = spawn_actions_are_known();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(known);
    assert_true(spawn_actions_are_known());
}

static void actions_are_done_in_order(void **state)
{
    (void)state;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 21, "/dev/null", O_RDONLY | O_CLOEXEC, 0);
    posix_spawn_file_actions_adddup2(&actions, 21, 22);
    posix_spawn_file_actions_adddup2(&actions, 22, 23);
    posix_spawn_file_actions_addclose(&actions, 22);
    posix_spawn_file_actions_addclose(&actions, 22); /* once more: no error */
    posix_spawn_file_actions_adddup2(&actions, 23, 23);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    assert_int_equal(in_child(all_is_done), 0);
}

static bool nothing_is_open_above(void)
{
    return fcntl(19, F_GETFD) == 0 && fcntl(20, F_GETFD) < 0 && fcntl(900, F_GETFD) < 0;
}

static void descriptors_from_a_number_on_are_closed(void **state)
{
    (void)state;
    const int null = open("/dev/null", O_RDONLY);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, null, 19);
    posix_spawn_file_actions_adddup2(&actions, null, 20);
    posix_spawn_file_actions_adddup2(&actions, null, 900);
    posix_spawn_file_actions_addclosefrom_np(&actions, 20);
    assert_int_equal(in_child(nothing_is_open_above), 0);
    close(null);
}

static bool holds(void)
{
    return true;
}

static void an_action_that_fails_ends_the_row(void **state)
{
    (void)state;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 5, "/no/such/file", O_RDONLY, 0);
    assert_int_equal(in_child(holds), ENOENT);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, 1000, 5);
    assert_int_equal(in_child(holds), EBADF);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, "/dev/null");
    assert_int_equal(in_child(holds), ENOTDIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_libcs_actions_are_known),
        cmocka_unit_test(actions_are_done_in_order),
        cmocka_unit_test(descriptors_from_a_number_on_are_closed),
        cmocka_unit_test(an_action_that_fails_ends_the_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
