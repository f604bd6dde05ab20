#include "policies/floor/floor_outline.h"

#include <string.h>

#include "policies/catalogue/catalogue.h"
#include "policies/engine/block_layout.h"
#include "policies/engine/comparison.h"
#include "policies/engine/glob.h"

static uint32_t bit(enum operation_class operation_class)
{
    return UINT32_C(1) << operation_class;
}

/* ----------------------------------------------------------------------------------------- rules
 */

static bool names_event_of(const struct policy_block *block, uint32_t rule,
                           enum operation_class operation_class)
{
    const struct event_rule *named = block_section(block, SECTION_EVENT_RULES);
    const uint32_t count = block->sections[SECTION_EVENT_RULES].count;
    uint32_t low = 0;
    uint32_t high = count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (named[middle].rule < rule)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && named[low].rule == rule; low++) {
        const struct event_entry *entry = catalogue_event((uint16_t)named[low].event);
        if (named[low].event <= UINT16_MAX && entry && (entry->classes & bit(operation_class)))
            return true;
    }
    return false;
}

static bool glob_means_event_of(const struct policy_block *block, uint32_t rule,
                                enum operation_class operation_class)
{
    const struct block_range globs = block_rule(block, rule)->globs;
    struct budget budget = {EVALUATION_STEPS_MAX};
    static const struct subject nobody = {.user = NULL};
    const struct question question = {.block = block, .subject = &nobody, .budget = &budget};

    for (uint16_t event = 1; globs.count > 0 && event <= catalogue_event_count(); event++) {
        const struct event_entry *entry = catalogue_event(event);
        if (!(entry->classes & bit(operation_class)))
            continue;
        const struct value name = value_text(entry->name, strlen(entry->name));
        for (uint32_t i = 0; i < globs.count; i++)
            if (value_matches(&question, TYPE_TEXT, &name, &block_values(block)[globs.first + i]))
                return true;
    }
    return budget_is_spent(&budget);
}

bool rule_is_about(const struct policy_block *block, uint32_t rule,
                   enum operation_class operation_class)
{
    return (block_rule(block, rule)->classes & bit(operation_class)) != 0 ||
           names_event_of(block, rule, operation_class) ||
           glob_means_event_of(block, rule, operation_class);
}

static bool is_in_force(const struct governing *overriding, const struct override_record *record)
{
    if (!overriding || overriding->today <= 0 || record->until < overriding->today)
        return false;
    for (size_t i = 0; i < overriding->count; i++)
        if (overriding->policies[i] == record->by)
            return true;
    return false;
}

/* A denial that an override cancels lets through what nothing else denies: where the default does,
 * it has to be the default that is cancelled. */
static bool lets_through(const struct outline_question *question,
                         enum operation_class operation_class, const struct override_record *record)
{
    const struct policy_record *policy = block_policy(question->block, question->policy);

    if (!is_in_force(question->overriding, record))
        return false;
    if (record->rule == RULE_DEFAULT)
        return record->operation_class == (uint32_t)operation_class;
    return policy->defaults[operation_class].verdict != DEFAULT_DENY &&
           record->rule < question->block->sections[SECTION_RULES].count &&
           rule_is_about(question->block, record->rule, operation_class);
}

void outline_visit_allows(const struct outline_question *question,
                          enum operation_class operation_class,
                          void (*visit)(void *context, uint32_t condition), void *context)
{
    const struct policy_block *block = question->block;
    const struct policy_record *policy = block_policy(block, question->policy);

    for (uint32_t i = 0; i < policy->rules.count; i++) {
        const uint32_t rule = policy->rules.first + i;
        if (rule_effect(block, rule) == EFFECT_ALLOW && rule_is_about(block, rule, operation_class))
            visit(context, block_rule(block, rule)->condition);
    }
    for (uint32_t i = 0; i < policy->overrides.count; i++) {
        const struct override_record *record = block_override(block, policy->overrides.first + i);
        if (lets_through(question, operation_class, record))
            visit(context, record->condition);
    }
}

/* ----------------------------------------------------------------------------------------- paths
 */

struct paths {
    const struct outline_question *question;
    struct arena *arena;
    struct budget budget;
    bool writes;
    struct path_set set; /* of what was visited so far */
};

/* The directory in front of a glob: all that stands before it, if the glob goes on with a
 * separator. */
static size_t front_of_glob(const struct policy_block *block, const struct block_value *value)
{
    const char *text = block_text(block, value->text);
    const uint32_t *words =
        (const uint32_t *)block_section(block, SECTION_GLOB_WORDS) + value->glob.first;
    size_t length = value->length;

    if (glob_begins_component(words, value->glob.count))
        return length;
    while (length > 0 && text[length - 1] != '/')
        length--;
    return length > 0 ? length - 1 : 0;
}

static void add_in_place(struct paths *paths, struct path_set *set, const char *place,
                         const char *rest, size_t length, bool alone)
{
    const size_t front = strcmp(place, "/") == 0 ? 0 : strlen(place);

    if (front + length == 0) {
        if (!paths->writes)
            path_set_add(set, "/", 1, alone);
        return;
    }
    char *text = arena_alloc(paths->arena, front + length + 1);
    if (!text) {
        set->failed = true;
        return;
    }
    memcpy(text, place, front);
    if (length > 0)
        memcpy(text + front, rest, length);
    text[front + length] = '\0';
    path_set_add(set, text, front + length, alone);
}

