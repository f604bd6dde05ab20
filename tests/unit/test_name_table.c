#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policies/language/name_table.h"

static void a_name_stands_for_what_was_added_first(void **state)
{
    (void)state;
    struct storage storage = {0};
    struct name_table table = {0};
    int one = 1;
    int two = 2;
    assert_null(name_table_find(&table, "a", 1));
    assert_null(name_table_add(&table, &storage, "a", 1, &one));
    assert_ptr_equal(name_table_add(&table, &storage, "a", 1, &two), &one);
    assert_ptr_equal(name_table_find(&table, "a", 1), &one);
    assert_null(name_table_find(&table, "ab", 2));
    assert_null(name_table_find(&table, "", 0));
    storage_deinit(&storage);
}

static void ten_thousand_names_are_found_again(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    static char names[COUNT][8];
    struct storage storage = {0};
    struct name_table table = {0};
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%d", i);
        assert_null(name_table_add(&table, &storage, names[i], strlen(names[i]), names[i]));
    }
    for (int i = 0; i < COUNT; i++)
        assert_ptr_equal(name_table_find(&table, names[i], strlen(names[i])), names[i]);
    assert_null(name_table_find(&table, "n10000", 6));
    assert_false(storage.failed);
    storage_deinit(&storage);
}

static void large_pieces_and_small_ones_share_a_storage(void **state)
{
    (void)state;
    struct storage storage = {0};
    unsigned char *small = storage_take(&storage, 1, 10);
    unsigned char *large = storage_take(&storage, 1000, 1000);
    unsigned char *next = storage_take(&storage, 1, 10);
    assert_non_null(small);
    assert_non_null(large);
    assert_non_null(next);
    memset(large, 1, (size_t)1000 * 1000);
    assert_int_equal(small[9], 0);
    assert_int_equal(next[0], 0);
    assert_string_equal(storage_copy(&storage, "abcdef", 3), "abc");
    assert_null(storage_take(&storage, SIZE_MAX / 2, 4));
    assert_true(storage.failed);
    storage_deinit(&storage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_stands_for_what_was_added_first),
        cmocka_unit_test(ten_thousand_names_are_found_again),
        cmocka_unit_test(large_pieces_and_small_ones_share_a_storage),
    };
    return cmocka_run_group_tests_name("name_table", tests, NULL, NULL);
}
