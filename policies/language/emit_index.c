/* A rule stands under the keys of that part of its condition which it shares with the fewest rules
 * of its set, and that has keys for every way of being true: one child of an `and`, all children of
 * an `or`. A condition without such a part (a `not`, a glob with neither a directory in front nor a
 * name at its end, a range) is always asked.
 *
 * Two compilations of the same policies are the same block: everything is ordered by content, or by
 * the order in which the policies were emitted, which is. */
#include "policies/language/emit_index.h"

#include <stdlib.h>
#include <string.h>

#include "policies/engine/index_hash.h"
#include "policies/language/emit.h"
#include "policies/language/emit_key.h"

enum {
    SET_RULES_MIN = 4, /* in a set of fewer rules, asking them costs no more than a look-up */
    SET_LOOKUPS_MAX =
        24, /* each is made for every event: rules under further ones are always asked */
};

static struct lookup *lookup_at(const struct emitter *emitter, uint32_t index)
{
    return (struct lookup *)emitter->sections[SECTION_LOOKUPS].bytes + index;
}

static bool same_lookup(const struct emitter *emitter, const struct lookup *lookup,
                        const struct block_node *node, const struct key *key)
{
    const struct block_node *other = emitted_node(emitter, lookup->node);
    return lookup->kind == key->kind && lookup->way == key->way && lookup->place == key->place &&
           lookup->position == key->position && other->attribute == node->attribute &&
           other->type == node->type && other->part == node->part && other->index == node->index &&
           other->key == node->key && other->key_count == node->key_count;
}

/* A set while its rules are put into it. */
struct open_set {
    struct emitter *emitter;
    struct key_counts counts;
    uint32_t first_lookup;
    uint32_t lookups;
    uint32_t order; /* of the rule that is put in */
    uint32_t rule;
};

/* The number of the set's look-up for such a key, a new one if there is none; BLOCK_NONE if there
 * are too many. */
static uint32_t find_lookup(struct open_set *set, uint32_t node, const struct key *key)
{
    struct emitter *emitter = set->emitter;

    for (uint32_t i = 0; i < set->lookups; i++)
        if (same_lookup(emitter, lookup_at(emitter, set->first_lookup + i),
                        emitted_node(emitter, node), key))
            return set->first_lookup + i;
    if (set->lookups == SET_LOOKUPS_MAX)
        return (uint32_t)BLOCK_NONE;
    const uint32_t index = emit_reserve(emitter, SECTION_LOOKUPS, sizeof(struct lookup), 1);
    if (emitter->failed)
        return (uint32_t)BLOCK_NONE;
    set->lookups++;
    *lookup_at(emitter, index) = (struct lookup){.node = node,
                                                 .kind = (uint8_t)key->kind,
                                                 .way = (uint8_t)key->way,
                                                 .place = (uint8_t)key->place,
                                                 .position = (uint8_t)key->position,
                                                 .root = (uint32_t)BLOCK_NONE};
    return index;
}

static bool add_key(struct emitter *emitter, struct index_key key)
{
    if (emitter->key_count == emitter->key_capacity) {
        const size_t capacity = 2 * emitter->key_capacity + 64;
        struct index_key *keys = realloc(emitter->keys, capacity * sizeof(*keys));
        if (!keys) {
            emitter->failed = true;
            return false;
        }
        emitter->keys = keys;
        emitter->key_capacity = capacity;
    }
    emitter->keys[emitter->key_count++] = key;
    return true;
}

static bool take_key(void *context, uint32_t node, const struct key *key)
{
    struct open_set *set = context;
    const uint32_t lookup = find_lookup(set, node, key);

    return lookup != (uint32_t)BLOCK_NONE &&
           add_key(set->emitter, (struct index_key){.lookup = lookup,
                                                    .value = key->value,
                                                    .length = key->length,
                                                    .order = set->order,
                                                    .rule = set->rule});
}

