/* The powers of root that a floor takes, in a child: what is dropped stays dropped. */
#define _GNU_SOURCE
#include "client/floor/floor_capabilities.h"

#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit_test.h"

/* CapEff, or another line of its kind, of the calling process. */
static uint64_t capabilities(const char *name)
{
    char line[128];
    uint64_t found = UINT64_MAX;
    FILE *status = fopen("/proc/self/status", "re");

    while (status && fgets(line, sizeof(line), status))
        if (strncmp(line, name, strlen(name)) == 0)
            found = strtoull(line + strlen(name), NULL, 16);
    if (status)
        fclose(status);
    return found;
}

static void look_for_set_id_on_what_is_written(bool wanted)
{
    char path[] = "/tmp/warder-set-id-XXXXXX";
    const int file = mkstemp(path);
    struct stat status;

    if (file < 0 || unlink(path) < 0 || fchmod(file, 04755) < 0 || write(file, "x", 1) != 1 ||
        fstat(file, &status) < 0 || ((status.st_mode & S_ISUID) != 0) != wanted)
        _exit(wanted ? 10 : 11);
}

/* Exits 0 where all is as it should be, as another program at last. */
static void look_at_what_is_left(bool writes_held)
{
    static const char *const sets[] = {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:"};
    const uint64_t gone = floor_dropped_capabilities(writes_held);
    const uint64_t before = capabilities("CapEff:");
    char wanted[128];

    if (floor_drop_capabilities(writes_held) != 0)
        _exit(2);
    for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
        if (capabilities(sets[i]) & gone)
            _exit(3);
    const uint64_t left = capabilities("CapEff:");
    if (left != (before & ~gone))
        _exit(4);
    if (floor_drop_capabilities(writes_held) != 0) /* that of a program that is started on top */
        _exit(5);
    snprintf(wanted, sizeof(wanted), "grep -qi 'CapEff:.*%016llx' /proc/self/status",
             (unsigned long long)left);
    execl("/bin/sh", "sh", "-c", wanted, (char *)NULL);
    _exit(6);
}

static void look_with_writes(void)
{
    look_at_what_is_left(true);
}

static void look_without_writes(void)
{
    look_at_what_is_left(false);
}

/* What the first floor left and the second took stays away, though the first took what drops it
 * from the bounding set. */
static void take_writes_on_top(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0 || floor_drop_capabilities(false) != 0)
        _exit(2);
    look_for_set_id_on_what_is_written(true);
    if (floor_drop_capabilities(true) != 0)
        _exit(3);
    look_for_set_id_on_what_is_written(false);
    execl("/bin/sh", "sh", "-c",
          "f=$(mktemp) && chmod 4755 $f && echo x >$f && test ! -u $f && rm $f", (char *)NULL);
    _exit(4);
}

static void assert_ends_well(void (*function)(void))
{
    int status;

    if (geteuid() != 0) {
        print_message("not root: there are no powers to take\n");
        skip();
    }
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        function();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void powers_are_gone_for_good_and_others_stay(void **state)
{
    (void)state;
    assert_ends_well(look_without_writes);
    assert_ends_well(look_with_writes);
}

static void what_root_writes_loses_set_id_bits_where_writes_are_held(void **state)
{
    (void)state;
    assert_ends_well(take_writes_on_top);
}

static void what_a_service_needs_is_not_among_them(void **state)
{
    static const int kept[] = {CAP_SETUID, CAP_SETGID,           CAP_CHOWN, CAP_DAC_OVERRIDE,
                               CAP_FOWNER, CAP_NET_BIND_SERVICE, CAP_KILL};
    static const int taken[] = {CAP_SYS_ADMIN, CAP_SYS_RAWIO,  CAP_SYS_NICE, CAP_NET_ADMIN,
                                CAP_MKNOD,     CAP_SYS_MODULE, CAP_BPF,      CAP_SETPCAP};
    const uint64_t gone = floor_dropped_capabilities(true);

    (void)state;
    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        assert_false(gone >> kept[i] & 1);
    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
        assert_true(gone >> taken[i] & 1);
    assert_int_equal(floor_dropped_capabilities(false), gone & ~(UINT64_C(1) << CAP_FSETID));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(powers_are_gone_for_good_and_others_stay),
        cmocka_unit_test(what_root_writes_loses_set_id_bits_where_writes_are_held),
        cmocka_unit_test(what_a_service_needs_is_not_among_them),
    };
    return cmocka_run_group_tests_name("floor_capabilities", tests, NULL, NULL);
}
