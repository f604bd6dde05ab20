/* Test files: read for their form, and for the names in them. */
#include "policies/language/parser_internal.h"

#include <string.h>

#include "policies/language/names.h"
#include "policies/language/test_tree.h"
#include "policies/language/words.h"

static bool starts_with(const struct token *token, const char *front)
{
    const size_t length = strlen(front);
    return token->length > length && memcmp(token->text, front, length) == 0;
}

static struct raw *parse_raw(struct parser *parser, unsigned depth);

static struct raw *new_raw(struct parser *parser, enum raw_kind kind)
{
    struct raw *raw = storage_take(parser->storage, 1, sizeof(*raw));

    if (raw) {
        raw->kind = kind;
        raw->span = parser->token.span;
    }
    return raw;
}

/* At `[`. */
static struct raw *parse_raw_list(struct parser *parser, unsigned depth)
{
    if (depth == CONDITION_NESTING_MAX) {
        (void)parser_error(parser, ERROR_TOO_DEEP, parser->token.span, "lists nest at most %d deep",
                           CONDITION_NESTING_MAX);
        return NULL;
    }
    struct raw *list = new_raw(parser, RAW_LIST);
    if (!list)
        return NULL;
    struct raw **last = &list->items;
    parser_advance(parser);
    while (!parser_take(parser, TOKEN_CLOSE_BRACKET)) {
        *last = parse_raw(parser, depth + 1);
        if (!*last)
            return NULL;
        last = &(*last)->next;
        list->count++;
        if (!parser_take(parser, TOKEN_COMMA) && parser->token.kind != TOKEN_CLOSE_BRACKET) {
            (void)parser_expected(parser, "`,` or `]`");
            return NULL;
        }
    }
    list->span = span_join(list->span, parser->previous.span);
    return list;
}

static struct raw *parse_scalar(struct parser *parser)
{
    const struct token *token = &parser->token;
    struct raw *raw = new_raw(parser, RAW_BAD);

    if (!raw)
        return NULL;
    switch (token->kind) {
    case TOKEN_STRING:
        raw->kind = token->flawed ? RAW_BAD : RAW_STRING;
        raw->text = token->text;
        raw->length = token->length;
        break;
    case TOKEN_INTEGER:
        raw->kind = RAW_INTEGER;
        raw->integer = token->low;
        break;
    case TOKEN_ADDRESS:
        raw->kind = RAW_ADDRESS;
        raw->address = token->address;
        break;
    default: /* TOKEN_BAD */
        break;
    }
    parser_advance(parser);
    return raw;
}

static struct raw *parse_raw_word(struct parser *parser)
{
    static const struct {
        const char *word;
        enum raw_kind kind;
        int64_t integer;
    } words[] = {
        {"true", RAW_TRUTH, 1},
        {"false", RAW_TRUTH, 0},
        {"none", RAW_NONE, 0},
        {"unknown", RAW_UNKNOWN, 0},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (!parser_at(parser, words[i].word))
            continue;
        struct raw *raw = new_raw(parser, words[i].kind);
        if (raw)
            raw->integer = words[i].integer;
        parser_advance(parser);
        return raw;
    }
    struct diagnostic *error =
        parser_expected(parser, "a value: a string, a number, a list, none or unknown");
    if (parser->token.kind == TOKEN_NAME || parser->token.kind == TOKEN_QUALIFIED)
        diagnostic_help(error, "a text stands in quotes: \"%.*s\"", (int)parser->token.length,
                        parser->token.text);
    return NULL;
}

/* A value as Python passes it; NULL if the line has to be left. */
static struct raw *parse_raw(struct parser *parser, unsigned depth)
{
    switch (parser->token.kind) {
    case TOKEN_STRING:
    case TOKEN_INTEGER:
    case TOKEN_ADDRESS:
    case TOKEN_BAD:
        return parse_scalar(parser);
    case TOKEN_OPEN_BRACKET:
        return parse_raw_list(parser, depth);
    default:
        return parse_raw_word(parser);
    }
}

static bool is_word(const struct word *word, const char *text)
{
    return word->length == strlen(text) && memcmp(word->text, text, word->length) == 0;
}

static void unknown_attribute(struct parser *parser, const struct word *name,
                              enum operation_class operation_class)
{
    struct text_buffer known = {0};
    add_attributes_of(&known, operation_class);
    struct diagnostic *error = parser_error(
        parser, ERROR_CLASS_HAS_NO_ATTRIBUTE, name->span, "class `%s` has no attribute `%.*s`",
        vocabulary_class_name(operation_class), (int)name->length, name->text);
    const enum attribute_name main = *vocabulary_class_attributes(operation_class);
    if (main != ATTRIBUTE_NONE && (is_word(name, "unknown") || is_word(name, "none")))
        diagnostic_help(error, "say of which attribute: %s %s %.*s",
                        vocabulary_class_name(operation_class), vocabulary_attribute_name(main),
                        (int)name->length, name->text);
    else if (known.length > 0)
        diagnostic_help(error, "it has %s", known.bytes);
    text_buffer_deinit(&known);
}

