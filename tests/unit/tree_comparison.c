#include "tree_comparison.h"

#include <string.h>

#include "policies/language/lexer.h"

/* NULL beside NULL, or both and equal; goes on with the next of two lists. */
#define BOTH(left, right) (!(left) == !(right))

static bool bytes_equal(const char *left, size_t left_length, const char *right,
                        size_t right_length)
{
    return left_length == right_length &&
           (left_length == 0 || memcmp(left, right, left_length) == 0);
}

static bool word_equal(const struct word *left, const struct word *right)
{
    return bytes_equal(left->text, left->length, right->text, right->length);
}

static bool literals_equal(const struct literal *left, const struct literal *right)
{
    for (; left && right; left = left->next, right = right->next)
        if (left->kind != right->kind ||
            !bytes_equal(left->text, left->length, right->text, right->length) ||
            left->low != right->low || left->high != right->high ||
            memcmp(&left->address, &right->address, sizeof(left->address)) != 0 ||
            left->prefix != right->prefix || left->has_below != right->has_below ||
            !bytes_equal(left->below, left->below_length, right->below, right->below_length))
            return false;
    return BOTH(left, right);
}

static bool predicate_equal(const struct predicate *left, const struct predicate *right)
{
    return word_equal(&left->attribute, &right->attribute) && left->index == right->index &&
           left->number == right->number && word_equal(&left->key, &right->key) &&
           left->test == right->test && left->form == right->form &&
           literals_equal(left->values, right->values) && word_equal(&left->set, &right->set);
}

static bool conditions_equal(const struct condition *left, const struct condition *right)
{
    for (; left && right; left = left->next, right = right->next)
        if (left->kind != right->kind || !BOTH(left->predicate, right->predicate) ||
            (left->predicate && !predicate_equal(left->predicate, right->predicate)) ||
            !conditions_equal(left->first, right->first))
            return false;
    return BOTH(left, right);
}

static bool classes_equal(const struct class_list *left, const struct class_list *right)
{
    const struct class_word *one = left->first;
    const struct class_word *other = right->first;
    for (; one && other; one = one->next, other = other->next)
        if (!word_equal(&one->word, &other->word))
            return false;
    return left->all == right->all && BOTH(one, other);
}

static bool set_equal(const struct set *left, const struct set *right)
{
    return word_equal(&left->name, &right->name) && literals_equal(left->values, right->values) &&
           left->flawed == right->flawed;
}

static bool sets_equal(const struct set *left, const struct set *right)
{
    for (; left && right; left = left->next, right = right->next)
        if (!set_equal(left, right))
            return false;
    return BOTH(left, right);
}

static bool applies_equal(const struct applies *left, const struct applies *right)
{
    for (; left && right; left = left->next, right = right->next)
        if (!conditions_equal(left->condition, right->condition))
            return false;
    return BOTH(left, right);
}

static bool modes_equal(const struct mode *left, const struct mode *right)
{
    for (; left && right; left = left->next, right = right->next)
        if (left->observe != right->observe)
            return false;
    return BOTH(left, right);
}

static bool defaults_equal(const struct default_statement *left,
                           const struct default_statement *right)
{
    for (; left && right; left = left->next, right = right->next)
        if (left->deny != right->deny || !classes_equal(&left->classes, &right->classes) ||
            !literals_equal(left->message, right->message))
            return false;
    return BOTH(left, right);
}

static bool rules_equal(const struct rule *left, const struct rule *right)
{
    for (; left && right; left = left->next, right = right->next)
        if (left->effect != right->effect || !classes_equal(&left->classes, &right->classes) ||
            !literals_equal(left->events, right->events) ||
            !conditions_equal(left->condition, right->condition) ||
            !word_equal(&left->name, &right->name) ||
            !literals_equal(left->message, right->message))
            return false;
    return BOTH(left, right);
}

static bool floors_equal(const struct floor_statement *left, const struct floor_statement *right)
{
    for (; left && right; left = left->next, right = right->next)
        if (!classes_equal(&left->classes, &right->classes) || left->required != right->required)
            return false;
    return BOTH(left, right);
}

static bool overrides_equal(const struct override *left, const struct override *right)
{
    for (; left && right; left = left->next, right = right->next)
        if (!word_equal(&left->reference, &right->reference) || left->tier != right->tier ||
            !word_equal(&left->policy, &right->policy) || !word_equal(&left->rule, &right->rule) ||
            !conditions_equal(left->condition, right->condition) ||
            !literals_equal(left->reason, right->reason) || left->until != right->until)
            return false;
    return BOTH(left, right);
}

static bool later_equal(const struct later *left, const struct later *right)
{
    for (; left && right; left = left->next, right = right->next)
        continue;
    return BOTH(left, right);
}

static bool policy_equal(const struct policy *left, const struct policy *right)
{
    return word_equal(&left->name, &right->name) && literals_equal(left->title, right->title) &&
           applies_equal(left->applies, right->applies) && modes_equal(left->modes, right->modes) &&
           defaults_equal(left->defaults, right->defaults) && sets_equal(left->sets, right->sets) &&
           floors_equal(left->floors, right->floors) &&
           overrides_equal(left->overrides, right->overrides) &&
           rules_equal(left->rules, right->rules) && later_equal(left->later, right->later) &&
           left->flawed == right->flawed;
}

bool trees_equal(const struct file_tree *left, const struct file_tree *right)
{
    const struct file_item *one = left->items;
    const struct file_item *other = right->items;

    for (; one && other; one = one->next, other = other->next)
        if (!BOTH(one->set, other->set) || !BOTH(one->policy, other->policy) ||
            (one->set && !set_equal(one->set, other->set)) ||
            (one->policy && !policy_equal(one->policy, other->policy)))
            return false;
    return BOTH(one, other) && left->flawed == right->flawed;
}

/* The words of a text, read one ahead. */
struct words {
    struct lexer lexer;
    struct token token;
    struct token next;
};

static void advance(struct words *words)
{
    words->token = words->next;
    lexer_next(&words->lexer, &words->next);
    if (words->token.kind == TOKEN_COMMA && words->next.kind == TOKEN_CLOSE_BRACKET)
        advance(words);
}

static void begin(struct words *words, const struct source *source, struct storage *storage,
                  struct diagnostics *diagnostics)
{
    lexer_init(&words->lexer, source, storage, diagnostics);
    lexer_next(&words->lexer, &words->next);
    advance(words);
}

bool words_equal(const struct source *left, const struct source *right)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    struct storage storage = {0};
    struct words one;
    struct words other;
    bool equal = true;

    begin(&one, left, &storage, diagnostics);
    begin(&other, right, &storage, diagnostics);
    while (equal && (one.token.kind != TOKEN_END || other.token.kind != TOKEN_END)) {
        equal = one.token.kind == other.token.kind &&
                bytes_equal(one.token.text, one.token.length, other.token.text, other.token.length);
        advance(&one);
        advance(&other);
    }
    storage_deinit(&storage);
    return equal;
}
