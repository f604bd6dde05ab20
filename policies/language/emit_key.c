/* What a key is worth by itself is a guess by what it compares: it decides where the rules of a set
 * say nothing, because as many stand under one key as under another. */
#include "policies/language/emit_key.h"

#include <string.h>

#include "policies/engine/glob.h"
#include "policies/engine/index_hash.h"
#include "policies/language/emit.h"

static const struct key no_key = {.worth = 0};

static struct key key_in(enum lookup_kind kind, uint32_t length, unsigned worth)
{
    return (struct key){.kind = kind, .place = PLACE_COUNT, .length = length, .worth = worth};
}

static unsigned worth_of_text(const struct block_node *node)
{
    switch ((enum attribute_name)node->attribute) {
    case ATTRIBUTE_USER: /* what one session has is the same for all its events */
    case ATTRIBUTE_GROUP:
    case ATTRIBUTE_LABEL:
    case ATTRIBUTE_SCRIPT:
    case ATTRIBUTE_UNIT:
    case ATTRIBUTE_EXE:
    case ATTRIBUTE_PLATFORM:
        return 15;
    default:
        break;
    }
    switch ((enum attribute_type)node->type) {
    case TYPE_PATH:
        return 90;
    case TYPE_MODULE:
        return 80;
    case TYPE_WORD: /* a few words for all operations */
        return 10;
    default:
        return 70;
    }
}

/* For `is`, `in`, and what compares elements with the same. */
static struct key equality_key(const struct block_node *node, const struct block_value *value)
{
    struct key key;

    switch ((enum block_value_kind)value->kind) {
    case BLOCK_VALUE_TEXT:
        if (node->type == TYPE_REGISTRY) /* has more than one spelling */
            return no_key;
        return key_in(LOOKUP_TEXT, value->length, worth_of_text(node));
    case BLOCK_VALUE_RANGE:
        return value->low == value->high ? key_in(LOOKUP_NUMBER, 0, 40) : no_key;
    case BLOCK_VALUE_ADDRESS:
        return key_in(value->place == ADDRESS_IPV4_BYTES ? LOOKUP_IPV4 : LOOKUP_IPV6, 0,
                      value->prefix > 0 ? 60U + value->prefix / 8U : 5U);
    case BLOCK_VALUE_HOST:
        return key_in(LOOKUP_HOST, value->length, 80);
    case BLOCK_VALUE_HOST_BELOW:
        return key_in(LOOKUP_DOMAIN, value->length, 75);
    case BLOCK_VALUE_PLACE:
        key = key_in(LOOKUP_TEXT, value->length, 85);
        key.place = value->place;
        return key;
    default:
        return no_key;
    }
}

/* So many whole components at the front of the path, or parts of the module. */
static struct key front_key(const struct emitter *emitter, const struct block_value *value,
                            enum lookup_kind kind, uint32_t length)
{
    const char separator = kind == LOOKUP_MODULE ? '.' : '/';
    const char *text = emitted_text(emitter, value);
    const bool in_place = value->kind == BLOCK_VALUE_PLACE || value->kind == BLOCK_VALUE_PLACE_GLOB;
    unsigned components = 0;

    if (kind == LOOKUP_PATH && length == 1 && text[0] == '/')
        length = 0;
    for (uint32_t i = 0; i < length && components < 8; i++)
        components += text[i] == separator ? 1 : 0;
    if (length == 0 && !in_place)
        return no_key;
    struct key key = key_in(kind, length, length == 0 ? 30 : 50 + 3 * components);
    if (in_place)
        key.place = value->place;
    return key;
}

/* How much of the literal front of a glob is components that are whole for certain. */
static uint32_t whole_components(const struct emitter *emitter, const struct block_value *value,
                                 char separator)
{
    const char *text = emitted_text(emitter, value);
    const uint32_t *words =
        (const uint32_t *)emitter->sections[SECTION_GLOB_WORDS].bytes + value->glob.first;
    uint32_t length = value->length;

    if (separator == '/' && value->glob.count > 0 &&
        glob_begins_component(words, value->glob.count))
        return length;
    while (length > 0 && text[length - 1] != separator)
        length--;
    return length > 0 ? length - 1 : 0;
}