/* Adds the keys of a condition that has some; false if they are too many. */
static bool add_keys(struct open_set *set, uint32_t index)
{
    const struct block_node *node = emitted_node(set->emitter, index);
    const uint32_t first = node->first;
    const uint32_t count = node->count;
    const bool either = node->kind == NODE_OR;
    uint32_t best = first;

    if (node->kind == NODE_PREDICATE)
        return take_predicate_keys(&set->counts, set->emitter, index, take_key, set);
    for (uint32_t i = 0; i < count && either; i++)
        if (!add_keys(set, first + i))
            return false;
    if (either)
        return true;
    for (uint32_t i = 1; i < count; i++)
        if (cost_is_less(condition_cost(&set->counts, set->emitter, first + i),
                         condition_cost(&set->counts, set->emitter, best)))
            best = first + i;
    return add_keys(set, best);
}

static const struct rule_record *rule_at(const struct emitter *emitter, uint32_t rule)
{
    return (const struct rule_record *)emitter->sections[SECTION_RULES].bytes + rule;
}

/* Those of the rules under keys from `first_key` on that do not allow, each look-up's its own. */
static void emit_strict_rules(struct open_set *set, size_t first_key)
{
    struct emitter *emitter = set->emitter;

    for (uint32_t i = 0; i < set->lookups; i++) {
        const uint32_t lookup = set->first_lookup + i;
        struct block_range list = {emitter->sections[SECTION_RULE_LISTS].count, 0};
        uint32_t before = POLICY_NO_INDEX;
        for (size_t j = first_key; j < emitter->key_count && !emitter->failed; j++) {
            const struct index_key *key = &emitter->keys[j];
            if (key->lookup != lookup || key->rule == before ||
                rule_at(emitter, key->rule)->effect == EFFECT_ALLOW)
                continue;
            const uint32_t at = emit_reserve(emitter, SECTION_RULE_LISTS, sizeof(uint32_t), 1);
            uint32_t *put = emit_at(emitter, SECTION_RULE_LISTS, sizeof(uint32_t), at);
            if (put)
                *put = key->rule;
            before = key->rule;
            list.count++;
        }
        if (!emitter->failed)
            lookup_at(emitter, lookup)->strict = list;
    }
}

static bool has_keys(const struct open_set *set, uint32_t rule)
{
    const uint32_t condition = rule_at(set->emitter, rule)->condition;
    return condition != (uint32_t)BLOCK_NONE &&
           condition_cost(&set->counts, set->emitter, condition).rules != NO_KEYS;
}

/* How many rules of the set stand under each key that one of them could have. */
static void count_keys(struct open_set *set, const uint32_t *rules, size_t count)
{
    struct emitter *emitter = set->emitter;
    size_t room = 0;

    for (size_t i = 0; i < count; i++)
        if (rule_at(emitter, rules[i])->condition != (uint32_t)BLOCK_NONE)
            room += key_counts_room(emitter, rule_at(emitter, rules[i])->condition);
    if (!key_counts_init(&set->counts, emitter, room)) {
        emitter->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (rule_at(emitter, rules[i])->condition != (uint32_t)BLOCK_NONE)
            key_counts_add(&set->counts, emitter, rule_at(emitter, rules[i])->condition);
}

/* Puts the rules that have keys under them, and the others into `always`; returns how many those
 * are. */
static size_t split_rules(struct open_set *set, const uint32_t *rules, size_t count,
                          uint32_t *always)
{
    struct emitter *emitter = set->emitter;
    size_t others = 0;

    if (count >= SET_RULES_MIN)
        count_keys(set, rules, count);
    for (size_t i = 0; i < count && !emitter->failed; i++) {
        const size_t before = emitter->key_count;
        set->order = (uint32_t)i;
        set->rule = rules[i];
        if (count >= SET_RULES_MIN && has_keys(set, rules[i]) &&
            add_keys(set, rule_at(emitter, rules[i])->condition))
            continue;
        emitter->key_count = before;
        always[others++] = rules[i];
    }
    return others;
}

uint32_t emit_rule_set(struct emitter *emitter, const uint32_t *rules, size_t count)
{
    struct open_set set = {.emitter = emitter,
                           .first_lookup = emitter->sections[SECTION_LOOKUPS].count};
    const size_t first_key = emitter->key_count;
    uint32_t *always = storage_take(emitter->storage, count + 1, sizeof(*always));

    if (count == 0 || emitter->failed)
        return 0;
    if (!always) {
        emitter->failed = true;
        return 0;
    }
    const size_t others = split_rules(&set, rules, count, always);
    struct rule_set record = {.lookups = {set.first_lookup, set.lookups}};
    record.always.first = emit_reserve(emitter, SECTION_RULE_LISTS, sizeof(uint32_t), others);
    record.always.count = (uint32_t)others;
    uint32_t *put = emit_at(emitter, SECTION_RULE_LISTS, sizeof(uint32_t), record.always.first);
    if (put && others > 0)
        memcpy(put, always, others * sizeof(*always));
    emit_strict_rules(&set, first_key);
    const uint32_t index = emit_reserve(emitter, SECTION_RULE_SETS, sizeof(record), 1);
    struct rule_set *place = emit_at(emitter, SECTION_RULE_SETS, sizeof(record), index);
    if (place)
        *place = record;
    return index;
}

struct key_rules emit_key_rules(struct emitter *emitter, const struct index_key *keys, size_t count)
{
    struct key_rules rules = {emitter->sections[SECTION_RULE_LISTS].count, 0};

    if (count > 0 && keys[0].rule == keys[count - 1].rule)
        return (struct key_rules){keys[0].rule, 1};
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && keys[i].rule == keys[i - 1].rule)
            continue;
        const uint32_t at = emit_reserve(emitter, SECTION_RULE_LISTS, sizeof(uint32_t), 1);
        uint32_t *put = emit_at(emitter, SECTION_RULE_LISTS, sizeof(uint32_t), at);
        if (put)
            *put = keys[i].rule;
        rules.count++;
    }
    return rules;
}

