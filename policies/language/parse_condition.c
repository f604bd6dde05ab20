#include "policies/language/parser_internal.h"

#include <string.h>

#include "policies/language/text_buffer.h"
#include "policies/language/words.h"

static const char place_front[] = "session.";
static const char argument_front[] = "arg.";

static bool starts_with(const struct token *token, const char *front)
{
    const size_t length = strlen(front);
    return token->length > length && memcmp(token->text, front, length) == 0;
}

bool is_joining_word(const struct token *token)
{
    return token_is_one_of(token, grammar_words(WORDS_JOIN)) ||
           token_is_one_of(token, grammar_words(WORDS_OPERATOR)) || token_is(token, "as") ||
           token_is(token, "where") || token_is(token, "message");
}

static struct literal *value_of(struct parser *parser, enum literal_kind kind)
{
    const struct token *token = &parser->token;
    struct literal *literal = storage_take(parser->storage, 1, sizeof(*literal));
    if (literal) {
        literal->kind = kind;
        literal->span = token->span;
        literal->text = token->text;
        literal->length = token->length;
        literal->low = token->low;
        literal->high = token->high;
        literal->address = token->address;
        literal->prefix = token->prefix;
    }
    parser_advance(parser);
    return literal;
}

/* At session.NAME. */
static struct literal *parse_place(struct parser *parser)
{
    struct literal *place = value_of(parser, LITERAL_PLACE);
    if (!place || parser->token.kind != TOKEN_STRING)
        return place;
    if (parser->token.flawed)
        place->kind = LITERAL_BAD;
    place->has_below = true;
    place->below = parser->token.text;
    place->below_length = parser->token.length;
    place->below_span = parser->token.span;
    place->span = span_join(place->span, parser->token.span);
    parser_advance(parser);
    return place;
}

struct literal *parse_value(struct parser *parser)
{
    struct literal *literal;
    const struct token *token = &parser->token;

    switch (token->kind) {
    case TOKEN_STRING:
        return parser_string(parser);
    case TOKEN_INTEGER:
        return value_of(parser, LITERAL_INTEGER);
    case TOKEN_RANGE:
        return value_of(parser, LITERAL_RANGE);
    case TOKEN_ADDRESS:
        return value_of(parser, LITERAL_ADDRESS);
    case TOKEN_CIDR:
        return value_of(parser, LITERAL_CIDR);
    case TOKEN_BAD:
        return value_of(parser, LITERAL_BAD);
    case TOKEN_QUALIFIED:
        if (starts_with(token, place_front))
            return parse_place(parser);
        return value_of(parser, LITERAL_WORD);
    case TOKEN_NAME:
        if (token_is(token, "true") || token_is(token, "false")) {
            const bool truth = token_is(token, "true");
            literal = value_of(parser, LITERAL_TRUTH);
            if (literal)
                literal->low = truth;
            return literal;
        }
        if (is_joining_word(token))
            break;
        return value_of(parser, LITERAL_WORD);
    case TOKEN_DATE:
        diagnostic_help(parser_error(parser, ERROR_STRAY_DATE, token->span,
                                     "a date stands behind `until` alone"),
                        "a text stands in quotes: \"%.*s\"", (int)token->length, token->text);
        return NULL;
    default:
        break;
    }
    mistake_as_value(parser);
    return NULL;
}

bool parse_list(struct parser *parser, struct literal **values, struct span *span)
{
    struct literal **last = values;
    const struct span open = parser->token.span;

    *values = NULL;
    parser_advance(parser);
    while (parser->token.kind != TOKEN_CLOSE_BRACKET) {
        if (parser->token.kind == TOKEN_END || parser->token.kind == TOKEN_CLOSE_BRACE ||
            (token_is_first_on_line(&parser->token) &&
             token_is_one_of(&parser->token, grammar_words(WORDS_STATEMENT)))) {
            mistake_in_list(parser, open);
            return false;
        }
        *last = parse_value(parser);
        if (!*last)
            return false;
        last = &(*last)->next;
        if (parser_take(parser, TOKEN_COMMA))
            continue;
        if (parser->token.kind != TOKEN_CLOSE_BRACKET) {
            mistake_in_list(parser, open);
            return false;
        }
    }
    *span = span_join(open, parser->token.span);
    parser_advance(parser);
    return true;
}

/* `"sys.path"` or a name, behind `arg.` or `label`. */
static bool parse_key(struct parser *parser, const char *what, struct predicate *predicate)
{
    if (parser->token.kind != TOKEN_STRING && parser->token.kind != TOKEN_NAME) {
        (void)parser_expected(parser, what);
        return false;
    }
    predicate->key = word_of(&parser->token);
    predicate->index_span = parser->token.span;
    parser_advance(parser);
    return true;
}

