#define _GNU_SOURCE
#include "proto/record_ring.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit_test.h"

struct both {
    struct record_ring *daemon;
    struct record_ring *hook;
    uint64_t read;
    unsigned char copied[RECORD_RING_BYTES];
    size_t size;
};

static void open_both(struct both *both)
{
    int file;

    memset(both, 0, sizeof(*both));
    both->daemon = record_ring_new(&file);
    assert_non_null(both->daemon);
    assert_int_equal(fcntl(file, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    both->hook = record_ring_map(file);
    assert_non_null(both->hook);
    assert_int_equal(ftruncate(file, 10), -1); /* the daemon would end with SIGBUS */
    close(file);
}

static void close_both(struct both *both)
{
    record_ring_unmap(both->daemon);
    record_ring_unmap(both->hook);
}

static bool take(struct both *both)
{
    return record_ring_take(both->daemon, &both->read, both->copied, &both->size);
}

static void records_come_out_as_they_went_in_however_often_it_goes_round(void **state)
{
    struct both both;
    unsigned char record[3000];
    size_t expected = 0;
    size_t written = 0;
    bool first;

    (void)state;
    open_both(&both);
    for (int round = 0; round < 200; round++) {
        for (;; written++) {
            const size_t size = 1 + written * 37 % sizeof(record);
            memset(record, (int)(written & 0xff), size);
            if (!record_ring_put(both.hook, record, size, &first))
                break;
        }
        assert_true(take(&both));
        for (size_t at = 0; at < both.size; expected++) {
            size_t length;
            size_t step;
            const unsigned char *one =
                record_ring_next(both.copied + at, both.size - at, &length, &step);
            assert_non_null(one);
            assert_int_equal(length, 1 + expected * 37 % sizeof(record));
            assert_int_equal(one[0], expected & 0xff);
            assert_int_equal(one[length - 1], expected & 0xff);
            at += step;
        }
        assert_int_equal(expected, written);
    }
    assert_true(written > 3000);
    close_both(&both);
}

static void only_the_first_record_behind_what_was_read_is_news(void **state)
{
    struct both both;
    bool first;

    (void)state;
    open_both(&both);
    for (int round = 0; round < 3; round++) {
        assert_true(record_ring_put(both.hook, "a", 1, &first));
        assert_true(first);
        assert_true(record_ring_put(both.hook, "b", 1, &first));
        assert_false(first);
        assert_true(take(&both));
    }
    close_both(&both);
}

static void what_has_no_room_is_refused(void **state)
{
    static unsigned char large[RECORD_RING_RECORD_MAX + 1];
    struct both both;
    bool first;

    (void)state;
    open_both(&both);
    assert_false(record_ring_put(both.hook, large, sizeof(large), &first));
    assert_false(record_ring_put(both.hook, large, 0, &first));
    for (int i = 0; i < RECORD_RING_BYTES / RECORD_RING_RECORD_MAX - 1; i++)
        assert_true(record_ring_put(both.hook, large, RECORD_RING_RECORD_MAX, &first));
    assert_false(record_ring_put(both.hook, large, RECORD_RING_RECORD_MAX, &first));
    assert_true(take(&both));
    assert_true(record_ring_put(both.hook, large, RECORD_RING_RECORD_MAX, &first));
    close_both(&both);
}

static void writer_that_says_what_cannot_be_is_not_believed(void **state)
{
    static const uint64_t said[] = {RECORD_RING_BYTES + 1, UINT64_MAX, UINT64_C(1) << 63};
    struct both both;

    (void)state;
    for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
        open_both(&both);
        both.hook->written = said[i];
        assert_false(take(&both));
        assert_int_equal(both.size, 0);
        /* What it says of the reader is nothing to the reader. */
        both.hook->written = 4;
        both.hook->read = UINT64_MAX;
        assert_true(take(&both));
        close_both(&both);
    }
}

static void lengths_that_go_beyond_what_is_there_are_cut(void **state)
{
    unsigned char bytes[64] = {0};
    size_t length;
    size_t step;

    (void)state;
    for (uint32_t said = 0; said < 200; said++) {
        memcpy(bytes, &said, sizeof(said));
        const bool fits = said > 0 && said <= sizeof(bytes) - sizeof(said);
        assert_int_equal(record_ring_next(bytes, sizeof(bytes), &length, &step) != NULL, fits);
        if (fits)
            assert_true(step <= sizeof(bytes));
    }
    memset(bytes, 0xff, sizeof(bytes));
    assert_null(record_ring_next(bytes, sizeof(bytes), &length, &step));
    assert_null(record_ring_next(bytes, 3, &length, &step));
    assert_null(record_ring_next(bytes, 0, &length, &step));
}

static void files_that_could_change_their_size_are_no_rings(void **state)
{
    (void)state;
    const int file = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(file, RECORD_RING_SIZE), 0);
    assert_null(record_ring_map(file));
    assert_int_equal(fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    assert_null(record_ring_map(file));
    assert_int_equal(fcntl(file, F_ADD_SEALS, F_SEAL_SEAL), 0);
    struct record_ring *ring = record_ring_map(file);
    assert_non_null(ring);
    record_ring_unmap(ring);
    close(file);
    assert_null(record_ring_map(-1));
}

static void forked_child_does_not_have_the_ring(void **state)
{
    struct both both;
    int status = 0;

    (void)state;
    open_both(&both);
    const pid_t child = fork();
    if (child == 0) {
        unsigned char there[RECORD_RING_SIZE / 4096];
        _exit(mincore(both.hook, RECORD_RING_SIZE, there) == 0 ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close_both(&both);
}

static void nothing_need_be_said_while_somebody_looks(void **state)
{
    struct both both;
    bool first;

    (void)state;
    open_both(&both);
    assert_true(record_ring_put(both.hook, "a", 1, &first));
    assert_true(first);
    record_ring_watch(both.daemon, true);
    assert_true(take(&both));
    assert_true(record_ring_put(both.hook, "b", 1, &first));
    assert_false(first);
    record_ring_watch(both.daemon, false);
    assert_true(take(&both)); /* once more, and what was not said is there */
    assert_int_equal(both.size, sizeof(uint32_t) + 1);
    assert_true(record_ring_put(both.hook, "c", 1, &first));
    assert_true(first);
    close_both(&both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_need_be_said_while_somebody_looks),
        cmocka_unit_test(records_come_out_as_they_went_in_however_often_it_goes_round),
        cmocka_unit_test(only_the_first_record_behind_what_was_read_is_news),
        cmocka_unit_test(what_has_no_room_is_refused),
        cmocka_unit_test(writer_that_says_what_cannot_be_is_not_believed),
        cmocka_unit_test(lengths_that_go_beyond_what_is_there_are_cut),
        cmocka_unit_test(files_that_could_change_their_size_are_no_rings),
        cmocka_unit_test(forked_child_does_not_have_the_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
