#define _GNU_SOURCE
#include "daemon/session/user_account.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* A connected socket with more to send than its peer receives: close() waits for the peer. */
static int lingering_socket(int *peer)
{
    static const char bytes[65536];
    const struct linger minute = {.l_onoff = 1, .l_linger = 60};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    const int ours = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(server, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server, 1), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(connect(ours, (struct sockaddr *)&address, size), 0);
    *peer = accept(server, NULL, NULL);
    assert_true(*peer >= 0);
    close(server);
    while (send(ours, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        ;
    assert_int_equal(setsockopt(ours, SOL_SOCKET, SO_LINGER, &minute, sizeof(minute)), 0);
    return ours;
}

static void what_cannot_be_closed_counts_as_its_user_s(void **state)
{
    (void)state;
    struct user_accounts accounts = open_accounts(SIZE_MAX, 100);
    struct user_account *account = user_account_of(&accounts, 1);
    struct user_account *other = user_account_of(&accounts, 2);
    int peers[10];

    for (int i = 0; i < 10; i++)
        closings_add(account->closings, lingering_socket(&peers[i]));
    assert_int_equal(closings_count(account->closings), 10);
    assert_int_equal(closings_count_all(), 10);
    assert_false(closings_are_full(account->closings));
    assert_int_equal(take_all(&accounts, account, CHARGE_PROCESS),
                     40); /* 10 + 40 of the 90 others */
    user_account_return(&accounts, account, CHARGE_PROCESS, 40);
    assert_int_equal(take_all(&accounts, other, CHARGE_PROCESS), 45);
    for (int i = 0; i < 10; i++)
        close(peers[i]);
    for (int i = 0; i < 6000 && closings_count_all() > 0; i++)
        usleep(10000);
    assert_int_equal(closings_count(account->closings), 0);
    assert_int_equal(closings_count_all(), 0);
    user_accounts_deinit(&accounts);
}

static bool no_threads;

/* The linker gives them their names. NOLINTBEGIN(bugprone-reserved-identifier) */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
/* NOLINTEND(bugprone-reserved-identifier) */

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context)
{
    return no_threads ? EAGAIN : __real_pthread_create(thread, attributes, run, context);
}

static void what_waits_for_a_thread_is_closed_when_there_is_one(void **state)
{
    (void)state;
    struct closings *closings = closings_new();
    int ends[CLOSINGS_MAX][2];

    no_threads = true;
    for (int i = 0; i < CLOSINGS_MAX; i++) {
        assert_int_equal(pipe(ends[i]), 0);
        closings_add(closings, ends[i][1]);
    }
    assert_true(closings_are_full(closings));
    closings_retry(closings);
    assert_true(closings_are_full(closings));
    no_threads = false;
    closings_retry(closings);
    for (int i = 0; i < CLOSINGS_MAX; i++) {
        char nothing;
        assert_int_equal(read(ends[i][0], &nothing, 1), 0); /* which waits until it is closed */
        close(ends[i][0]);
    }
    for (int i = 0; i < 6000 && closings_count(closings) > 0; i++)
        usleep(10000);
    assert_int_equal(closings_count(closings), 0);
    closings_release(closings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(user_has_one_account),
        cmocka_unit_test(bounds_are_each_user_s_own),
        cmocka_unit_test(amounts_are_taken_whole_or_not_at_all),
        cmocka_unit_test(however_much_one_user_takes_the_next_finds_descriptors),
        cmocka_unit_test(descriptors_come_back),
        cmocka_unit_test(what_cannot_be_closed_counts_as_its_user_s),
        cmocka_unit_test(what_waits_for_a_thread_is_closed_when_there_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
