/* Test files: read for their form, and for the names in them. */
#include "policies/language/parser_internal.h"

#include <string.h>

#include "policies/language/names.h"
#include "policies/language/words.h"

static bool starts_with(const struct token *token, const char *front)
{
    const size_t length = strlen(front);
    return token->length > length && memcmp(token->text, front, length) == 0;
}

static bool parse_raw(struct parser *parser, unsigned depth);

/* At `[`. */
static bool parse_raw_list(struct parser *parser, unsigned depth)
{
    if (depth == CONDITION_NESTING_MAX) {
        (void)parser_error(parser, ERROR_TOO_DEEP, parser->token.span, "lists nest at most %d deep",
                           CONDITION_NESTING_MAX);
        return false;
    }
    parser_advance(parser);
    while (!parser_take(parser, TOKEN_CLOSE_BRACKET)) {
        if (!parse_raw(parser, depth + 1))
            return false;
        if (!parser_take(parser, TOKEN_COMMA) && parser->token.kind != TOKEN_CLOSE_BRACKET) {
            (void)parser_expected(parser, "`,` or `]`");
            return false;
        }
    }
    return true;
}

/* A value as Python passes it. */
static bool parse_raw(struct parser *parser, unsigned depth)
{
    static const char *const words[] = {"true", "false", "none", "unknown", NULL};

    switch (parser->token.kind) {
    case TOKEN_STRING:
    case TOKEN_INTEGER:
    case TOKEN_ADDRESS:
    case TOKEN_BAD:
        parser_advance(parser);
        return true;
    case TOKEN_OPEN_BRACKET:
        return parse_raw_list(parser, depth);
    case TOKEN_NAME:
        if (token_is_one_of(&parser->token, words)) {
            parser_advance(parser);
            return true;
        }
        break;
    default:
        break;
    }
    struct diagnostic *error =
        parser_expected(parser, "a value: a string, a number, a list, none or unknown");
    if (parser->token.kind == TOKEN_NAME || parser->token.kind == TOKEN_QUALIFIED)
        diagnostic_help(error, "a text stands in quotes: \"%.*s\"", (int)parser->token.length,
                        parser->token.text);
    return false;
}

static void unknown_attribute(struct parser *parser, const struct word *name,
                              enum operation_class operation_class)
{
    struct text_buffer known = {0};
    add_attributes_of(&known, operation_class);
    struct diagnostic *error = parser_error(
        parser, ERROR_CLASS_HAS_NO_ATTRIBUTE, name->span, "class `%s` has no attribute `%.*s`",
        vocabulary_class_name(operation_class), (int)name->length, name->text);
    if (known.length > 0)
        diagnostic_help(error, "it has %s", known.bytes);
    text_buffer_deinit(&known);
}

/* NAME ( raw ), NAME raw */
static bool parse_expected_attribute(struct parser *parser, enum operation_class operation_class)
{
    const struct word name = word_of(&parser->token);
    const enum attribute_name attribute = vocabulary_attribute(name.text, name.length);

    parser_mark(parser, MARK_PART);
    if (operation_class != CLASS_NONE && !vocabulary_class_has(operation_class, attribute)) {
        unknown_attribute(parser, &name, operation_class);
        return false;
    }
    parser_advance(parser);
    if (!parser_take(parser, TOKEN_OPEN_PARENTHESIS))
        return parse_raw(parser, 0);
    return parse_raw(parser, 0) && parser_expect(parser, TOKEN_CLOSE_PARENTHESIS, "`)`");
}

