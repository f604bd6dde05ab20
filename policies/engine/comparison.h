/* One value held against one literal of a policy. Part of condition.c's work, apart because each
 * type has its own idea of equal. */
#ifndef WARDER_POLICIES_ENGINE_COMPARISON_H
#define WARDER_POLICIES_ENGINE_COMPARISON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/block_layout.h"
#include "policies/engine/condition.h"
#include "policies/engine/value.h"

/* How a value stands to a number or version; ORDER_NONE where they cannot be compared. */
enum order {
    ORDER_LESS,
    ORDER_EQUAL,
    ORDER_GREATER,
    ORDER_NONE,
};

/* What one of the comparisons below costs at most, but for the states of a glob: those pay for
 * themselves, and where they cannot the comparison says no with the budget spent. */
uint64_t comparison_steps(const struct question *question, const struct value *value,
                          const struct block_value *literal);

/* What of `path` is behind the directory `place` (terminated): nothing, or a separator and more.
 * False if the path is not there. */
bool path_behind_place(const char *path, size_t length, const char *place, const char **rest,
                       size_t *rest_length);

/* Each takes a value without marks; all but the host's are never unknown. */
enum truth value_equals(const struct question *question, enum attribute_type type,
                        const struct value *value, const struct block_value *literal);
bool value_is_under(const struct question *question, enum attribute_type type,
                    const struct value *value, const struct block_value *literal);
bool value_matches(const struct question *question, enum attribute_type type,
                   const struct value *value, const struct block_value *literal);
enum order value_order(const struct question *question, const struct value *value,
                       const struct block_value *literal);

#endif
