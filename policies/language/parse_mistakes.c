/* What people write who come from another language, or whose finger slipped: every message names
 * what stands there, and says what to write. Nothing here decides what is right. */
#include "policies/language/parser_internal.h"

#include <inttypes.h>
#include <string.h>

#include "policies/language/foreign_words.h"
#include "policies/language/suggest.h"
#include "policies/language/text_buffer.h"
#include "policies/language/words.h"

static const char *token_text(const struct token *token)
{
    return token->span.source->text + token->span.offset;
}

static bool is_sign(const struct token *token, char c)
{
    return token->kind == TOKEN_FOREIGN_OPERATOR && token->text[0] == c;
}

static bool is_value(const struct token *token)
{
    return token->kind == TOKEN_STRING || token->kind == TOKEN_INTEGER ||
           token->kind == TOKEN_RANGE || token->kind == TOKEN_ADDRESS || token->kind == TOKEN_CIDR;
}

static bool is_class(const struct token *token)
{
    return token->kind == TOKEN_NAME && vocabulary_class(token->text, token->length) != CLASS_NONE;
}

/* Of what stands before the operator, as far as it can be said before anything is checked. */
static enum attribute_type operand_type(const struct predicate *predicate)
{
    const struct word *word = &predicate->attribute;
    const enum attribute_name attribute = vocabulary_attribute(word->text, word->length);

    if (predicate->index == INDEX_ARGUMENT || attribute == ATTRIBUTE_NONE)
        return TYPE_ANY;
    return predicate->index == INDEX_NONE ? vocabulary_attribute_type(attribute) : TYPE_TEXT;
}

/* ------------------------------------------------------------------ statements */

/* By its name, a file of tests. */
static bool is_test_file(const struct source *source)
{
    static const char suffix[] = ".test.warder";
    const size_t length = strlen(source->file);
    return length >= strlen(suffix) && strcmp(source->file + length - strlen(suffix), suffix) == 0;
}

void mistake_at_file_level(struct parser *parser)
{
    const struct token token = parser->token;
    const char *sentence = NULL;
    const char *instead = foreign_word(FOREIGN_FILE, token.text, token.length, &sentence);
    const char *near = parser_nearest_word(&token, grammar_words(WORDS_FILE));
    struct diagnostic *error;

    if (token_is(&token, "test") && is_test_file(token.span.source))
        sentence = "this is a file of tests, and no policy: `warder test` runs it";
    parser->sets_lost = true;
    if (parser->unclosed > 0 && (token.kind == TOKEN_CLOSE_BRACE ||
                                 token_is_one_of(&token, grammar_words(WORDS_STATEMENT)))) {
        /* It belongs to a policy of which it was said that it is not closed. */
        parser->unclosed -= token.kind == TOKEN_CLOSE_BRACE;
        parser->said = true;
        parser->panicking = token.kind != TOKEN_CLOSE_BRACE;
    } else if (token.kind == TOKEN_CLOSE_BRACE) {
        diagnostic_help(parser_error(parser, ERROR_SYNTAX, token.span, "this `}` closes nothing"),
                        "remove it, or see where a `{` is missing");
        parser->panicking = false; /* what follows it may be right */
    } else if (token_is_one_of(&token, grammar_words(WORDS_STATEMENT))) {
        diagnostic_help(parser_error(parser, ERROR_SYNTAX, token.span,
                                     "`%.*s` stands outside a policy", (int)token.length,
                                     token.text),
                        "statements stand between the braces of a policy: policy NAME { … }");
    } else {
        parser_forgive(parser);
        error = parser_expected(parser, "`policy` or `set`");
        if (token.kind == TOKEN_NAME && instead)
            diagnostic_label(error, "here that is `%s`", instead);
        else if (token.kind == TOKEN_NAME && near && !sentence)
            diagnostic_label(error, "did you mean `%s`?", near);
        diagnostic_help(error, "%s",
                        sentence ? sentence : "a file holds policies: policy NAME { … }");
    }
    parser_advance(parser);
}

