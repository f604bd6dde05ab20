/* What a walk relies on beside numbers in range: children of conditions and of bit nodes stand
 * behind their parents, so no way leads in a circle; a trie node has a component, so each step
 * through it reads of the text; slots ascend, so a slot is a range. How deep a condition is, and
 * how often its parts are shared, the evaluator bounds for itself. */
#include "policies/engine/validate_block.h"

#include <string.h>

#include "policies/engine/block_layout.h"
#include "policies/engine/glob.h"

static const size_t record_sizes[SECTION_COUNT] = {
    [SECTION_POLICIES] = sizeof(struct policy_record),
    [SECTION_RULES] = sizeof(struct rule_record),
    [SECTION_RULE_LISTS] = sizeof(uint32_t),
    [SECTION_RULE_SETS] = sizeof(struct rule_set),
    [SECTION_EVENT_SETS] = sizeof(struct event_set),
    [SECTION_NODES] = sizeof(struct block_node),
    [SECTION_VALUES] = sizeof(struct block_value),
    [SECTION_GLOB_WORDS] = sizeof(uint32_t),
    [SECTION_ARGUMENTS] = sizeof(struct argument_place),
    [SECTION_OVERRIDES] = sizeof(struct override_record),
    [SECTION_LOOKUPS] = sizeof(struct lookup),
    [SECTION_KEY_SLOTS] = sizeof(uint32_t),
    [SECTION_KEYS] = sizeof(struct exact_key),
    [SECTION_TRIE_SLOTS] = sizeof(uint32_t),
    [SECTION_TRIE_NODES] = sizeof(struct trie_node),
    [SECTION_BIT_NODES] = sizeof(struct bit_node),
    [SECTION_EVENT_RULES] = sizeof(struct event_rule),
    [SECTION_TEXT] = 1,
};

static uint32_t count_of(const struct policy_block *block, enum block_section section)
{
    return block->sections[section].count;
}

/* Sections lie behind the header, in order, aligned, and inside the block. */
static bool sections_are_inside(const struct policy_block *block)
{
    uint64_t free_from = sizeof(*block);

    for (int i = 0; i < SECTION_COUNT; i++) {
        const struct block_range *section = &block->sections[i];
        if (section->first % BLOCK_ALIGNMENT != 0 || section->first < free_from)
            return false;
        free_from = section->first + (uint64_t)section->count * record_sizes[i];
        if (free_from > block->size)
            return false;
    }
    return true;
}

static bool has(const struct policy_block *block, enum block_section section, uint32_t index)
{
    return index < count_of(block, section);
}

static bool has_range(const struct policy_block *block, enum block_section section,
                      struct block_range range)
{
    const uint32_t count = count_of(block, section);
    return range.first <= count && range.count <= count - range.first;
}

static bool has_text(const struct policy_block *block, uint32_t offset, uint32_t length)
{
    const uint32_t count = count_of(block, SECTION_TEXT);
    return offset < count && length < count - offset; /* a NUL is behind every text */
}

/* Texts that are read up to a NUL find one: the last byte of the section. */
static bool texts_end(const struct policy_block *block)
{
    const uint32_t count = count_of(block, SECTION_TEXT);
    return count > 0 && *block_text(block, count - 1) == '\0';
}

static bool has_condition(const struct policy_block *block, uint32_t node)
{
    return node == (uint32_t)BLOCK_NONE || has(block, SECTION_NODES, node);
}

static bool policies_are_sound(const struct policy_block *block)
{
    for (uint32_t i = 0; i < count_of(block, SECTION_POLICIES); i++) {
        const struct policy_record *policy = block_policy(block, i);
        if (!has_text(block, policy->name, 0) || !has_text(block, policy->title, 0) ||
            policy->tier > TIER_VENDOR || !has_range(block, SECTION_NODES, policy->applies) ||
            !has_range(block, SECTION_RULES, policy->rules) ||
            !has_range(block, SECTION_EVENT_SETS, policy->events) ||
            !has_range(block, SECTION_OVERRIDES, policy->overrides) ||
            !has(block, SECTION_RULE_SETS, policy->glob_rules) ||
            !has(block, SECTION_RULE_SETS, policy->all_rules))
            return false;
        for (int class = 0; class < CLASS_COUNT; class ++)
            if (!has(block, SECTION_RULE_SETS, policy->class_rules[class]) ||
                !has_text(block, policy->defaults[class].message, 0))
                return false;
    }
    return true;
}

