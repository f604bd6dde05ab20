#include "policies/language/emit.h"

#include <stdlib.h>
#include <string.h>

void emitter_init(struct emitter *emitter, struct storage *storage,
                  const struct compile_options *options)
{
    *emitter = (struct emitter){.storage = storage, .options = options};
    (void)emit_reserve(emitter, SECTION_TEXT, 1, 1); /* offset 0: the empty text */
    (void)emit_reserve(emitter, SECTION_RULE_SETS, sizeof(struct rule_set), 1); /* the empty set */
}

void emitter_deinit(struct emitter *emitter)
{
    for (int i = 0; i < SECTION_COUNT; i++)
        free(emitter->sections[i].bytes);
    free(emitter->keys);
    free(emitter->nodes);
    *emitter = (struct emitter){0};
}

uint32_t emit_reserve(struct emitter *emitter, enum block_section which, size_t size, size_t count)
{
    struct emitter_section *section = &emitter->sections[which];
    const uint32_t index = section->count;

    if (emitter->failed)
        return 0;
    if (count > (UINT32_MAX / 2 - section->length) / size) {
        emitter->failed = true; /* larger than a block can be */
        return 0;
    }
    const size_t need = section->length + count * size;
    if (need > section->capacity) {
        const size_t capacity = need > 2 * section->capacity ? need + 256 : 2 * section->capacity;
        char *bytes = realloc(section->bytes, capacity);
        if (!bytes) {
            emitter->failed = true;
            return 0;
        }
        section->bytes = bytes;
        section->capacity = capacity;
    }
    if (count > 0)
        memset(section->bytes + section->length, 0, count * size);
    section->length = need;
    section->count += (uint32_t)count;
    return index;
}

void *emit_at(struct emitter *emitter, enum block_section section, size_t size, uint32_t index)
{
    char *bytes = emitter->sections[section].bytes;
    return emitter->failed || !bytes ? NULL : bytes + size * index;
}

uint32_t emit_text(struct emitter *emitter, const char *text, size_t length)
{
    if (length == 0)
        return 0;
    const void *known = name_table_find(&emitter->texts, text, length);
    if (known)
        return (uint32_t)((uintptr_t)known - 1);
    const uint32_t offset = emit_reserve(emitter, SECTION_TEXT, 1, length + 1);
    char *place = emit_at(emitter, SECTION_TEXT, 1, offset);
    if (!place)
        return 0;
    memcpy(place, text, length);
    /* The caller's text may go away, and the section may move: the table has its own copy. */
    const char *copy = storage_copy(emitter->storage, text, length);
    if (copy)
        (void)name_table_add(&emitter->texts, emitter->storage, copy, length,
                             (void *)((uintptr_t)offset + 1)); // NOLINT(performance-no-int-to-ptr)
    return offset;
}

void emit_place(struct emitter *emitter, enum mapped_kind kind, uint32_t index, struct span span)
{
    source_map_note(emitter->options ? emitter->options->map : NULL, kind, index, span);
}

static uint32_t emit_literal(struct emitter *emitter, const struct literal *literal)
{
    return literal ? emit_text(emitter, literal->text, literal->length) : 0;
}

/* Rules are evaluated in this order of effect (block_layout.h). */
static uint32_t effect_order(enum rule_effect effect)
{
    switch (effect) {
    case EFFECT_KILL:
        return 0;
    case EFFECT_DENY:
        return 1;
    case EFFECT_ALLOW:
        return 2;
    case EFFECT_LOG:
        break;
    }
    return 3;
}

/* That a rule stands in the set of a class or an event. */
struct reference {
    uint32_t set;
    uint32_t order;
    uint32_t rule;
};

static int by_set(const void *a, const void *b)
{
    const struct reference *left = a;
    const struct reference *right = b;
    if (left->set != right->set)
        return left->set < right->set ? -1 : 1;
    if (left->order != right->order)
        return left->order < right->order ? -1 : 1;
    return (left->rule > right->rule) - (left->rule < right->rule);
}

struct references {
    struct reference *items;
    size_t count;
};

/* `room` is the most that will be added. */
static struct references new_references(struct emitter *emitter, size_t room)
{
    struct references references = {
        storage_take(emitter->storage, room + 1, sizeof(*references.items)), 0};
    if (!references.items)
        emitter->failed = true;
    return references;
}

static void refer(struct references *references, uint32_t set, const struct rule *rule,
                  uint32_t index)
{
    if (references->items)
        references->items[references->count++] =
            (struct reference){set, effect_order(rule->effect), index};
}

