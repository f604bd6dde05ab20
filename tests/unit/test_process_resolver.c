#define _GNU_SOURCE
#include "tests/unit/unit_test.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/hook/process_resolver.h"
#include "tests/unit/temporary_directory.h"

/* Below a directory of the test's: `file`, `directory/inner`, and links. */
static char base[PATH_MAX];

static const char *below(const char *name)
{
    static char path[2 * PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", base, name);
    return path;
}

static int make(void **state)
{
    if (temporary_directory_make(state) != 0 || !realpath(*state, base))
        return -1;
    temporary_file(state, "file", "x", 1);
    const int file = mkdir(below("directory"), 0700) == 0
                         ? open(below("directory/inner"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)
                         : -1;
    if (file < 0)
        return -1;
    close(file);
    return symlink("file", below("to-file")) == 0 && symlink("directory", below("to-dir")) == 0 &&
                   symlink("nothing", below("to-nothing")) == 0 &&
                   symlink("loop", below("loop")) == 0
               ? 0
               : -1;
}

static int clean(void **state)
{
    static const char *const names[] = {"to-file", "to-dir", "to-nothing", "loop",
                                        "directory/inner"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        unlink(below(names[i]));
    rmdir(below("directory"));
    return temporary_directory_remove(state);
}

/* What a path below the directory leads to, below it too; NULL: nobody knows. */
static void assert_leads(const char *name, bool follow, const char *to)
{
    char found[PATH_MAX];
    const bool known = process_resolve_path(below(name), follow, found, sizeof(found));

    assert_int_equal(known, to != NULL);
    if (to)
        assert_string_equal(found, below(to));
}

static void what_has_no_link_on_the_way_is_what_it_is_called(void **state)
{
    (void)state;
    for (int follow = 0; follow < 2; follow++) {
        assert_leads("file", follow, "file");
        assert_leads("directory", follow, "directory");
        assert_leads("directory/", follow, "directory");
        assert_leads("directory//inner", follow, "directory/inner");
        assert_leads("directory/./inner", follow, "directory/inner");
        assert_leads("directory/../file", follow, "file");
        assert_leads("nothing", follow, "nothing");
        assert_leads("nothing/at/all", follow, "nothing/at/all");
        assert_leads("file/", follow, "file");
        assert_leads("file/behind", follow, "file/behind");
    }
}

static void links_are_followed(void **state)
{
    (void)state;
    assert_leads("to-file", true, "file");
    assert_leads("to-file", false, "to-file");
    assert_leads("to-nothing", true, "nothing");
    assert_leads("to-nothing", false, "to-nothing");
    assert_leads("loop", true, NULL);
    assert_leads("loop", false, "loop");
    for (int follow = 0; follow < 2; follow++) {
        assert_leads("to-dir/inner", follow, "directory/inner");
        assert_leads("to-dir/../file", follow, "file");
        assert_leads("to-dir/nothing", follow, "directory/nothing");
        assert_leads("loop/inner", follow, NULL);
    }
}

/* Which may be a directory by the time that the path is opened. */
static void links_behind_the_parent_of_what_is_none_are_followed(void **state)
{
    (void)state;
    assert_leads("nothing/../to-file", true, "file");
    assert_leads("to-nothing/../to-dir/inner", true, "directory/inner");
    assert_leads("to-dir/nothing/../../to-file", true, "file");
    assert_leads("file/../to-file", true, "file");
    assert_leads("file/../to-dir/inner", true, "directory/inner");
    assert_leads("directory/inner/../../to-file", true, "file");
}

static void root_and_long_paths(void **state)
{
    (void)state;
    char found[PATH_MAX];
    char longest[PATH_MAX];

    assert_true(process_resolve_path("/", true, found, sizeof(found)));
    assert_string_equal(found, "/");
    assert_true(process_resolve_path("//..//", true, found, sizeof(found)));
    assert_string_equal(found, "/");
    assert_false(process_resolve_path("file", true, found, sizeof(found)));
    assert_false(process_resolve_path("", true, found, sizeof(found)));

    /* PATH_MAX counts the end: the kernel takes one byte less, and no separator behind it. */
    const size_t length = (size_t)snprintf(longest, sizeof(longest), "%s", base);
    memset(longest + length, '/', sizeof(longest) - length);
    memcpy(longest + sizeof(longest) - sizeof("file"), "file", sizeof("file"));
    assert_true(process_resolve_path(longest, true, found, sizeof(found)));
    assert_string_equal(found, below("file"));
    memcpy(longest + sizeof(longest) - sizeof("to-file"), "to-file", sizeof("to-file"));
    assert_true(process_resolve_path(longest, true, found, sizeof(found)));
    assert_string_equal(found, below("file"));
}

static void what_does_not_fit_is_not_known(void **state)
{
    (void)state;
    char found[PATH_MAX];
    const size_t length = strlen(below("file"));

    assert_false(process_resolve_path(below("file"), true, found, length));
    assert_true(process_resolve_path(below("file"), true, found, length + 1));
}

static void no_descriptor_stays_open(void **state)
{
    (void)state;
    char found[PATH_MAX];
    const int before = open("/dev/null", O_RDONLY | O_CLOEXEC);

    close(before);
    process_resolve_path(below("file"), true, found, sizeof(found));
    process_resolve_path(below("file"), false, found, sizeof(found));
    process_resolve_path(below("directory"), true, found, sizeof(found));
    process_resolve_path(below("to-dir/inner"), true, found, sizeof(found));
    const int after = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(after);
    assert_int_equal(after, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_no_link_on_the_way_is_what_it_is_called),
        cmocka_unit_test(links_are_followed),
        cmocka_unit_test(links_behind_the_parent_of_what_is_none_are_followed),
        cmocka_unit_test(root_and_long_paths),
        cmocka_unit_test(what_does_not_fit_is_not_known),
        cmocka_unit_test(no_descriptor_stays_open),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
