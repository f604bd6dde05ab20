/* What the files of the suite share: policy_suite.c (policies), suite_run.c (tests),
 * suite_coverage.c (what they reach). */
#ifndef WARDER_POLICIES_SCENE_POLICY_SUITE_INTERNAL_H
#define WARDER_POLICIES_SCENE_POLICY_SUITE_INTERNAL_H

#include "policies/engine/evaluate.h"
#include "policies/language/storage.h"
#include "policies/language/syntax_tree.h"
#include "policies/scene/policy_suite.h"

struct suite_policy {
    const struct policy *tree;
    uint32_t defaults; /* bit N: its default for class N was reached */
    bool tested;
};

struct policy_suite {
    struct policy_text *texts;
    size_t count;
    int32_t today;
    struct diagnostics *diagnostics; /* borrowed */
    struct storage storage;          /* of the trees */
    /* Without any givens. Every test compiles the policies for itself, and each block has the same
     * policies, rules and overrides in the same places: what differs is where literals lead. */
    struct policy_block *block;
    struct suite_policy *policies; /* by index in the block */
    bool *rules;                   /* reached, by index in the block */
    bool *overrides;
    bool unread; /* a test file has errors: what it tests nobody knows */
    struct suite_counts counts;
};

/* The index of a policy's rule; POLICY_NO_INDEX if it has none of the name. */
uint32_t suite_find_rule(const struct policy_suite *suite, uint32_t policy, const char *name,
                         size_t length);
/* Of several policies of one name that of the highest tier; POLICY_NO_INDEX. */
uint32_t suite_find_policy(const struct policy_suite *suite, const char *name, size_t length);

/* The statement that a decision came from; `source` NULL if there is none. */
struct span suite_deciding_span(const struct policy_suite *suite, const struct deciding *by,
                                enum operation_class operation_class);

struct suite_place suite_place_of(struct span span);

/* Notes what an event's judgement came by. */
void suite_reach(struct policy_suite *suite, const struct judgement *judgement,
                 const struct event *event);

enum operation_class suite_class_of(const struct event *event, const struct deciding *by);

#endif
