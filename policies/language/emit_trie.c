/* Tries of components (paths, modules, domains) and of bits (addresses).
 *
 * Both are made from keys in order, in which what has a way in common stands together and a way
 * comes before those that go on from it. Only where ways part or a key ends is there a node: at
 * most two for each key. */
#include "policies/language/emit_index.h"

#include <stdlib.h>
#include <string.h>

#include "policies/engine/trie_walk.h"
#include "policies/language/emit.h"

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* The key's byte, `at` bytes from the side where components begin. */
static char byte_of(const struct index_key *key, size_t at)
{
    return trie_byte(key->kind, key->text, key->length, at);
}

/* Separators come before all other bytes, so that a component stands before those which it is the
 * front of. */
static unsigned rank_of(const struct index_key *key, size_t at)
{
    const char byte = byte_of(key, at);
    return byte == (key->kind == LOOKUP_PATH ? '/' : '.') ? 0 : 1U + (unsigned char)byte;
}

static int by_way(const void *a, const void *b)
{
    const struct index_key *left = a;
    const struct index_key *right = b;
    const size_t shorter = left->length < right->length ? left->length : right->length;

    for (size_t at = 0; at < shorter; at++)
        if (byte_of(left, at) != byte_of(right, at))
            return compare_numbers(rank_of(left, at), rank_of(right, at));
    if (left->length != right->length)
        return compare_numbers(left->length, right->length);
    if (left->order != right->order)
        return compare_numbers(left->order, right->order);
    return compare_numbers(left->value, right->value);
}

static size_t component_end(const struct index_key *key, size_t at)
{
    return trie_component_end(key->kind, key->text, key->length, at);
}

/* The whole components, from `at` on, that two keys have in common. */
static size_t common_way(const struct index_key *a, const struct index_key *b, size_t at)
{
    while (at < a->length && at < b->length) {
        const size_t end = component_end(a, at);
        if (end != component_end(b, at))
            break;
        for (size_t i = at; i < end; i++)
            if (byte_of(a, i) != byte_of(b, i))
                return at;
        at = end;
    }
    return at;
}

static uint64_t way_hash(const struct index_key *key, uint64_t hash, size_t at, size_t end)
{
    while (at < end) {
        const size_t next = component_end(key, at);
        hash = trie_hash(key->kind, hash, key->text, key->length, at, next);
        at = next;
    }
    return hash;
}

/* Keys that have the first `at` bytes in common, which lead to `parent`. */
struct branch {
    const struct index_key *keys;
    size_t count;
    size_t at;
    uint64_t hash;
    uint32_t parent;
};

/* A node before it has a slot: `parent` is one of these, or a root. */
struct pending_node {
    struct trie_node node;
    uint64_t hash;
};

static uint32_t add_node(struct emitter *emitter, const struct pending_node *node)
{
    if (emitter->node_count == emitter->node_capacity) {
        const size_t capacity = 2 * emitter->node_capacity + 64;
        struct pending_node *nodes = realloc(emitter->nodes, capacity * sizeof(*nodes));
        if (!nodes) {
            emitter->failed = true;
            return 0;
        }
        emitter->nodes = nodes;
        emitter->node_capacity = capacity;
    }
    emitter->nodes[emitter->node_count] = *node;
    return (uint32_t)emitter->node_count++;
}

/* The number of keys at the front that end where the branch begins. */
static size_t ended(const struct branch *branch)
{
    size_t count = 0;
    while (count < branch->count && branch->keys[count].length == branch->at)
        count++;
    return count;
}

/* Adds the nodes behind the branch's; as deep as ways part, which is no more than there are
 * components. */
static void add_branches(struct emitter *emitter, const struct branch *branch)
{
    const size_t at = branch->at;

    for (size_t first = ended(branch); first < branch->count && !emitter->failed;) {
        const struct index_key *keys = &branch->keys[first];
        size_t count = 1;
        const size_t component = component_end(&keys[0], at);
        while (first + count < branch->count && common_way(&keys[0], &keys[count], at) >= component)
            count++;
        const size_t end = common_way(&keys[0], &keys[count - 1], at);
        struct branch next = {keys, count, end, way_hash(&keys[0], branch->hash, at, end), 0};
        const struct pending_node node = {
            .node = {.parent = branch->parent,
                     .value = keys[0].value,
                     .start = (uint16_t)at,
                     .length = (uint16_t)(end - at),
                     .rules = emit_key_rules(emitter, keys, ended(&next))},
            .hash = way_hash(&keys[0], branch->hash, at, component)};
        next.parent = add_node(emitter, &node);
        add_branches(emitter, &next);
        first += count;
    }
}

