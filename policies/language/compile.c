#include "policies/language/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/language/check.h"
#include "policies/language/check_steps.h"
#include "policies/language/emit.h"
#include "policies/language/parser.h"
#include "policies/language/report.h"
#include "policies/language/test_tree.h"

/* A text of one call, on its way. */
struct unit {
    struct source source;
    struct file_tree *tree;
};

/* A policy in the order of the block: by tier, then by name. */
struct placed {
    struct policy *policy;
    enum policy_tier tier;
    bool observe;
};

static int by_tier_and_name(const void *a, const void *b)
{
    const struct placed *left = a;
    const struct placed *right = b;
    const struct word *first = &left->policy->name;
    const struct word *second = &right->policy->name;
    const size_t shorter = first->length < second->length ? first->length : second->length;

    if (left->tier != right->tier)
        return left->tier < right->tier ? -1 : 1;
    const int order = memcmp(first->text, second->text, shorter);
    if (order != 0)
        return order;
    return (first->length > second->length) - (first->length < second->length);
}

static struct policy_block *emit(const struct unit *units, const struct policy_text *texts,
                                 size_t count, const struct compile_options *options,
                                 struct storage *storage, struct diagnostics *diagnostics)
{
    size_t policies = 0;
    for (size_t i = 0; i < count; i++)
        for (const struct file_item *item = units[i].tree->items; item; item = item->next)
            policies += item->policy ? 1 : 0;
    struct placed *placed = storage_take(storage, policies + 1, sizeof(*placed));
    if (!placed)
        return NULL;
    policies = 0;
    for (size_t i = 0; i < count; i++)
        for (const struct file_item *item = units[i].tree->items; item; item = item->next)
            if (item->policy)
                placed[policies++] = (struct placed){item->policy, texts[i].tier, texts[i].observe};
    if (policies > 0)
        qsort(placed, policies, sizeof(*placed), by_tier_and_name);

    struct emitter emitter;
    emitter_init(&emitter, storage, options);
    for (size_t i = 0; i < policies; i++)
        emit_policy(&emitter, placed[i].policy, placed[i].tier, placed[i].observe);
    emit_overrides(&emitter);
    struct policy_block *block = emit_finish(&emitter);
    emitter_deinit(&emitter);
    for (size_t i = 0; i < policies && block; i++)
        check_steps(diagnostics, block, placed[i].policy);
    return block;
}

struct policy_block *policy_compile(const struct policy_text *texts, size_t count,
                                    const struct compile_options *options,
                                    struct diagnostics *diagnostics)
{
    struct storage storage = {.limit = options ? options->memory_max : 0};
    struct check_context context = {
        .storage = &storage, .diagnostics = diagnostics, .options = options};
    struct unit *units = storage_take(&storage, count + 1, sizeof(*units));
    struct policy_block *block = NULL;
    bool complete = units != NULL;

    /* Files are shown in the order in which they were given. */
    for (size_t i = 0; i < count && units; i++)
        (void)diagnostics_file(diagnostics, texts[i].file);
    for (size_t i = 0; i < count && units; i++) {
        if (!source_init(&units[i].source, &texts[i], diagnostics))
            continue;
        units[i].tree = parse_policies(&units[i].source, &storage, diagnostics);
        if (units[i].tree)
            check_file(&context, units[i].tree, &texts[i]);
        complete &= units[i].tree != NULL;
    }
    check_generation(&context);
    if (complete && !storage.failed && diagnostics_error_count(diagnostics) == 0)
        block = emit(units, texts, count, options, &storage, diagnostics);
    if (!block && diagnostics_error_count(diagnostics) == 0)
        report_no_memory(diagnostics);
    storage_deinit(&storage);
    return block;
}

int policy_test_parse(const struct policy_text *text, struct diagnostics *diagnostics)
{
    const size_t errors = diagnostics_error_count(diagnostics);
    struct storage storage = {0};
    struct source source;

    if (source_init(&source, text, diagnostics))
        (void)parse_tests(&source, &storage, diagnostics);
    if (storage.failed)
        report_no_memory(diagnostics);
    storage_deinit(&storage);
    return diagnostics_error_count(diagnostics) == errors ? 0 : -EINVAL;
}
