/* A block without what is none of a session's business: for handing it to a process that only some
 * of its policies govern.
 *
 * What those policies compare with stays, so that they judge as before. Every other text and value
 * is blanked: names, titles, messages and reasons, and all literals of the policies that do not
 * govern. How many policies and rules there are, and how their conditions are built, still shows.
 */
#ifndef WARDER_POLICIES_ENGINE_BLOCK_CUT_H
#define WARDER_POLICIES_ENGINE_BLOCK_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/policy_block.h"

/* Blanks, in a copy that is the caller's own, everything but what the policies need to judge; they
 * are indices of the block, `count` of them. The block stays one that policy_block_open takes.
 * False on lack of memory: the block is then as it was. */
bool policy_block_cut(struct policy_block *block, const uint32_t *policies, size_t count);

#endif