static struct key glob_key(const struct emitter *emitter, const struct block_node *node,
                           const struct block_value *value)
{
    const bool in_place = value->kind == BLOCK_VALUE_PLACE_GLOB;

    if (node->type == TYPE_REGISTRY || (!in_place && value->kind != BLOCK_VALUE_GLOB))
        return no_key;
    if (value->glob.count == 0 && !in_place) /* a pattern without wildcards */
        return key_in(LOOKUP_TEXT, value->length, worth_of_text(node));
    if (node->type == TYPE_PATH || in_place)
        return front_key(emitter, value, LOOKUP_PATH, whole_components(emitter, value, '/'));
    if (node->type == TYPE_MODULE)
        return front_key(emitter, value, LOOKUP_MODULE, whole_components(emitter, value, '.'));
    return no_key;
}

static struct key under_key(const struct emitter *emitter, const struct block_node *node,
                            const struct block_value *value)
{
    if (value->kind != BLOCK_VALUE_PLACE &&
        (value->kind != BLOCK_VALUE_TEXT || node->type == TYPE_REGISTRY))
        return no_key;
    return front_key(emitter, value, node->type == TYPE_MODULE ? LOOKUP_MODULE : LOOKUP_PATH,
                     value->length);
}

static struct key element_key(struct key key, enum lookup_way way, unsigned worth)
{
    key.way = way;
    if (key.worth > worth)
        key.worth = worth;
    return key;
}

enum { NAME_SIZE = 256 }; /* NAME_MAX of Linux, and one */

/* The last component of every path that a glob matches, where it is certain: the characters at the
 * glob's end, behind a separator. Returns its length; 0 if it is not certain, or not ASCII. */
static uint32_t name_of_glob(const struct emitter *emitter, const struct block_value *value,
                             char name[NAME_SIZE])
{
    const uint32_t *words =
        (const uint32_t *)emitter->sections[SECTION_GLOB_WORDS].bytes + value->glob.first;
    const uint32_t count = value->glob.count;
    uint32_t first = 0;
    bool certain = false; /* that a component begins at `first`, and has nothing but characters */

    for (uint32_t at = 0; at < count; at += (uint32_t)glob_word_size(words, count, at)) {
        if (glob_word_ends_component(words, count, at)) {
            first = at + 1;
            certain = true;
        } else if (!glob_word_is_ascii(words, count, at)) {
            certain = false;
        }
    }
    const uint32_t length = certain ? count - first : 0;
    if (length >= NAME_SIZE)
        return 0;
    for (uint32_t i = 0; i < length; i++)
        name[i] = (char)words[first + i];
    return length;
}

static struct key name_key(const struct emitter *emitter, const struct block_node *node,
                           const struct block_value *value)
{
    char name[NAME_SIZE];

    if (node->operator_kind != OPERATOR_MATCHES || node->type != TYPE_PATH ||
        (value->kind != BLOCK_VALUE_GLOB && value->kind != BLOCK_VALUE_PLACE_GLOB))
        return no_key;
    const uint32_t length = name_of_glob(emitter, value, name);
    return length > 0 ? key_in(LOOKUP_NAME, length, 55) : no_key;
}

static struct key key_of(const struct emitter *emitter, const struct block_node *node,
                         const struct block_value *value)
{
    switch ((enum node_operator)node->operator_kind) {
    case OPERATOR_EQUALS:
        return equality_key(node, value);
    case OPERATOR_UNDER:
        return under_key(emitter, node, value);
    case OPERATOR_MATCHES:
        return glob_key(emitter, node, value);
    case OPERATOR_HAS:
        return element_key(equality_key(node, value), WAY_EVERY, 35);
    case OPERATOR_STARTS:
    case OPERATOR_LIST_EQUALS:
        return element_key(equality_key(node, value), WAY_AT, 50);
    default:
        return no_key;
    }
}

