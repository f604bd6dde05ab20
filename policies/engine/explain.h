/* Why an event was judged as it was, and what was missing for another answer.
 *
 * Walks every rule of the governing policies, one after the other, and asks each: no index, and no
 * rule passed over because the answer is known already. So what it says of the verdict is found
 * another way than evaluate's, and the two must agree; they can differ only where evaluate's steps
 * were spent: this walk is not bounded. For people who ask: slow, not for the path of a verdict.
 *
 * Allocates nothing. What it fills in borrows from the event and the subject. */
#ifndef WARDER_POLICIES_ENGINE_EXPLAIN_H
#define WARDER_POLICIES_ENGINE_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "policies/engine/evaluate.h"
#include "policies/engine/operand.h"

enum {
    EXPLAIN_FIRED_MAX = 64,
    EXPLAIN_MISSES_MAX = 8,
    EXPLAIN_OPINIONS_MAX = 64,
    EXPLAIN_OVERRIDES_MAX = 16,
};

/* A rule whose target names the event, and whose condition holds, or holds perhaps. */
struct fired_rule {
    uint32_t policy;
    uint32_t rule;
    uint32_t operation;
    enum truth truth;    /* by which it fired; TRUTH_UNKNOWN: it is in doubt. Never false */
    bool has_paths;      /* its condition speaks of paths, which have two forms: */
    enum truth written;  /* on the path as written, */
    enum truth resolved; /* and with links resolved */
    uint32_t override;   /* that cancels it; OVERRIDE_NONE */
};

/* What one policy says of one operation. `said` is false if it has neither a rule that fires nor a
 * default for it, or an override cancelled that. */
struct policy_opinion {
    uint32_t policy;
    uint32_t operation;
    bool said;
    bool observes;
    enum verdict verdict;
    uint32_t rule; /* RULE_DEFAULT: its default for the class */
    bool unknown;
    uint32_t override; /* cancelled the default; OVERRIDE_NONE */
};

/* Where a condition went another way than it would have had to: the first predicate of it. */
struct missed_predicate {
    uint32_t node;          /* of the block; BLOCK_NONE: the event's name was in doubt */
    bool wanted;            /* what it should have been; false behind a `not` */
    enum truth answer;      /* what it was */
    bool resolved;          /* asked about paths with links resolved */
    struct operand operand; /* what it saw */
    uint32_t misses;        /* how many predicates of the condition would have to turn */
};

/* A rule whose target names the event, and whose condition does not hold. */
struct near_miss {
    uint32_t policy;
    uint32_t rule;
    uint32_t operation;
    enum truth truth; /* false; of an `allow` also unknown */
    struct missed_predicate missed;
};

/* What became of an override of something that denied. */
enum override_fate {
    OVERRIDE_CANCELS,
    OVERRIDE_NOT_GOVERNING, /* its policy does not govern here, or is not enforced */
    OVERRIDE_EXPIRED,
    OVERRIDE_DAY_UNKNOWN, /* nobody said what day it is */
    OVERRIDE_MISSED,      /* its condition does not hold */
};

struct explained_override {
    uint32_t override;
    uint32_t operation;
    enum override_fate fate;
    struct missed_predicate missed; /* OVERRIDE_MISSED */
};

struct explanation {
    /* As evaluate gives it, from this walk. Its `steps` are those of this walk, at most
     * UINT32_MAX. */
    struct judgement judgement;

    /* By operation, then policy, then rule; the totals count what did not fit too. */
    uint32_t fired_count;
    uint32_t fired_total;
    struct fired_rule fired[EXPLAIN_FIRED_MAX];

    uint32_t opinion_count;
    uint32_t opinion_total;
    struct policy_opinion opinions[EXPLAIN_OPINIONS_MAX];

    /* The most telling ones, these first: of a denial, the `allow` rules that would have had to
     * hold; of what was allowed, the rules that would have denied it; of those, the ones with the
     * fewest predicates to turn. */
    uint32_t miss_count;
    uint32_t miss_total;
    struct near_miss misses[EXPLAIN_MISSES_MAX];

    /* Those that name a denial which fired, or would have. */
    uint32_t override_count;
    uint32_t override_total;
    struct explained_override overrides[EXPLAIN_OVERRIDES_MAX];
};

void explain(const struct policy_block *block, const struct governing *governing,
             const struct subject *subject, const struct event *event, struct explanation *out);

#endif
