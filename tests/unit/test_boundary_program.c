#define _GNU_SOURCE
#include "tests/unit/unit_test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/hook/boundary_program.h"
#include "client/hook/process_resolver.h"
#include "tests/unit/temporary_directory.h"

static unsigned char memory[256 * 1024];
static struct arena arena;

static int look(struct program *program, const char *path, int flags)
{
    const struct program_name name = {.directory = AT_FDCWD, .path = path, .flags = flags};

    process_resolver_note_root();
    arena_init(&arena, memory, sizeof(memory));
    return program_look(program, &name, &arena);
}

static const char *write_program(void **state, const char *name, const char *text)
{
    const char *path = temporary_file(state, name, text, strlen(text));
    assert_int_equal(chmod(path, 0755), 0);
    return path;
}

static void a_program_is_known_by_the_kernels_name(void **state)
{
    struct program program;
    char link[PATH_MAX];

    snprintf(link, sizeof(link), "%s", temporary_path(state, "link"));
    assert_int_equal(symlink("/proc/self/exe", link), 0);
    assert_int_equal(look(&program, link, 0), 0);
    assert_int_equal(program.count, 1);
    assert_int_equal(program.files[0].kind, PROGRAM_ELF);
    assert_int_equal(program.files[0].reach, REACH_HOOK);
    assert_string_equal(program.files[0].written, link);
    assert_non_null(strstr(program.files[0].name, "test_boundary_program"));
    program_close(&program);
    assert_int_equal(look(&program, link, AT_SYMLINK_NOFOLLOW), -ELOOP);
    assert_int_equal(unlink(link), 0);
}

static void what_could_not_be_started_is_an_error(void **state)
{
    struct program program;

    assert_int_equal(look(&program, temporary_path(state, "absent"), 0), -ENOENT);
    assert_int_equal(look(&program, "/dev/null/x", 0), -ENOTDIR);
    assert_int_equal(look(&program, "/", 0), -EACCES);
    assert_int_equal(look(&program, "/dev/null", 0), -EACCES);
    const char *path = temporary_file(state, "data", "x", 1);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(look(&program, path, 0), -EACCES);
}

static void the_line_of_a_script_is_read_as_the_kernel_does(void **state)
{
    struct program program;

    assert_int_equal(look(&program, write_program(state, "a", "#! /bin/sh  -e  x \nrest"), 0), 0);
    assert_int_equal(program.count, 2);
    assert_string_equal(program.files[1].written, "/bin/sh");
    assert_string_equal(program.arguments[0], "-e  x");
    program_close(&program);
    assert_int_equal(look(&program, write_program(state, "b", "#!/bin/sh"), 0), 0);
    assert_null(program.arguments[0]);
    program_close(&program);
    assert_int_equal(look(&program, write_program(state, "c", "#!\n"), 0), -ENOEXEC);
    assert_int_equal(look(&program, write_program(state, "d", "#!/no/such/file\n"), 0), -ENOENT);
    char text[600] = "#!/";
    memset(text + 3, 'x', sizeof(text) - 4);
    assert_int_equal(look(&program, write_program(state, "e", text), 0), -ENOEXEC);
}

static void scripts_that_lead_to_scripts_end(void **state)
{
    char text[PATH_MAX + 8];
    struct program program;

    snprintf(text, sizeof(text), "#!%s\n", temporary_path(state, "self"));
    assert_int_equal(look(&program, write_program(state, "self", text), 0), -ELOOP);
    assert_int_equal(program.count, 0);
}

static void other_files_are_neither(void **state)
{
    struct program program;

    assert_int_equal(look(&program, write_program(state, "other", "echo x\n"), 0), 0);
    assert_int_equal(program.files[0].kind, PROGRAM_OTHER);
    program_close(&program);
    assert_int_equal(look(&program, write_program(state, "elf", "\177ELF"), 0), 0);
    assert_int_equal(program.files[0].kind, PROGRAM_ELF);
    assert_int_equal(program.files[0].reach, REACH_STATIC);
    program_close(&program);
    const char *path = write_program(state, "rights", "x");
    assert_int_equal(chmod(path, 04755), 0);
    assert_int_equal(look(&program, path, 0), 0);
    assert_int_equal(program.files[0].reach, REACH_SET_ID);
    program_close(&program);
}

