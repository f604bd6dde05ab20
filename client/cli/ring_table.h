/* Which ring holds each rule of a policy, as `warder check --rings` shows it. */
#ifndef WARDER_CLIENT_CLI_RING_TABLE_H
#define WARDER_CLIENT_CLI_RING_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "policies/engine/policy_block.h"

/* Prints the defaults that deny and the rules of a policy; then what the kernel does not hold of
 * the classes with a floor. As JSON, one object a line. */
void ring_table_print(FILE *out, const struct policy_block *block, uint32_t policy, bool json);

/* [1, 2, 3] */
json_t *rings_json(uint32_t rings);

#endif
