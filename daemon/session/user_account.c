#include "daemon/session/user_account.h"

#include <stdlib.h>

/* Descriptors that one of each takes. */
static const size_t descriptors_of[CHARGE_COUNT] = {
    [CHARGE_CONNECTION] = 1, /* its socket */
    [CHARGE_UNFINISHED] = 3, /* executable, directory, and one to spare, while Hello is at work */
    [CHARGE_PROCESS] = 1,    /* the pidfd */
};

struct user_account *user_account_of(struct user_accounts *accounts, uid_t uid)
{
    struct user_account *account = NULL;

    HASH_FIND(hh, accounts->accounts, &uid, sizeof(uid), account);
    if (account)
        return account;
    account = calloc(1, sizeof(*account));
    struct closings *closings = account ? closings_new() : NULL;
    if (!closings) {
        free(account);
        return NULL;
    }
    account->closings = closings;
    account->uid = uid;
    HASH_ADD(hh, accounts->accounts, uid, sizeof(uid), account);
    return account;
}

bool user_account_charge(struct user_accounts *accounts, struct user_account *account,
                         enum user_charge charge, size_t amount)
{
    const size_t wanted = amount * descriptors_of[charge];
    const size_t taken = accounts->descriptors_held + closings_count_all();
    const size_t left = accounts->descriptors > taken ? accounts->descriptors - taken : 0;
    const size_t own = account->descriptors + closings_count(account->closings);

    if (amount > accounts->bounds[charge] ||
        account->held[charge] > accounts->bounds[charge] - amount)
        return false;
    if (wanted > 0 && (wanted > left || own + wanted > left - wanted))
        return false;
    account->held[charge] += amount;
    account->descriptors += wanted;
    accounts->descriptors_held += wanted;
    return true;
}

void user_account_return(struct user_accounts *accounts, struct user_account *account,
                         enum user_charge charge, size_t amount)
{
    account->held[charge] -= amount;
    account->descriptors -= amount * descriptors_of[charge];
    accounts->descriptors_held -= amount * descriptors_of[charge];
}

void user_accounts_deinit(struct user_accounts *accounts)
{
    struct user_account *account;
    struct user_account *next;

    HASH_ITER(hh, accounts->accounts, account, next)
    {
        /* uthash frees its table with the last one. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        HASH_DEL(accounts->accounts, account);
        closings_release(account->closings);
        free(account);
    }
}
