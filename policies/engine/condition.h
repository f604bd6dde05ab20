/* Conditions of a compiled policy, asked about one operation: true, false, or unknown.
 *
 * Kleene's three values: `and` is the least, `or` the greatest, `not` turns true and false round.
 * What makes a predicate unknown:
 *
 *   - a scalar attribute (or argument) that carries any mark, except to `is absent`, which is
 * false;
 *   - a list or map that is of a subclass or opaque, to every operator but `is absent`;
 *   - a list or map that is cut, where what is missing could change the answer: `has` that found
 *     nothing, `starts` and `is` with more elements than are there, an index or key that is not
 *     there, a negative index, any key;
 *   - an element or key that carries a mark, where it could change the answer;
 *   - two keys of a map that are the same bytes, or a marked one beside, to `env["KEY"]`;
 *   - a path whose resolved form is not known, in that form;
 *   - a host with a byte that is not ASCII: nobody here folds it;
 *   - the host of a connection that no lookup gave, where the question says so;
 *   - a budget that is spent: it makes every condition unknown from there on.
 *
 * An attribute that is not there makes every predicate false but `is absent`. A value of another
 * kind than the predicate compares with makes it false. */
#ifndef WARDER_POLICIES_ENGINE_CONDITION_H
#define WARDER_POLICIES_ENGINE_CONDITION_H

#include <stdbool.h>
#include <stdint.h>

#include "policies/engine/budget.h"
#include "policies/engine/event.h"
#include "policies/engine/policy_block.h"
#include "policies/engine/subject.h"
#include "policies/engine/truth.h"

struct question {
    const struct policy_block *block;
    const struct subject *subject;
    const struct event *event;         /* NULL: a question about the subject alone */
    const struct operation *operation; /* NULL: the event is no operation */
    struct budget *budget;             /* what answering may still cost */
    bool resolved;                     /* paths are taken with links resolved, else as written */
    bool names_doubted;                /* a host that no lookup gave is unknown, else absent */
};

/* CLASS_NONE: the event is no operation, or of a class that is not known. */
static inline enum operation_class question_class(const struct question *question)
{
    const struct operation *operation = question->operation;
    if (!operation || (unsigned)operation->operation_class >= CLASS_COUNT)
        return CLASS_NONE;
    return operation->operation_class;
}

/* The truth of the condition whose root is `node`. Allocates nothing; its time is paid for from the
 * question's budget. */
enum truth condition_truth(const struct question *question, uint32_t node);

/* The truth of "the event's name matches one of these globs" (values of the block). */
enum truth event_name_matches(const struct question *question, uint32_t first, uint32_t count);

#endif
