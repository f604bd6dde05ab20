#include "policies/language/statement.h"

#include <string.h>

#include "policies/language/parser.h"
#include "policies/language/source_map_internal.h"

static bool is_word(const struct word *word, const char *text)
{
    return strlen(text) == word->length && memcmp(word->text, text, word->length) == 0;
}

static const struct span *find_rule(const struct policy *policy, const char *name)
{
    for (const struct rule *rule = policy->rules; rule; rule = rule->next)
        if (is_word(&rule->name, name))
            return &rule->span;
    return NULL;
}

static const struct span *find_override(const struct policy *policy, const char *reference)
{
    for (const struct override *override = policy->overrides; override; override = override->next)
        if (is_word(&override->reference, reference))
            return &override->span;
    return NULL;
}

/* A class named itself beats `all`. The parser has not looked the classes up. */
static const struct span *find_default(const struct policy *policy, const char *class_name)
{
    const struct span *found = NULL;

    for (const struct default_statement *statement = policy->defaults; statement;
         statement = statement->next) {
        if (statement->classes.all && !found)
            found = &statement->span;
        for (const struct class_word *class = statement->classes.first; class; class = class->next)
            if (is_word(&class->word, class_name))
                return &statement->span;
    }
    return found;
}

static const struct span *find_statement(const struct file_tree *tree, const char *name,
                                         const char *rule)
{
    static const char overrides[] = "override ";
    static const char defaults[] = "default-";

    for (const struct file_item *item = tree->items; item; item = item->next) {
        if (!item->policy || !is_word(&item->policy->name, name))
            continue;
        const struct span *found = find_rule(item->policy, rule);
        if (!found && strncmp(rule, overrides, strlen(overrides)) == 0)
            found = find_override(item->policy, rule + strlen(overrides));
        if (!found && strncmp(rule, defaults, strlen(defaults)) == 0)
            found = find_default(item->policy, rule + strlen(defaults));
        if (found)
            return found;
    }
    return NULL;
}

bool policy_find_statement(const struct policy_text *text, const char *policy, const char *rule,
                           struct source_excerpt *out)
{
    struct storage storage = {0};
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    CLEANUP(source_map_free) struct source_map *map = source_map_new();
    struct source source;
    bool found = false;

    if (diagnostics && map && source_init(&source, text, diagnostics)) {
        const struct file_tree *tree = parse_policies(&source, &storage, diagnostics);
        const struct span *span = tree ? find_statement(tree, policy, rule) : NULL;
        if (span)
            source_map_note(map, MAPPED_RULE, 0, *span);
        found = span && source_map_rule(map, 0, out);
    }
    storage_deinit(&storage);
    return found;
}