/* The rules of the references from `at` on that are of one set, `count` of them; moves `at` behind
 * them. NULL on lack of memory. */
static uint32_t *next_set(struct emitter *emitter, const struct references *references, size_t *at,
                          size_t *count)
{
    const size_t first = *at;
    while (*at < references->count && references->items[*at].set == references->items[first].set)
        ++*at;
    *count = *at - first;
    uint32_t *rules = storage_take(emitter->storage, *count + 1, sizeof(*rules));
    if (!rules) {
        emitter->failed = true;
        return NULL;
    }
    for (size_t i = first; i < *at; i++)
        rules[i - first] = references->items[i].rule;
    return rules;
}

static uint32_t emit_set(struct emitter *emitter, const struct references *references, size_t *at)
{
    size_t count;
    const uint32_t *rules = next_set(emitter, references, at, &count);
    return rules ? emit_rule_set(emitter, rules, count) : 0;
}

static void emit_event_set(struct emitter *emitter, const struct references *references, size_t *at)
{
    const uint32_t event = references->items[*at].set;
    size_t count;
    const uint32_t *rules = next_set(emitter, references, at, &count);
    if (!rules)
        return;
    const struct event_set record = {.event = event, .rules = emit_rule_set(emitter, rules, count)};
    const uint32_t index = emit_reserve(emitter, SECTION_EVENT_SETS, sizeof(record), 1);
    struct event_set *put = emit_at(emitter, SECTION_EVENT_SETS, sizeof(record), index);
    if (put)
        *put = record;
}

static void sort(struct references *references)
{
    if (references->count > 0)
        qsort(references->items, references->count, sizeof(*references->items), by_set);
}

static struct policy_record *record_at(struct emitter *emitter, uint32_t index)
{
    return emit_at(emitter, SECTION_POLICIES, sizeof(struct policy_record), index);
}

/* Rules on every class stand in a set of their own, CLASS_NONE here, instead of in each. */
static uint32_t class_sets(const struct rule *rule)
{
    const uint32_t every = (UINT32_C(1) << CLASS_COUNT) - 1 - (UINT32_C(1) << CLASS_NONE);
    return rule->checked->classes == every ? UINT32_C(1) << CLASS_NONE : rule->checked->classes;
}

static void emit_class_sets(struct emitter *emitter, uint32_t policy, const struct rule **rules,
                            size_t count, uint32_t first_rule)
{
    size_t room = 0;
    for (size_t i = 0; i < count; i++)
        room += (size_t)__builtin_popcount(class_sets(rules[i]));
    struct references references = new_references(emitter, room);
    for (size_t i = 0; i < count; i++)
        for (uint32_t class = 0; class < CLASS_COUNT; class ++)
            if (class_sets(rules[i]) >> class & 1)
                refer(&references, class, rules[i], first_rule + (uint32_t)i);
    sort(&references);
    for (size_t at = 0; at < references.count && !emitter->failed;) {
        const uint32_t class = references.items[at].set;
        const uint32_t set = emit_set(emitter, &references, &at);
        struct policy_record *record = record_at(emitter, policy);
        if (record)
            *(class == CLASS_NONE ? &record->all_rules : &record->class_rules[class]) = set;
    }
}

static void emit_event_sets(struct emitter *emitter, uint32_t policy, const struct rule **rules,
                            size_t count, uint32_t first_rule)
{
    struct block_range events = {emitter->sections[SECTION_EVENT_SETS].count, 0};
    size_t room = 0;
    for (size_t i = 0; i < count; i++)
        room += rules[i]->checked->event_count;
    struct references references = new_references(emitter, room);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < rules[i]->checked->event_count; j++)
            refer(&references, rules[i]->checked->events[j], rules[i], first_rule + (uint32_t)i);
    sort(&references);
    for (size_t at = 0; at < references.count && !emitter->failed;) {
        emit_event_set(emitter, &references, &at);
        events.count++;
    }
    if (record_at(emitter, policy))
        record_at(emitter, policy)->events = events;
}

static void emit_glob_set(struct emitter *emitter, uint32_t policy, const struct rule **rules,
                          size_t count, uint32_t first_rule)
{
    struct references references = new_references(emitter, count);
    size_t at = 0;

    for (size_t i = 0; i < count; i++)
        if (rules[i]->checked->globs)
            refer(&references, 0, rules[i], first_rule + (uint32_t)i);
    if (references.count == 0)
        return;
    sort(&references);
    const uint32_t set = emit_set(emitter, &references, &at);
    if (record_at(emitter, policy))
        record_at(emitter, policy)->glob_rules = set;
}

