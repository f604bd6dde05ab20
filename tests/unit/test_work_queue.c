#include "daemon/session/work_queue.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit_test.h"

enum { MANY = 40 };

struct errand {
    struct queued_work work; /* first */
    char name;
};

static atomic_int at_work;
static atomic_int most_at_work;
static char order[4 * MANY];
static size_t done_count;

static void run(struct queued_work *work)
{
    const int now = atomic_fetch_add(&at_work, 1) + 1;

    (void)work;
    if (now > atomic_load(&most_at_work))
        atomic_store(&most_at_work, now);
    usleep(1000);
    atomic_fetch_sub(&at_work, 1);
}

static void done(struct queued_work *work, int status)
{
    assert_int_equal(status, 0);
    order[done_count++] = ((struct errand *)work)->name;
}

static void add(struct work_queue *queue, struct work_share *share, struct errand *errand,
                char name)
{
    *errand = (struct errand){.work = {.run = run, .done = done}, .name = name};
    work_queue_add(queue, share, &errand->work);
}

static void start(struct work_queue *queue)
{
    *queue = (struct work_queue){.loop = uv_default_loop()};
    memset(order, 0, sizeof(order));
    done_count = 0;
    atomic_store(&most_at_work, 0);
}

static void users_take_turns_however_much_one_of_them_wants(void **state)
{
    static struct errand many[MANY];
    struct work_queue queue;
    struct work_share greedy = {0};
    struct work_share modest = {0};
    struct work_share third = {0};
    struct errand one;
    struct errand other;

    (void)state;
    start(&queue);
    for (size_t i = 0; i < MANY; i++)
        add(&queue, &greedy, &many[i], 'g');
    add(&queue, &modest, &one, 'm');
    add(&queue, &third, &other, 't');
    uv_run(queue.loop, UV_RUN_DEFAULT);
    assert_int_equal(done_count, MANY + 2);
    assert_in_range(strchr(order, 'm') - order, 0, 6);
    assert_in_range(strchr(order, 't') - order, 0, 8);
    assert_in_range(atomic_load(&most_at_work), 1, WORK_AT_ONCE_MAX);
}

static void one_user_has_so_many_at_work_and_no_more(void **state)
{
    static struct errand many[MANY];
    struct work_queue queue;
    struct work_share share = {0};

    (void)state;
    start(&queue);
    for (size_t i = 0; i < MANY; i++)
        add(&queue, &share, &many[i], 'a');
    assert_int_equal(queue.at_work, WORK_PER_USER_MAX);
    uv_run(queue.loop, UV_RUN_DEFAULT);
    assert_int_equal(done_count, MANY);
    assert_in_range(atomic_load(&most_at_work), 1, WORK_PER_USER_MAX);
    assert_int_equal(queue.at_work, 0);
    assert_null(queue.first);
}

static void work_that_waits_can_be_cancelled_and_is_not_run(void **state)
{
    static struct errand many[MANY];
    struct work_queue queue;
    struct work_share share = {0};

    (void)state;
    start(&queue);
    for (size_t i = 0; i < MANY; i++)
        add(&queue, &share, &many[i], 'a');
    assert_false(work_queue_cancel(&many[0].work));
    for (size_t i = MANY; i > 3; i -= 1)
        assert_true(work_queue_cancel(&many[i - 1].work));
    assert_true(work_queue_cancel(&many[2].work));
    assert_false(work_queue_cancel(&many[2].work));
    uv_run(queue.loop, UV_RUN_DEFAULT);
    assert_int_equal(done_count, 2);
    assert_null(queue.first);
    assert_null(queue.last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_take_turns_however_much_one_of_them_wants),
        cmocka_unit_test(one_user_has_so_many_at_work_and_no_more),
        cmocka_unit_test(work_that_waits_can_be_cancelled_and_is_not_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
