/* What the kernel can hold of one policy: the files and directories that it lets a process execute,
 * read and write, read off the conditions of its allows.
 *
 * An outline is never narrower than what the policy allows: the kernel must not stop what the rules
 * let through. It is wider where Landlock has no word for a condition: of `and` the paths alone
 * count, of a glob the directory in front of it, and a `deny` below an allowed directory takes
 * nothing away. There the audit hook and the C boundary hold the rest (outline_is_exact). */
#ifndef WARDER_POLICIES_FLOOR_FLOOR_OUTLINE_H
#define WARDER_POLICIES_FLOOR_FLOOR_OUTLINE_H

#include "policies/engine/evaluate.h"
#include "policies/engine/policy_block.h"
#include "policies/engine/subject.h"
#include "policies/floor/path_set.h"

enum {
    /* Nodes and values that are looked at for one outline of one policy. One of 100,000 rules, each
     * on a path, has 300,000. */
    OUTLINE_STEPS_MAX = 500 * 1000,
};

/* Whose floor it is. */
struct outline_question {
    const struct policy_block *block;
    uint32_t policy;
    const struct subject *subject;      /* for its places */
    const struct governing *overriding; /* whose overrides count, and the day */
};

/* True if the rule is about operations of the class: by its target's classes or events. */
bool rule_is_about(const struct policy_block *block, uint32_t rule,
                   enum operation_class operation_class);

/* Calls `visit` with the condition (node, or POLICY_NO_INDEX: always) of everything that lets an
 * operation of the class through: allows, and overrides in force that cancel a denial. */
void outline_visit_allows(const struct outline_question *question,
                          enum operation_class operation_class,
                          void (*visit)(void *context, uint32_t condition), void *context);

/* The outline of the policy for exec, read or write. A writable place that is "/" opens nothing:
 * /proc would be in it, which is never writable. */
struct path_set outline_paths(const struct outline_question *question,
                              enum operation_class operation_class, struct arena *arena);

/* True if the kernel holds an allow with this condition as the rule has it, and not something
 * wider. */
bool outline_is_exact(const struct policy_block *block, uint32_t condition);

/* True if a condition is always true, or put together by `and` and `or` of predicates alone that
 * are `plain`. Not if it is more than an outline looks at. */
struct block_node;
bool outline_is_made_of(const struct policy_block *block, uint32_t condition,
                        bool (*plain)(const struct policy_block *block,
                                      const struct block_node *predicate));

#endif
