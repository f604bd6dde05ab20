/* The hashes and tries say "perhaps": a slot holds keys of other texts and other look-ups, so each
 * candidate is compared before its rules are told. Where a comparison here and the one of the
 * condition could differ, this one must be the more generous.
 *
 * A walk through a trie ends because each step reads at least one byte, or bit, of the value. */
#include "policies/engine/rule_index.h"

#include <string.h>

#include "policies/engine/block_layout.h"
#include "policies/engine/comparison.h"
#include "policies/engine/index_hash.h"
#include "policies/engine/operand.h"
#include "policies/engine/path_text.h"
#include "policies/engine/trie_walk.h"

enum {
    RULES_OF_A_STEP = 4, /* that are passed over */
};

struct search {
    struct question *question;
    const struct policy_block *block;
    const struct lookup *lookup;
    uint32_t number; /* the look-up's */
    bool *strict_told;
    rule_visitor *visit;
    void *context;
};

struct piece {
    const char *bytes;
    size_t length;
};

/* A rule that was asked already, or cannot matter any more, costs its turn all the same. */
static void visit_list(const struct search *search, struct block_range list)
{
    (void)budget_pay(search->question->budget, list.count / RULES_OF_A_STEP);
    const uint32_t *rules =
        (const uint32_t *)block_section(search->block, SECTION_RULE_LISTS) + list.first;
    for (uint32_t i = 0; i < list.count; i++)
        search->visit(search->context, rules[i]);
}

static void visit_key(const struct search *search, struct key_rules rules)
{
    if (rules.count == 1)
        search->visit(search->context, rules.first);
    else
        visit_list(search, (struct block_range){rules.first, rules.count});
}

/* The operand is not known for certain: whatever of it is will be found besides. Once for each
 * look-up, however many elements of a list are unknown. */
static void visit_strict(const struct search *search)
{
    if (*search->strict_told)
        return;
    *search->strict_told = true;
    visit_list(search, search->lookup->strict);
}

/* False, and the strict rules told, if the steps are spent. */
static bool pay(const struct search *search, uint64_t steps)
{
    if (budget_pay(search->question->budget, steps))
        return true;
    visit_strict(search);
    return false;
}

/* Where the records of a slot stand. */
static struct block_range slot_of(const struct policy_block *block, enum block_section section,
                                  uint64_t hash)
{
    const uint32_t *slots = (const uint32_t *)block_section(block, section);
    const uint32_t count = block->sections[section].count;

    if (count < 2)
        return (struct block_range){0, 0};
    const uint32_t slot = index_slot(hash, count - 1);
    return (struct block_range){slots[slot], slots[slot + 1] - slots[slot]};
}

static struct piece value_piece(const struct policy_block *block, uint32_t value)
{
    const struct block_value *record = block_values(block) + value;
    return (struct piece){block_text(block, record->text), record->length};
}

static bool same_text(struct piece a, struct piece b, bool fold)
{
    if (a.length != b.length)
        return false;
    if (!fold)
        return a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0;
    for (size_t i = 0; i < a.length; i++)
        if (index_folded(a.bytes[i]) != index_folded(b.bytes[i]))
            return false;
    return true;
}

static const struct exact_key *keys_at(const struct search *search, struct block_range slot)
{
    return (const struct exact_key *)block_section(search->block, SECTION_KEYS) + slot.first;
}

static void find_text(const struct search *search, struct piece text)
{
    const bool fold = search->lookup->kind == LOOKUP_HOST;
    uint64_t hash = index_hash_of_lookup(search->number);

    if (!pay(search, budget_of_bytes(text.length)))
        return;
    hash = fold ? index_hash_folded(hash, text.bytes, text.length)
                : index_hash_bytes(hash, text.bytes, text.length);
    const struct block_range slot = slot_of(search->block, SECTION_KEY_SLOTS, hash);
    const struct exact_key *keys = keys_at(search, slot);
    for (uint32_t i = 0; i < slot.count; i++) {
        if (keys[i].lookup != search->number)
            continue;
        if (!pay(search, 1))
            return;
        if (same_text(value_piece(search->block, keys[i].value), text, fold))
            visit_key(search, keys[i].rules);
    }
}

/* Of a number that is not whole, what is before its point: the condition is asked again. */
static bool whole_number(const struct value *value, int64_t *number)
{
    const double limit = 9223372036854775808.0; /* 2^63 */

    switch (value->kind) {
    case VALUE_BOOL:
        *number = value->truth ? 1 : 0;
        return true;
    case VALUE_INT:
        *number = value->integer;
        return true;
    case VALUE_FLOAT:
        if (!(value->real >= -limit && value->real < limit))
            return false;
        *number = (int64_t)value->real;
        return true;
    default: /* no integer of a policy is beyond 64 bits */
        return false;
    }
}

