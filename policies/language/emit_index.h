/* The indexes of a block: which rules stand in a set, and under which keys
 * (policies/engine/rule_index.h says what for). Part of emit.h's work. */
#ifndef WARDER_POLICIES_LANGUAGE_EMIT_INDEX_H
#define WARDER_POLICIES_LANGUAGE_EMIT_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "policies/engine/block_layout.h"

struct emitter;

/* That a rule of a set stands under a literal. */
struct index_key {
    uint32_t lookup; /* index in SECTION_LOOKUPS */
    uint32_t value;  /* index in SECTION_VALUES */
    uint32_t length; /* how much of the value's text is the key */
    uint32_t order;  /* of the rule in the set: its keys are added in this order */
    uint32_t rule;
    /* Filled in when all keys are there: */
    enum lookup_kind kind;
    const char *text; /* the whole value's, in the section */
    int64_t number;
    struct address address;
    uint32_t prefix;
};

/* Puts rules, which are in the order of a rule list, into a new set, and returns its number; 0, the
 * empty set, if there are none. Their records and conditions are in the block already. */
uint32_t emit_rule_set(struct emitter *emitter, const uint32_t *rules, size_t count);

/* Lays out the keys of all sets, once every policy is in the block. */
void emit_indexes(struct emitter *emitter);

/* emit_trie.c: the keys from `keys` on are those of one look-up, which is a trie or a trie of bits.
 */
void emit_trie(struct emitter *emitter, struct index_key *keys, size_t count);
void emit_bit_trie(struct emitter *emitter, struct index_key *keys, size_t count);
/* Puts the nodes of all tries into their slots. */
void emit_trie_slots(struct emitter *emitter);

/* The rules of keys that are one, which stand in the order of their rules. */
struct key_rules emit_key_rules(struct emitter *emitter, const struct index_key *keys,
                                size_t count);

/* Lays out where the records of each slot begin: `slots[i]` is the slot of record i, ascending. */
void emit_slots(struct emitter *emitter, enum block_section section, const uint32_t *slots,
                size_t count);
/* How many slots so many records want. */
uint32_t emit_slot_count(size_t records);

#endif
