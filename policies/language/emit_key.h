/* Which literals of a condition can lead to its rule (policies/engine/rule_index.h says what for),
 * and which of them lead to the fewest others. Part of emit_index.h's work. */
#ifndef WARDER_POLICIES_LANGUAGE_EMIT_KEY_H
#define WARDER_POLICIES_LANGUAGE_EMIT_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/block_layout.h"

struct emitter;

/* Where a literal leads to. */
struct key {
    enum lookup_kind kind;
    enum lookup_way way;
    uint32_t position; /* WAY_AT: of the element */
    uint32_t place;    /* PLACE_COUNT: none */
    uint32_t value;    /* in SECTION_VALUES: whose text, number or address it is */
    uint32_t length;   /* of the text, from its front */
    unsigned worth;    /* how few events it concerns, where nothing else is known: more is fewer */
};

enum { KEYS_OF_A_LITERAL_MAX = 2 };

/* How many rules of a set stand under a key, by the hash of it: two keys that have one hash are
 * taken for one, which makes a choice worse and no answer wrong. */
struct key_counts {
    uint64_t *hashes;
    uint32_t *counts;
    size_t slots; /* a power of two */
};

/* Room for so many keys; false on lack of memory. Lives in the emitter's storage. */
bool key_counts_init(struct key_counts *counts, struct emitter *emitter, size_t keys);
/* The number of keys that a condition could add. */
size_t key_counts_room(const struct emitter *emitter, uint32_t node);
/* Counts the keys of a condition. */
void key_counts_add(const struct key_counts *counts, const struct emitter *emitter, uint32_t node);

/* What it costs to find a condition by its best keys: rules of the set that are found with it. */
struct key_cost {
    uint32_t rules; /* NO_KEYS: it has none */
    unsigned worth;
};
#define NO_KEYS UINT32_MAX

struct key_cost condition_cost(const struct key_counts *counts, const struct emitter *emitter,
                               uint32_t node);
bool cost_is_less(struct key_cost a, struct key_cost b);

/* The best keys of a predicate that has some: tells `add` of each, until it returns false. */
typedef bool key_taker(void *context, uint32_t node, const struct key *key);
bool take_predicate_keys(const struct key_counts *counts, struct emitter *emitter, uint32_t node,
                         key_taker *take, void *context);

#endif