/* `[1]` or `["PATH"]`. */
static bool parse_index(struct parser *parser, struct predicate *predicate)
{
    parser_mark(parser, MARK_INDEX);
    parser_advance(parser);
    predicate->index_span = parser->token.span;
    if (parser->token.kind == TOKEN_INTEGER) {
        predicate->index = INDEX_NUMBER;
        predicate->number = parser->token.low;
    } else if (parser->token.kind == TOKEN_STRING) {
        predicate->index = INDEX_TEXT;
        predicate->key = word_of(&parser->token);
    } else {
        (void)parser_expected(parser, "an index: a number, or a name in quotes");
        return false;
    }
    parser_advance(parser);
    if (parser_take(parser, TOKEN_CLOSE_BRACKET))
        return true;
    const bool slice = parser->token.kind == TOKEN_FOREIGN_OPERATOR && parser->token.text[0] == ':';
    struct diagnostic *error = parser_expected(parser, "`]`");
    if (slice)
        diagnostic_help(error, "an index is one number; the first elements are: argv starts […]");
    else
        diagnostic_help(error, "close the index with `]`: argv[0]");
    return false;
}

/* At arg.NAME, one token. */
static bool parse_argument_name(struct parser *parser, struct predicate *predicate)
{
    const size_t front = strlen(argument_front);
    struct word name = word_of(&parser->token);

    predicate->attribute = name;
    predicate->attribute.length = front - 1;
    predicate->attribute.span.length = (uint32_t)(front - 1);
    name.text += front;
    name.length -= front;
    name.span.offset += (uint32_t)front;
    name.span.length -= (uint32_t)front;
    predicate->key = name;
    predicate->index = INDEX_ARGUMENT;
    predicate->index_span = name.span;
    if (memchr(name.text, '.', name.length)) {
        diagnostic_help(parser_error(parser, ERROR_SYNTAX, name.span,
                                     "the name of an argument that has a dot stands in quotes"),
                        "such a name is arg.\"%.*s\"", (int)name.length, name.text);
        return false;
    }
    parser_advance(parser);
    return true;
}

static bool parse_label(struct parser *parser, struct predicate *predicate)
{
    static const char *const tests[] = {"is", "in", "matches", NULL};

    predicate->index = INDEX_LABEL;
    parser_advance(parser);
    if (token_is_one_of(&parser->token, tests) && parser->next.kind == TOKEN_STRING) {
        diagnostic_help(
            parser_error(parser, ERROR_SYNTAX, predicate->attribute.span, "which label?"),
            "the label's name stands behind `label`: label role is \"plugin\"");
        return false;
    }
    return parse_key(parser, "the name of a label", predicate);
}

static bool parse_attribute(struct parser *parser, struct predicate *predicate)
{
    predicate->attribute = word_of(&parser->token);
    if (parser->token.kind == TOKEN_QUALIFIED && starts_with(&parser->token, argument_front))
        return parse_argument_name(parser, predicate);
    if (parser->token.kind == TOKEN_QUALIFIED) {
        mistake_as_attribute(parser);
        return false;
    }
    if (parser->token.kind != TOKEN_NAME || is_joining_word(&parser->token)) {
        mistake_as_condition(parser);
        return false;
    }
    if (parser_at(parser, "label"))
        return parse_label(parser, predicate);

    const bool argument = parser_at(parser, "arg");
    parser_advance(parser);
    if (argument && parser_take(parser, TOKEN_DOT)) {
        predicate->index = INDEX_ARGUMENT;
        return parse_key(parser, "the name of an argument", predicate);
    }
    if (parser->token.kind == TOKEN_OPEN_BRACKET)
        return parse_index(parser, predicate);
    if (argument) {
        diagnostic_help(
            parser_error(parser, ERROR_SYNTAX, predicate->attribute.span, "which argument?"),
            "by its number or name: arg[0], arg.path");
        return false;
    }
    return true;
}

/* One value, a list, or, where `sets`, a bare word. */
static bool parse_operand(struct parser *parser, struct predicate *predicate, bool sets)
{
    predicate->form_span = parser->token.span;
    if (parser->token.kind == TOKEN_OPEN_BRACKET) {
        predicate->form = FORM_LIST;
        return parse_list(parser, &predicate->values, &predicate->form_span);
    }
    if (sets && parser->token.kind == TOKEN_NAME && !parser_at(parser, "true") &&
        !parser_at(parser, "false") && !is_joining_word(&parser->token)) {
        predicate->form = FORM_SET;
        predicate->set = word_of(&parser->token);
        parser_advance(parser);
        return true;
    }
    predicate->form = FORM_ONE;
    predicate->values = parse_value(parser);
    if (!predicate->values)
        return false;
    predicate->form_span = predicate->values->span;
    return true;
}