/* `permit exec …`: what the statement would begin with. */
static void report_foreign_statement(struct parser *parser, const char *instead)
{
    const struct token token = parser->token;
    const struct token next = parser->next;
    struct diagnostic *error =
        parser_error(parser, ERROR_FOREIGN_WORD, token.span, "`%.*s` is no word of the language",
                     (int)token.length, token.text);

    diagnostic_label(error, "here that is `%s`", instead);
    if (is_class(&next))
        diagnostic_help(error, "write %s %.*s … as NAME", instead, (int)next.length, next.text);
}

static void report_no_statement(struct parser *parser)
{
    const struct token token = parser->token;
    const char *near = token.kind == TOKEN_NAME
                           ? parser_nearest_word(&token, grammar_words(WORDS_STATEMENT))
                           : NULL;
    const bool is_path =
        token.kind == TOKEN_BAD && token.span.length > 0 && *token_text(&token) == '/';
    struct diagnostic *error = parser_expected(parser, "a statement");

    if (near)
        diagnostic_label(error, "did you mean `%s`?", near);
    else if (is_path || token.kind == TOKEN_STRING)
        diagnostic_help(error, "a path stands in a rule: allow read where path is %s%.*s%s as NAME",
                        is_path ? "\"" : "", (int)token.span.length, token_text(&token),
                        is_path ? "\"" : "");
    else if (is_class(&token))
        diagnostic_help(error, "a rule begins with what it does: deny %.*s … as NAME",
                        (int)token.length, token.text);
    else if (token.kind == TOKEN_COMMA)
        diagnostic_help(error, "remove it: each statement begins with its own word");
    else if (token_is(&token, "policy"))
        diagnostic_help(error, "a policy is policy NAME { … }, and stands in no other");
    else if (token.kind != TOKEN_END)
        diagnostic_help(error, "statements begin with applies, mode, default, floor, set, allow, "
                               "deny, kill, log or override");
}

void mistake_as_statement(struct parser *parser)
{
    const char *sentence = NULL;
    const char *instead =
        parser->token.kind == TOKEN_NAME
            ? foreign_word(FOREIGN_STATEMENT, parser->token.text, parser->token.length, &sentence)
            : NULL;

    parser->sets_lost = true;
    parser_forgive(parser);
    if (instead) {
        report_foreign_statement(parser, instead);
    } else if (sentence) {
        diagnostic_help(parser_error(parser, ERROR_FOREIGN_WORD, parser->token.span,
                                     "`%.*s` is no word of the language", (int)parser->token.length,
                                     parser->token.text),
                        "%s", sentence);
    } else {
        report_no_statement(parser);
    }
    parser->lines_alone = true; /* the words behind it are its own */
    parser_advance(parser);
}

bool mistake_behind(struct parser *parser, const char *const *words)
{
    const struct token token = parser->token;

    if (token.kind != TOKEN_NAME || token_is_first_on_line(&token) ||
        parser_ends_statement(parser) || token_is_one_of(&token, words))
        return false;
    const char *near = parser_nearest_word(&token, words);
    if (!near)
        return false;
    struct text_buffer expected = {0};
    for (size_t i = 0; words[i]; i++)
        text_buffer_format(&expected, "`%s` or ", words[i]);
    text_buffer_add_text(&expected, "the next statement");
    struct diagnostic *error = parser_expected(parser, expected.failed ? near : expected.bytes);
    diagnostic_label(error, "did you mean `%s`?", near);
    text_buffer_deinit(&expected);
    return true;
}

