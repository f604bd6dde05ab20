/* What a predicate of a compiled policy speaks of: one attribute, argument or fact of the session,
 * or a part of one, as a question finds it. Allocates nothing; what is found borrows from the
 * question. */
#ifndef WARDER_POLICIES_ENGINE_OPERAND_H
#define WARDER_POLICIES_ENGINE_OPERAND_H

#include <stdbool.h>
#include <stddef.h>

#include "policies/engine/block_layout.h"
#include "policies/engine/condition.h"
#include "policies/engine/value.h"

enum operand_state {
    OPERAND_ABSENT,
    OPERAND_UNKNOWN, /* it may be there or not */
    OPERAND_HERE,
};

struct operand {
    enum operand_state state;
    struct value value;
    const char *const *names; /* the elements, where the list is the subject's groups */
};

static inline bool value_is_container(const struct value *value)
{
    return value->kind == VALUE_LIST || value->kind == VALUE_MAP;
}

static inline bool value_is_cut(const struct value *value)
{
    return (value->marks & VALUE_CUT) != 0;
}

/* True if nothing about the value is certain; a container that is only cut is certain as far as it
 * goes. */
static inline bool value_is_doubtful(const struct value *value)
{
    return value_is_container(value) ? (value->marks & ~VALUE_CUT) != 0 : value->marks != 0;
}

/* What the predicate speaks of, in the question's form of paths. Pays for what it searches; unknown
 * where that cannot be paid. Only what names the operand counts of the node: attribute, type, part,
 * index and key. */
struct operand operand_find(const struct question *question, const struct block_node *node);

/* An element of a list, a key of a map. */
struct value operand_element(const struct operand *operand, size_t index);

#endif
