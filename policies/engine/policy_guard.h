/* What of the C boundary a policy could have an eye on: which classes of operations it could deny,
 * kill or have recorded, whatever the arguments. Doubt counts as could.
 *
 * Bits are 1 << enum operation_class. Bit 0 (CLASS_NONE): a rule names an event of the boundary
 * itself (libc.*), so that such an event is never the same as the audit event that led to it. */
#ifndef WARDER_POLICIES_ENGINE_POLICY_GUARD_H
#define WARDER_POLICIES_ENGINE_POLICY_GUARD_H

#include <stdint.h>

#include "policies/engine/policy_block.h"

struct policy_guard {
    uint32_t guarded; /* denied, killed or recorded */
    uint32_t held;    /* denied or killed */
    uint32_t flat;    /* denied whatever the operation: by default, with nothing allowed */
};

/* Of one policy of a block, enforced or not. Linear in its rules. */
struct policy_guard policy_guard(const struct policy_block *block, uint32_t policy);

/* Calls back with each name of a variable (bytes, not terminated) that the rule's condition looks
 * for in the environment of a program: `env has "NAME"`. */
typedef void policy_name_visitor(void *context, const char *name, uint32_t length);
void policy_rule_environment(const struct policy_block *block, uint32_t rule,
                             policy_name_visitor *visit, void *context);

#endif