void mistake_in_name(struct parser *parser)
{
    static const char *const message[] = {"message", NULL};
    const struct token name = parser->previous;
    const struct token token = parser->token;
    const struct token *next = &parser->next;

    /* What begins a statement on the same line has a target behind it. */
    if (name.kind != TOKEN_NAME || token.kind != TOKEN_NAME || token_is_first_on_line(&token) ||
        token_is_one_of(&token, grammar_words(WORDS_STATEMENT)) ||
        !(token_is_first_on_line(next) || next->kind == TOKEN_CLOSE_BRACE ||
          next->kind == TOKEN_END || token_is_one_of(next, message)))
        return;
    diagnostic_help(parser_error(parser, ERROR_SYNTAX, token.span, "a name is one word"),
                    "write as %.*s-%.*s", (int)name.length, name.text, (int)token.length,
                    token.text);
    parser_advance(parser);
    if (token_is_one_of(&parser->token, message)) {
        parser_advance(parser);
        if (parser->token.kind == TOKEN_STRING)
            parser_advance(parser);
    }
    parser->panicking = false; /* what follows it may be right */
}

/* ------------------------------------------------------------------ rules */

/* A class by a name that others have for it. */
static void help_with_classes(struct diagnostic *error, const struct class_list *classes)
{
    const char *sentence;

    for (const struct class_word *each = classes->first; each; each = each->next) {
        const char *instead =
            foreign_word(FOREIGN_CLASS, each->word.text, each->word.length, &sentence);
        if (instead)
            diagnostic_help(error, "`%.*s` is no class: here that is `%s`", (int)each->word.length,
                            each->word.text, instead);
    }
}

/* The predicate that ends the condition. */
static const struct predicate *last_predicate(const struct condition *condition)
{
    while (condition && condition->kind != CONDITION_PREDICATE) {
        condition = condition->first;
        while (condition && condition->next)
            condition = condition->next;
    }
    return condition ? condition->predicate : NULL;
}

/* `under "/a" "/b"`: the operator that takes a list of them stands there, or is `in` for `is`. */
static void help_with_values(struct diagnostic *error, const struct predicate *predicate,
                             const struct token *before, const struct token *token, bool more)
{
    const enum attribute_type type = operand_type(predicate);
    const bool list = type == TYPE_TEXT_LIST || type == TYPE_TEXT_MAP;
    const struct span of = predicate->operand_of;
    const struct span test = predicate->test_span;

    if (predicate->form != FORM_ONE)
        return;
    diagnostic_help(error, "several values stand in a list: %.*s %.*s [%.*s, %.*s%s]",
                    (int)of.length, of.source->text + of.offset,
                    predicate->test == TEST_IS && !list ? 2 : (int)test.length,
                    predicate->test == TEST_IS && !list ? "in" : test.source->text + test.offset,
                    (int)before->span.length, token_text(before), (int)token->span.length,
                    token_text(token), more ? ", …" : "");
}

/* A string where the rule should go on or end. */
static void report_string_in_rule(struct parser *parser, const struct rule *rule)
{
    static const char *const event[] = {"event", NULL};
    static const char *const matches[] = {"matches", NULL};
    const struct token before = parser->previous;
    const struct token token = parser->token;
    struct diagnostic *error;

    if (before.kind == TOKEN_NAME &&
        parser_nearest_word(&before, rule->condition ? matches : event)) {
        error = parser_error(parser, ERROR_SYNTAX, before.span, "`%.*s` is no word of the language",
                             (int)before.length, before.text);
        diagnostic_label(error, "did you mean `%s`?", rule->condition ? "matches" : "event");
        return;
    }
    if (before.kind == TOKEN_NAME && rule->condition && tokens_touch(&before, &token)) {
        error = parser_error(parser, ERROR_FOREIGN_WORD, before.span,
                             "no letter stands before a string");
        diagnostic_help(error, "write %.*s; a string in single quotes has no escapes: 'C:\\dir'",
                        (int)token.span.length, token_text(&token));
        return;
    }
    error = parser_expected(parser, rule->condition ? "`and`, `or` or `as NAME`"
                                                    : "`,`, `where` or `as NAME`");
    if (!rule->condition)
        diagnostic_help(error,
                        "what the rule is to meet stands behind `where`: where ATTRIBUTE is "
                        "%.*s",
                        (int)token.span.length, token_text(&token));
    else if (before.kind == TOKEN_STRING)
        help_with_values(error, last_predicate(rule->condition), &before, &token,
                         parser->next.kind == TOKEN_STRING);
}