static void add_value(struct paths *paths, struct path_set *set, const struct block_value *value,
                      bool alone)
{
    const struct policy_block *block = paths->question->block;
    const struct subject *subject = paths->question->subject;
    const bool is_place = value->kind == BLOCK_VALUE_PLACE || value->kind == BLOCK_VALUE_PLACE_GLOB;
    const bool is_glob = value->kind == BLOCK_VALUE_GLOB || value->kind == BLOCK_VALUE_PLACE_GLOB;
    const char *text = block_text(block, value->text);
    const size_t length = is_glob ? front_of_glob(block, value) : value->length;

    if (!is_place) {
        path_set_add(set, length > 0 ? text : "/", length > 0 ? length : 1, alone);
        return;
    }
    for (size_t i = 0; value->place < PLACE_COUNT && i < subject->places[value->place].count; i++)
        add_in_place(paths, set, subject->places[value->place].paths[i], text, length, alone);
}

/* A predicate that is true of some files alone, by the path that the kernel opens. */
static bool names_files(const struct block_node *node)
{
    return node->kind == NODE_PREDICATE && node->part == PART_WHOLE && node->type == TYPE_PATH &&
           (node->attribute == ATTRIBUTE_PATH || node->attribute == ATTRIBUTE_FILE) &&
           (node->operator_kind == OPERATOR_EQUALS || node->operator_kind == OPERATOR_UNDER ||
            node->operator_kind == OPERATOR_MATCHES);
}

static bool is_path_value(const struct block_value *value)
{
    return value->kind == BLOCK_VALUE_TEXT || value->kind == BLOCK_VALUE_PLACE ||
           value->kind == BLOCK_VALUE_GLOB || value->kind == BLOCK_VALUE_PLACE_GLOB;
}

static struct path_set of_predicate(struct paths *paths, const struct block_node *node)
{
    struct path_set set = path_set_empty(paths->arena);

    for (uint32_t i = 0; i < node->count; i++) {
        const struct block_value *value = &block_values(paths->question->block)[node->first + i];
        if (!budget_pay(&paths->budget, 1)) {
            set.failed = true;
            break;
        }
        if (is_path_value(value))
            add_value(paths, &set, value, node->operator_kind == OPERATOR_EQUALS);
    }
    return set;
}

static struct path_set of_node(struct paths *paths, uint32_t index, unsigned depth)
{
    const struct block_node *node = &block_nodes(paths->question->block)[index];
    struct path_set set = path_set_everywhere(paths->arena);

    if (depth > BLOCK_DEPTH_MAX || !budget_pay(&paths->budget, 1)) {
        set.failed = true;
        return set;
    }
    if (names_files(node))
        return of_predicate(paths, node);
    if (node->kind != NODE_AND && node->kind != NODE_OR)
        return set;
    if (node->kind == NODE_OR)
        set = path_set_empty(paths->arena);
    for (uint32_t i = 0; i < node->count && !set.failed; i++) {
        struct path_set part = of_node(paths, node->first + i, depth + 1);
        if (node->kind == NODE_OR)
            path_set_join(&set, &part);
        else if (!part.everywhere && set.everywhere && !part.failed)
            set = part;
        else if (!part.everywhere || part.failed)
            path_set_meet(&set, &part);
    }
    return set;
}

static void add_allowed(void *context, uint32_t condition)
{
    struct paths *paths = context;

    if (condition == (uint32_t)BLOCK_NONE) {
        path_set_add(&paths->set, "/", 1, false);
        return;
    }
    const struct path_set set = of_node(paths, condition, 0);
    path_set_join(&paths->set, &set);
}

struct path_set outline_paths(const struct outline_question *question,
                              enum operation_class operation_class, struct arena *arena)
{
    struct paths paths = {.question = question,
                          .arena = arena,
                          .budget = {OUTLINE_STEPS_MAX},
                          .writes = operation_class == CLASS_WRITE,
                          .set = path_set_empty(arena)};

    outline_visit_allows(question, operation_class, add_allowed, &paths);
    path_set_reduce(&paths.set);
    return paths.set;
}

/* ------------------------------------------------------------------------------------- exactness
 */

struct composition {
    const struct policy_block *block;
    bool (*plain)(const struct policy_block *block, const struct block_node *predicate);
    struct budget budget;
};

static bool is_made_of(struct composition *composition, uint32_t index, unsigned depth)
{
    const struct block_node *node = &block_nodes(composition->block)[index];

    if (depth > BLOCK_DEPTH_MAX || !budget_pay(&composition->budget, 1))
        return false;
    switch ((enum node_kind)node->kind) {
    case NODE_TRUE:
        return true;
    case NODE_PREDICATE:
        return composition->plain(composition->block, node);
    case NODE_AND:
    case NODE_OR:
        for (uint32_t i = 0; i < node->count; i++)
            if (!is_made_of(composition, node->first + i, depth + 1))
                return false;
        return true;
    default:
        return false;
    }
}

bool outline_is_made_of(const struct policy_block *block, uint32_t condition,
                        bool (*plain)(const struct policy_block *block,
                                      const struct block_node *predicate))
{
    struct composition composition = {block, plain, {OUTLINE_STEPS_MAX}};

    return condition == (uint32_t)BLOCK_NONE || is_made_of(&composition, condition, 0);
}

static bool is_plain_path(const struct policy_block *block, const struct block_node *node)
{
    (void)block;
    return names_files(node) && node->operator_kind != OPERATOR_MATCHES;
}

bool outline_is_exact(const struct policy_block *block, uint32_t condition)
{
    return outline_is_made_of(block, condition, is_plain_path);
}