static bool parse_is(struct parser *parser, struct predicate *predicate)
{
    if (parser_at(parser, "not") || parser_at(parser, "in")) {
        mistake_no_operator(parser, span_join(predicate->test_span, parser->token.span), predicate,
                            parser_at(parser, "in") ? "@ in […]" : NULL);
        return false;
    }
    if (parser_at(parser, "none") || parser_at(parser, "absent")) {
        predicate->test = parser_at(parser, "none") ? TEST_IS_NONE : TEST_IS_ABSENT;
        predicate->test_span = span_join(predicate->test_span, parser->token.span);
        parser_advance(parser);
        return true;
    }
    return parse_operand(parser, predicate, false);
}

static bool parse_test(struct parser *parser, struct predicate *predicate)
{
    static const struct {
        const char *word;
        enum test test;
    } words[] = {{"is", TEST_IS},           {"in", TEST_IN},         {"under", TEST_UNDER},
                 {"matches", TEST_MATCHES}, {"starts", TEST_STARTS}, {"has", TEST_HAS}};
    static const struct {
        enum token_kind kind;
        enum test test;
    } signs[] = {{TOKEN_LESS, TEST_LESS},
                 {TOKEN_LESS_OR_EQUAL, TEST_LESS_OR_EQUAL},
                 {TOKEN_GREATER, TEST_GREATER},
                 {TOKEN_GREATER_OR_EQUAL, TEST_GREATER_OR_EQUAL}};

    predicate->test_span = parser->token.span;
    for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
        if (parser->token.kind == signs[i].kind) {
            predicate->test = signs[i].test;
            parser_advance(parser);
            return parse_operand(parser, predicate, false);
        }
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (!parser_at(parser, words[i].word))
            continue;
        predicate->test = words[i].test;
        parser_advance(parser);
        if (predicate->test == TEST_IS)
            return parse_is(parser, predicate);
        if (predicate->test == TEST_HAS && parser_at(parser, "matches")) {
            predicate->test = TEST_HAS_MATCHES;
            predicate->test_span = span_join(predicate->test_span, parser->token.span);
            parser_advance(parser);
        }
        return parse_operand(parser, predicate, true);
    }
    return !mistake_as_operator(parser, predicate);
}

static struct condition *new_condition(struct parser *parser, enum condition_kind kind)
{
    struct condition *condition = storage_take(parser->storage, 1, sizeof(*condition));
    if (condition)
        condition->kind = kind;
    return condition;
}

static struct condition *parse_predicate(struct parser *parser)
{
    const struct span start = parser->token.span;
    struct condition *condition = new_condition(parser, CONDITION_PREDICATE);
    struct predicate *predicate = storage_take(parser->storage, 1, sizeof(*predicate));

    if (!condition || !predicate || !parse_attribute(parser, predicate))
        return NULL;
    predicate->operand_of = span_join(start, parser->previous.span);
    if (!parse_test(parser, predicate))
        return NULL;
    predicate->span = span_join(start, parser->previous.span);
    condition->predicate = predicate;
    condition->span = predicate->span;
    return condition;
}

static struct condition *parse_joined(struct parser *parser, unsigned depth);

static struct condition *parse_parenthesis(struct parser *parser, unsigned depth)
{
    const struct span open = parser->token.span;

    if (depth == CONDITION_NESTING_MAX) {
        diagnostic_help(parser_error(parser, ERROR_TOO_DEEP, open,
                                     "conditions nest at most %d parentheses deep",
                                     CONDITION_NESTING_MAX),
                        "split the rule into several: the strictest verdict wins");
        return NULL;
    }
    parser_advance(parser);
    struct condition *inner = parse_joined(parser, depth + 1);
    if (!inner)
        return NULL;
    if (parser->token.kind != TOKEN_CLOSE_PARENTHESIS) {
        struct diagnostic *error =
            parser_at(parser, "as") || parser_at(parser, "message") || parser_ends_statement(parser)
                ? parser_error(parser, ERROR_SYNTAX, parser->token.span,
                               "this parenthesis is not closed: a `)` is missing")
                : parser_expected(parser, "`and`, `or` or `)`");
        diagnostic_second(error, open, "opened here");
        diagnostic_help(error, "close it with `)`");
        return NULL;
    }
    inner->span = span_join(open, parser->token.span);
    parser_advance(parser);
    return inner;
}

/* `not`s, any number of them, and what they stand before. */
static struct condition *parse_negation(struct parser *parser, unsigned depth)
{
    const struct span start = parser->token.span;
    bool negated = false;