/* The statement's line with another word in place of one, without the `}` of what is around it:
 * false if it is no short line. */
static bool add_line_with(struct text_buffer *out, struct span start, struct span replaced,
                          const char *instead)
{
    enum { SHORT = 90 };
    const struct source *source = start.source;
    const uint32_t behind = replaced.offset + replaced.length;
    uint32_t end = behind;

    char quote = '\0';
    for (; end < source->length && source->text[end] != '\n' && source->text[end] != '\r'; end++) {
        const char c = source->text[end];
        if (quote == '\0' && c == '}')
            break;
        if (quote == '"' && c == '\\')
            end++;
        else if (c == quote)
            quote = '\0';
        else if (quote == '\0' && (c == '"' || c == '\''))
            quote = c;
    }
    if (end > source->length)
        return false;
    while (end > behind && (source->text[end - 1] == ' ' || source->text[end - 1] == '\t'))
        end--;
    if (end - start.offset > SHORT ||
        memchr(source->text + start.offset, '\n', replaced.offset - start.offset) ||
        memchr(source->text + behind, '{', end - behind) ||
        memchr(source->text + behind, '#', end - behind))
        return false;
    text_buffer_add(out, source->text + start.offset, replaced.offset - start.offset);
    text_buffer_add_text(out, instead);
    text_buffer_add(out, source->text + behind, end - behind);
    return true;
}

static void report_word_in_rule(struct parser *parser, const struct rule *rule)
{
    static const char *const clauses[] = {"where", "as", "message", NULL};
    static const char *const joins[] = {"and", "or", "as", "message", NULL};
    const struct token token = parser->token;
    const char *sentence = NULL;
    const char *instead = foreign_word(rule->condition ? FOREIGN_JOIN : FOREIGN_CLAUSE, token.text,
                                       token.length, &sentence);
    const char *near = parser_nearest_word(&token, rule->condition ? joins : clauses);
    struct diagnostic *error;

    if (instead) {
        struct text_buffer line = {0};
        error = parser_error(parser, ERROR_FOREIGN_WORD, token.span,
                             "`%.*s` is no word of the language", (int)token.length, token.text);
        diagnostic_label(error, "here that is `%s`", instead);
        const bool fits =
            error && add_line_with(&line, rule->effect_span, token.span, instead) && !line.failed;
        if (fits && strstr(instead, "not") &&
            (strstr(line.bytes + token.span.offset - rule->effect_span.offset, " and ") ||
             strstr(line.bytes + token.span.offset - rule->effect_span.offset, " or ")))
            diagnostic_help(error,
                            "`not` binds one condition; several stand in parentheses: %s "
                            "(… and …)",
                            instead);
        else if (fits)
            diagnostic_help(error, "write %s", line.bytes);
        text_buffer_deinit(&line);
        return;
    }
    if (tokens_touch(&parser->previous, &token) && parser->previous.kind == TOKEN_STRING) {
        const bool raw = *token_text(&parser->previous) == '\'';
        error = parser_expected(parser, "a blank behind the string");
        diagnostic_help(error, raw ? "a string in single quotes ends at the next one; in double "
                                     "quotes a ' is a character as any other"
                                   : "a string ends at the next quote; inside it is written \\\"");
        return;
    }
    error = parser_expected(parser, rule->condition ? "`and`, `or` or `as NAME`"
                                                    : "`,`, `where` or `as NAME`");
    if (!rule->condition && is_class(&token))
        diagnostic_help(error, "classes are separated by commas");
    else if (sentence)
        diagnostic_help(error, "%s", sentence);
    else if (near)
        diagnostic_label(error, "did you mean `%s`?", near);
    else if (!rule->condition && vocabulary_attribute(token.text, token.length) != ATTRIBUTE_NONE)
        diagnostic_help(error, "a condition stands behind `where`: where %.*s …", (int)token.length,
                        token.text);
}

