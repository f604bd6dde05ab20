/* What the kernel opens to start a program, read off files that may be anything. */
#define _GNU_SOURCE
#include <elf.h>
#include <limits.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "client/floor/program_needs.h"
#include "tests/unit/temporary_directory.h"

static const char *need_of(void **state, const void *bytes, size_t size)
{
    static char need[PATH_MAX];
    const char *path = temporary_file(state, "program", bytes, size);
    return program_need(path, need, sizeof(need)) ? need : NULL;
}

static void scripts_need_what_their_first_line_names(void **state)
{
    static const struct {
        const char *text;
        const char *need;
    } scripts[] = {
        {"#!/bin/sh\n", "/bin/sh"},
        {"#! \t/usr/bin/env python3\nx", "/usr/bin/env"},
        {"#!/bin/sh", "/bin/sh"},
        {"#!/bin/sh -e", "/bin/sh"},
        {"#!\n/bin/sh\n", NULL},
        {"#!", NULL},
        {"#! ", NULL},
        {"#", NULL},
        {"", NULL},
        {"/bin/sh\n", NULL},
    };

    for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
        const char *need = need_of(state, scripts[i].text, strlen(scripts[i].text));
        if (!scripts[i].need)
            assert_null(need);
        else
            assert_string_equal(need, scripts[i].need);
    }
}

struct executable {
    ElfW(Ehdr) head;
    ElfW(Phdr) parts[2];
    char loader[16];
};

static struct executable good_executable(void)
{
    struct executable executable = {
        .head = {.e_phoff = offsetof(struct executable, parts),
                 .e_phentsize = sizeof(ElfW(Phdr)),
                 .e_phnum = 2},
        .parts = {{.p_type = PT_LOAD},
                  {.p_type = PT_INTERP,
                   .p_offset = offsetof(struct executable, loader),
                   .p_filesz = 11}},
        .loader = "/lib/ld.so",
    };
    memcpy(executable.head.e_ident, ELFMAG, SELFMAG);
    return executable;
}

static void executables_need_their_loader(void **state)
{
    struct executable executable = good_executable();

    assert_string_equal(need_of(state, &executable, sizeof(executable)), "/lib/ld.so");
    executable.parts[1].p_type = PT_NULL; /* a static one */
    assert_null(need_of(state, &executable, sizeof(executable)));
}

static void broken_executables_need_nothing(void **state)
{
    for (int i = 0; i < 10; i++) {
        struct executable executable = good_executable();
        size_t size = sizeof(executable);
        switch (i) {
        case 0:
            executable.head.e_phoff = UINTPTR_MAX;
            break;
        case 1:
            executable.head.e_phoff = INT64_MAX - 3;
            break;
        case 2:
            executable.head.e_phentsize = 1;
            break;
        case 3:
            executable.head.e_phnum = 1;
            break;
        case 4:
            executable.parts[1].p_filesz = UINTPTR_MAX;
            break;
        case 5:
            executable.parts[1].p_filesz = PATH_MAX + 1;
            break;
        case 6:
            executable.parts[1].p_filesz = 1;
            break;
        case 7:
            executable.parts[1].p_filesz = 10; /* without its end */
            break;
        case 8:
            executable.parts[1].p_offset = UINTPTR_MAX;
            break;
        default:
            size = offsetof(struct executable, loader);
            break;
        }
        assert_null(need_of(state, &executable, size));
    }
}

static void what_is_no_file_needs_nothing_and_nobody_waits_for_it(void **state)
{
    char need[PATH_MAX];
    const char *fifo = temporary_path(state, "fifo");

    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_false(program_need(fifo, need, sizeof(need)));
    assert_false(program_need("/nonexistent", need, sizeof(need)));
    assert_false(program_need("/", need, sizeof(need)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(scripts_need_what_their_first_line_names,
                                        temporary_directory_make, temporary_directory_remove),
        cmocka_unit_test_setup_teardown(executables_need_their_loader, temporary_directory_make,
                                        temporary_directory_remove),
        cmocka_unit_test_setup_teardown(broken_executables_need_nothing, temporary_directory_make,
                                        temporary_directory_remove),
        cmocka_unit_test_setup_teardown(what_is_no_file_needs_nothing_and_nobody_waits_for_it,
                                        temporary_directory_make, temporary_directory_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