static bool values_match_globs(const struct policy_block *block, struct block_range values)
{
    const struct block_value *value = block_values(block) + values.first;

    for (uint32_t i = 0; i < values.count; i++)
        if (!block_value_has_text(&value[i]))
            return false;
    return true;
}

static bool rules_are_sound(const struct policy_block *block)
{
    for (uint32_t i = 0; i < count_of(block, SECTION_RULES); i++) {
        const struct rule_record *rule = block_rule(block, i);
        if (!has_text(block, rule->name, 0) || !has_text(block, rule->message, 0) ||
            !has_condition(block, rule->condition) || rule->effect > EFFECT_LOG ||
            !has_range(block, SECTION_VALUES, rule->globs) ||
            !values_match_globs(block, rule->globs))
            return false;
    }
    return true;
}

static bool overrides_are_sound(const struct policy_block *block)
{
    for (uint32_t i = 0; i < count_of(block, SECTION_OVERRIDES); i++) {
        const struct override_record *record = block_override(block, i);
        if (!has(block, SECTION_POLICIES, record->by) ||
            !has(block, SECTION_POLICIES, record->target) ||
            !(record->rule == RULE_DEFAULT || has(block, SECTION_RULES, record->rule)) ||
            record->operation_class >= CLASS_COUNT || !has_condition(block, record->condition) ||
            !has_text(block, record->reason, 0))
            return false;
    }
    return true;
}

static bool predicate_is_sound(const struct policy_block *block, const struct block_node *node)
{
    const struct block_range values = {node->first, node->count};

    if (node->operator_kind > OPERATOR_GREATER_OR_EQUAL || node->attribute >= ATTRIBUTE_COUNT ||
        node->type > TYPE_ANY || node->part > PART_ARGUMENT ||
        !has_range(block, SECTION_VALUES, values))
        return false;
    if (node->part == PART_ARGUMENT)
        return has_range(block, SECTION_ARGUMENTS,
                         (struct block_range){node->key, node->key_count});
    return has_text(block, node->key, 0);
}

static bool nodes_are_sound(const struct policy_block *block)
{
    const struct block_node *nodes = block_nodes(block);

    for (uint32_t i = 0; i < count_of(block, SECTION_NODES); i++) {
        const struct block_node *node = &nodes[i];
        const struct block_range children = {node->first, node->count};
        bool sound = true;
        switch ((enum node_kind)node->kind) {
        case NODE_TRUE:
            break;
        case NODE_NOT:
            sound = node->count == 1;
            /* fall through */
        case NODE_AND:
        case NODE_OR:
            sound = sound && (node->count == 0 || node->first > i) &&
                    has_range(block, SECTION_NODES, children);
            break;
        case NODE_PREDICATE:
            sound = predicate_is_sound(block, node);
            break;
        default:
            sound = false;
        }
        if (!sound)
            return false;
    }
    return true;
}

static bool values_are_sound(const struct policy_block *block)
{
    const struct block_value *values = block_values(block);

    for (uint32_t i = 0; i < count_of(block, SECTION_VALUES); i++) {
        const struct block_value *value = &values[i];
        if (value->kind > BLOCK_VALUE_PLACE_GLOB)
            return false;
        if (value->kind == BLOCK_VALUE_ADDRESS) {
            if ((value->place != ADDRESS_IPV4_BYTES && value->place != ADDRESS_IPV6_BYTES) ||
                value->prefix > 8U * value->place)
                return false;
        } else if (block_value_has_text(value)) {
            if (!has_text(block, value->text, value->length) || value->place >= PLACE_COUNT ||
                value->glob.count > GLOB_WORDS_MAX ||
                !has_range(block, SECTION_GLOB_WORDS, value->glob))
                return false;
        }
    }
    return true;
}