void mistake_in_rule(struct parser *parser, const struct rule *rule)
{
    const struct token token = parser->token;
    const char *expected =
        rule->condition ? "`and`, `or` or `as NAME`" : "`,`, `where` or `as NAME`";
    struct diagnostic *error;

    if (token_is(&token, "message")) {
        error = parser_error(parser, ERROR_SYNTAX, token.span, "`as NAME` stands before `message`");
        diagnostic_help(error, "write … as NAME message \"…\"");
    } else if (parser_ends_statement(parser)) {
        error = parser_error(parser, ERROR_RULE_WITHOUT_NAME, rule->effect_span,
                             "this rule has no name");
        diagnostic_label(error, "denials and records cite rules by name");
        diagnostic_help(error, "end it with `as NAME`");
        help_with_classes(error, &rule->classes);
    } else if (token.kind == TOKEN_STRING) {
        report_string_in_rule(parser, rule);
    } else if (token.kind == TOKEN_NAME) {
        report_word_in_rule(parser, rule);
    } else if (token.kind == TOKEN_OPEN_PARENTHESIS && parser->previous.kind == TOKEN_NAME) {
        error = parser_error(parser, ERROR_FOREIGN_WORD, token.span, "there are no functions");
        diagnostic_help(error, "a condition is ATTRIBUTE OPERATOR VALUE: argv has \"-x\"");
    } else if (token.kind == TOKEN_CLOSE_PARENTHESIS) {
        diagnostic_help(parser_error(parser, ERROR_SYNTAX, token.span, "this `)` closes nothing"),
                        "remove it, or write the `(` before the condition");
    } else if (token.kind == TOKEN_OPEN_BRACE) {
        error = parser_expected(parser, expected);
        diagnostic_help(error, "rules have no braces: deny exec where … as NAME");
    } else {
        error = parser_expected(parser, expected);
        if (token.kind == TOKEN_COMMA && rule->condition)
            diagnostic_help(error, "conditions are joined by `and` or `or`");
    }
}

/* ------------------------------------------------------------------ conditions */

/* What stands between the quotes stands for itself in a glob too. */
static bool is_plain_string(const struct token *token)
{
    if (token->kind != TOKEN_STRING || token->flawed || token->length == 0 ||
        token->span.length != token->length + 2)
        return false;
    for (size_t i = 0; i < token->length; i++)
        if (token->text[i] == '\0' || strchr("*?[]\\\"", token->text[i]))
            return false;
    return true;
}

/* Adds the shape: see foreign_operator(). `value` is the token that follows, if it is one. */
static void add_shape(struct text_buffer *help, const char *shape, struct span attribute,
                      const struct token *value)
{
    const bool list = value && value->kind == TOKEN_OPEN_BRACKET;

    for (; *shape; shape++) {
        if (*shape == '@')
            text_buffer_add(help, attribute.source->text + attribute.offset, attribute.length);
        else if (*shape == '%' && value && is_plain_string(value))
            text_buffer_add(help, token_text(value) + 1, value->span.length - 2);
        else if (list && (*shape == '[' || *shape == ']'))
            continue; /* the value has its own */
        else if (*shape != '$' && *shape != '%')
            text_buffer_add(help, shape, 1);
        else if (!value || *shape == '%')
            text_buffer_add_text(help, "…");
        else if (is_value(value) || value->kind == TOKEN_QUALIFIED || token_is(value, "true") ||
                 token_is(value, "false"))
            text_buffer_add(help, token_text(value), value->span.length);
        else
            text_buffer_add_text(help, list ? "[…]" : "…");
    }
}

void mistake_no_operator(struct parser *parser, struct span span, const struct predicate *predicate,
                         const char *shape)
{
    struct text_buffer help = {0};
    struct diagnostic *error =
        parser_error(parser, ERROR_NOT_AN_OPERATOR, span, "`%.*s` is no operator", (int)span.length,
                     span.source->text + span.offset);

    if (!shape)
        shape = foreign_operator("!=", 2, operand_type(predicate));
    add_shape(&help, shape, predicate->operand_of, &parser->next);
    if (!help.failed)
        diagnostic_help(error, "write %s", help.bytes);
    text_buffer_deinit(&help);
}