/* Called in the order of rules. */
static void emit_event_rule(struct emitter *emitter, uint32_t rule, uint32_t event)
{
    const size_t size = sizeof(struct event_rule);
    const uint32_t index = emit_reserve(emitter, SECTION_EVENT_RULES, size, 1);
    struct event_rule *put = emit_at(emitter, SECTION_EVENT_RULES, size, index);

    if (put)
        *put = (struct event_rule){rule, event};
}

static void emit_rule(struct emitter *emitter, uint32_t index, const struct rule *rule)
{
    rule->checked->index = index;
    emit_place(emitter, MAPPED_RULE, index, rule->span);
    struct rule_record record = {
        .name = emit_text(emitter, rule->name.text, rule->name.length),
        .message = emit_literal(emitter, rule->message),
        .condition = (uint32_t)BLOCK_NONE,
        .classes = rule->checked->classes,
        .effect = (uint8_t)rule->effect,
    };
    for (size_t i = 0; i < rule->checked->event_count; i++)
        emit_event_rule(emitter, index, rule->checked->events[i]);
    if (rule->checked->globs)
        record.globs = emit_values(emitter, rule->checked->globs);
    if (rule->condition) {
        record.condition = emit_reserve(emitter, SECTION_NODES, sizeof(struct block_node), 1);
        if (emit_condition(emitter, record.condition, rule->condition))
            record.flags |= RULE_HAS_PATHS;
    }
    struct rule_record *put = emit_at(emitter, SECTION_RULES, sizeof(struct rule_record), index);
    if (put)
        *put = record;
}

static int by_name(const void *a, const void *b)
{
    const struct rule *left = *(const struct rule *const *)a;
    const struct rule *right = *(const struct rule *const *)b;
    const size_t shorter =
        left->name.length < right->name.length ? left->name.length : right->name.length;
    const int order = memcmp(left->name.text, right->name.text, shorter);

    if (order != 0)
        return order;
    return (left->name.length > right->name.length) - (left->name.length < right->name.length);
}

static void emit_rules(struct emitter *emitter, uint32_t policy, const struct policy *tree)
{
    size_t count = 0;
    for (const struct rule *rule = tree->rules; rule; rule = rule->next)
        count++;
    const struct rule **rules = storage_take(emitter->storage, count + 1, sizeof(struct rule *));
    if (!rules) {
        emitter->failed = true;
        return;
    }
    count = 0;
    for (const struct rule *rule = tree->rules; rule; rule = rule->next) {
        if (!rule->checked) { /* the checker passed over it: it must not be passed over here */
            emitter->failed = true;
            return;
        }
        rules[count++] = rule;
    }
    if (count > 0)
        qsort(rules, count, sizeof(struct rule *), by_name);

    const uint32_t first = emit_reserve(emitter, SECTION_RULES, sizeof(struct rule_record), count);
    for (size_t i = 0; i < count; i++)
        emit_rule(emitter, first + (uint32_t)i, rules[i]);
    if (record_at(emitter, policy))
        record_at(emitter, policy)->rules = (struct block_range){first, (uint32_t)count};
    emit_class_sets(emitter, policy, rules, count, first);
    emit_event_sets(emitter, policy, rules, count, first);
    emit_glob_set(emitter, policy, rules, count, first);
}

static void emit_applies(struct emitter *emitter, uint32_t policy, const struct policy *tree)
{
    struct block_range roots = {0, 0};
    for (const struct applies *applies = tree->applies; applies; applies = applies->next)
        roots.count++;
    roots.first = emit_reserve(emitter, SECTION_NODES, sizeof(struct block_node), roots.count);
    uint32_t root = roots.first;
    for (const struct applies *applies = tree->applies; applies; applies = applies->next)
        (void)emit_condition(emitter, root++, applies->condition);
    struct policy_record *record = record_at(emitter, policy);
    if (record) {
        record->applies = roots;
        record->has_applies = roots.count > 0;
    }
}

static void say_default(struct default_record *record, const struct default_statement *statement,
                        uint32_t message)
{
    record->verdict = statement->deny ? DEFAULT_DENY : DEFAULT_ALLOW;
    if (message != 0)
        record->message = message;
}