static void memory_has_no_name(void **state)
{
    struct program program;
    const int file = memfd_create("/bin/true", MFD_CLOEXEC);
    const struct program_name name = {.directory = file, .path = "", .flags = AT_EMPTY_PATH};

    (void)state;
    assert_true(file >= 0);
    assert_int_equal(fchmod(file, 0755), 0);
    arena_init(&arena, memory, sizeof(memory));
    assert_int_equal(program_look(&program, &name, &arena), 0);
    assert_null(program.files[0].name);
    assert_true(program.files[0].descriptor != file);
    program_close(&program);
    close(file);
}

static void the_loader_is_known_under_any_name(void **state)
{
    struct program program;
#if defined(__x86_64__)
    static const char loader[] = "/lib64/ld-linux-x86-64.so.2";
#else
    static const char loader[] = "/lib/ld-linux-aarch64.so.1";
#endif
    char link[PATH_MAX];

    snprintf(link, sizeof(link), "%s", temporary_path(state, "harmless"));
    assert_int_equal(symlink(loader, link), 0);
    assert_int_equal(look(&program, link, 0), 0);
    assert_true(program.files[0].is_loader);
    program_close(&program);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(look(&program, "/bin/sh", 0), 0);
    assert_false(program.files[0].is_loader);
    program_close(&program);
}

static void another_file_behind_a_name_is_not_the_same(void **state)
{
    struct program first;
    struct program second;
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s", write_program(state, "one", "#!/bin/sh\n"));
    assert_int_equal(look(&first, path, 0), 0);
    const struct program_name name = {.directory = AT_FDCWD, .path = path};
    assert_int_equal(program_look(&second, &name, &arena), 0);
    assert_true(program_is_same(&first, &second));
    program_close(&second);
    assert_int_equal(rename(write_program(state, "two", "#!/bin/sh\n"), path), 0);
    assert_int_equal(program_look(&second, &name, &arena), 0);
    assert_false(program_is_same(&first, &second));
    program_close(&second);
    write_program(state, "one", "#!/bin/true\n"); /* the same file, with another line */
    assert_int_equal(program_look(&second, &name, &arena), 0);
    assert_false(program_is_same(&first, &second));
    program_close(&second);
    program_close(&first);
}

static void a_program_is_seen_where_no_descriptor_is_left(void **state)
{
    struct program program;
    struct rlimit before;
    const char *path = write_program(state, "script", "#!/bin/sh\n");
    const int highest = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {.rlim_cur = (rlim_t)highest, .rlim_max = before.rlim_max};
    process_resolver_note_root();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_true(open("/dev/null", O_RDONLY | O_CLOEXEC) < 0);
    const int error = look(&program, path, 0);
    struct rlimit after;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(error, 0);
    assert_int_equal(after.rlim_cur, none.rlim_cur);
    assert_int_equal(program.count, 2);
    program_close(&program);
    close(highest);
}

static void a_path_is_firm_if_nobody_can_put_another_file_there(void **state)
{
    assert_false(program_path_is_firm(write_program(state, "mine", "x"))); /* below /tmp */
    assert_false(program_path_is_firm("relative"));
    assert_false(program_path_is_firm("/no/such/file"));
    assert_true(program_path_is_firm("/usr/bin/env"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_is_known_by_the_kernels_name),
        cmocka_unit_test(what_could_not_be_started_is_an_error),
        cmocka_unit_test(the_line_of_a_script_is_read_as_the_kernel_does),
        cmocka_unit_test(scripts_that_lead_to_scripts_end),
        cmocka_unit_test(other_files_are_neither),
        cmocka_unit_test(memory_has_no_name),
        cmocka_unit_test(the_loader_is_known_under_any_name),
        cmocka_unit_test(another_file_behind_a_name_is_not_the_same),
        cmocka_unit_test(a_program_is_seen_where_no_descriptor_is_left),
        cmocka_unit_test(a_path_is_firm_if_nobody_can_put_another_file_there),
    };
    return cmocka_run_group_tests(tests, temporary_directory_make, temporary_directory_remove);
}
