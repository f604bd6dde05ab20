/* Whether a block can be walked without leaving it, whatever its bytes are.
 *
 * After this, every index in a record names a record, every offset a terminated text, every walk
 * ends, and nothing the evaluator, the accessors of policy_block.h or the cataloguing of rules
 * reads lies outside. It does not say that a block means what some policy said: that is its
 * builder's word. Linear in the block's size; allocates nothing. */
#ifndef WARDER_POLICIES_ENGINE_VALIDATE_BLOCK_H
#define WARDER_POLICIES_ENGINE_VALIDATE_BLOCK_H

#include <stdbool.h>

#include "policies/engine/policy_block.h"

/* The header has been read: magic, version, a size that is there, the number of sections. */
bool block_is_walkable(const struct policy_block *block);

#endif
