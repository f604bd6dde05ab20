/* A generation: the policies of this host, compiled once, never changed.
 *
 * The loop holds the current one; a session keeps the one that it was last judged by until its next
 * event. Counted by reference; the counter is touched inside (session/loops.h). */
#ifndef WARDER_DAEMON_GENERATION_H
#define WARDER_DAEMON_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/policy_store.h"
#include "policies/engine/policy_block.h"
#include "policies/language/compile.h"

struct generation {
    unsigned references;
    uint64_t number;
    struct policy_block *block;
    struct stored_policies stored; /* what it was made of: for lists and shows */
    bool idle;                     /* none of that is in force */
};

/* Compiles stored texts. NULL if one does not compile, which is said in `diagnostics`, or on lack
 * of memory. The block is the caller's. */
struct policy_block *generation_compile_stored(const struct stored_policies *stored,
                                               struct diagnostics *diagnostics);

/* Compiles what the store holds; takes `stored` over. NULL if a text does not compile, which is
 * said in `diagnostics`, or on lack of memory. One reference. May be called by any thread. */
struct generation *generation_new(struct stored_policies *stored, struct diagnostics *diagnostics);

/* Holds what the store holds, takes it over, and puts none of it in force: for those who mend a
 * store that does not compile. NULL on lack of memory. */
struct generation *generation_idle(struct stored_policies *stored);

struct generation *generation_hold(struct generation *generation);
void generation_release(struct generation *generation);

/* True if there is a policy of that name: NAME or TIER/NAME. */
bool generation_has(const struct generation *generation, const char *name);

/* Compiles texts with literal paths resolved on this machine, and otherwise as `options` say. For
 * any thread. */
struct policy_block *generation_compile(const struct policy_text *texts, size_t count,
                                        struct compile_options options,
                                        struct diagnostics *diagnostics);

/* The day, in days since 1970-01-01 UTC; 0 if it is not known. */
int32_t generation_today(void);

#endif