static bool parse_expected_operation(struct parser *parser)
{
    if (parser->token.kind != TOKEN_NAME) {
        (void)parser_expected(parser, "an operation class or `event`");
        return false;
    }
    const struct word name = word_of(&parser->token);
    const enum operation_class operation_class = find_class(parser->diagnostics, &name);
    if (operation_class == CLASS_NONE)
        parser->spoiled = true;
    parser_advance(parser);
    if (parser->token.kind == TOKEN_STRING || parser->token.kind == TOKEN_INTEGER ||
        parser->token.kind == TOKEN_ADDRESS)
        parser_advance(parser);
    while (parser->token.kind == TOKEN_NAME && !parser_at(parser, "by") &&
           !token_is_one_of(&parser->token, grammar_words(WORDS_TEST)))
        if (!parse_expected_attribute(parser, operation_class))
            return false;
    return true;
}

static bool parse_expect(struct parser *parser)
{
    static const char *const verdicts[] = {"allow", "deny", "kill", "would-deny", NULL};

    parser_advance(parser);
    if (!token_is_one_of(&parser->token, verdicts)) {
        (void)parser_expected(parser, "`allow`, `deny`, `kill` or `would-deny`");
        return false;
    }
    parser_advance(parser);
    if (parser_take_word(parser, "event")) {
        if (!parser_string(parser))
            return false;
        if (parser->token.kind != TOKEN_OPEN_BRACKET) {
            diagnostic_help(
                parser_expected(parser, "`[`"),
                "the event's arguments stand in brackets: [\"id\", [\"id\"], none, none]");
            return false;
        }
        if (!parse_raw_list(parser, 0))
            return false;
    } else if (!parse_expected_operation(parser)) {
        return false;
    }
    if (!parser_take_word(parser, "by")) {
        diagnostic_help(parser_expected(parser, "`by` and the rule that decides"),
                        "by RULE, by POLICY.RULE or by default");
        return false;
    }
    if (parser->token.kind != TOKEN_NAME && parser->token.kind != TOKEN_QUALIFIED) {
        (void)parser_expected(parser, "a rule, POLICY.RULE or `default`");
        return false;
    }
    parser_advance(parser);
    return true;
}

static bool parse_given(struct parser *parser)
{
    parser_advance(parser);
    if (parser_take_word(parser, "platform")) {
        if (parser_take_word(parser, "linux") || parser_take_word(parser, "windows"))
            return true;
        (void)parser_expected(parser, "`linux` or `windows`");
        return false;
    }
    if (parser_take_word(parser, "host")) {
        if (!parser_string(parser))
            return false;
        if (!parser_take_word(parser, "is")) {
            (void)parser_expected(parser, "`is`");
            return false;
        }
        if (parser->token.kind == TOKEN_OPEN_BRACKET)
            return parse_raw_list(parser, 0);
        return parser_expect(parser, TOKEN_ADDRESS, "an address or a list of them");
    }
    if (parser->token.kind != TOKEN_STRING) {
        (void)parser_expected(parser, "a path, `host` or `platform`");
        return false;
    }
    parser_advance(parser);
    if (!parser_take_word(parser, "resolves") || !parser_take_word(parser, "to")) {
        (void)parser_expected(parser, "`resolves to`");
        return false;
    }
    return parser_string(parser) != NULL;
}

static bool parse_session_fact(struct parser *parser)
{
    const struct word name = word_of(&parser->token);

    parser_mark(parser, MARK_PART);
    if (parser->token.kind == TOKEN_QUALIFIED) {
        if (!starts_with(&parser->token, "session.")) {
            (void)parser_expected(parser, "a selector or a place");
            return false;
        }
        if (find_place(parser->diagnostics, name.text, name.length, name.span) == PLACE_COUNT)
            parser->spoiled = true;
        parser_advance(parser);
        return parser_string(parser) != NULL;
    }
    if (parser_take_word(parser, "label")) {
        struct word label;
        return parser_name(parser, "the name of a label", &label) && parser_string(parser);
    }
    if (!is_selector(vocabulary_attribute(name.text, name.length))) {
        diagnostic_help(parser_error(parser, ERROR_UNKNOWN_ATTRIBUTE, name.span,
                                     "a session has no `%.*s`", (int)name.length, name.text),
                        "it has user, group, exe, unit, label NAME, platform, python, script and "
                        "places");
        return false;
    }
    parser_advance(parser);
    if (parser->token.kind == TOKEN_OPEN_BRACKET)
        return parse_raw_list(parser, 0);
    if (parser_take(parser, TOKEN_INTEGER))
        return true;
    return parser_string(parser) != NULL;
}

