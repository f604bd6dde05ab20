/* Marks what the policies' conditions reach, then blanks the rest. Indexes keep their structure:
 * a key or trie node leads to a value of the condition that it was made from, which is marked where
 * its rule is one that stays. */
#include "policies/engine/block_cut.h"

#include <stdlib.h>
#include <string.h>

#include "policies/engine/block_layout.h"

struct marks {
    struct policy_block *block;
    bool *texts;  /* by byte */
    bool *values; /* by index */
    bool *words;  /* of globs */
    bool *nodes;
};

static void *section(struct policy_block *block, enum block_section which)
{
    return (char *)block + block->sections[which].first;
}

static uint32_t count_of(const struct policy_block *block, enum block_section which)
{
    return block->sections[which].count;
}

static void mark_text(struct marks *marks, uint32_t offset, uint32_t length)
{
    memset(marks->texts + offset, true, (size_t)length + 1);
}

static void mark_values(struct marks *marks, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        const struct block_value *value = block_values(marks->block) + i;
        if (marks->values[i])
            continue;
        marks->values[i] = true;
        if (!block_value_has_text(value))
            continue;
        mark_text(marks, value->text, value->length);
        memset(marks->words + value->glob.first, true, value->glob.count);
    }
}

static void mark_node(struct marks *marks, uint32_t index)
{
    const struct block_node *node = block_nodes(marks->block) + index;

    if (marks->nodes[index])
        return;
    marks->nodes[index] = true;
    if (node->kind == NODE_PREDICATE) {
        mark_values(marks, node->first, node->count);
        if (node->part != PART_ARGUMENT)
            mark_text(marks, node->key, (uint32_t)strlen(block_text(marks->block, node->key)));
        return;
    }
    /* Children stand behind their parent, and no deeper than BLOCK_DEPTH_MAX. */
    for (uint32_t i = 0; node->kind != NODE_TRUE && i < node->count; i++)
        mark_node(marks, node->first + i);
}

static void mark_policy(struct marks *marks, uint32_t policy)
{
    const struct policy_record *record = block_policy(marks->block, policy);

    for (uint32_t i = 0; i < record->rules.count; i++) {
        const struct rule_record *rule = block_rule(marks->block, record->rules.first + i);
        mark_values(marks, rule->globs.first, rule->globs.count);
        if (rule->condition != (uint32_t)BLOCK_NONE)
            mark_node(marks, rule->condition);
    }
}

static void blank(struct marks *marks)
{
    struct policy_block *block = marks->block;
    char *text = section(block, SECTION_TEXT);
    uint32_t *words = section(block, SECTION_GLOB_WORDS);
    struct block_value *values = section(block, SECTION_VALUES);

    for (uint32_t i = 0; i < count_of(block, SECTION_TEXT); i++)
        if (!marks->texts[i])
            text[i] = '\0';
    for (uint32_t i = 0; i < count_of(block, SECTION_GLOB_WORDS); i++)
        if (!marks->words[i])
            words[i] = 0;
    for (uint32_t i = 0; i < count_of(block, SECTION_VALUES); i++) {
        struct block_value *value = &values[i];
        if (marks->values[i] || block_value_has_text(value))
            continue;
        if (value->kind == BLOCK_VALUE_ADDRESS)
            memset(value->address, 0, sizeof(value->address));
        else
            value->low = value->high = 0;
    }
    block->checksum = block_checksum(block);
}

bool policy_block_cut(struct policy_block *block, const uint32_t *policies, size_t count)
{
    const uint32_t texts = count_of(block, SECTION_TEXT);
    const uint32_t values = count_of(block, SECTION_VALUES);
    const uint32_t words = count_of(block, SECTION_GLOB_WORDS);
    const uint32_t nodes = count_of(block, SECTION_NODES);
    bool *memory = calloc((size_t)texts + values + words + nodes + 1, sizeof(*memory));

    if (!memory)
        return false;
    struct marks marks = {.block = block,
                          .texts = memory,
                          .values = memory + texts,
                          .words = memory + texts + values,
                          .nodes = memory + texts + values + words};
    for (size_t i = 0; i < count; i++)
        mark_policy(&marks, policies[i]);
    blank(&marks);
    free(memory);
    return true;
}
