#include "policies/engine/policy_block.h"

#include <stdlib.h>
#include <string.h>

#include "policies/engine/block_layout.h"
#include "policies/engine/index_hash.h"
#include "policies/engine/validate_block.h"

_Static_assert(sizeof(struct policy_block) % BLOCK_ALIGNMENT == 0, "sections start aligned");

uint64_t block_checksum(const struct policy_block *block)
{
    /* The block is guarded against accidents, not against an author. Its size is in whole words. */
    const size_t from = offsetof(struct policy_block, section_count);
    const char *bytes = (const char *)block;
    uint64_t hash = block->size;
    uint64_t word;

    for (size_t i = from; i + sizeof(word) <= block->size; i += sizeof(word)) {
        memcpy(&word, bytes + i, sizeof(word));
        hash = index_hash_mix(hash, word);
    }
    return hash;
}

const struct policy_block *policy_block_open(const void *bytes, size_t size)
{
    const struct policy_block *block = bytes;

    if ((uintptr_t)bytes % BLOCK_ALIGNMENT != 0 || size < sizeof(*block))
        return NULL;
    if (memcmp(block->magic, BLOCK_MAGIC, sizeof(block->magic)) != 0 ||
        block->version != BLOCK_VERSION || block->size < sizeof(*block) || block->size > size ||
        block->size % BLOCK_ALIGNMENT != 0 || block->section_count != SECTION_COUNT)
        return NULL;
    return block_checksum(block) == block->checksum && block_is_walkable(block) ? block : NULL;
}

size_t policy_block_size(const struct policy_block *block)
{
    return block->size;
}

uint32_t policy_block_policy_count(const struct policy_block *block)
{
    return block->sections[SECTION_POLICIES].count;
}

uint32_t policy_block_rule_count(const struct policy_block *block)
{
    return block->sections[SECTION_RULES].count;
}

const char *policy_name(const struct policy_block *block, uint32_t policy)
{
    return block_text(block, block_policy(block, policy)->name);
}

const char *policy_title(const struct policy_block *block, uint32_t policy)
{
    return block_text(block, block_policy(block, policy)->title);
}

uint32_t policy_rule_count(const struct policy_block *block, uint32_t policy)
{
    return block_policy(block, policy)->rules.count;
}

enum policy_tier policy_tier(const struct policy_block *block, uint32_t policy)
{
    return (enum policy_tier)block_policy(block, policy)->tier;
}

bool policy_observes(const struct policy_block *block, uint32_t policy)
{
    return block_policy(block, policy)->observes != 0;
}

bool policy_has_applies(const struct policy_block *block, uint32_t policy)
{
    return block_policy(block, policy)->has_applies != 0;
}

const char *policy_tier_name(enum policy_tier tier)
{
    switch (tier) {
    case TIER_MANDATORY:
        return "mandatory";
    case TIER_LOCAL:
        return "local";
    case TIER_VENDOR:
        return "vendor";
    }
    return "unknown";
}

const char *rule_name(const struct policy_block *block, uint32_t rule)
{
    return block_text(block, block_rule(block, rule)->name);
}

enum rule_effect rule_effect(const struct policy_block *block, uint32_t rule)
{
    return (enum rule_effect)block_rule(block, rule)->effect;
}

const char *rule_message(const struct policy_block *block, uint32_t rule)
{
    return block_text(block, block_rule(block, rule)->message);
}

const char *default_message(const struct policy_block *block, uint32_t policy,
                            enum operation_class operation_class)
{
    return block_text(block, block_policy(block, policy)->defaults[operation_class].message);
}

struct policy_floor policy_floor(const struct policy_block *block, uint32_t policy)
{
    const struct policy_record *record = block_policy(block, policy);
    return (struct policy_floor){record->floor, record->floor_required};
}

uint32_t policy_block_override_count(const struct policy_block *block)
{
    return block->sections[SECTION_OVERRIDES].count;
}

struct override_facts override_facts(const struct policy_block *block, uint32_t override)
{
    const struct override_record *record = block_override(block, override);
    return (struct override_facts){.by = record->by,
                                   .target = record->target,
                                   .rule = record->rule,
                                   .operation_class = (enum operation_class)record->operation_class,
                                   .until = record->until,
                                   .reason = block_text(block, record->reason)};
}

void policy_block_free(struct policy_block *block)
{
    free(block);
}
