#include "daemon/audit/audit_ring.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit_test.h"

enum { SMALL = 64 * 1024 };

/* A record of so many bytes that says its own number and length. */
struct record {
    uint32_t number;
    uint32_t length;
    unsigned char bytes[];
};

static bool add(struct audit_ring *ring, uint32_t number, uint32_t length)
{
    struct record *record = audit_ring_reserve(ring, sizeof(*record) + length);
    if (!record)
        return false;
    *record = (struct record){.number = number, .length = length};
    memset(record->bytes, (int)(number & 0xff), length);
    audit_ring_commit(ring);
    return true;
}

static void check(const struct record *record, uint32_t number)
{
    assert_non_null(record);
    assert_int_equal(record->number, number);
    for (uint32_t i = 0; i < record->length; i++)
        if (record->bytes[i] != (number & 0xff))
            fail_msg("byte %u of record %u is another's", i, number);
}

static void what_is_reserved_is_seen_when_it_is_committed(void **state)
{
    struct audit_ring ring;
    (void)state;

    assert_true(audit_ring_init(&ring, SMALL));
    uint64_t cursor = audit_ring_begin(&ring);
    assert_non_null(audit_ring_reserve(&ring, 100));
    assert_null(audit_ring_next(&ring, &cursor));
    assert_non_null(audit_ring_reserve(&ring, 200)); /* instead */
    audit_ring_commit(&ring);
    assert_non_null(audit_ring_next(&ring, &cursor));
    assert_null(audit_ring_next(&ring, &cursor));
    assert_true(audit_ring_used(&ring) >= 200);
    assert_true(audit_ring_used(&ring) < 300);
    audit_ring_release(&ring, cursor);
    assert_int_equal(audit_ring_used(&ring), 0);
    audit_ring_deinit(&ring);
}

static void full_ring_takes_nothing_and_goes_on_when_there_is_room(void **state)
{
    struct audit_ring ring;
    uint32_t first = 0;
    uint32_t next = 0;
    (void)state;

    assert_true(audit_ring_init(&ring, SMALL));
    for (int round = 0; round < 200; round++) {
        while (add(&ring, next, (next * 37) % 5000))
            next++;
        assert_true(audit_ring_used(&ring) <= SMALL);
        assert_true(audit_ring_used(&ring) > SMALL - 2 * 5100);
        uint64_t cursor = audit_ring_begin(&ring);
        const uint32_t half = first + (next - first) / 2;
        while (first < half)
            check(audit_ring_next(&ring, &cursor), first++);
        audit_ring_release(&ring, cursor);
    }
    assert_true(next > 1000);
    audit_ring_deinit(&ring);
}

static void record_larger_than_a_quarter_is_refused(void **state)
{
    struct audit_ring ring;
    (void)state;

    assert_true(audit_ring_init(&ring, SMALL));
    assert_null(audit_ring_reserve(&ring, SMALL / 4 + 1));
    assert_non_null(audit_ring_reserve(&ring, SMALL / 4));
    audit_ring_deinit(&ring);
}

static size_t resident(const struct audit_ring *ring)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t pages = ring->size / page;
    unsigned char *in_core = calloc(1, pages);
    size_t count = 0;

    assert_non_null(in_core);
    assert_int_equal(mincore(ring->memory, ring->size, in_core), 0);
    for (size_t i = 0; i < pages; i++)
        count += in_core[i] & 1;
    free(in_core);
    return count * page;
}

static void memory_of_a_flood_is_given_back(void **state)
{
    enum { SIZE = 64 * 1024 * 1024, EACH = 10000 };
    struct audit_ring ring;
    uint32_t next = 0;
    (void)state;

    assert_true(audit_ring_init(&ring, SIZE));
    while (add(&ring, next, EACH))
        next++;
    assert_true(resident(&ring) > SIZE - 2 * EACH - 8192);
    uint64_t cursor = audit_ring_begin(&ring);
    for (uint32_t i = 0; i < next; i++) {
        check(audit_ring_next(&ring, &cursor), i);
        if (i % 100 == 99)
            audit_ring_release(&ring, cursor);
    }
    audit_ring_release(&ring, cursor);
    assert_true(resident(&ring) < 2UL * AUDIT_RING_WARM);
    /* And it begins anew where memory is warm. */
    for (uint32_t i = 0; i < 100000; i++) {
        assert_true(add(&ring, i, 300));
        cursor = audit_ring_begin(&ring);
        check(audit_ring_next(&ring, &cursor), i);
        audit_ring_release(&ring, cursor);
    }
    assert_true(resident(&ring) < 2UL * AUDIT_RING_WARM);
    audit_ring_deinit(&ring);
}

enum { MANY = 100000 };

static void *produce(void *context)
{
    struct audit_ring *ring = context;

    for (uint32_t i = 0; i < MANY;) {
        if (add(ring, i, i % 700))
            i++;
        else
            usleep(50);
    }
    return NULL;
}

static void everything_arrives_in_order_in_another_thread(void **state)
{
    struct audit_ring ring;
    pthread_t producer;
    (void)state;

    assert_true(audit_ring_init(&ring, 8UL * 1024 * 1024)); /* beyond what is warm */
    assert_int_equal(pthread_create(&producer, NULL, produce, &ring), 0);
    for (uint32_t i = 0; i < MANY;) {
        uint64_t cursor = audit_ring_begin(&ring);
        const struct record *record;
        const uint32_t before = i;
        while (i < before + 1000 && (record = audit_ring_next(&ring, &cursor)))
            check(record, i++);
        audit_ring_release(&ring, cursor);
        if (i == before)
            usleep(50);
    }
    assert_int_equal(pthread_join(producer, NULL), 0);
    assert_int_equal(audit_ring_used(&ring), 0);
    audit_ring_deinit(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_reserved_is_seen_when_it_is_committed),
        cmocka_unit_test(full_ring_takes_nothing_and_goes_on_when_there_is_room),
        cmocka_unit_test(record_larger_than_a_quarter_is_refused),
        cmocka_unit_test(memory_of_a_flood_is_given_back),
        cmocka_unit_test(everything_arrives_in_order_in_another_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