/* A word where an operator would be, and something behind it that may be its value. */
static bool report_word_as_operator(struct parser *parser, const struct predicate *predicate)
{
    static const char *const joins[] = {"and", "or", "as", NULL};
    const struct token token = parser->token;
    const struct token next = parser->next;
    const bool before_value =
        is_value(&next) || next.kind == TOKEN_OPEN_BRACKET ||
        (next.kind == TOKEN_QUALIFIED && next.length > 8 && memcmp(next.text, "session.", 8) == 0);
    const bool before_word = next.kind == TOKEN_NAME && !is_joining_word(&next);
    const char *shape = foreign_operator(token.text, token.length, operand_type(predicate));
    struct diagnostic *error;

    /* `reason` ends the condition of an override: `where shell reason "…"`. */
    if (token_is(&token, "label") || token_is(&token, "reason") ||
        (!before_value && !before_word) || parser_nearest_word(&token, joins))
        return false;
    if (shape) {
        mistake_no_operator(parser, token.span, predicate, shape);
        return true;
    }
    const char *near = parser_nearest_word(&token, grammar_words(WORDS_OPERATOR));
    if (near) {
        error = parser_error(parser, ERROR_NOT_AN_OPERATOR, token.span, "`%.*s` is no operator",
                             (int)token.length, token.text);
        diagnostic_label(error, "did you mean `%s`?", near);
        return true;
    }
    if (!before_value)
        return false;
    mistake_no_operator(parser, token.span, predicate,
                        "@ is $, or use in, under, matches, starts, has");
    return true;
}

bool mistake_as_operator(struct parser *parser, const struct predicate *predicate)
{
    const struct token token = parser->token;

    if (token_is(&token, "not") && token_is(&parser->next, "in")) {
        mistake_no_operator(parser, span_join(token.span, parser->next.span), predicate,
                            "not @ in […]");
        return true;
    }
    if (token.kind == TOKEN_ASSIGN || is_sign(&token, ':') || is_sign(&token, '!') ||
        (token.length == 2 && is_sign(&token, '='))) {
        const char *shape = foreign_operator(token.text, token.length, operand_type(predicate));
        mistake_no_operator(parser, token.span, predicate, shape ? shape : "@ is $");
        return true;
    }
    if (token.kind == TOKEN_OPEN_PARENTHESIS) {
        diagnostic_help(parser_error(parser, ERROR_FOREIGN_WORD,
                                     span_join(predicate->operand_of, token.span),
                                     "there are no functions"),
                        "a condition is ATTRIBUTE OPERATOR VALUE: argv has \"-x\"");
        return true;
    }
    if (token.kind == TOKEN_NAME && !is_joining_word(&token))
        return report_word_as_operator(parser, predicate);
    if (is_value(&token)) {
        const struct span attribute = predicate->operand_of;
        diagnostic_help(
            parser_error(parser, ERROR_SYNTAX, token.span, "expected an operator before the value"),
            "write %.*s is %.*s", (int)attribute.length, attribute.source->text + attribute.offset,
            (int)token.span.length, token_text(&token));
        return true;
    }
    return false;
}

void mistake_as_condition(struct parser *parser)
{
    const struct token token = parser->token;
    struct diagnostic *error;

    if (token.kind == TOKEN_STRING && token_is(&parser->next, "in")) {
        error = parser_error(parser, ERROR_SYNTAX, token.span, "the attribute stands first");
        diagnostic_help(error, "write argv has %.*s, if that is what was meant",
                        (int)token.span.length, token_text(&token));
        return;
    }
    error = parser_expected(parser, "a condition");
    if (token.kind == TOKEN_OPEN_BRACE)
        diagnostic_help(error, "conditions are grouped by parentheses: where (… or …) and …");
    else if (token_is_one_of(&token, grammar_words(WORDS_OPERATOR)))
        diagnostic_help(error, "an attribute stands before `%.*s`", (int)token.length, token.text);
    else if (parser->previous.kind == TOKEN_NAME && !is_value(&token))
        diagnostic_help(error, "write one behind `%.*s`, or leave that out",
                        (int)parser->previous.length, parser->previous.text);
    else
        diagnostic_help(error, "a condition is ATTRIBUTE OPERATOR VALUE: file is \"/usr/bin/git\"");
}

