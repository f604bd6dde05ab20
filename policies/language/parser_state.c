#include "policies/language/parser_internal.h"

#include <string.h>

#include "policies/language/foreign_words.h"
#include "policies/language/suggest.h"
#include "policies/language/words.h"

enum { TRACE_FIRST = 256 }; /* tokens; then twice as many */

void parser_init(struct parser *parser, const struct source *source, struct storage *storage,
                 struct diagnostics *diagnostics)
{
    *parser = (struct parser){.storage = storage, .diagnostics = diagnostics};
    lexer_init(&parser->lexer, source, storage, diagnostics);
    parser->previous = (struct token){.kind = TOKEN_END, .span = {source, 0, 0}};
    lexer_next(&parser->lexer, &parser->token);
    lexer_next(&parser->lexer, &parser->next);
}

static bool is_spoiled(const struct token *token)
{
    return token->kind == TOKEN_BAD || token->flawed;
}

void parser_mark(struct parser *parser, enum token_mark mark)
{
    if (parser->mark == MARK_NONE)
        parser->mark = mark;
}

static void trace_token(struct parser *parser)
{
    struct token_trace *trace = parser->trace;

    if (!trace || parser->token.kind == TOKEN_END)
        return;
    if (trace->count == trace->capacity) {
        const size_t capacity = trace->capacity > 0 ? 2 * trace->capacity : TRACE_FIRST;
        struct traced_token *grown = storage_take(parser->storage, capacity, sizeof(*grown));
        if (!grown)
            return;
        if (trace->count > 0)
            memcpy(grown, trace->tokens, trace->count * sizeof(*grown));
        trace->tokens = grown;
        trace->capacity = capacity;
    }
    trace->tokens[trace->count++] =
        (struct traced_token){parser->token.kind, parser->mark, parser->token.span};
}

void parser_advance(struct parser *parser)
{
    trace_token(parser);
    parser->mark = MARK_NONE;
    if (parser->token.reported)
        parser->said = true;
    if (parser->token.kind == TOKEN_OPEN_BRACE)
        parser->braces++;
    else if (parser->token.kind == TOKEN_CLOSE_BRACE && parser->braces > 0)
        parser->braces--;
    parser->previous = parser->token;
    parser->token = parser->next;
    if (parser->next.kind != TOKEN_END)
        lexer_next(&parser->lexer, &parser->next);
    if (is_spoiled(&parser->token))
        parser->spoiled = true;
}

void parser_forgive(struct parser *parser)
{
    if (!parser->token.reported)
        return;
    diagnostic_retract(parser->token.reported);
    parser->token.reported = NULL;
    if (!parser->said)
        parser->spoiled = false;
}

void parser_advance_word(struct parser *parser)
{
    const struct token word = parser->token;

    parser_advance(parser);
    if (parser->token.kind != TOKEN_FOREIGN_OPERATOR || parser->token.text[0] != ':')
        return;
    diagnostic_help(parser_error(parser, ERROR_NOT_AN_OPERATOR, parser->token.span,
                                 "no `%.*s` stands behind `%.*s`", (int)parser->token.length,
                                 parser->token.text, (int)word.length, word.text),
                    "write %.*s %.*s", (int)word.length, word.text, (int)parser->next.span.length,
                    parser->next.span.source->text + parser->next.span.offset);
    parser->panicking = false; /* what follows it may be right */
    parser_advance(parser);
}

void parser_begin_statement(struct parser *parser)
{
    parser->panicking = false;
    parser->lines_alone = false;
    parser->said = false;
    parser->spoiled = is_spoiled(&parser->token);
    parser_mark(parser, MARK_STATEMENT);
}

bool token_is(const struct token *token, const char *word)
{
    return token->kind == TOKEN_NAME && token->length == strlen(word) &&
           memcmp(token->text, word, token->length) == 0;
}

bool token_is_one_of(const struct token *token, const char *const *words)
{
    for (; *words; words++)
        if (token_is(token, *words))
            return true;
    return false;
}

bool parser_at(const struct parser *parser, const char *word)
{
    return token_is(&parser->token, word);
}

bool parser_take(struct parser *parser, enum token_kind kind)
{
    if (parser->token.kind != kind)
        return false;
    parser_advance(parser);
    return true;
}