static bool parse_session(struct parser *parser)
{
    parser_advance(parser);
    while ((parser->token.kind == TOKEN_NAME &&
            !token_is_one_of(&parser->token, grammar_words(WORDS_TEST))) ||
           parser->token.kind == TOKEN_QUALIFIED)
        if (!parse_session_fact(parser))
            return false;
    return true;
}

static void parse_line(struct parser *parser, size_t *expectations)
{
    if (parser_at(parser, "session")) {
        (void)parse_session(parser);
    } else if (parser_at(parser, "given")) {
        (void)parse_given(parser);
    } else if (parser_at(parser, "expect")) {
        ++*expectations;
        (void)parse_expect(parser);
    } else {
        const char *near = parser_nearest_word(&parser->token, grammar_words(WORDS_TEST));
        struct diagnostic *error = parser_expected(parser, "`session`, `given` or `expect`");
        if (near)
            diagnostic_label(error, "did you mean `%s`?", near);
        parser_advance(parser);
    }
}

/* At `test`. */
static void parse_one_test(struct parser *parser, size_t *expectations)
{
    struct word name;

    parser_advance(parser);
    if (!parser_name(parser, "the name of the policy to test", &name))
        return;
    const struct span open = parser->token.span;
    if (!parser_expect(parser, TOKEN_OPEN_BRACE, "`{`"))
        return;
    while (parser->token.kind != TOKEN_CLOSE_BRACE) {
        parser_begin_statement(parser);
        if (parser->token.kind == TOKEN_END) {
            diagnostic_second(parser_error(parser, ERROR_SYNTAX, name.span,
                                           "test `%.*s` is not closed: a `}` is missing",
                                           (int)name.length, name.text),
                              open, NULL);
            return;
        }
        parse_line(parser, expectations);
        if (parser->panicking)
            parser_skip_to(parser, grammar_words(WORDS_TEST), 1);
    }
    parser->panicking = false;
    parser_advance(parser);
}

static void parse(const struct source *source, struct storage *storage,
                  struct diagnostics *diagnostics, struct token_trace *trace)
{
    const size_t errors = diagnostics_error_count(diagnostics);
    size_t expectations = 0;
    struct parser parser;

    parser_init(&parser, source, storage, diagnostics);
    parser.trace = trace;
    while (parser.token.kind != TOKEN_END && !storage->failed) {
        parser_begin_statement(&parser);
        if (parser_at(&parser, "test")) {
            parse_one_test(&parser, &expectations);
        } else {
            (void)parser_expected(&parser, "`test`");
            parser_advance(&parser);
        }
        if (parser.panicking)
            parser_skip_to(&parser, grammar_words(WORDS_TEST_FILE), 0);
        if (parser.panicking && parser.token.kind == TOKEN_CLOSE_BRACE)
            parser_advance(&parser);
    }
    /* Who wants the trace asks for the form alone: a file may be formatted before it is done. */
    if (!trace && expectations == 0 && diagnostics_error_count(diagnostics) == errors)
        diagnostic_help(report(diagnostics, ERROR_TEST_EXPECTS_NOTHING, parser.token.span,
                               "this test file expects nothing"),
                        "add lines such as: expect deny exec \"/bin/sh\" by no-exec");
}

void parse_tests(const struct source *source, struct storage *storage,
                 struct diagnostics *diagnostics)
{
    parse(source, storage, diagnostics, NULL);
}

bool trace_tests(const struct source *source, struct storage *storage,
                 struct diagnostics *diagnostics, struct token_trace *trace)
{
    parse(source, storage, diagnostics, trace);
    return !storage->failed;
}