static bool list_names_rules(const struct policy_block *block)
{
    const uint32_t *rules = (const uint32_t *)block_section(block, SECTION_RULE_LISTS);

    for (uint32_t i = 0; i < count_of(block, SECTION_RULE_LISTS); i++)
        if (!has(block, SECTION_RULES, rules[i]))
            return false;
    return true;
}

static bool key_rules_are_sound(const struct policy_block *block, struct key_rules rules)
{
    if (rules.count == 1)
        return has(block, SECTION_RULES, rules.first);
    return has_range(block, SECTION_RULE_LISTS, (struct block_range){rules.first, rules.count});
}

static bool sets_are_sound(const struct policy_block *block)
{
    const struct rule_set *sets = (const struct rule_set *)block_section(block, SECTION_RULE_SETS);
    const struct event_set *events =
        (const struct event_set *)block_section(block, SECTION_EVENT_SETS);

    for (uint32_t i = 0; i < count_of(block, SECTION_RULE_SETS); i++)
        if (!has_range(block, SECTION_RULE_LISTS, sets[i].always) ||
            !has_range(block, SECTION_LOOKUPS, sets[i].lookups))
            return false;
    for (uint32_t i = 0; i < count_of(block, SECTION_EVENT_SETS); i++)
        if (!has(block, SECTION_RULE_SETS, events[i].rules))
            return false;
    return count_of(block, SECTION_RULE_SETS) > 0;
}

static bool lookups_are_sound(const struct policy_block *block)
{
    const struct lookup *lookups = (const struct lookup *)block_section(block, SECTION_LOOKUPS);

    for (uint32_t i = 0; i < count_of(block, SECTION_LOOKUPS); i++) {
        const struct lookup *lookup = &lookups[i];
        if (!has(block, SECTION_NODES, lookup->node) ||
            block_nodes(block)[lookup->node].kind != NODE_PREDICATE ||
            lookup->kind >= LOOKUP_KIND_COUNT || lookup->way >= WAY_COUNT ||
            lookup->place > PLACE_COUNT || !has_range(block, SECTION_RULE_LISTS, lookup->strict) ||
            !key_rules_are_sound(block, lookup->at_root) ||
            !(lookup->root == (uint32_t)BLOCK_NONE || has(block, SECTION_BIT_NODES, lookup->root)))
            return false;
    }
    return true;
}

/* None, or a power of two and one, ascending from the first record to behind the last. */
static bool slots_are_sound(const struct policy_block *block, enum block_section section,
                            uint32_t records)
{
    const uint32_t *slots = (const uint32_t *)block_section(block, section);
    const uint32_t count = count_of(block, section);

    if (count == 0)
        return true;
    if (count < 2 || ((count - 1) & (count - 2)) != 0 || slots[count - 1] > records)
        return false;
    for (uint32_t i = 1; i < count; i++)
        if (slots[i - 1] > slots[i])
            return false;
    return true;
}

static bool keys_are_sound(const struct policy_block *block)
{
    const struct exact_key *keys = (const struct exact_key *)block_section(block, SECTION_KEYS);
    const struct lookup *lookups = (const struct lookup *)block_section(block, SECTION_LOOKUPS);

    for (uint32_t i = 0; i < count_of(block, SECTION_KEYS); i++) {
        if (!has(block, SECTION_VALUES, keys[i].value) ||
            !has(block, SECTION_LOOKUPS, keys[i].lookup) ||
            !key_rules_are_sound(block, keys[i].rules))
            return false;
        const struct block_value *value = block_values(block) + keys[i].value;
        if (lookups[keys[i].lookup].kind == LOOKUP_NUMBER ? value->kind != BLOCK_VALUE_RANGE
                                                          : !block_value_has_text(value))
            return false;
    }
    return slots_are_sound(block, SECTION_KEY_SLOTS, count_of(block, SECTION_KEYS));
}

static bool trie_is_sound(const struct policy_block *block)
{
    const struct trie_node *nodes =
        (const struct trie_node *)block_section(block, SECTION_TRIE_NODES);

    for (uint32_t i = 0; i < count_of(block, SECTION_TRIE_NODES); i++) {
        const struct trie_node *node = &nodes[i];
        if (!has(block, SECTION_VALUES, node->value) || node->length == 0 ||
            !key_rules_are_sound(block, node->rules))
            return false;
        const struct block_value *value = block_values(block) + node->value;
        if (!block_value_has_text(value) || (uint32_t)node->start + node->length > value->length)
            return false;
    }
    return slots_are_sound(block, SECTION_TRIE_SLOTS, count_of(block, SECTION_TRIE_NODES));
}