bool parser_take_word(struct parser *parser, const char *word)
{
    if (!parser_at(parser, word))
        return false;
    parser_mark(parser, MARK_WORD);
    parser_advance_word(parser);
    return true;
}

struct diagnostic *parser_error(struct parser *parser, enum diagnostic_code code, struct span span,
                                const char *format, ...)
{
    struct diagnostic *error = NULL;

    if (!parser->panicking && !parser->spoiled && !parser->storage->failed) {
        va_list list;
        va_start(list, format);
        error = report_list(parser->diagnostics, code, span, format, list);
        va_end(list);
        parser->said = true;
    }
    parser->panicking = true;
    return error;
}

struct diagnostic *parser_expected(struct parser *parser, const char *what)
{
    const struct token *token = &parser->token;

    if (token->kind == TOKEN_END)
        return parser_error(parser, ERROR_SYNTAX, token->span,
                            "expected %s, found the end of the file", what);
    if (token->kind == TOKEN_STRING)
        return parser_error(parser, ERROR_SYNTAX, token->span, "expected %s, found a string", what);
    return parser_error(parser, ERROR_SYNTAX, token->span, "expected %s, found `%.*s`", what,
                        (int)token->span.length, token->span.source->text + token->span.offset);
}

bool parser_expect(struct parser *parser, enum token_kind kind, const char *what)
{
    if (parser_take(parser, kind))
        return true;
    (void)parser_expected(parser, what);
    return false;
}

struct word word_of(const struct token *token)
{
    return (struct word){token->text, token->length, token->span};
}

bool parser_name(struct parser *parser, const char *what, struct word *name)
{
    if (parser->token.kind == TOKEN_NAME) {
        *name = word_of(&parser->token);
        parser_advance(parser);
        return true;
    }
    parser_forgive(parser);
    struct diagnostic *error = parser_expected(parser, what);
    if (parser->token.kind == TOKEN_STRING && is_name(parser->token.text, parser->token.length))
        diagnostic_help(error, "names stand without quotes: %.*s", (int)parser->token.length,
                        parser->token.text);
    else
        diagnostic_help(error,
                        "a name begins with a letter and holds letters, digits, `_` and `-`");
    return false;
}

struct literal *parser_string(struct parser *parser)
{
    if (parser->token.kind != TOKEN_STRING) {
        const struct token token = parser->token;
        if (token_is_first_on_line(&token) && parser_ends_statement(parser) &&
            parser->previous.kind == TOKEN_NAME) {
            diagnostic_help(parser_error(parser, ERROR_SYNTAX, parser->previous.span,
                                         "no text stands behind `%.*s`",
                                         (int)parser->previous.length, parser->previous.text),
                            "write %.*s \"…\"", (int)parser->previous.length,
                            parser->previous.text);
            return NULL;
        }
        parser_forgive(parser);
        struct diagnostic *error = parser_expected(parser, "a string");
        if (token.kind == TOKEN_NAME || token.kind == TOKEN_QUALIFIED || token.kind == TOKEN_BAD)
            diagnostic_help(error, "a text stands in quotes: \"%.*s\"", (int)token.span.length,
                            token.span.source->text + token.span.offset);
        return NULL;
    }
    struct literal *literal = storage_take(parser->storage, 1, sizeof(*literal));
    if (literal) {
        literal->kind = parser->token.flawed ? LITERAL_BAD : LITERAL_STRING;
        literal->span = parser->token.span;
        literal->text = parser->token.text;
        literal->length = parser->token.length;
    }
    parser_advance(parser);
    return literal;
}

/* Blanks alone are counted: a text in one line must not be walked through for each policy in it. */
uint32_t token_indentation(const struct token *token)
{
    const char *text = token->span.source->text;
    uint32_t at = token->span.offset;

    while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t'))
        at--;
    return at == 0 || text[at - 1] == '\n' ? token->span.offset - at : 0;
}

static bool is_at_line_start(const struct token *token)
{
    const uint32_t at = token->span.offset;
    return at == 0 || token->span.source->text[at - 1] == '\n';
}

bool token_is_first_on_line(const struct token *token)
{
    const char *text = token->span.source->text;
    for (uint32_t at = token->span.offset; at > 0; at--) {
        const char c = text[at - 1];
        if (c == '\n')
            return true;
        if (c != ' ' && c != '\t')
            return false;
    }
    return true;
}

