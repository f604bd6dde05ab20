/* The compiled policy: one flat, position-independent, read-only block.
 *
 * Offsets, no pointers; every multi-byte number in the byte order of the machine that built it (a
 * block never leaves its host). Built by policies/language/compile.c, read by evaluate.c through
 * the functions below. Policies are ordered by tier and name and rules by name, so that two
 * compilations of the same policies in another order are the same block. */
#ifndef WARDER_POLICIES_ENGINE_POLICY_BLOCK_H
#define WARDER_POLICIES_ENGINE_POLICY_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/vocabulary.h"
#include "policies/ownership.h"

struct policy_block;

enum policy_tier {
    TIER_MANDATORY,
    TIER_LOCAL,
    TIER_VENDOR,
};

enum rule_effect {
    EFFECT_ALLOW,
    EFFECT_DENY,
    EFFECT_KILL,
    EFFECT_LOG,
};

#define POLICY_NO_INDEX UINT32_MAX
#define RULE_DEFAULT UINT32_MAX
#define OVERRIDE_NONE UINT32_MAX

/* The block that lies in `size` bytes (a mapping, a message), aligned to 8; NULL if its header, its
 * length or its checksum says that it is none of this version, or if it could not be walked safely
 * (validate_block.h): the evaluator survives whatever this returns, hostile bytes included. Linear
 * in the size. */
const struct policy_block *policy_block_open(const void *bytes, size_t size);

/* Bytes of the block, header included. */
size_t policy_block_size(const struct policy_block *block);
uint32_t policy_block_policy_count(const struct policy_block *block);
uint32_t policy_block_rule_count(const struct policy_block *block);

/* Names and texts are terminated and live as long as the block. */
const char *policy_name(const struct policy_block *block, uint32_t policy);
const char *policy_title(const struct policy_block *block, uint32_t policy); /* "" if none */
enum policy_tier policy_tier(const struct policy_block *block, uint32_t policy);
bool policy_observes(const struct policy_block *block, uint32_t policy);
bool policy_has_applies(const struct policy_block *block, uint32_t policy);
uint32_t policy_rule_count(const struct policy_block *block, uint32_t policy);

/* `local`, as records and denials cite it. */
const char *policy_tier_name(enum policy_tier tier);

const char *rule_name(const struct policy_block *block, uint32_t rule);
enum rule_effect rule_effect(const struct policy_block *block, uint32_t rule);
/* What the author says to the person who is denied; "" if nothing. */
const char *rule_message(const struct policy_block *block, uint32_t rule);
const char *default_message(const struct policy_block *block, uint32_t policy,
                            enum operation_class operation_class);

/* The classes that the policy wants held by the kernel for the life of the process, bit N for class
 * N; `required`: those without which a session may not start. */
struct policy_floor {
    uint32_t classes;
    uint32_t required;
};
struct policy_floor policy_floor(const struct policy_block *block, uint32_t policy);

/* An override: what it cancels, for whom, and how long. Those that never count (of observing
 * policies, of sessions' own files, without a target) are in no block. */
struct override_facts {
    uint32_t by;                          /* the policy that it is a statement of */
    uint32_t target;                      /* the policy whose denial it cancels, */
    uint32_t rule;                        /* the rule, or RULE_DEFAULT: */
    enum operation_class operation_class; /* the default of this class */
    int32_t until; /* the last day that it counts, in days since 1970-01-01 UTC */
    const char *reason;
};
uint32_t policy_block_override_count(const struct policy_block *block);
struct override_facts override_facts(const struct policy_block *block, uint32_t override);

void policy_block_free(struct policy_block *block);
DEFINE_CLEANUP(struct policy_block *, policy_block_free);

#endif
