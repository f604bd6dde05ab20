/* The evaluator: what compiled policies say about an event.
 *
 * Allocates nothing, calls nothing outside itself, keeps no state: a judgement is a function of the
 * block, the subject, the governing policies and the event. Safe for any number of threads.
 *
 * One evaluation takes at most EVALUATION_STEPS_MAX steps (budget.h), or what its caller gives it,
 * and time linear in the number of rules. Where they are spent, every condition that is not
 * answered yet is unknown: what denies fires, what allows does not, what logs does. */
#ifndef WARDER_POLICIES_ENGINE_EVALUATE_H
#define WARDER_POLICIES_ENGINE_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/budget.h"
#include "policies/engine/event.h"
#include "policies/engine/policy_block.h"
#include "policies/engine/subject.h"

enum {
    /* 1 to 5 ms on the machines of limits.md, where a step of the dearest kind takes 10 ns; some
     * 10 ms on one half as fast. A policy of 1,100 rules on paths and globs takes 41,000 steps for
     * a command of a hundred words (unit test): a twelfth. */
    EVALUATION_STEPS_MAX = 500 * 1000,
};

/* In order of strictness: the strictest wins. */
enum verdict {
    VERDICT_ALLOW,
    VERDICT_DENY,
    VERDICT_KILL,
};

/* The policies of a block that govern a session: indices in ascending order, borrowed. */
struct governing {
    const uint32_t *policies;
    size_t count;
    /* The day, in days since 1970-01-01 UTC: an override counts to the end of its last one. Where
     * it is not known (0 or less) no override counts. */
    int32_t today;
    /* Whose overrides count, where it is not these policies themselves that are in force: for what
     * policies would say that are only observed. NULL: their own. */
    const struct governing *overriding;
};

/* Which rule answered. A rule index of RULE_DEFAULT means the policy's default for the operation's
 * class; POLICY_NO_INDEX that no policy had anything to say, and the answer is the language's own:
 * allow. */
struct deciding {
    uint32_t policy;    /* index in the block, or POLICY_NO_INDEX */
    uint32_t rule;      /* index in the block, or RULE_DEFAULT */
    uint32_t operation; /* index in the event; 0 where the event is no operation */
    bool unknown;       /* the rule fired because its condition could not be known; the default
                           stands because the steps were spent before all rules were asked */
};

enum {
    JUDGEMENT_LOGS_MAX = 8, /* `log` rules that are named; further ones add nothing to a record */
};

struct judgement {
    enum verdict verdict;
    struct deciding by;

    /* What policies in `mode observe` would have said, had they been enforced: VERDICT_ALLOW if
     * they had nothing against it. */
    enum verdict would;
    struct deciding would_by;

    /* `log` rules named this event: these did, the first ones where they are more than fit. Each
     * rule is here once, by operation, then policy, then name. */
    bool log;
    uint32_t log_count;
    struct deciding log_by[JUDGEMENT_LOGS_MAX];

    /* Where the verdict is VERDICT_ALLOW: an override without which it would have been another, and
     * the denial that it cancelled; the first one where there are several, in the order of ties.
     * OVERRIDE_NONE if there is none. */
    uint32_t override;
    struct deciding overridden;

    /* How many steps it took, and whether they were all that there were. */
    uint32_t steps;
    bool spent;
};

/* Judges every operation of the event under every governing policy, each policy alone, and keeps
 * the strictest. `verdict` is written last and is VERDICT_DENY until then.
 *
 * Ties are broken so that neither the order of rules nor that of policies shows: first operation,
 * then tier, policy name, a rule before a default, rule name. */
void evaluate(const struct policy_block *block, const struct governing *governing,
              const struct subject *subject, const struct event *event, struct judgement *out);

/* The same within the steps of the caller's, which what it takes is paid from: one event that is
 * judged by several blocks costs no more than by one. */
void evaluate_within(const struct policy_block *block, const struct governing *governing,
                     const struct subject *subject, const struct event *event,
                     struct budget *budget, struct judgement *out);

/* Tells of each `allow` of one policy that fires on one operation of the event, whatever else the
 * policy says of it: each at least once, some more often, in no promised order. Within the steps of
 * the caller's; where they are spent, further ones do not fire. */
typedef void allow_visitor(void *context, uint32_t rule);
void visit_allows_within(const struct policy_block *block, uint32_t policy,
                         const struct subject *subject, const struct event *event,
                         uint32_t operation, struct budget *budget, allow_visitor *visit,
                         void *context);

/* Keeps in `judgement` the stricter of two judgements of one event by two blocks; the indices of
 * each speak of its own block, so the caller is told which one it was: true if `other` replaced the
 * verdict and its deciding rule. `would` and `log` are not merged. */
bool judgement_take_stricter(struct judgement *judgement, const struct judgement *other);

/* True if the policy's `applies` blocks select the subject, or the steps were spent before it was
 * known. A policy without any selects nobody: it
 * governs sessions that name it (policy_has_applies tells the two apart). */
bool policy_applies(const struct policy_block *block, uint32_t policy,
                    const struct subject *subject);

/* The same within the steps of the caller's. */
bool policy_applies_within(const struct policy_block *block, uint32_t policy,
                           const struct subject *subject, struct budget *budget);

#endif