bool tokens_touch(const struct token *first, const struct token *second)
{
    return first->span.offset + first->span.length == second->span.offset;
}

/* What begins behind the token, blanks passed over. */
static char character_behind(const struct token *token)
{
    const struct source *source = token->span.source;
    uint32_t at = token->span.offset + token->span.length;

    for (; at < source->length; at++) {
        const char c = source->text[at];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            return c;
    }
    return '\0';
}

bool parser_at_new_policy(const struct parser *parser)
{
    if (!parser_at(parser, "policy") || parser->next.kind != TOKEN_NAME ||
        !token_is_first_on_line(&parser->token))
        return false;
    const char behind = character_behind(&parser->next);
    return behind == '{' || behind == '"' || behind == '\'';
}

bool parser_ends_statement(const struct parser *parser)
{
    return parser->token.kind == TOKEN_END || parser->token.kind == TOKEN_CLOSE_BRACE ||
           token_is_one_of(&parser->token, grammar_words(WORDS_STATEMENT)) ||
           parser_at(parser, "policy");
}

static bool is_a_name_here(const struct parser *parser)
{
    static const char *const namers[] = {"as", "set", "label", "policy", NULL};
    return token_is_one_of(&parser->previous, namers) || parser->previous.kind == TOKEN_DOT ||
           (parser->previous.kind == TOKEN_COMMA && !token_is_first_on_line(&parser->token));
}

const char *parser_nearest_word(const struct token *token, const char *const *words)
{
    struct suggestion suggestion;
    suggestion_init(&suggestion, token->text, token->length);
    for (; *words; words++)
        suggestion_offer(&suggestion, *words, strlen(*words));
    return suggestion.best;
}

/* A statement's word, or one that was to be it: `alow` at the start of a line. In the middle of a
 * line something must follow it: `default exec deny` has no second statement. */
static bool begins_statement(const struct parser *parser, const char *const *words, bool nearly)
{
    const bool first = token_is_first_on_line(&parser->token);
    const char *sentence = NULL;

    if (parser->token.kind != TOKEN_NAME || is_a_name_here(parser))
        return false;
    if (token_is_one_of(&parser->token, words))
        return first || (!parser->lines_alone && parser->next.kind != TOKEN_CLOSE_BRACE &&
                         parser->next.kind != TOKEN_END && !token_is_one_of(&parser->next, words));
    if (!first || is_joining_word(&parser->token))
        return false;
    const char *near = parser_nearest_word(&parser->token, words);
    if (!nearly) /* at file level: `polcy NAME` */
        return near && strcmp(near, "policy") == 0 && parser->next.kind == TOKEN_NAME;
    return near ||
           (vocabulary_class(parser->token.text, parser->token.length) != CLASS_NONE &&
            token_is_one_of(&parser->next, grammar_words(WORDS_EFFECT))) ||
           foreign_word(FOREIGN_STATEMENT, parser->token.text, parser->token.length, &sentence) ||
           sentence;
}

static void take_back(struct token *token)
{
    diagnostic_retract(token->reported);
    diagnostic_retract(token->before_reported);
    token->reported = NULL;
    token->before_reported = NULL;
}

void parser_skip_to(struct parser *parser, const char *const *words, unsigned braces)
{
    bool muted = false;

    while (parser->token.kind != TOKEN_END) {
        if (parser->token.kind == TOKEN_CLOSE_BRACE && parser->braces <= braces)
            break;
        if (parser_at_new_policy(parser))
            break;
        if (parser->braces == braces && begins_statement(parser, words, braces > 0) &&
            (braces > 0 || is_at_line_start(&parser->token)))
            break;
        if (parser->said && !muted) {
            take_back(&parser->token);
            take_back(&parser->next);
            diagnostics_mute(parser->diagnostics, true);
            muted = true;
        }
        parser_advance(parser);
    }
    if (!muted)
        return;
    diagnostics_mute(parser->diagnostics, false);
    if (parser->token.kind == TOKEN_END)
        return;
    /* What follows is read again: of that everything is said. */
    parser->lexer.at = parser->token.span.offset + parser->token.span.length;
    lexer_next(&parser->lexer, &parser->next);
}