uint32_t emit_slot_count(size_t records)
{
    uint32_t slots = 1;
    while (slots < records && slots < UINT32_C(1) << 30)
        slots *= 2;
    return slots;
}

void emit_slots(struct emitter *emitter, enum block_section section, const uint32_t *slots,
                size_t count)
{
    const uint32_t slot_count = emit_slot_count(count);
    size_t at = 0;

    if (count == 0)
        return;
    const uint32_t first = emit_reserve(emitter, section, sizeof(uint32_t), slot_count + 1);
    uint32_t *starts = emit_at(emitter, section, sizeof(uint32_t), first);
    for (uint32_t slot = 0; starts && slot <= slot_count; slot++) {
        while (at < count && slots[at] < slot)
            at++;
        starts[slot] = (uint32_t)at;
    }
}

static bool is_exact(enum lookup_kind kind)
{
    return kind == LOOKUP_TEXT || kind == LOOKUP_NUMBER || kind == LOOKUP_HOST ||
           kind == LOOKUP_NAME;
}

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_texts(const struct index_key *a, const struct index_key *b)
{
    const uint32_t shorter = a->length < b->length ? a->length : b->length;
    const int order = memcmp(a->text, b->text, shorter);
    return order != 0 ? order : compare_numbers(a->length, b->length);
}

static bool is_same(const struct index_key *a, const struct index_key *b)
{
    return a->lookup == b->lookup && a->number == b->number && compare_texts(a, b) == 0;
}

/* By look-up, then what is the same together, then by rule. Tries sort theirs for themselves. */
static int by_key(const void *a, const void *b)
{
    const struct index_key *left = a;
    const struct index_key *right = b;
    int order = compare_numbers(left->lookup, right->lookup);

    if (order == 0 && left->kind == LOOKUP_NUMBER)
        order = compare_numbers(left->number, right->number);
    else if (order == 0 && is_exact(left->kind))
        order = compare_texts(left, right);
    if (order == 0)
        order = compare_numbers(left->order, right->order);
    return order != 0 ? order : compare_numbers(left->value, right->value);
}

/* A key of a hash, on its way to its slot. */
struct hashed_key {
    uint32_t slot;
    struct exact_key key;
};

static int by_slot(const void *a, const void *b)
{
    const struct hashed_key *left = a;
    const struct hashed_key *right = b;
    const int order = compare_numbers(left->slot, right->slot);
    if (order != 0)
        return order;
    return left->key.lookup != right->key.lookup
               ? compare_numbers(left->key.lookup, right->key.lookup)
               : compare_numbers(left->key.value, right->key.value);
}