    while (parser_at(parser, "not") ||
           (parser->token.kind == TOKEN_FOREIGN_OPERATOR && parser->token.length == 1 &&
            parser->token.text[0] == '!')) {
        if (parser->token.kind == TOKEN_FOREIGN_OPERATOR) {
            diagnostic_help(parser_error(parser, ERROR_NOT_AN_OPERATOR, parser->token.span,
                                         "`!` is no operator"),
                            "write not");
            return NULL;
        }
        negated = !negated;
        parser_advance(parser);
    }
    struct condition *primary = parser->token.kind == TOKEN_OPEN_PARENTHESIS
                                    ? parse_parenthesis(parser, depth)
                                    : parse_predicate(parser);
    if (!primary || !negated)
        return primary;
    struct condition *negation = new_condition(parser, CONDITION_NOT);
    if (!negation)
        return NULL;
    negation->first = primary;
    negation->span = span_join(start, parser->previous.span);
    return negation;
}

/* The source, with line ends and comments' worth of blanks made one; its end alone if it is long.
 */
static void add_source(struct text_buffer *out, struct span span, const char *long_form)
{
    if (span.length > 60 || memchr(span.source->text + span.offset, '#', span.length)) {
        text_buffer_add_text(out, long_form);
        return;
    }
    for (uint32_t i = 0; i < span.length; i++) {
        const char c = span.source->text[span.offset + i];
        const bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
        if (!blank)
            text_buffer_add(out, &c, 1);
        else if (out->length > 0 && out->bytes[out->length - 1] != ' ')
            text_buffer_add_text(out, " ");
    }
}

/* `left OP1 last OP2 …`, where the two operators differ. */
static void report_mixed(struct parser *parser, struct span start, const struct condition *last,
                         struct span first_operator, struct span second_operator)
{
    struct diagnostic *error = parser_error(parser, ERROR_AND_BESIDE_OR, second_operator,
                                            "`and` and `or` side by side; say which binds first");
    parser->panicking = false; /* the condition can be read on */
    if (!error)
        return;
    diagnostic_second(error, first_operator, NULL);

    struct text_buffer help = {0};
    struct span before = start;
    before.length = last->span.offset - start.offset;
    text_buffer_add_text(&help, "(");
    add_source(&help, span_join(start, last->span), "…");
    text_buffer_format(&help, ") %.*s …     or    ", (int)second_operator.length,
                       second_operator.source->text + second_operator.offset);
    struct text_buffer front = {0};
    add_source(&front, before, "… ");
    text_buffer_add(&help, front.bytes ? front.bytes : "", front.length);
    text_buffer_deinit(&front);
    text_buffer_add_text(&help, "(");
    add_source(&help, last->span, "…");
    text_buffer_format(&help, " %.*s …)", (int)second_operator.length,
                       second_operator.source->text + second_operator.offset);
    if (!help.failed)
        diagnostic_help(error, "%s", help.bytes);
    text_buffer_deinit(&help);
}

/* Conditions with `and`, or with `or`, between them. */
static struct condition *parse_joined(struct parser *parser, unsigned depth)
{
    const struct span start = parser->token.span;
    struct condition *first = parse_negation(parser, depth);
    struct condition *last = first;
    struct span joined_by = start;
    bool mixed = false;
    bool is_and = false;

    if (!first)
        return NULL;
    while (parser_at(parser, "and") || parser_at(parser, "or")) {
        const bool this_is_and = parser_at(parser, "and");
        if (last == first) {
            is_and = this_is_and;
            joined_by = parser->token.span;
        } else if (this_is_and != is_and && !mixed) {
            report_mixed(parser, start, last, joined_by, parser->token.span);
            mixed = true;
        }
        parser_mark(parser, MARK_JOIN);
        parser_advance(parser);
        last->next = parse_negation(parser, depth);
        if (!last->next)
            return NULL;
        last = last->next;
    }
    if (parser->token.kind == TOKEN_FOREIGN_OPERATOR &&
        (parser->token.text[0] == '&' || parser->token.text[0] == '|')) {
        diagnostic_help(parser_error(parser, ERROR_NOT_AN_OPERATOR, parser->token.span,
                                     "`%.*s` is no operator", (int)parser->token.length,
                                     parser->token.text),
                        "write %s", parser->token.text[0] == '&' ? "and" : "or");
        return NULL;
    }
    if (last == first)
        return first;
    struct condition *joined = new_condition(parser, is_and ? CONDITION_AND : CONDITION_OR);
    if (!joined)
        return NULL;
    joined->mixed = mixed;
    joined->first = first;
    joined->span = span_join(start, parser->previous.span);
    return joined;
}

struct condition *parse_condition(struct parser *parser)
{
    parser_mark(parser, MARK_CONDITION);
    return parse_joined(parser, 0);
}