/* Parts of a dotted name: what stands before the first dot, and what behind the last. */
static const char *first_part(const struct token *token, size_t *length)
{
    const char *dot = memchr(token->text, '.', token->length);
    *length = dot ? (size_t)(dot - token->text) : token->length;
    return token->text;
}

static const char *last_part(const struct token *token, size_t *length)
{
    size_t from = token->length;
    while (from > 0 && token->text[from - 1] != '.')
        from--;
    *length = token->length - from;
    return token->text + from;
}

void mistake_as_attribute(struct parser *parser)
{
    const struct token token = parser->token;
    size_t first_length;
    size_t last_length;
    const char *first = first_part(&token, &first_length);
    const char *last = last_part(&token, &last_length);
    const char *shape = foreign_operator(
        last, last_length, vocabulary_attribute_type(vocabulary_attribute(first, first_length)));
    struct diagnostic *error =
        parser_error(parser, ERROR_UNKNOWN_ATTRIBUTE, token.span, "there is no attribute `%.*s`",
                     (int)token.length, token.text);

    if (first_length == 7 && memcmp(first, "session", 7) == 0) {
        diagnostic_help(error, "a place is a value: path under %.*s", (int)token.length,
                        token.text);
    } else if (first_length == 3 && memcmp(first, "env", 3) == 0) {
        diagnostic_help(error, "a variable is env[\"%.*s\"]", (int)token.length - 4,
                        token.text + 4);
    } else if (vocabulary_attribute(first, first_length) != ATTRIBUTE_NONE && shape) {
        struct span attribute = token.span;
        struct text_buffer help = {0};
        attribute.length = (uint32_t)first_length;
        add_shape(&help, shape, attribute, NULL);
        if (!help.failed)
            diagnostic_help(error, "there are no functions: write %s", help.bytes);
        text_buffer_deinit(&help);
    } else if (vocabulary_attribute(last, last_length) != ATTRIBUTE_NONE) {
        diagnostic_label(error, "did you mean `%.*s`?", (int)last_length, last);
    } else {
        diagnostic_help(error, "attributes are single words; an argument of the event is arg.NAME");
    }
}

/* From `{` or `(` to its end on the same line, as a list; false if there is no end. */
static bool add_as_list(struct text_buffer *out, const struct token *open)
{
    const struct source *source = open->span.source;
    const char close = *token_text(open) == '{' ? '}' : ')';
    const uint32_t start = open->span.offset + 1;
    uint32_t end = start;

    while (end < source->length && source->text[end] != '\n' && source->text[end] != close)
        end++;
    if (end >= source->length || source->text[end] != close || end == start)
        return false;
    uint32_t from = start;
    while (from < end && source->text[from] == ' ')
        from++;
    while (end > from && source->text[end - 1] == ' ')
        end--;
    text_buffer_add_text(out, "[");
    text_buffer_add(out, source->text + from, end - from);
    text_buffer_add_text(out, "]");
    return true;
}

void mistake_as_value(struct parser *parser)
{
    const struct token token = parser->token;
    struct text_buffer list = {0};
    struct diagnostic *error = parser_expected(parser, "a value");

    if (error && (token.kind == TOKEN_OPEN_BRACE || token.kind == TOKEN_OPEN_PARENTHESIS) &&
        add_as_list(&list, &token) && !list.failed)
        diagnostic_help(error, "lists stand in brackets: %s", list.bytes);
    else if (token.kind == TOKEN_OPEN_BRACE || token.kind == TOKEN_OPEN_PARENTHESIS)
        diagnostic_help(error, "lists stand in brackets: [ … ]");
    text_buffer_deinit(&list);
}

