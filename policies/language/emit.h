/* From checked trees to the block (policies/engine/block_layout.h).
 *
 * Records are put into growing sections; emit_finish lays the sections one behind the other. Lack
 * of memory is remembered and told at the end. */
#ifndef WARDER_POLICIES_LANGUAGE_EMIT_H
#define WARDER_POLICIES_LANGUAGE_EMIT_H

#include "policies/language/checked.h"
#include "policies/language/compile.h"
#include "policies/language/emit_index.h"
#include "policies/language/name_table.h"
#include "policies/language/source_map_internal.h"
#include "policies/language/storage.h"
#include "policies/language/syntax_tree.h"

struct emitter_section {
    char *bytes;
    size_t length;
    size_t capacity;
    uint32_t count;
};

/* An override, until every policy has its place. */
struct pending_override {
    const struct override *override;
    uint32_t by;
    struct pending_override *next;
};

struct pending_node; /* emit_trie.c */

struct emitter {
    struct storage *storage;
    const struct compile_options *options; /* may be NULL */
    struct emitter_section sections[SECTION_COUNT];
    struct name_table texts; /* to 1 + their offset */
    struct pending_override *overrides;
    struct index_key *keys; /* of the rules in all sets */
    size_t key_count;
    size_t key_capacity;
    struct pending_node *nodes; /* of all tries */
    size_t node_count;
    size_t node_capacity;
    bool failed;
};

void emitter_init(struct emitter *emitter, struct storage *storage,
                  const struct compile_options *options);
void emitter_deinit(struct emitter *emitter);

/* Adds a policy; to be called in the block's order of policies. */
void emit_policy(struct emitter *emitter, struct policy *policy, enum policy_tier tier,
                 bool observe);

/* Adds the overrides of all policies, once the block has every policy. */
void emit_overrides(struct emitter *emitter);

/* The block, once everything is in it; NULL on lack of memory. */
struct policy_block *emit_finish(struct emitter *emitter);

/* For the other emit_*.c and emit.c: room for `count` zeroed records of `size` bytes. Returns the
 * index of the first; emit_at finds a record again after others were added (NULL: there is none, or
 * something has failed). */
uint32_t emit_reserve(struct emitter *emitter, enum block_section section, size_t size,
                      size_t count);
void *emit_at(struct emitter *emitter, enum block_section section, size_t size, uint32_t index);

/* Records that are there. */
static inline const struct block_node *emitted_node(const struct emitter *emitter, uint32_t index)
{
    return (const struct block_node *)emitter->sections[SECTION_NODES].bytes + index;
}

static inline const struct block_value *emitted_value(const struct emitter *emitter, uint32_t index)
{
    return (const struct block_value *)emitter->sections[SECTION_VALUES].bytes + index;
}

static inline const char *emitted_text(const struct emitter *emitter,
                                       const struct block_value *value)
{
    return emitter->sections[SECTION_TEXT].bytes + value->text;
}

/* The offset of a text, terminated; the same for the same text. */
uint32_t emit_text(struct emitter *emitter, const char *text, size_t length);

/* Notes where a record comes from, if somebody wants a map. */
void emit_place(struct emitter *emitter, enum mapped_kind kind, uint32_t index, struct span span);

/* Puts a condition into a node that was reserved for it. Returns true if it speaks of a path of the
 * operation. */
bool emit_condition(struct emitter *emitter, uint32_t node, const struct condition *condition);
/* Values in a row, each path followed by what it resolves to. */
struct block_range emit_values(struct emitter *emitter, const struct typed_value *values);

#endif