/* NAME ( raw ), NAME raw; NULL if the line has to be left. */
static struct stated_attribute *parse_stated_attribute(struct parser *parser,
                                                       enum operation_class operation_class)
{
    struct stated_attribute *stated = storage_take(parser->storage, 1, sizeof(*stated));

    if (!stated)
        return NULL;
    stated->name = word_of(&parser->token);
    stated->attribute = vocabulary_attribute(stated->name.text, stated->name.length);
    parser_mark(parser, MARK_PART);
    if (operation_class != CLASS_NONE && stated->attribute != ATTRIBUTE_EVENT &&
        !vocabulary_class_has(operation_class, stated->attribute)) {
        unknown_attribute(parser, &stated->name, operation_class);
        return NULL;
    }
    parser_advance(parser);
    const bool enclosed = parser_take(parser, TOKEN_OPEN_PARENTHESIS);
    stated->value = parse_raw(parser, 0);
    if (!stated->value)
        return NULL;
    if (enclosed && !parser_expect(parser, TOKEN_CLOSE_PARENTHESIS, "`)`"))
        return NULL;
    return stated;
}

static bool parse_stated_operation(struct parser *parser, struct stated_event *happens)
{
    if (parser->token.kind != TOKEN_NAME) {
        (void)parser_expected(parser, "an operation class or `event`");
        return false;
    }
    happens->class_word = word_of(&parser->token);
    happens->operation_class = find_class(parser->diagnostics, &happens->class_word);
    if (happens->operation_class == CLASS_NONE)
        parser->spoiled = true;
    parser_advance(parser);
    if (parser->token.kind == TOKEN_STRING || parser->token.kind == TOKEN_INTEGER ||
        parser->token.kind == TOKEN_ADDRESS) {
        happens->main = parse_scalar(parser);
        if (!happens->main)
            return false;
    }
    struct stated_attribute **last = &happens->attributes;
    while (parser->token.kind == TOKEN_NAME && !parser_at(parser, "by") &&
           !token_is_one_of(&parser->token, grammar_words(WORDS_TEST))) {
        *last = parse_stated_attribute(parser, happens->operation_class);
        if (!*last)
            return false;
        last = &(*last)->next;
    }
    return true;
}

static bool parse_stated_event(struct parser *parser, struct stated_event *happens)
{
    const struct span start = parser->token.span;

    if (!parser_take_word(parser, "event")) {
        if (!parse_stated_operation(parser, happens))
            return false;
    } else {
        happens->event = parser_string(parser);
        if (!happens->event)
            return false;
        if (parser->token.kind != TOKEN_OPEN_BRACKET) {
            diagnostic_help(
                parser_expected(parser, "`[`"),
                "the event's arguments stand in brackets: [\"id\", [\"id\"], none, none]");
            return false;
        }
        happens->arguments = parse_raw_list(parser, 0);
        if (!happens->arguments)
            return false;
    }
    happens->span = span_join(start, parser->previous.span);
    return true;
}

/* NULL if the line has to be left. */
static struct expectation *parse_expect(struct parser *parser)
{
    static const char *const verdicts[] = {
        [EXPECT_ALLOW] = "allow",
        [EXPECT_DENY] = "deny",
        [EXPECT_KILL] = "kill",
        [EXPECT_WOULD_DENY] = "would-deny",
    };
    const struct span start = parser->token.span;
    struct expectation *expectation = storage_take(parser->storage, 1, sizeof(*expectation));
    unsigned verdict = 0;

    if (!expectation)
        return NULL;
    parser_advance(parser);
    while (verdict <= EXPECT_WOULD_DENY && !parser_at(parser, verdicts[verdict]))
        verdict++;
    if (verdict > EXPECT_WOULD_DENY) {
        (void)parser_expected(parser, "`allow`, `deny`, `kill` or `would-deny`");
        return NULL;
    }
    expectation->verdict = (enum expected_verdict)verdict;
    parser_advance(parser);
    if (!parse_stated_event(parser, &expectation->happens))
        return NULL;
    if (!parser_take_word(parser, "by")) {
        diagnostic_help(parser_expected(parser, "`by` and the rule that decides"),
                        "by RULE, by POLICY.RULE or by default");
        return NULL;
    }
    if (parser->token.kind != TOKEN_NAME && parser->token.kind != TOKEN_QUALIFIED) {
        (void)parser_expected(parser, "a rule, POLICY.RULE or `default`");
        return NULL;
    }
    expectation->by = word_of(&parser->token);
    parser_advance(parser);
    expectation->span = span_join(start, parser->previous.span);
    return expectation;
}

