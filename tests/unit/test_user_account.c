#include "daemon/session/user_account.h"

#include "unit_test.h"

static struct user_accounts open_accounts(size_t bound, size_t descriptors)
{
    struct user_accounts accounts = {.descriptors = descriptors};
    for (int charge = 0; charge < CHARGE_COUNT; charge++)
        accounts.bounds[charge] = bound;
    return accounts;
}

static size_t take_all(struct user_accounts *accounts, struct user_account *account,
                       enum user_charge charge)
{
    size_t taken = 0;
    while (user_account_charge(accounts, account, charge, 1))
        taken++;
    return taken;
}

static void user_has_one_account(void **state)
{
    (void)state;
    struct user_accounts accounts = open_accounts(10, 100);
    struct user_account *first = user_account_of(&accounts, 1000);

    assert_non_null(first);
    assert_ptr_equal(user_account_of(&accounts, 1000), first);
    assert_ptr_not_equal(user_account_of(&accounts, 0), first);
    user_accounts_deinit(&accounts);
}

static void bounds_are_each_user_s_own(void **state)
{
    (void)state;
    struct user_accounts accounts = open_accounts(7, 1000);
    struct user_account *one = user_account_of(&accounts, 1);
    struct user_account *two = user_account_of(&accounts, 2);

    for (int charge = 0; charge < CHARGE_COUNT; charge++) {
        assert_int_equal(take_all(&accounts, one, (enum user_charge)charge), 7);
        assert_int_equal(take_all(&accounts, two, (enum user_charge)charge), 7);
        user_account_return(&accounts, one, (enum user_charge)charge, 1);
        assert_false(user_account_charge(&accounts, two, (enum user_charge)charge, 1));
        assert_true(user_account_charge(&accounts, one, (enum user_charge)charge, 1));
    }
    user_accounts_deinit(&accounts);
}

static void amounts_are_taken_whole_or_not_at_all(void **state)
{
    (void)state;
    struct user_accounts accounts = open_accounts(100, 0);
    struct user_account *account = user_account_of(&accounts, 1);

    assert_true(user_account_charge(&accounts, account, CHARGE_BYTES, 60));
    assert_false(user_account_charge(&accounts, account, CHARGE_BYTES, 41));
    assert_false(user_account_charge(&accounts, account, CHARGE_BYTES, SIZE_MAX));
    assert_int_equal(account->held[CHARGE_BYTES], 60);
    assert_true(user_account_charge(&accounts, account, CHARGE_BYTES, 40));
    user_account_return(&accounts, account, CHARGE_BYTES, 100);
    assert_int_equal(account->held[CHARGE_BYTES], 0);
    user_accounts_deinit(&accounts);
}

static void however_much_one_user_takes_the_next_finds_descriptors(void **state)
{
    (void)state;
    struct user_accounts accounts = open_accounts(SIZE_MAX, 1000);
    size_t before = 1000;

    /* Each takes half of what the others have left. */
    for (uid_t uid = 1; uid <= 6; uid++) {
        struct user_account *account = user_account_of(&accounts, uid);
        const size_t taken = take_all(&accounts, account, CHARGE_CONNECTION);
        assert_true(taken > 0);
        assert_true(taken <= before / 2);
        before = taken + 1;
    }
    assert_true(accounts.descriptors_held < accounts.descriptors);
    user_accounts_deinit(&accounts);
}

static void descriptors_come_back(void **state)
{
    (void)state;
    struct user_accounts accounts = open_accounts(SIZE_MAX, 100);
    struct user_account *account = user_account_of(&accounts, 1);
    const size_t unfinished = take_all(&accounts, account, CHARGE_UNFINISHED);

    assert_int_equal(unfinished, 16); /* at three descriptors each, half of a hundred */
    user_account_return(&accounts, account, CHARGE_UNFINISHED, unfinished);
    assert_int_equal(accounts.descriptors_held, 0);
    assert_int_equal(account->descriptors, 0);
    assert_int_equal(take_all(&accounts, account, CHARGE_PROCESS), 50);
    user_accounts_deinit(&accounts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(user_has_one_account),
        cmocka_unit_test(bounds_are_each_user_s_own),
        cmocka_unit_test(amounts_are_taken_whole_or_not_at_all),
        cmocka_unit_test(however_much_one_user_takes_the_next_finds_descriptors),
        cmocka_unit_test(descriptors_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
