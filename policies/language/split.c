/* A text taken apart: what stands between two statements of a file belongs to the second, and a
 * comment that ends the line of the first belongs to the first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/language/compile.h"
#include "policies/language/name_table.h"
#include "policies/language/parser.h"
#include "policies/language/report.h"
#include "policies/language/text_buffer.h"

/* A statement with its comments. */
struct piece {
    const struct file_item *item;
    uint32_t start; /* bytes */
    uint32_t end;
    size_t user; /* the last policy, counted from 1, that was found to use the set */
};

/* Behind a comment that stands on the same line, or `at`. */
static uint32_t line_comment_end(const struct source *source, uint32_t at)
{
    uint32_t end = at;
    while (end < source->length && (source->text[end] == ' ' || source->text[end] == '\t'))
        end++;
    if (end >= source->length || source->text[end] != '#')
        return at;
    while (end < source->length && source->text[end] != '\n')
        end++;
    if (source->text[end - 1] == '\r')
        end--;
    return end;
}

static void add_trimmed(struct text_buffer *out, const struct source *source, uint32_t start,
                        uint32_t end)
{
    while (start < end && strchr(" \t\r\n", source->text[start]))
        start++;
    while (end > start && strchr(" \t\r\n", source->text[end - 1]))
        end--;
    text_buffer_add(out, source->text + start, end - start);
}

/* The sets of a file, and those that one policy uses. */
struct set_usage {
    struct name_table sets;
    struct piece **used;
    size_t count;
    size_t user; /* the policy, counted from 1 */
};

static void mark_set(struct set_usage *usage, const struct word *name)
{
    struct piece *piece = name_table_find(&usage->sets, name->text, name->length);
    if (!piece || piece->user == usage->user)
        return;
    piece->user = usage->user;
    usage->used[usage->count++] = piece;
}

static void mark_sets(struct set_usage *usage, const struct condition *condition)
{
    if (condition->kind == CONDITION_PREDICATE && condition->predicate->form == FORM_SET)
        mark_set(usage, &condition->predicate->set);
    for (const struct condition *child = condition->first; child; child = child->next)
        mark_sets(usage, child);
}

static int by_start(const void *a, const void *b)
{
    const struct piece *left = *(const struct piece *const *)a;
    const struct piece *right = *(const struct piece *const *)b;
    return (left->start > right->start) - (left->start < right->start);
}

/* Fills in the sets that the policy uses, in the order of the text. */
static void find_used(struct set_usage *usage, const struct policy *policy)
{
    usage->count = 0;
    usage->user++;
    for (const struct applies *applies = policy->applies; applies; applies = applies->next)
        mark_sets(usage, applies->condition);
    for (const struct rule *rule = policy->rules; rule; rule = rule->next)
        if (rule->condition)
            mark_sets(usage, rule->condition);
    for (const struct override *override = policy->overrides; override; override = override->next)
        if (override->condition)
            mark_sets(usage, override->condition);
    if (usage->count > 1)
        qsort(usage->used, usage->count, sizeof(struct piece *), by_start);
}

/* The pieces of a file, NULL on lack of memory. */
static struct piece *find_pieces(const struct file_tree *tree, struct storage *storage,
                                 struct set_usage *usage, size_t *count)
{
    const struct source *source = tree->source;
    uint32_t at = 0;

    *count = 0;
    for (const struct file_item *item = tree->items; item; item = item->next)
        ++*count;
    struct piece *pieces = storage_take(storage, *count + 1, sizeof(*pieces));
    usage->used = storage_take(storage, *count + 1, sizeof(struct piece *));
    if (!pieces || !usage->used)
        return NULL;
    size_t i = 0;
    for (const struct file_item *item = tree->items; item; item = item->next, i++) {
        const uint32_t end = line_comment_end(source, item->span.offset + item->span.length);
        pieces[i] = (struct piece){.item = item, .start = at, .end = end};
        at = end;
        if (item->set)
            (void)name_table_add(&usage->sets, storage, item->set->name.text,
                                 item->set->name.length, &pieces[i]);
    }
    return pieces;
}

static bool add_part(struct policy_parts *parts, const struct policy *policy,
                     struct text_buffer *text)
{
    struct policy_part *part = &parts->parts[parts->count];
    struct text_buffer name = {0};

    text_buffer_add(&name, policy->name.text, policy->name.length);
    text_buffer_add_text(text, "\n");
    part->name = text_buffer_take(&name);
    part->text = text_buffer_take(text);
    parts->count++;
    return part->name && part->text;
}

static int split(const struct file_tree *tree, struct storage *storage, struct policy_parts *parts)
{
    struct set_usage usage = {0};
    size_t count;
    struct piece *pieces = find_pieces(tree, storage, &usage, &count);

    if (!pieces || storage->failed)
        return -ENOMEM;
    parts->parts = calloc(count + 1, sizeof(*parts->parts));
    if (!parts->parts)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct policy *policy = pieces[i].item->policy;
        struct text_buffer text = {0};
        if (!policy)
            continue;
        find_used(&usage, policy);
        for (size_t j = 0; j < usage.count; j++) {
            add_trimmed(&text, tree->source, usage.used[j]->start, usage.used[j]->end);
            text_buffer_add_text(&text, "\n\n");
        }
        add_trimmed(&text, tree->source, pieces[i].start, pieces[i].end);
        if (!add_part(parts, policy, &text))
            return -ENOMEM;
    }
    return 0;
}

int policy_split(const struct policy_text *text, struct policy_parts *parts,
                 struct diagnostics *diagnostics)
{
    const size_t errors = diagnostics_error_count(diagnostics);
    struct storage storage = {0};
    int result = -EINVAL;

    *parts = (struct policy_parts){0};
    if (text->length > POLICY_TEXT_MAX) {
        const struct source source = {
            .file = text->file, .text = "", .order = diagnostics_file(diagnostics, text->file)};
        (void)report(diagnostics, ERROR_TOO_LARGE, (struct span){&source, 0, 0},
                     "a policy file has at most %d bytes, this one has more", POLICY_TEXT_MAX);
        return -EINVAL;
    }
    const struct source source = {.file = text->file,
                                  .text = text->text,
                                  .length = (uint32_t)text->length,
                                  .order = diagnostics_file(diagnostics, text->file)};
    const struct file_tree *tree = parse_policies(&source, &storage, diagnostics);
    if (!tree)
        result = -ENOMEM;
    else if (diagnostics_error_count(diagnostics) == errors)
        result = split(tree, &storage, parts);
    if (result == -ENOMEM)
        report_no_memory(diagnostics);
    if (result != 0)
        policy_parts_deinit(parts);
    storage_deinit(&storage);
    return result;
}

void policy_parts_deinit(struct policy_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        free(parts->parts[i].name);
        free(parts->parts[i].text);
    }
    free(parts->parts);
    *parts = (struct policy_parts){0};
}