static bool parse_given_host(struct parser *parser, struct given *given)
{
    given->kind = GIVEN_HOST;
    given->from = parser_string(parser);
    if (!given->from)
        return false;
    if (!parser_take_word(parser, "is")) {
        (void)parser_expected(parser, "`is`");
        return false;
    }
    if (parser->token.kind == TOKEN_OPEN_BRACKET) {
        given->is = parse_raw_list(parser, 0);
    } else if (parser->token.kind == TOKEN_ADDRESS || parser->token.kind == TOKEN_BAD) {
        given->is = parse_scalar(parser);
    } else {
        struct diagnostic *error = parser_expected(parser, "an address or a list of them");
        if (parser->token.kind == TOKEN_STRING)
            diagnostic_help(error, "addresses stand without quotes: %.*s",
                            (int)parser->token.length, parser->token.text);
    }
    return given->is != NULL;
}

static bool parse_given_link(struct parser *parser, struct given *given)
{
    given->kind = GIVEN_RESOLVES;
    if (parser->token.kind != TOKEN_STRING) {
        (void)parser_expected(parser, "a path, `host` or `platform`");
        return false;
    }
    given->from = parser_string(parser);
    if (!given->from)
        return false;
    if (!parser_take_word(parser, "resolves") || !parser_take_word(parser, "to")) {
        (void)parser_expected(parser, "`resolves to`");
        return false;
    }
    given->to = parser_string(parser);
    return given->to != NULL;
}

static bool parse_given_platform(struct parser *parser, struct given *given)
{
    given->kind = GIVEN_PLATFORM;
    given->windows = parser_at(parser, "windows");
    if (parser_take_word(parser, "linux") || parser_take_word(parser, "windows"))
        return true;
    (void)parser_expected(parser, "`linux` or `windows`");
    return false;
}

/* NULL if the line has to be left. */
static struct given *parse_given(struct parser *parser)
{
    struct given *given = storage_take(parser->storage, 1, sizeof(*given));
    const struct span start = parser->token.span;
    bool read;

    if (!given)
        return NULL;
    parser_advance(parser);
    if (parser_take_word(parser, "platform"))
        read = parse_given_platform(parser, given);
    else if (parser_take_word(parser, "host"))
        read = parse_given_host(parser, given);
    else
        read = parse_given_link(parser, given);
    given->span = span_join(start, parser->previous.span);
    return read ? given : NULL;
}

static bool parse_place(struct parser *parser, struct session_fact *fact)
{
    const struct word name = word_of(&parser->token);

    if (!starts_with(&parser->token, "session.")) {
        (void)parser_expected(parser, "a selector or a place");
        return false;
    }
    fact->place = find_place(parser->diagnostics, name.text, name.length, name.span);
    if (fact->place == PLACE_COUNT)
        parser->spoiled = true;
    parser_advance(parser);
    return true;
}

static bool parse_selector(struct parser *parser, struct session_fact *fact)
{
    const struct word name = word_of(&parser->token);

    fact->selector = vocabulary_attribute(name.text, name.length);
    if (!is_selector(fact->selector)) {
        diagnostic_help(parser_error(parser, ERROR_UNKNOWN_ATTRIBUTE, name.span,
                                     "a session has no `%.*s`", (int)name.length, name.text),
                        "it has user, group, exe, unit, label NAME, platform, python, script and "
                        "places");
        return false;
    }
    parser_advance(parser);
    return fact->selector != ATTRIBUTE_LABEL ||
           parser_name(parser, "the name of a label", &fact->label);
}

/* NULL if the line has to be left. */
static struct session_fact *parse_session_fact(struct parser *parser)
{
    struct session_fact *fact = storage_take(parser->storage, 1, sizeof(*fact));

    if (!fact)
        return NULL;
    fact->name_span = parser->token.span;
    parser_mark(parser, MARK_PART);
    if (parser->token.kind == TOKEN_QUALIFIED ? !parse_place(parser, fact)
                                              : !parse_selector(parser, fact))
        return NULL;
    const bool is_list = parser->token.kind == TOKEN_OPEN_BRACKET;
    if (parser->token.kind != TOKEN_STRING && parser->token.kind != TOKEN_INTEGER &&
        parser->token.kind != TOKEN_BAD && !(is_list && fact->selector != ATTRIBUTE_NONE)) {
        (void)parser_expected(parser, "a string");
        return NULL;
    }
    fact->value = parse_raw(parser, 0);
    if (!fact->value)
        return NULL;
    fact->span = span_join(fact->name_span, parser->previous.span);
    return fact;
}