static uint64_t hash_of(const struct index_key *key)
{
    const uint64_t seed = index_hash_of_lookup(key->lookup);

    switch (key->kind) {
    case LOOKUP_NUMBER:
        return index_hash_mix(seed, (uint64_t)key->number);
    case LOOKUP_HOST:
        return index_hash_folded(seed, key->text, key->length);
    default:
        return index_hash_bytes(seed, key->text, key->length);
    }
}

static void emit_hashed_keys(struct emitter *emitter, struct hashed_key *hashed, size_t count)
{
    uint32_t *slots = storage_take(emitter->storage, count + 1, sizeof(*slots));
    if (!slots) {
        emitter->failed = true;
        return;
    }
    if (count > 0)
        qsort(hashed, count, sizeof(*hashed), by_slot);
    const uint32_t first = emit_reserve(emitter, SECTION_KEYS, sizeof(struct exact_key), count);
    struct exact_key *put = emit_at(emitter, SECTION_KEYS, sizeof(struct exact_key), first);
    for (size_t i = 0; put && i < count; i++) {
        put[i] = hashed[i].key;
        slots[i] = hashed[i].slot;
    }
    emit_slots(emitter, SECTION_KEY_SLOTS, slots, count);
}

/* The keys of all hashes. */
static void emit_exact_keys(struct emitter *emitter)
{
    const struct index_key *keys = emitter->keys;
    const size_t count = emitter->key_count;
    struct hashed_key *hashed = storage_take(emitter->storage, count + 1, sizeof(*hashed));
    size_t taken = 0;

    if (!hashed) {
        emitter->failed = true;
        return;
    }
    for (size_t at = 0; at < count && !emitter->failed;) {
        size_t end = at + 1;
        while (end < count && is_exact(keys[at].kind) && is_same(&keys[at], &keys[end]))
            end++;
        if (is_exact(keys[at].kind))
            hashed[taken++] =
                (struct hashed_key){.key = {.lookup = keys[at].lookup,
                                            .value = keys[at].value,
                                            .rules = emit_key_rules(emitter, &keys[at], end - at)}};
        at = end;
    }
    const uint32_t slot_count = emit_slot_count(taken);
    taken = 0;
    for (size_t at = 0; at < count; at++)
        if (is_exact(keys[at].kind) && (at == 0 || !is_same(&keys[at - 1], &keys[at])))
            hashed[taken++].slot = index_slot(hash_of(&keys[at]), slot_count);
    emit_hashed_keys(emitter, hashed, taken);
}

static void fill_in(const struct emitter *emitter, struct index_key *key)
{
    const struct block_value *value = emitted_value(emitter, key->value);

    key->kind = (enum lookup_kind)lookup_at(emitter, key->lookup)->kind;
    key->text = "";
    if (key->kind == LOOKUP_NUMBER) {
        key->number = value->low;
    } else if (key->kind == LOOKUP_IPV4 || key->kind == LOOKUP_IPV6) {
        key->address = block_value_address(value);
        key->prefix = value->prefix;
    } else {
        key->text = emitted_text(emitter, value);
    }
}

void emit_indexes(struct emitter *emitter)
{
    struct index_key *keys = emitter->keys;

    for (size_t i = 0; i < emitter->key_count; i++)
        fill_in(emitter, &keys[i]);
    if (emitter->key_count > 0)
        qsort(keys, emitter->key_count, sizeof(*keys), by_key);
    emit_exact_keys(emitter);
    for (size_t at = 0; at < emitter->key_count && !emitter->failed;) {
        size_t end = at + 1;
        while (end < emitter->key_count && keys[end].lookup == keys[at].lookup)
            end++;
        if (keys[at].kind == LOOKUP_IPV4 || keys[at].kind == LOOKUP_IPV6)
            emit_bit_trie(emitter, &keys[at], end - at);
        else if (!is_exact(keys[at].kind))
            emit_trie(emitter, &keys[at], end - at);
        at = end;
    }
    emit_trie_slots(emitter);
}