static void find_number(const struct search *search, const struct value *value)
{
    int64_t number;

    if (!whole_number(value, &number) || !pay(search, 1))
        return;
    const uint64_t hash = index_hash_mix(index_hash_of_lookup(search->number), (uint64_t)number);
    const struct block_range slot = slot_of(search->block, SECTION_KEY_SLOTS, hash);
    const struct exact_key *keys = keys_at(search, slot);
    for (uint32_t i = 0; i < slot.count; i++) {
        if (keys[i].lookup != search->number)
            continue;
        if (!pay(search, 1))
            return;
        if (block_values(search->block)[keys[i].value].low == number)
            visit_key(search, keys[i].rules);
    }
}

/* A text on its way through a trie: what is behind `at` is not read yet. */
struct way {
    struct piece text;
    size_t at;
    uint64_t hash;
    uint32_t parent;
};

static bool node_is_next(const struct search *search, const struct trie_node *node,
                         const struct way *way)
{
    const enum lookup_kind kind = (enum lookup_kind)search->lookup->kind;
    const char separator = kind == LOOKUP_PATH ? '/' : '.';
    const size_t end = way->at + node->length;

    if (node->parent != way->parent || end > way->text.length)
        return false;
    const struct piece whole = value_piece(search->block, node->value);
    const struct piece own = {trie_bytes(kind, whole.bytes, whole.length, node->start,
                                         (size_t)node->start + node->length),
                              node->length};
    const struct piece asked = {trie_bytes(kind, way->text.bytes, way->text.length, way->at, end),
                                node->length};
    return same_text(own, asked, kind == LOOKUP_DOMAIN) &&
           (end == way->text.length ||
            trie_byte(kind, way->text.bytes, way->text.length, end) == separator);
}

/* The node behind the next component; NULL if there is none, or the steps are spent. */
static const struct trie_node *next_node(const struct search *search, struct way *way)
{
    const struct trie_node *nodes =
        (const struct trie_node *)block_section(search->block, SECTION_TRIE_NODES);
    const struct block_range slot = slot_of(search->block, SECTION_TRIE_SLOTS, way->hash);

    for (uint32_t i = slot.first; i < slot.first + slot.count; i++) {
        if (!pay(search,
                 1 + (nodes[i].parent == way->parent ? budget_of_bytes(nodes[i].length) : 0)))
            return NULL;
        if (node_is_next(search, &nodes[i], way)) {
            way->parent = i;
            return &nodes[i];
        }
    }
    return NULL;
}

/* Reads one component. */
static bool read_component(const struct search *search, struct way *way, size_t *end)
{
    const enum lookup_kind kind = (enum lookup_kind)search->lookup->kind;

    *end = trie_component_end(kind, way->text.bytes, way->text.length, way->at);
    if (!pay(search, budget_of_bytes(*end - way->at)))
        return false;
    way->hash = trie_hash(kind, way->hash, way->text.bytes, way->text.length, way->at, *end);
    return true;
}

static void find_way(const struct search *search, struct piece text)
{
    struct way way = {.text = text,
                      .hash = index_hash_of_lookup(search->number),
                      .parent = TRIE_ROOT | search->number};

    visit_key(search, search->lookup->at_root);
    while (way.at < text.length) {
        size_t end;
        if (!read_component(search, &way, &end))
            return;
        const struct trie_node *node = next_node(search, &way);
        if (!node)
            return;
        const size_t node_end = way.at + node->length;
        way.at = end;
        while (way.at < node_end) { /* the components that the node stands for besides */
            if (!read_component(search, &way, &end))
                return;
            way.at = end;
        }
        visit_key(search, node->rules);
    }
}

static unsigned bit_of(const struct address *address, unsigned bit)
{
    return (unsigned)address->bytes[bit / 8] >> (7 - bit % 8) & 1U;
}

/* A fork in the way says nothing about the bits before it: only where rules stand are they
 * compared. */
static void find_address(const struct search *search, const struct value *value)
{
    const struct bit_node *nodes =
        (const struct bit_node *)block_section(search->block, SECTION_BIT_NODES);
    struct address address;

    if (value->kind != VALUE_BYTES || !address_from_bytes(value->bytes, value->count, &address) ||
        (address.width == ADDRESS_IPV4_BYTES) != (search->lookup->kind == LOOKUP_IPV4))
        return;
    for (uint32_t at = search->lookup->root; at != (uint32_t)BLOCK_NONE;) {
        const struct bit_node *node = &nodes[at];
        if (!pay(search, 1))
            return;
        if (node->rules.count > 0) {
            const struct address way =
                block_value_address(block_values(search->block) + node->value);
            if (!address_is_in(&address, &way, node->prefix))
                return;
            visit_key(search, node->rules);
        }
        if (node->prefix >= address_bits(&address))
            return;
        at = node->children[bit_of(&address, node->prefix)];
    }
}

static void find_host(const struct search *search, struct piece host)
{
    if (host.length > 0 && host.bytes[host.length - 1] == '.')
        host.length--;
    if (!pay(search, budget_of_bytes(host.length)))
        return;
    for (size_t i = 0; i < host.length; i++) {
        if ((unsigned char)host.bytes[i] >= 0x80) {
            visit_strict(search);
            return;
        }
    }
    if (search->lookup->kind == LOOKUP_HOST)
        find_text(search, host);
    else
        find_way(search, host);
}