/* The keys that a literal could stand under, any of which will do; how many. */
static size_t keys_of_literal(const struct emitter *emitter, const struct block_node *node,
                              uint32_t literal, struct key keys[KEYS_OF_A_LITERAL_MAX])
{
    const struct block_value *value = emitted_value(emitter, literal);
    const struct key all[KEYS_OF_A_LITERAL_MAX] = {key_of(emitter, node, value),
                                                   name_key(emitter, node, value)};
    size_t count = 0;

    for (size_t i = 0; i < KEYS_OF_A_LITERAL_MAX; i++) {
        if (all[i].worth == 0 || all[i].length > UINT16_MAX)
            continue;
        keys[count] = all[i];
        keys[count].value = literal;
        keys[count].position = all[i].way == WAY_AT ? literal - node->first : 0;
        if (keys[count].position < LOOKUP_POSITIONS)
            count++;
    }
    return count;
}

/* ------------------------------------------------------------------------------------- counting */

static uint64_t key_hash(const struct emitter *emitter, const struct block_node *node,
                         const struct key *key)
{
    const struct block_value *value = emitted_value(emitter, key->value);
    char name[NAME_SIZE];
    uint64_t hash = index_hash_mix((uint64_t)node->attribute << 32 | node->type, node->part);

    hash = index_hash_mix(hash, (uint64_t)(uint32_t)node->index << 32 | node->key);
    hash = index_hash_mix(hash, (uint64_t)key->kind << 32 | (uint64_t)key->way << 16 | key->place);
    hash = index_hash_mix(hash, key->position);
    switch (key->kind) {
    case LOOKUP_NUMBER:
        return index_hash_mix(hash, (uint64_t)value->low);
    case LOOKUP_IPV4:
    case LOOKUP_IPV6:
        return index_hash_bytes(index_hash_mix(hash, value->prefix), (const char *)value->address,
                                sizeof(value->address));
    case LOOKUP_NAME:
        (void)name_of_glob(emitter, value, name);
        return index_hash_bytes(hash, name, key->length);
    default:
        return index_hash_bytes(hash, emitted_text(emitter, value), key->length);
    }
}

static uint32_t *count_of(const struct key_counts *counts, uint64_t hash)
{
    size_t slot = (size_t)hash & (counts->slots - 1);

    hash |= 1; /* 0: the slot is free */
    while (counts->hashes[slot] != 0 && counts->hashes[slot] != hash)
        slot = (slot + 1) & (counts->slots - 1);
    counts->hashes[slot] = hash;
    return &counts->counts[slot];
}

bool key_counts_init(struct key_counts *counts, struct emitter *emitter, size_t keys)
{
    counts->slots = 16;
    while (counts->slots < 2 * keys)
        counts->slots *= 2;
    counts->hashes = storage_take(emitter->storage, counts->slots, sizeof(*counts->hashes));
    counts->counts = storage_take(emitter->storage, counts->slots, sizeof(*counts->counts));
    return counts->hashes && counts->counts;
}

size_t key_counts_room(const struct emitter *emitter, uint32_t index)
{
    const struct block_node *node = emitted_node(emitter, index);
    size_t room = 0;

    if (node->kind == NODE_PREDICATE)
        return (size_t)node->count * KEYS_OF_A_LITERAL_MAX;
    for (uint32_t i = 0; i < node->count && node->kind != NODE_NOT; i++)
        room += key_counts_room(emitter, node->first + i);
    return room;
}

void key_counts_add(const struct key_counts *counts, const struct emitter *emitter, uint32_t index)
{
    const struct block_node *node = emitted_node(emitter, index);
    struct key keys[KEYS_OF_A_LITERAL_MAX];

    for (uint32_t i = 0; i < node->count && node->kind != NODE_NOT; i++) {
        if (node->kind != NODE_PREDICATE) {
            key_counts_add(counts, emitter, node->first + i);
            continue;
        }
        const size_t found = keys_of_literal(emitter, node, node->first + i, keys);
        for (size_t j = 0; j < found; j++)
            ++*count_of(counts, key_hash(emitter, node, &keys[j]));
    }
}

/* ------------------------------------------------------------------------------------- choosing */

static const struct key_cost no_keys = {NO_KEYS, 0};

bool cost_is_less(struct key_cost a, struct key_cost b)
{
    return a.rules != b.rules ? a.rules < b.rules : a.worth > b.worth;
}

