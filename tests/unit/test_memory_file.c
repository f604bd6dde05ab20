#define _GNU_SOURCE
#include "proto/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit_test.h"

static int file_with(const char *content, int seals)
{
    const int file = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(file >= 0);
    assert_int_equal(write(file, content, strlen(content)), strlen(content));
    assert_int_equal(fcntl(file, F_ADD_SEALS, seals), 0);
    return file;
}

static int read_and_close(int file, size_t size)
{
    char buffer[64];
    size_t length = 0;
    const int result = memory_file_read(file, buffer, size, &length);
    close(file);
    return result;
}

static void content_survives(void **state)
{
    (void)state;
    char buffer[16];
    size_t length = 0;
    const int file = memory_file_new("content", 7);

    assert_true(file >= 0);
    assert_int_equal(fcntl(file, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(memory_file_read(file, buffer, sizeof(buffer), &length), 0);
    assert_int_equal(length, 7);
    assert_memory_equal(buffer, "content", 7);
    close(file);
}

static void new_files_can_not_be_changed(void **state)
{
    (void)state;
    const int file = memory_file_new("content", 7);

    assert_int_equal(pwrite(file, "x", 1, 0), -1);
    assert_int_equal(ftruncate(file, 1), -1);
    assert_int_equal(ftruncate(file, 100), -1);
    assert_int_equal(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE), -1);
    close(file);
}

static void files_without_all_seals_are_refused(void **state)
{
    (void)state;
    const int seals[] = {F_SEAL_WRITE, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL};
    const int all = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

    assert_int_equal(read_and_close(file_with("content", all), 64), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(read_and_close(file_with("content", all & ~seals[i]), 64), -EPERM);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    int ends[2];

    assert_int_equal(read_and_close(open("/dev/zero", O_RDONLY), 64), -EPERM);
    assert_int_equal(read_and_close(open("/proc/self/status", O_RDONLY), 64), -EPERM);
    assert_int_equal(pipe(ends), 0);
    close(ends[1]);
    assert_int_equal(read_and_close(ends[0], 64), -EPERM);
    assert_int_equal(read_and_close(-1, 64), -EPERM);
}

static void empty_and_too_large_files_are_refused(void **state)
{
    (void)state;
    assert_int_equal(read_and_close(memory_file_new("", 0), 64), -EMSGSIZE);
    assert_int_equal(read_and_close(memory_file_new("12345678", 8), 7), -EMSGSIZE);
    assert_int_equal(read_and_close(memory_file_new("12345678", 8), 8), 0);
}

static void place_of_the_descriptor_does_not_matter(void **state)
{
    (void)state;
    const int file = memory_file_new("content", 7);
    char buffer[16];
    size_t length;

    lseek(file, 5, SEEK_SET);
    assert_int_equal(memory_file_read(file, buffer, sizeof(buffer), &length), 0);
    assert_int_equal(length, 7);
    assert_memory_equal(buffer, "content", 7);
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_survives),
        cmocka_unit_test(new_files_can_not_be_changed),
        cmocka_unit_test(files_without_all_seals_are_refused),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(empty_and_too_large_files_are_refused),
        cmocka_unit_test(place_of_the_descriptor_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