void emit_trie(struct emitter *emitter, struct index_key *keys, size_t count)
{
    const uint32_t lookup = keys[0].lookup;
    struct branch root = {keys, count, 0, index_hash_of_lookup(lookup), TRIE_ROOT | lookup};

    qsort(keys, count, sizeof(*keys), by_way);
    const struct key_rules rules = emit_key_rules(emitter, keys, ended(&root));
    struct lookup *record = emit_at(emitter, SECTION_LOOKUPS, sizeof(*record), lookup);
    if (!record)
        return;
    record->at_root = rules;
    add_branches(emitter, &root);
}

/* A node's new place. */
struct placed_node {
    uint32_t slot;
    uint32_t number; /* among the pending ones */
};

static int by_slot(const void *a, const void *b)
{
    const struct placed_node *left = a;
    const struct placed_node *right = b;
    if (left->slot != right->slot)
        return compare_numbers(left->slot, right->slot);
    return compare_numbers(left->number, right->number);
}

void emit_trie_slots(struct emitter *emitter)
{
    const size_t count = emitter->node_count;
    const uint32_t slot_count = emit_slot_count(count);
    struct placed_node *placed = storage_take(emitter->storage, count + 1, sizeof(*placed));
    uint32_t *slots = storage_take(emitter->storage, count + 1, sizeof(*slots));
    uint32_t *places = storage_take(emitter->storage, count + 1, sizeof(*places));

    if (!placed || !slots || !places) {
        emitter->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        placed[i] =
            (struct placed_node){index_slot(emitter->nodes[i].hash, slot_count), (uint32_t)i};
    if (count > 0)
        qsort(placed, count, sizeof(*placed), by_slot);
    const uint32_t first =
        emit_reserve(emitter, SECTION_TRIE_NODES, sizeof(struct trie_node), count);
    struct trie_node *put = emit_at(emitter, SECTION_TRIE_NODES, sizeof(*put), first);
    for (size_t i = 0; i < count; i++)
        places[placed[i].number] = (uint32_t)i;
    for (size_t i = 0; put && i < count; i++) {
        put[i] = emitter->nodes[placed[i].number].node;
        if (!(put[i].parent & TRIE_ROOT))
            put[i].parent = places[put[i].parent];
        slots[i] = placed[i].slot;
    }
    emit_slots(emitter, SECTION_TRIE_SLOTS, slots, count);
}

static int by_bits(const void *a, const void *b)
{
    const struct index_key *left = a;
    const struct index_key *right = b;
    const int order =
        memcmp(left->address.bytes, right->address.bytes, sizeof(left->address.bytes));

    if (order != 0)
        return order;
    if (left->prefix != right->prefix)
        return compare_numbers(left->prefix, right->prefix);
    if (left->order != right->order)
        return compare_numbers(left->order, right->order);
    return compare_numbers(left->value, right->value);
}

static unsigned bit_of(const struct index_key *key, unsigned bit)
{
    return (unsigned)key->address.bytes[bit / 8] >> (7 - bit % 8) & 1U;
}

static unsigned common_bits(const struct index_key *a, const struct index_key *b)
{
    unsigned bits = a->prefix < b->prefix ? a->prefix : b->prefix;

    for (unsigned i = 0; i < bits; i++)
        if (bit_of(a, i) != bit_of(b, i))
            return i;
    return bits;
}

/* The node of keys that have a way in common, and those behind it; at most as deep as an address
 * has bits. */
static uint32_t add_bits(struct emitter *emitter, const struct index_key *keys, size_t count)
{
    const unsigned prefix = common_bits(&keys[0], &keys[count - 1]);
    size_t here = 0;

    while (here < count && keys[here].prefix == prefix)
        here++;
    const struct key_rules rules = emit_key_rules(emitter, keys, here);
    const uint32_t index = emit_reserve(emitter, SECTION_BIT_NODES, sizeof(struct bit_node), 1);
    size_t ones = here;
    while (ones < count && bit_of(&keys[ones], prefix) == 0)
        ones++;
    uint32_t children[2] = {(uint32_t)BLOCK_NONE, (uint32_t)BLOCK_NONE};
    if (ones > here && !emitter->failed)
        children[0] = add_bits(emitter, &keys[here], ones - here);
    if (count > ones && !emitter->failed)
        children[1] = add_bits(emitter, &keys[ones], count - ones);
    struct bit_node *node = emit_at(emitter, SECTION_BIT_NODES, sizeof(*node), index);
    if (node)
        *node = (struct bit_node){.value = keys[0].value,
                                  .prefix = prefix,
                                  .children = {children[0], children[1]},
                                  .rules = rules};
    return index;
}

void emit_bit_trie(struct emitter *emitter, struct index_key *keys, size_t count)
{
    qsort(keys, count, sizeof(*keys), by_bits);
    const uint32_t root = add_bits(emitter, keys, count);
    struct lookup *record = emit_at(emitter, SECTION_LOOKUPS, sizeof(*record), keys[0].lookup);
    if (record)
        record->root = root;
}
