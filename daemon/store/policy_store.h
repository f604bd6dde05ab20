/* The policies of this host: policy.db in the state directory.
 *
 * Each policy is one text under its tier and name; every change makes a new revision, and the old
 * ones stay. Made durable before a call returns (synchronous=FULL): calls block on the disk and are
 * made by one thread at a time, never by the loop. A database that cannot be read, or that a newer
 * program made, is an error that stops the start; it is never replaced. */
#ifndef WARDER_DAEMON_STORE_POLICY_STORE_H
#define WARDER_DAEMON_STORE_POLICY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/policy_block.h"
#include "policies/ownership.h"

struct policy_store;

struct stored_policy {
    char *name;
    enum policy_tier tier;
    char *text;        /* terminated */
    uint64_t revision; /* of this policy: 1, 2, ... */
    uint64_t time;     /* of the change, nanoseconds since 1970, UTC */
    char *who;         /* who made it: "root", "uid 1000" */
};

struct stored_policies {
    struct stored_policy *policies; /* by tier, then name */
    size_t count;
    uint64_t generation; /* counts changes of the store; 0 for an empty, new one */
};

/* Opens or makes DIRECTORY/policy.db. NULL with `error` filled in. */
struct policy_store *policy_store_open(const char *directory, char *error, size_t size);
void policy_store_free(struct policy_store *store);
DEFINE_CLEANUP(struct policy_store *, policy_store_free);

/* All that is active now. False with `error` filled in. */
bool policy_store_load(struct policy_store *store, struct stored_policies *policies, char *error,
                       size_t size);
/* Whether a store was ever opened in the directory. */
bool policy_store_is_there(const char *directory);

/* What was active at a generation, 0: the newest; read beside the daemon's own use of the store, by
 * any thread. `generation` of the result is the one asked for. False with `error` filled in. */
bool policy_store_read(const char *directory, uint64_t generation, struct stored_policies *policies,
                       char *error, size_t size);

void stored_policies_deinit(struct stored_policies *policies);

/* One change, all or nothing: texts that replace what is under their names, and at most one
 * removal. A `text` of NULL removes the policy. `*generation` is the new one. */
struct policy_change {
    const char *name;
    enum policy_tier tier;
    const char *text;
};

bool policy_store_change(struct policy_store *store, const struct policy_change *changes,
                         size_t count, const char *who, uint64_t *generation, char *error,
                         size_t size);

#endif