/* The best key of a literal, and its cost. */
static struct key_cost best_key(const struct key_counts *counts, const struct emitter *emitter,
                                const struct block_node *node, uint32_t literal, struct key *best)
{
    struct key keys[KEYS_OF_A_LITERAL_MAX];
    struct key_cost least = no_keys;
    const size_t found = keys_of_literal(emitter, node, literal, keys);

    for (size_t i = 0; i < found; i++) {
        const struct key_cost cost = {*count_of(counts, key_hash(emitter, node, &keys[i])),
                                      keys[i].worth};
        if (!cost_is_less(cost, least))
            continue;
        least = cost;
        *best = keys[i];
    }
    return least;
}

static bool one_literal_will_do(const struct block_node *node)
{
    return node->operator_kind == OPERATOR_STARTS || node->operator_kind == OPERATOR_LIST_EQUALS;
}

/* Of literals each of which must hold, the one with the least cost; of those one of which must, the
 * greatest. */
static struct key_cost predicate_cost(const struct key_counts *counts,
                                      const struct emitter *emitter, const struct block_node *node,
                                      struct key *best)
{
    struct key_cost total = no_keys;

    for (uint32_t i = 0; i < node->count; i++) {
        struct key key;
        const struct key_cost cost = best_key(counts, emitter, node, node->first + i, &key);
        const bool less = cost_is_less(cost, total);
        if (one_literal_will_do(node)) {
            if (less)
                *best = key;
            total = less ? cost : total;
            continue;
        }
        if (cost.rules == NO_KEYS)
            return no_keys;
        total = i == 0 || !less ? cost : total;
    }
    return total;
}

struct key_cost condition_cost(const struct key_counts *counts, const struct emitter *emitter,
                               uint32_t index)
{
    const struct block_node *node = emitted_node(emitter, index);
    struct key_cost total = no_keys;
    struct key key;

    switch ((enum node_kind)node->kind) {
    case NODE_PREDICATE:
        return predicate_cost(counts, emitter, node, &key);
    case NODE_AND:
        for (uint32_t i = 0; i < node->count; i++) {
            const struct key_cost cost = condition_cost(counts, emitter, node->first + i);
            total = cost_is_less(cost, total) ? cost : total;
        }
        return total;
    case NODE_OR:
        for (uint32_t i = 0; i < node->count; i++) {
            const struct key_cost cost = condition_cost(counts, emitter, node->first + i);
            if (cost.rules == NO_KEYS)
                return no_keys;
            total = i == 0 || !cost_is_less(cost, total) ? cost : total;
        }
        return total;
    default:
        return no_keys;
    }
}

/* Gives the name behind a glob a value of its own, which a key can speak of. */
static bool emit_name(struct emitter *emitter, struct key *key)
{
    char name[NAME_SIZE];
    const uint32_t length = name_of_glob(emitter, emitted_value(emitter, key->value), name);
    const uint32_t index = emit_reserve(emitter, SECTION_VALUES, sizeof(struct block_value), 1);
    const uint32_t text = emit_text(emitter, name, length);
    struct block_value *value = emit_at(emitter, SECTION_VALUES, sizeof(*value), index);

    if (!value)
        return false;
    *value = (struct block_value){.kind = BLOCK_VALUE_TEXT, .text = text, .length = length};
    key->value = index;
    return true;
}

bool take_predicate_keys(const struct key_counts *counts, struct emitter *emitter, uint32_t index,
                         key_taker *take, void *context)
{
    const struct block_node *node = emitted_node(emitter, index);
    const bool one = one_literal_will_do(node);
    const uint32_t first = node->first;
    const uint32_t count = one ? 1 : node->count;
    struct key key = no_key;

    if (one)
        (void)predicate_cost(counts, emitter, node, &key);
    for (uint32_t i = 0; i < count; i++) {
        if (!one)
            (void)best_key(counts, emitter, emitted_node(emitter, index), first + i, &key);
        if (key.kind == LOOKUP_NAME && !emit_name(emitter, &key))
            return false;
        if (!take(context, index, &key))
            return false;
    }
    return true;
}