void mistake_in_list(struct parser *parser, struct span open)
{
    const struct token token = parser->token;
    struct diagnostic *error;

    if (is_value(&token) ||
        (token.kind == TOKEN_NAME && !is_joining_word(&token) && !token_is_first_on_line(&token))) {
        error = parser_expected(parser, "`,` or `]`");
        diagnostic_help(error, "values of a list are separated by commas");
        return;
    }
    error =
        parser_error(parser, ERROR_SYNTAX, token.span, "this list is not closed: a `]` is missing");
    diagnostic_second(error, open, "opened here");
    diagnostic_help(error, "close it with `]` behind its last value");
}

/* ------------------------------------------------------------------ overrides */

/* Three numbers with -, / or . between, in the order of a date or in that of people: false if it is
 * something else. */
static bool read_date(const char *text, size_t length, unsigned parts[3])
{
    size_t digits = 0;
    size_t part = 0;

    parts[0] = parts[1] = parts[2] = 0;
    for (size_t i = 0; i < length; i++) {
        const char c = text[i];
        if (c >= '0' && c <= '9' && digits < 4) {
            parts[part] = parts[part] * 10 + (unsigned)(c - '0');
            digits++;
        } else if ((c == '-' || c == '/' || c == '.') && digits > 0 && part < 2) {
            part++;
            digits = 0;
        } else {
            return false;
        }
    }
    if (part < 2 || digits == 0)
        return false;
    if (parts[0] < 1000 && parts[2] >= 1000) {
        const unsigned day = parts[0];
        parts[0] = parts[2];
        parts[2] = day;
    }
    return parts[0] >= 1000 && parts[1] >= 1 && parts[1] <= 12 && parts[2] >= 1 && parts[2] <= 31;
}

void mistake_as_date(struct parser *parser)
{
    const struct token token = parser->token;
    const bool quoted = token.kind == TOKEN_STRING;
    unsigned parts[3];

    if (token.kind == TOKEN_BAD && token.reported && memchr(token.text, '-', token.length) &&
        token.length == 10 && token.text[4] == '-' && token.text[7] == '-') {
        (void)parser_expected(parser, "a date"); /* no such day: the lexer has said it */
        return;
    }
    parser_forgive(parser);
    struct diagnostic *error = parser_expected(parser, "a date");
    if (read_date(quoted ? token.text : token_text(&token),
                  quoted ? token.length : token.span.length, parts))
        diagnostic_help(error, "write %04u-%02u-%02u", parts[0], parts[1], parts[2]);
    else
        diagnostic_help(error, "write the last day on which it counts: 2027-01-31");
}

void mistake_as_reference(struct parser *parser)
{
    static const char *const tiers[] = {"local", "vendor", "mandatory", NULL};
    const struct token token = parser->token;
    const char *text = token_text(&token);
    const size_t length = token.span.length;
    const char *slash = token.kind == TOKEN_BAD ? memchr(text, '/', length) : NULL;
    const struct token tier = {
        .kind = TOKEN_NAME, .text = text, .length = slash ? (size_t)(slash - text) : 0};
    struct diagnostic *error;

    if (slash && tier.length > 0 && !token_is_one_of(&tier, tiers)) {
        const char *near = parser_nearest_word(&tier, tiers);
        parser_forgive(parser);
        error = parser_error(parser, ERROR_SYNTAX, token.span, "there is no tier `%.*s`",
                             (int)tier.length, text);
        if (near)
            diagnostic_label(error, "did you mean `%s%.*s`?", near, (int)(length - tier.length),
                             slash);
        else
            diagnostic_help(error, "tiers are local and vendor: local/POLICY.RULE");
        return;
    }
    error = parser_expected(parser, "the rule to override: TIER/POLICY.RULE");
    if (token.kind == TOKEN_QUALIFIED)
        diagnostic_help(error, "write its tier too: local/%.*s or vendor/%.*s", (int)token.length,
                        token.text, (int)token.length, token.text);
    else if (token.kind == TOKEN_NAME)
        diagnostic_help(error, "write the policy's tier and name before it: local/POLICY.%.*s",
                        (int)token.length, token.text);
}
