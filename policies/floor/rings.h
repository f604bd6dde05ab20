/* Which of the three rings stands behind a rule (docs/design "Three rings"): the audit hook sees
 * every event; the C boundary sees what programs start, fork and load by libc's functions; the
 * kernel holds what a floor of the policy says. For those who tell people: `check`, `explain`. */
#ifndef WARDER_POLICIES_FLOOR_RINGS_H
#define WARDER_POLICIES_FLOOR_RINGS_H

#include <stddef.h>
#include <stdint.h>

#include "policies/engine/policy_block.h"

enum ring {
    RING_HOOK = 1,
    RING_BOUNDARY = 2,
    RING_KERNEL = 4,
};

struct rings {
    uint32_t rings;     /* enum ring */
    const char *kernel; /* where the kernel holds less than the rule says, or nothing that it could:
                           in words; "" */
};

/* Of a rule, as far as it is about a class. */
struct rings rings_of_rule(const struct policy_block *block, uint32_t policy, uint32_t rule,
                           enum operation_class operation_class);

/* Of the policy's default for a class. */
struct rings rings_of_default(const struct policy_block *block, uint32_t policy,
                              enum operation_class operation_class);

/* What no rule of a class with a floor can say, and the kernel does not hold; "" if nothing. */
const char *rings_class_gap(const struct policy_block *block, uint32_t policy,
                            enum operation_class operation_class);

/* True if the policy denies the class by default. */
bool rings_default_denies(const struct policy_block *block, uint32_t policy,
                          enum operation_class operation_class);

/* `ring 1`, `rings 1 and 2`, `rings 1, 2 and 3`. */
const char *rings_text(uint32_t rings);

#endif
