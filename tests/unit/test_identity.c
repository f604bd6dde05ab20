#include "daemon/session/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit_test.h"

static void assert_unit(const char *cgroup, const char *expected)
{
    char *unit = identity_unit(cgroup);

    if (expected)
        assert_string_equal(unit, expected);
    else
        assert_null(unit);
    free(unit);
}

static void unit_is_the_one_that_the_host_s_manager_made(void **state)
{
    (void)state;
    assert_unit("/system.slice/media.service", "media.service");
    assert_unit("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service");
    assert_unit("/user.slice/user-1000.slice/session-3.scope", "session-3.scope");
    assert_unit("/init.scope", "init.scope");
    assert_unit("media.service", "media.service");
}

/* Whoever has a subtree delegated to him can make any name below it. */
static void unit_is_none_that_was_made_below_another(void **state)
{
    (void)state;
    assert_unit("/system.slice/grader.service/media.service", "grader.service");
    assert_unit("/system.slice/grader.service/x/system.slice/media.service", "grader.service");
    assert_unit("/user.slice/user-1000.slice/user@1000.service/app.slice/media.service",
                "user@1000.service");
    assert_unit("/docker/0123/system.slice/media.service", NULL);
    assert_unit("/../media.service", NULL);
}

static void unit_is_none_where_there_is_none(void **state)
{
    (void)state;
    assert_unit("", NULL);
    assert_unit("/", NULL);
    assert_unit("//", NULL);
    assert_unit("/system.slice", NULL);
    assert_unit("/system.slice/", NULL);
    assert_unit("/.service", NULL);
    assert_unit("/lxc/a", NULL);
}

static void process_is_known_by_its_number_and_its_start(void **state)
{
    uint64_t start = 0;
    pid_t parent = -1;

    (void)state;
    assert_true(identity_start_time(getpid(), &start));
    assert_true(start > 0);
    assert_true(identity_parent(getpid(), &parent));
    assert_int_equal(parent, getppid());
    assert_false(identity_start_time(0, &start));
    assert_false(identity_parent(-1, &parent));
}

static void process_that_has_ended_has_nobody_above_it(void **state)
{
    siginfo_t info;
    uint64_t start;
    pid_t parent;

    (void)state;
    const pid_t child = fork();
    if (child == 0)
        _exit(0);
    assert_true(child > 0);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_true(identity_start_time(child, &start)); /* its number is not another's yet */
    assert_false(identity_parent(child, &parent));
    assert_int_equal(errno, ESRCH);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void groups_of_a_peer_are_the_socket_s(void **state)
{
    struct identity identity;
    struct identity_facts facts;
    struct peer_groups groups;
    int sockets[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
    identity_peer_groups(sockets[0], &groups);
    assert_int_equal(groups.error, 0);
    assert_int_equal(groups.count, getgroups(0, NULL));
    assert_true(identity_of_peer(sockets[0], &identity));
    close(sockets[0]);
    close(sockets[1]);
    groups.count = 2;
    groups.numbers[0] = 0;
    groups.numbers[1] = 54321;
    assert_true(identity_learn(&identity, &groups, &facts));
    assert_true(facts.group_count >= 2);
    assert_string_equal(facts.groups[0], "root");
    assert_string_equal(facts.groups[1], "54321");
    identity_facts_deinit(&facts);
    groups.count = IDENTITY_GROUPS_MAX; /* with the process's own, one too many */
    assert_false(identity_learn(&identity, &groups, &facts));
    assert_non_null(strstr(facts.error, "more groups"));
    groups = (struct peer_groups){.error = EIO};
    assert_false(identity_learn(&identity, &groups, &facts));
    assert_non_null(strstr(facts.error, strerror(EIO)));
    groups.error = ENOPROTOOPT; /* a kernel before 4.13: by number */
    assert_true(identity_learn(&identity, &groups, &facts));
    identity_facts_deinit(&facts);
    identity_deinit(&identity);
    identity_peer_groups(-1, &groups);
    assert_int_equal(groups.error, EBADF);
}

/* What look-ups are to fail with; 0: they do what they do. */
static struct {
    int user;
    int group;
    int file;
    const char *path; /* end of the name of the file */
} faults;

/* The linker gives them their names. NOLINTBEGIN(bugprone-reserved-identifier) */
int __real_getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size,
                      struct passwd **found);
int __wrap_getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size,
                      struct passwd **found);