/* NULL if the line has to be left. */
static struct session_statement *parse_session(struct parser *parser)
{
    struct session_statement *session = storage_take(parser->storage, 1, sizeof(*session));
    const struct span start = parser->token.span;

    if (!session)
        return NULL;
    struct session_fact **last = &session->facts;
    parser_advance(parser);
    while ((parser->token.kind == TOKEN_NAME &&
            !token_is_one_of(&parser->token, grammar_words(WORDS_TEST))) ||
           parser->token.kind == TOKEN_QUALIFIED) {
        *last = parse_session_fact(parser);
        if (!*last)
            return NULL;
        last = &(*last)->next;
    }
    session->span = span_join(start, parser->previous.span);
    return session;
}

/* The test that is being read, and where its next parts go. */
struct reading {
    struct policy_test *test;
    struct given **last_given;
    struct expectation **last_expectation;
    const struct session_statement *session;
    size_t expectations; /* of the whole file */
};

static void parse_line(struct parser *parser, struct reading *reading)
{
    if (parser_at(parser, "session")) {
        reading->session = parse_session(parser);
    } else if (parser_at(parser, "given")) {
        *reading->last_given = parse_given(parser);
        if (*reading->last_given)
            reading->last_given = &(*reading->last_given)->next;
    } else if (parser_at(parser, "expect")) {
        reading->expectations++;
        struct expectation *expectation = parse_expect(parser);
        if (!expectation)
            return;
        expectation->session = reading->session;
        *reading->last_expectation = expectation;
        reading->last_expectation = &expectation->next;
    } else {
        const char *near = parser_nearest_word(&parser->token, grammar_words(WORDS_TEST));
        struct diagnostic *error = parser_expected(parser, "`session`, `given` or `expect`");
        if (near)
            diagnostic_label(error, "did you mean `%s`?", near);
        parser_advance(parser);
    }
}

/* At `test`. */
static void parse_one_test(struct parser *parser, struct reading *reading)
{
    struct policy_test *test = storage_take(parser->storage, 1, sizeof(*test));
    const struct span start = parser->token.span;

    if (!test)
        return;
    *reading = (struct reading){.test = test,
                                .last_given = &test->givens,
                                .last_expectation = &test->expectations,
                                .expectations = reading->expectations};
    parser_advance(parser);
    if (!parser_name(parser, "the name of the policy to test", &test->policy))
        return;
    test->span = span_join(start, test->policy.span);
    const struct span open = parser->token.span;
    if (!parser_expect(parser, TOKEN_OPEN_BRACE, "`{`"))
        return;
    while (parser->token.kind != TOKEN_CLOSE_BRACE && !parser->storage->failed) {
        parser_begin_statement(parser);
        if (parser->token.kind == TOKEN_END) {
            diagnostic_second(parser_error(parser, ERROR_SYNTAX, test->policy.span,
                                           "test `%.*s` is not closed: a `}` is missing",
                                           (int)test->policy.length, test->policy.text),
                              open, NULL);
            return;
        }
        parse_line(parser, reading);
        if (parser->panicking)
            parser_skip_to(parser, grammar_words(WORDS_TEST), 1);
    }
    parser->panicking = false;
    parser_advance(parser);
}

static struct test_tree *parse(const struct source *source, struct storage *storage,
                               struct diagnostics *diagnostics, struct token_trace *trace)
{
    const size_t errors = diagnostics_error_count(diagnostics);
    struct test_tree *tree = storage_take(storage, 1, sizeof(*tree));
    struct reading reading = {.expectations = 0};
    struct parser parser;

    if (!tree)
        return NULL;
    struct policy_test **last = &tree->tests;
    parser_init(&parser, source, storage, diagnostics);
    parser.trace = trace;
    while (parser.token.kind != TOKEN_END && !storage->failed) {
        parser_begin_statement(&parser);
        if (parser_at(&parser, "test")) {
            reading.test = NULL;
            parse_one_test(&parser, &reading);
            *last = reading.test;
            if (*last)
                last = &(*last)->next;
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
    if (!trace && reading.expectations == 0 && diagnostics_error_count(diagnostics) == errors)
        diagnostic_help(report(diagnostics, ERROR_TEST_EXPECTS_NOTHING, parser.token.span,
                               "this test file expects nothing"),
                        "add lines such as: expect deny exec \"/bin/sh\" by no-exec");
    return storage->failed ? NULL : tree;
}

struct test_tree *parse_tests(const struct source *source, struct storage *storage,
                              struct diagnostics *diagnostics)
{
    return parse(source, storage, diagnostics, NULL);
}

bool trace_tests(const struct source *source, struct storage *storage,
                 struct diagnostics *diagnostics, struct token_trace *trace)
{
    return parse(source, storage, diagnostics, trace) != NULL;
}
