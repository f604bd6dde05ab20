#include "daemon/session/refusals.h"

#include <stdio.h>
#include <string.h>

#include "daemon/session/connection.h"
#include "unit_test.h"

enum { START = 5000, LATER = START + REFUSAL_MILLISECONDS };

/* What is recorded of what was counted: its words, and `*count`. NULL if nothing is. */
static const char *taken(struct refusals *refusals, uint64_t now, uint64_t *count, bool *waiting)
{
    static char text[REFUSAL_TEXT_MAX + 64];
    return refusals_take(refusals, now, text, sizeof(text), count, waiting) ? text : NULL;
}

static void each_reason_is_recorded_once_and_then_counted(void **state)
{
    (void)state;
    struct refusals refusals = {.count = 0};
    uint64_t count;
    bool waiting;

    assert_true(refusals_add(&refusals, "an empty packet", START));
    assert_true(refusals_add(&refusals, "a forged message", START + 1));
    assert_null(taken(&refusals, LATER, &count, &waiting));
    assert_false(waiting);
    assert_false(refusals_add(&refusals, "an empty packet", START + 2));
    assert_false(refusals_add(&refusals, "an empty packet", START + 3));
    assert_false(refusals_add(&refusals, "a forged message", START + 4));
    assert_null(taken(&refusals, LATER - 1, &count, &waiting));
    assert_true(waiting);
    assert_string_equal(taken(&refusals, LATER, &count, &waiting),
                        "refused as well, within a second: an empty packet");
    assert_int_equal(count, 2);
    assert_null(taken(&refusals, LATER, &count, &waiting));
    assert_true(waiting);
    assert_string_equal(taken(&refusals, LATER + 1, &count, &waiting),
                        "refused as well, within a second: a forged message");
    assert_int_equal(count, 1);
    assert_null(taken(&refusals, LATER + 1, &count, &waiting));
    assert_false(waiting);
}

static void reason_is_recorded_anew_after_its_second(void **state)
{
    (void)state;
    struct refusals refusals = {.count = 0};
    uint64_t count;
    bool waiting;

    assert_true(refusals_add(&refusals, "an empty packet", START));
    assert_true(refusals_add(&refusals, "an empty packet", LATER));
    assert_false(refusals_add(&refusals, "an empty packet", LATER + 1));
    /* What was counted and is not recorded yet stays one record, however late that comes. */
    assert_false(refusals_add(&refusals, "an empty packet", LATER + LATER));
    assert_non_null(taken(&refusals, LATER + LATER, &count, &waiting));
    assert_int_equal(count, 2);
}

static void more_reasons_than_are_told_apart_are_counted_together(void **state)
{
    (void)state;
    struct refusals refusals = {.count = 0};
    char reason[32];
    uint64_t count;
    bool waiting;

    for (int i = 0; i < REFUSAL_REASONS_MAX; i++) {
        snprintf(reason, sizeof(reason), "reason %d", i);
        assert_true(refusals_add(&refusals, reason, START));
    }
    assert_false(refusals_add(&refusals, "one more", START));
    assert_false(refusals_add(&refusals, "and another", START + 1));
    assert_string_equal(taken(&refusals, LATER, &count, &waiting),
                        "refused as well, within a second, for other reasons");
    assert_int_equal(count, 2);
    assert_true(refusals_add(&refusals, "one more", LATER)); /* the others are forgotten */
}

static void reasons_are_cut_and_still_told_apart_by_what_is_kept(void **state)
{
    (void)state;
    struct refusals refusals = {.count = 0};
    char reason[2 * REFUSAL_TEXT_MAX];

    memset(reason, 'x', sizeof(reason) - 1);
    reason[sizeof(reason) - 1] = '\0';
    assert_true(refusals_add(&refusals, reason, START));
    assert_false(refusals_add(&refusals, reason, START));
    reason[0] = 'y';
    assert_true(refusals_add(&refusals, reason, START));
}

static void socket_is_named_where_a_connection_came_to_one(void **state)
{
    (void)state;
    char text[64];

    assert_string_equal(refusal_at_socket(STATE_NEW, "an empty packet", text, sizeof(text)),
                        "an empty packet (session socket)");
    assert_string_equal(refusal_at_socket(STATE_ADMIN, "an empty packet", text, sizeof(text)),
                        "an empty packet (administration socket)");
    assert_string_equal(refusal_at_socket(STATE_DOOR, "an empty packet", text, sizeof(text)),
                        "an empty packet");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason_is_recorded_once_and_then_counted),
        cmocka_unit_test(reason_is_recorded_anew_after_its_second),
        cmocka_unit_test(more_reasons_than_are_told_apart_are_counted_together),
        cmocka_unit_test(reasons_are_cut_and_still_told_apart_by_what_is_kept),
        cmocka_unit_test(socket_is_named_where_a_connection_came_to_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
