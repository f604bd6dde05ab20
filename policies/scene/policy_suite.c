#include "policies/scene/policy_suite.h"

#include <stdlib.h>
#include <string.h>

#include "policies/engine/block_layout.h"
#include "policies/language/parser.h"
#include "policies/language/report.h"
#include "policies/scene/policy_suite_internal.h"

enum { BEFORE_EVERY_OVERRIDE_ENDS = 1 }; /* 1970-01-02: 0 would be no day at all */

/* Parses the policies once more, for the places of what is in the block. */
static bool read_trees(struct policy_suite *suite, struct file_tree **trees)
{
    struct source *sources = storage_take(&suite->storage, suite->count + 1, sizeof(*sources));

    if (!sources)
        return false;
    for (size_t i = 0; i < suite->count; i++) {
        if (!source_init(&sources[i], &suite->texts[i], suite->diagnostics))
            return false;
        sources[i].quiet = false; /* what the tests leave out is said */
        trees[i] = parse_policies(&sources[i], &suite->storage, suite->diagnostics);
        if (!trees[i])
            return false;
    }
    return true;
}

static const struct policy *find_tree(const struct policy_suite *suite,
                                      struct file_tree *const *trees, uint32_t policy)
{
    const char *name = policy_name(suite->block, policy);

    for (size_t i = 0; i < suite->count; i++) {
        if (suite->texts[i].tier != policy_tier(suite->block, policy))
            continue;
        for (const struct file_item *item = trees[i]->items; item; item = item->next)
            if (item->policy && item->policy->name.length == strlen(name) &&
                memcmp(item->policy->name.text, name, strlen(name)) == 0)
                return item->policy;
    }
    return NULL;
}

static bool build(struct policy_suite *suite)
{
    const uint32_t policies = policy_block_policy_count(suite->block);
    struct file_tree **trees =
        storage_take(&suite->storage, suite->count + 1, sizeof(struct file_tree *));

    suite->policies = storage_take(&suite->storage, (size_t)policies + 1, sizeof(*suite->policies));
    suite->rules = storage_take(&suite->storage, (size_t)policy_block_rule_count(suite->block) + 1,
                                sizeof(bool));
    suite->overrides = storage_take(
        &suite->storage, (size_t)policy_block_override_count(suite->block) + 1, sizeof(bool));
    if (suite->storage.failed || !read_trees(suite, trees))
        return false;
    for (uint32_t i = 0; i < policies; i++) {
        suite->policies[i].tree = find_tree(suite, trees, i);
        if (!suite->policies[i].tree)
            return false;
    }
    return true;
}

/* Says what is wrong with the policies; an earlier error of another suite does not count. */
static struct policy_block *compile(const struct policy_suite *suite)
{
    const struct compile_options options = {.resolve = NULL};
    CLEANUP(diagnostics_free) struct diagnostics *alone = diagnostics_new();
    struct policy_block *block =
        alone ? policy_compile(suite->texts, suite->count, &options, alone) : NULL;

    if (!block)
        policy_block_free(policy_compile(suite->texts, suite->count, &options, suite->diagnostics));
    return block;
}

static bool begin(struct policy_suite *suite, const struct policy_text *texts, size_t count)
{
    suite->texts = calloc(count + 1, sizeof(*suite->texts));
    if (!suite->texts) {
        report_no_memory(suite->diagnostics);
        return false;
    }
    suite->count = count;
    for (size_t i = 0; i < count; i++) {
        suite->texts[i] = texts[i];
        suite->texts[i].quiet = true; /* `warder check` warns */
    }
    suite->block = compile(suite);
    if (!suite->block)
        return false;
    if (!build(suite)) {
        report_no_memory(suite->diagnostics);
        return false;
    }
    return true;
}

struct policy_suite *policy_suite_new(const struct policy_text *texts, size_t count, int32_t today,
                                      struct diagnostics *diagnostics)
{
    struct policy_suite *suite = calloc(1, sizeof(*suite));

    if (!suite) {
        report_no_memory(diagnostics);
        return NULL;
    }
    suite->today = today > 0 ? today : BEFORE_EVERY_OVERRIDE_ENDS;
    suite->diagnostics = diagnostics;
    if (begin(suite, texts, count))
        return suite;
    policy_suite_free(suite);
    return NULL;
}

void policy_suite_free(struct policy_suite *suite)
{
    if (!suite)
        return;
    storage_deinit(&suite->storage);
    policy_block_free(suite->block);
    free(suite->texts);
    free(suite);
}

struct suite_counts policy_suite_counts(const struct policy_suite *suite)
{
    return suite->counts;
}

static int compare(const char *known, const char *name, size_t length)
{
    const int order = strncmp(known, name, length);
    return order == 0 && known[length] != '\0' ? 1 : order;
}

uint32_t suite_find_rule(const struct policy_suite *suite, uint32_t policy, const char *name,
                         size_t length)
{
    const struct block_range rules = block_policy(suite->block, policy)->rules;
    uint32_t low = rules.first;
    uint32_t high = rules.first + rules.count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = compare(rule_name(suite->block, middle), name, length);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return POLICY_NO_INDEX;
}

uint32_t suite_find_policy(const struct policy_suite *suite, const char *name, size_t length)
{
    for (uint32_t i = 0; i < policy_block_policy_count(suite->block); i++)
        if (compare(policy_name(suite->block, i), name, length) == 0)
            return i;
    return POLICY_NO_INDEX;
}

static struct span default_span(const struct policy *tree, enum operation_class operation_class)
{
    const char *name = vocabulary_class_name(operation_class);
    struct span all = {NULL, 0, 0};

    for (const struct default_statement *statement = tree->defaults; statement;
         statement = statement->next) {
        if (statement->classes.all)
            all = statement->span;
        for (const struct class_word *word = statement->classes.first; name && word;
             word = word->next)
            if (compare(name, word->word.text, word->word.length) == 0)
                return statement->span;
    }
    return all;
}

struct span suite_deciding_span(const struct policy_suite *suite, const struct deciding *by,
                                enum operation_class operation_class)
{
    const struct span nowhere = {NULL, 0, 0};

    if (by->policy == POLICY_NO_INDEX)
        return nowhere;
    const struct policy *tree = suite->policies[by->policy].tree;
    if (by->rule == RULE_DEFAULT)
        return default_span(tree, operation_class);
    const char *name = rule_name(suite->block, by->rule);
    for (const struct rule *rule = tree->rules; rule; rule = rule->next)
        if (compare(name, rule->name.text, rule->name.length) == 0)
            return rule->span;
    return nowhere;
}

struct suite_place suite_place_of(struct span span)
{
    struct suite_place place = {.file = NULL};

    if (span.source) {
        place.file = span.source->file;
        span_position(span, &place.line, &place.column);
    }
    return place;
}

enum operation_class suite_class_of(const struct event *event, const struct deciding *by)
{
    return by->operation < event->operation_count ? event->operations[by->operation].operation_class
                                                  : CLASS_NONE;
}
