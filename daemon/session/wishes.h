/* What a session, or a whole `warder run`, asks for beside what governs it anyway: policies by
 * name, policy texts, labels. Shared by every session of a run; counted by reference on the loop
 * thread. */
#ifndef WARDER_DAEMON_SESSION_WISHES_H
#define WARDER_DAEMON_SESSION_WISHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/session/user_account.h"
#include "policies/engine/policy_block.h"
#include "policies/engine/subject.h"
#include "proto/fingerprint.h"
#include "proto/message.h"

enum {
    WISHES_TEXT_MAX = 64 * 1024, /* bytes of all texts (design, "The session") */
    /* To check them in: ordinary texts of that size take 8 MiB. Without a bound 64 KiB that name
     * one set again and again took 840 MiB and six seconds of a worker that all users share. */
    WISHES_MEMORY_MAX = 32 * 1024 * 1024,
    WISHES_DIAGNOSTICS_MAX = 20, /* said of the texts: each costs a worker time to show */
    WISHES_NAMES_MAX = 64,
    WISHES_LABELS_MAX = 64,
    WISHES_NAME_LENGTH_MAX = 256,
    WISHES_LABEL_LENGTH_MAX = 1024,
    WISHES_TOGETHER_MAX = 16, /* of one session: each costs time in every one of its verdicts */
};

/* What a process is told that names a policy which is not stored (printf, one name). */
#define WISHES_MISSING_POLICY "this host has no policy named `%s`; `warder list` shows those it has"

/* The same of one that was stored when the process named it (printf, one name). */
#define WISHES_GONE_POLICY                                                                         \
    "policy `%s`, which this process named, is gone from this host: nothing is allowed to the "    \
    "process until it is applied again"

struct generation;

struct wishes {
    unsigned references;
    uint64_t number; /* of these wishes, and of no others before or after */
    char **policy_names;
    size_t policy_name_count;
    struct policy_block *block;             /* of the texts; NULL if there were none */
    char (*fingerprints)[FINGERPRINT_SIZE]; /* of each text */
    size_t text_count;
    struct label *labels; /* owned texts */
    size_t label_count;
    bool observe;
    bool record;
    void *packed; /* the message itself, to be kept with the session */
    size_t packed_size;
    struct user_accounts *accounts; /* charged for it; NULL: nobody is */
    struct user_account *account;
};

/* Compiles the texts: for any thread. NULL if something is wrong, with words for a person in
 * `*error` (owned; NULL on lack of memory). `message` may be NULL: no wishes. One reference. */
struct wishes *wishes_new(const Warder__V1__Wishes *message, char **error);

/* Charges the wishes to a user, for as long as they live. False if that is more than the user may
 * have. Inside (loops.h), as are hold and release from then on. */
bool wishes_charge(struct wishes *wishes, struct user_accounts *accounts,
                   struct user_account *account);

/* True if the policy is named, as NAME or TIER/NAME. */
bool wishes_name_policy(const struct wishes *wishes, const struct policy_block *block,
                        uint32_t policy);

/* The first policy that is named and not there; NULL if all are. */
const char *wishes_missing_policy(const struct wishes *wishes, const struct generation *generation);

/* Everything that was asked for one session: by itself, by runs, by what it descends from. Held. */
struct wish_list {
    struct wishes *items[WISHES_TOGETHER_MAX];
    size_t count;
};

/* Adds what is not there yet; NULL, and wishes that ask for nothing, are passed over. False, and
 * something is missing, if there are too many: nobody may be judged by such a list. */
bool wish_list_add(struct wish_list *list, struct wishes *wishes);
bool wish_list_join(struct wish_list *list, const struct wish_list *more);
void wish_list_release(struct wish_list *list);

struct wishes *wishes_hold(struct wishes *wishes);
void wishes_release(struct wishes *wishes);

#endif