static bool bit_nodes_are_sound(const struct policy_block *block)
{
    const struct bit_node *nodes = (const struct bit_node *)block_section(block, SECTION_BIT_NODES);
    const uint32_t count = count_of(block, SECTION_BIT_NODES);

    for (uint32_t i = 0; i < count; i++) {
        if (!has(block, SECTION_VALUES, nodes[i].value) ||
            block_values(block)[nodes[i].value].kind != BLOCK_VALUE_ADDRESS ||
            nodes[i].prefix > 8 * ADDRESS_IPV6_BYTES || !key_rules_are_sound(block, nodes[i].rules))
            return false;
        for (int bit = 0; bit < 2; bit++) {
            const uint32_t child = nodes[i].children[bit];
            if (child != (uint32_t)BLOCK_NONE && (child <= i || child >= count))
                return false;
        }
    }
    return true;
}

/* As much as a key's rules take of the lists. */
static uint64_t listed(struct key_rules rules)
{
    return rules.count == 1 ? 0 : rules.count;
}

/* No list is in two places, so that one evaluation is linear in the block: judged by their sum. */
static bool lists_are_used_once(const struct policy_block *block)
{
    const struct rule_set *sets = (const struct rule_set *)block_section(block, SECTION_RULE_SETS);
    const struct lookup *lookups = (const struct lookup *)block_section(block, SECTION_LOOKUPS);
    const struct exact_key *keys = (const struct exact_key *)block_section(block, SECTION_KEYS);
    const struct trie_node *nodes =
        (const struct trie_node *)block_section(block, SECTION_TRIE_NODES);
    const struct bit_node *bits = (const struct bit_node *)block_section(block, SECTION_BIT_NODES);
    uint64_t rules = 0;
    uint64_t of_sets = 0;

    for (uint32_t i = 0; i < count_of(block, SECTION_RULE_SETS); i++) {
        rules += sets[i].always.count;
        of_sets += sets[i].lookups.count;
    }
    for (uint32_t i = 0; i < count_of(block, SECTION_LOOKUPS); i++)
        rules += lookups[i].strict.count + listed(lookups[i].at_root);
    for (uint32_t i = 0; i < count_of(block, SECTION_KEYS); i++)
        rules += listed(keys[i].rules);
    for (uint32_t i = 0; i < count_of(block, SECTION_TRIE_NODES); i++)
        rules += listed(nodes[i].rules);
    for (uint32_t i = 0; i < count_of(block, SECTION_BIT_NODES); i++)
        rules += listed(bits[i].rules);
    return rules <= count_of(block, SECTION_RULE_LISTS) &&
           of_sets <= count_of(block, SECTION_LOOKUPS);
}

/* Nor is a set, but for the empty one. */
static bool sets_are_used_once(const struct policy_block *block)
{
    uint64_t used = 0;

    for (uint32_t i = 0; i < count_of(block, SECTION_POLICIES); i++) {
        const struct policy_record *policy = block_policy(block, i);
        used += policy->events.count;
        used += policy->glob_rules != 0 ? 1U : 0U;
        used += policy->all_rules != 0 ? 1U : 0U;
        for (int class = 0; class < CLASS_COUNT; class ++)
            used += policy->class_rules[class] != 0 ? 1U : 0U;
    }
    return used < count_of(block, SECTION_RULE_SETS);
}

bool block_is_walkable(const struct policy_block *block)
{
    return sections_are_inside(block) && texts_end(block) && values_are_sound(block) &&
           nodes_are_sound(block) && rules_are_sound(block) && list_names_rules(block) &&
           sets_are_sound(block) && policies_are_sound(block) && overrides_are_sound(block) &&
           lookups_are_sound(block) && keys_are_sound(block) && trie_is_sound(block) &&
           bit_nodes_are_sound(block) && lists_are_used_once(block) && sets_are_used_once(block);
}