static void find_behind_place(const struct search *search, struct piece path)
{
    const struct place_paths *paths = &search->question->subject->places[search->lookup->place];

    for (size_t i = 0; i < paths->count; i++) {
        struct piece rest;
        if (!pay(search,
                 budget_of_bytes(path.length < PATH_TEXT_MAX ? path.length : PATH_TEXT_MAX)))
            return;
        if (!path_behind_place(path.bytes, path.length, paths->paths[i], &rest.bytes, &rest.length))
            continue;
        if (search->lookup->kind == LOOKUP_TEXT)
            find_text(search, rest);
        else
            find_way(search, rest);
    }
}

static void find_name(const struct search *search, struct piece path)
{
    size_t first = path.length;

    while (first > 0 && path.bytes[first - 1] != '/')
        first--;
    if (pay(search, budget_of_bytes(path.length - first)))
        find_text(search, (struct piece){path.bytes + first, path.length - first});
}

static void find_value(const struct search *search, const struct value *value)
{
    const enum lookup_kind kind = (enum lookup_kind)search->lookup->kind;

    if (value_is_marked(value)) {
        visit_strict(search);
        return;
    }
    if (kind == LOOKUP_NUMBER) {
        find_number(search, value);
        return;
    }
    if (kind == LOOKUP_IPV4 || kind == LOOKUP_IPV6) {
        find_address(search, value);
        return;
    }
    if (value->kind != VALUE_TEXT && value->kind != VALUE_BYTES)
        return;
    const struct piece text = {value->count > 0 ? value->bytes : "", value->count};
    if (kind == LOOKUP_HOST || kind == LOOKUP_DOMAIN)
        find_host(search, text);
    else if (search->lookup->place < PLACE_COUNT)
        find_behind_place(search, text);
    else if (kind == LOOKUP_TEXT)
        find_text(search, text);
    else if (kind == LOOKUP_NAME)
        find_name(search, text);
    else
        find_way(search, text);
}

/* The elements from `first` on, `most` of them. */
static void find_elements(const struct search *search, const struct operand *list, uint32_t first,
                          uint32_t most)
{
    if (value_is_doubtful(&list->value)) {
        visit_strict(search);
        return;
    }
    if (!value_is_container(&list->value))
        return;
    if (value_is_cut(&list->value))
        visit_strict(search);
    for (uint32_t i = first; i < list->value.count && i - first < most; i++) {
        if (!pay(search, 1))
            return;
        const struct value value = operand_element(list, i);
        find_value(search, &value);
    }
}

static void find_operand(const struct search *search, const struct operand *operand)
{
    const enum lookup_way way = (enum lookup_way)search->lookup->way;

    if (operand->state == OPERAND_ABSENT)
        return;
    if (operand->state == OPERAND_UNKNOWN)
        visit_strict(search);
    else if (way == WAY_AT)
        find_elements(search, operand, search->lookup->position, 1);
    /* A host is every name that led to the address. */
    else if (way == WAY_EVERY ||
             (operand->value.kind == VALUE_LIST &&
              (search->lookup->kind == LOOKUP_HOST || search->lookup->kind == LOOKUP_DOMAIN)))
        find_elements(search, operand, 0, UINT32_MAX);
    else
        find_value(search, &operand->value);
}

static bool same_operand(const struct operand *a, const struct operand *b)
{
    if (a->state != OPERAND_HERE || b->state != OPERAND_HERE)
        return a->state == b->state;
    return a->value.kind == VALUE_TEXT && b->value.kind == VALUE_TEXT && a->value.marks == 0 &&
           b->value.marks == 0 && a->value.count == b->value.count &&
           (a->value.count == 0 || a->value.bytes == b->value.bytes ||
            memcmp(a->value.bytes, b->value.bytes, a->value.count) == 0);
}

/* Paths are looked up in both forms: who asks knows which one counts. */
static void look_up(const struct search *search)
{
    struct question *question = search->question;
    const struct block_node *node = block_nodes(search->block) + search->lookup->node;

    question->names_doubted = true;
    question->resolved = false;
    const struct operand written = operand_find(question, node);
    find_operand(search, &written);
    if (node->type != TYPE_PATH)
        return;
    question->resolved = true;
    const struct operand resolved = operand_find(question, node);
    if (!same_operand(&written, &resolved))
        find_operand(search, &resolved);
}

void rule_set_visit(struct question *question, uint32_t set, rule_visitor *visit, void *context)
{
    const struct policy_block *block = question->block;
    const struct rule_set *record =
        (const struct rule_set *)block_section(block, SECTION_RULE_SETS) + set;
    const struct lookup *lookups = (const struct lookup *)block_section(block, SECTION_LOOKUPS);
    bool strict_told;
    struct search search = {.question = question,
                            .block = block,
                            .strict_told = &strict_told,
                            .visit = visit,
                            .context = context};

    visit_list(&search, record->always);
    for (uint32_t i = 0; i < record->lookups.count; i++) {
        search.number = record->lookups.first + i;
        search.lookup = &lookups[search.number];
        strict_told = false;
        look_up(&search);
    }
}
