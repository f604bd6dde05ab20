/* What one evaluation may still cost, counted in steps.
 *
 * Texts in events are the program's, policies of sessions any user's, and what one costs under the
 * other is their product: a policy of 64 KiB under an event of 512 KiB would keep the daemon's loop
 * for minutes. So every part of the evaluator that repeats something pays for it here, and what
 * cannot be paid for is unknown. A step is a node of a condition, a literal that a value is held
 * against, eight bytes that are compared, or a state of a glob that reads a character: 2 to 10 ns
 * on the machines of limits.md, whichever it is. */
#ifndef WARDER_POLICIES_ENGINE_BUDGET_H
#define WARDER_POLICIES_ENGINE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BUDGET_BYTES_OF_A_STEP = 8 };

struct budget {
    uint64_t left; /* 0: spent, and everything that is asked from here on is unknown */
};

static inline bool budget_is_spent(const struct budget *budget)
{
    return budget->left == 0;
}

/* Pays for `steps`; false if they are more than is left, or all that is left: it is spent then. */
static inline bool budget_pay(struct budget *budget, uint64_t steps)
{
    budget->left = steps < budget->left ? budget->left - steps : 0;
    return budget->left > 0;
}

/* The steps of looking at so many bytes. */
static inline uint64_t budget_of_bytes(size_t bytes)
{
    return 1 + bytes / BUDGET_BYTES_OF_A_STEP;
}

#endif
