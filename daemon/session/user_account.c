#include "daemon/session/user_account.h"

#include <stdlib.h>

struct user_account *user_account_of(struct user_accounts *accounts, uid_t uid)
{
    struct user_account *account = NULL;

    HASH_FIND(hh, accounts->accounts, &uid, sizeof(uid), account);
    if (account)
        return account;
    account = calloc(1, sizeof(*account));
    if (!account)
        return NULL;
    account->uid = uid;
    HASH_ADD(hh, accounts->accounts, uid, sizeof(uid), account);
    return account;
}

bool user_account_charge(struct user_accounts *accounts, struct user_account *account,
                         enum user_charge charge)
{
    if (account->held[charge] >= accounts->bounds[charge])
        return false;
    account->held[charge]++;
    return true;
}

void user_account_return(struct user_account *account, enum user_charge charge)
{
    account->held[charge]--;
}

void user_accounts_deinit(struct user_accounts *accounts)
{
    struct user_account *account;
    struct user_account *next;

    HASH_ITER(hh, accounts->accounts, account, next)
    {
        /* uthash frees its table with the last one. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        HASH_DEL(accounts->accounts, account);
        free(account);
    }
}