int __real_getgrgid_r(gid_t gid, struct group *entry, char *buffer, size_t size,
                      struct group **found);
int __wrap_getgrgid_r(gid_t gid, struct group *entry, char *buffer, size_t size,
                      struct group **found);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
/* NOLINTEND(bugprone-reserved-identifier) */

int __wrap_getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size,
                      struct passwd **found)
{
    if (!faults.user)
        return __real_getpwuid_r(uid, entry, buffer, size, found);
    *found = NULL;
    return faults.user;
}

int __wrap_getgrgid_r(gid_t gid, struct group *entry, char *buffer, size_t size,
                      struct group **found)
{
    if (!faults.group)
        return __real_getgrgid_r(gid, entry, buffer, size, found);
    *found = NULL;
    return faults.group;
}

int __wrap_open(const char *path, int flags, ...)
{
    const size_t length = strlen(path);
    const size_t end = faults.path ? strlen(faults.path) : 0;
    va_list list;

    va_start(list, flags);
    const int mode = flags & O_CREAT ? va_arg(list, int) : 0;
    va_end(list);
    if (faults.file && length >= end && strcmp(path + length - end, faults.path) == 0) {
        errno = faults.file;
        return -1;
    }
    return __real_open(path, flags, mode);
}

/* What is learned of this process; the error where nothing is. */
static bool learn(struct identity_facts *facts)
{
    struct identity identity;

    assert_true(identity_of_sender(getpid(), getuid(), getgid(), &identity));
    const bool learned = identity_learn(&identity, NULL, facts);
    identity_deinit(&identity);
    return learned;
}

static void assert_refused(const char *words)
{
    struct identity_facts facts;

    assert_false(learn(&facts));
    assert_non_null(strstr(facts.error, words));
    assert_null(facts.user);
}

static void process_is_refused_if_anything_of_it_cannot_be_looked_up(void **state)
{
    static const int errors[] = {EIO, EMFILE, ENOMEM, ERANGE, ENOENT};
    static const char *const files[] = {"/stat", "/status", "/cgroup"};
    struct identity identity;
    struct identity_facts facts;
    char path[64];

    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
        faults.user = errors[i];
        assert_refused("the user");
        faults.user = 0;
        faults.group = errors[i];
        assert_refused("the group");
        faults.group = 0;
    }
    assert_true(identity_of_sender(getpid(), getuid(), getgid(), &identity));
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        faults.path = files[i];
        faults.file = EMFILE;
        assert_false(identity_learn(&identity, NULL, &facts));
        assert_non_null(strstr(facts.error, strerror(EMFILE)));
        faults.file = 0;
    }
    /* A process further up that cannot be read is not one that is not there. */
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)getppid());
    faults.path = path;
    faults.file = EMFILE;
    assert_false(identity_learn(&identity, NULL, &facts));
    assert_non_null(strstr(facts.error, "the processes above this one"));
    faults.file = 0;
    faults.path = NULL;
    identity_deinit(&identity);
    assert_true(learn(&facts));
    identity_facts_deinit(&facts);
}

static void groups_of_who_is_no_peer_are_those_of_the_process(void **state)
{
    struct identity_facts facts;
    gid_t numbers[IDENTITY_GROUPS_MAX];
    const int count = getgroups(IDENTITY_GROUPS_MAX, numbers);

    (void)state;
    assert_true(count >= 0);
    assert_true(learn(&facts));
    assert_true(facts.start_time > 0);
    assert_true(facts.ancestor_count > 0);
    assert_int_equal(facts.ancestors[0], getppid());
    for (int i = 0; i < count; i++) {
        const struct group *entry = getgrgid(numbers[i]);
        bool found = !entry;
        for (size_t j = 0; entry && j < facts.group_count; j++)
            found |= strcmp(facts.groups[j], entry->gr_name) == 0;
        assert_true(found);
    }
    identity_facts_deinit(&facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unit_is_the_one_that_the_host_s_manager_made),
        cmocka_unit_test(unit_is_none_that_was_made_below_another),
        cmocka_unit_test(unit_is_none_where_there_is_none),
        cmocka_unit_test(process_is_known_by_its_number_and_its_start),
        cmocka_unit_test(process_that_has_ended_has_nobody_above_it),
        cmocka_unit_test(groups_of_a_peer_are_the_socket_s),
        cmocka_unit_test(process_is_refused_if_anything_of_it_cannot_be_looked_up),
        cmocka_unit_test(groups_of_who_is_no_peer_are_those_of_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