static void emit_default_places(struct emitter *emitter, uint32_t policy, const struct policy *tree)
{
    const uint32_t first = policy * CLASS_COUNT;

    for (const struct default_statement *statement = tree->defaults; statement;
         statement = statement->next)
        for (uint32_t class = 1; statement->classes.all && class < CLASS_COUNT; class ++)
            emit_place(emitter, MAPPED_DEFAULT, first + class, statement->span);
    for (const struct default_statement *statement = tree->defaults; statement;
         statement = statement->next)
        for (const struct class_word *class = statement->classes.first; class; class = class->next)
            emit_place(emitter, MAPPED_DEFAULT, first + (uint32_t) class->operation_class,
                       statement->span);
}

/* A class named itself beats `all`. */
static void emit_defaults(struct emitter *emitter, uint32_t policy, const struct policy *tree)
{
    struct default_record all = {0};
    struct default_record named[CLASS_COUNT] = {0};

    for (const struct default_statement *statement = tree->defaults; statement;
         statement = statement->next) {
        const uint32_t message = emit_literal(emitter, statement->message);
        if (statement->classes.all)
            say_default(&all, statement, message);
        for (const struct class_word *class = statement->classes.first; class; class = class->next)
            say_default(&named[class->operation_class], statement, message);
    }
    struct policy_record *record = record_at(emitter, policy);
    for (int class = CLASS_NONE + 1; record && class < CLASS_COUNT; class ++)
        record->defaults[class] = named[class].verdict != DEFAULT_UNSAID ? named[class] : all;
    emit_default_places(emitter, policy, tree);
}

static uint32_t floor_classes(const struct policy *policy, bool required)
{
    uint32_t classes = 0;

    for (const struct floor_statement *floor = policy->floors; floor; floor = floor->next)
        for (const struct class_word *class = floor->classes.first; class; class = class->next)
            if (!required || floor->required)
                classes |= UINT32_C(1) << class->operation_class;
    return classes;
}

/* Remembers the overrides that count; they are emitted behind all policies. */
static void keep_overrides(struct emitter *emitter, const struct policy *policy)
{
    for (const struct override *override = policy->overrides; override; override = override->next) {
        struct pending_override *pending =
            override->counts ? storage_take(emitter->storage, 1, sizeof(*pending)) : NULL;
        if (!pending)
            continue;
        *pending = (struct pending_override){override, policy->index, emitter->overrides};
        emitter->overrides = pending;
    }
}

void emit_policy(struct emitter *emitter, struct policy *policy, enum policy_tier tier,
                 bool observe)
{
    const uint32_t index = emit_reserve(emitter, SECTION_POLICIES, sizeof(struct policy_record), 1);
    const uint32_t name = emit_text(emitter, policy->name.text, policy->name.length);
    const uint32_t title = emit_literal(emitter, policy->title);
    struct policy_record *record = record_at(emitter, index);

    if (!record)
        return;
    record->name = name;
    record->title = title;
    record->tier = (uint8_t)tier;
    record->observes = observe || (policy->modes && policy->modes->observe);
    record->floor = floor_classes(policy, false);
    record->floor_required = floor_classes(policy, true);
    policy->index = index;
    emit_place(emitter, MAPPED_POLICY, index, policy->span);
    if (!record->observes)
        keep_overrides(emitter, policy);
    emit_applies(emitter, index, policy);
    emit_defaults(emitter, index, policy);
    emit_rules(emitter, index, policy);
}

static size_t aligned(size_t size)
{
    return (size + BLOCK_ALIGNMENT - 1) / BLOCK_ALIGNMENT * BLOCK_ALIGNMENT;
}

struct policy_block *emit_finish(struct emitter *emitter)
{
    size_t size = sizeof(struct policy_block);

    emit_indexes(emitter);
    for (int i = 0; i < SECTION_COUNT; i++)
        size += aligned(emitter->sections[i].length);
    if (emitter->failed || emitter->storage->failed || size > UINT32_MAX)
        return NULL;
    struct policy_block *block = calloc(1, size);
    if (!block)
        return NULL;
    memcpy(block->magic, BLOCK_MAGIC, sizeof(block->magic));
    block->version = BLOCK_VERSION;
    block->size = (uint32_t)size;
    block->section_count = SECTION_COUNT;
    size_t at = sizeof(*block);
    for (int i = 0; i < SECTION_COUNT; i++) {
        const struct emitter_section *section = &emitter->sections[i];
        block->sections[i] = (struct block_range){(uint32_t)at, section->count};
        if (section->length > 0)
            memcpy((char *)block + at, section->bytes, section->length);
        at += aligned(section->length);
    }
    block->checksum = block_checksum(block);
    if (!policy_block_open(block, size)) { /* a defect here: rather no block than that one */
        free(block);
        return NULL;
    }
    return block;
}
