/* Statements begin with a word of their own, so that after an error the next one is found: the
 * parser skips to a statement's word, or to the brace that closes the policy. Words are contextual:
 * one that stands behind `as`, `set`, `label` or a comma is a name. */
#include "policies/language/parser_internal.h"

#include <string.h>

#include "policies/language/foreign_words.h"
#include "policies/language/words.h"

static bool parse_class(struct parser *parser, struct class_word **word)
{
    if (parser->token.kind != TOKEN_NAME) {
        const struct token token = parser->token;
        parser_forgive(parser);
        struct diagnostic *error = parser_expected(parser, "an operation class");
        if (token.kind == TOKEN_STRING)
            diagnostic_help(error,
                            "classes stand without quotes; an event is: event \"os.system\"");
        else if (token.span.length == 1 && token.span.source->text[token.span.offset] == '*')
            diagnostic_help(error, "every class is `all`");
        else if (token.kind == TOKEN_BAD)
            diagnostic_help(error, "the class comes first: read where path is \"%.*s\"",
                            (int)token.span.length, token.span.source->text + token.span.offset);
        return false;
    }
    if (parser_at(parser, "where") || parser_at(parser, "as") || parser_at(parser, "message")) {
        const bool comma = parser->previous.kind == TOKEN_COMMA;
        diagnostic_help(parser_expected(parser, "an operation class"),
                        comma ? "remove the comma, or name another class behind it"
                              : "a rule is about something: deny exec where … as NAME");
        return false;
    }
    *word = storage_take(parser->storage, 1, sizeof(**word));
    if (*word)
        (*word)->word = word_of(&parser->token);
    parser_advance(parser);
    if (parser->token.kind == TOKEN_FOREIGN_OPERATOR && parser->token.text[0] == ':') {
        diagnostic_help(parser_error(parser, ERROR_NOT_AN_OPERATOR, parser->token.span,
                                     "no `%.*s` stands behind a class", (int)parser->token.length,
                                     parser->token.text),
                        "a condition stands behind `where`, the rule's name behind `as`");
        return false;
    }
    return *word != NULL;
}

static bool parse_classes(struct parser *parser, struct class_list *classes)
{
    const struct span start = parser->token.span;
    struct class_word **last = &classes->first;

    if (parser_at(parser, "all")) {
        classes->all = true;
        classes->span = start;
        parser_advance(parser);
        if (parser->token.kind == TOKEN_COMMA) {
            diagnostic_help(
                parser_error(parser, ERROR_SYNTAX, parser->token.span, "`all` names every class"),
                "write `all` alone, or the classes without it");
            return false;
        }
        return true;
    }
    do {
        if (!parse_class(parser, last))
            return false;
        last = &(*last)->next;
    } while (parser_take(parser, TOKEN_COMMA));
    classes->span = span_join(start, parser->previous.span);
    return true;
}

static const char *const message_word[] = {"message", NULL};

static bool parse_message(struct parser *parser, struct literal **message)
{
    if (!parser_take_word(parser, "message"))
        return true;
    *message = parser_string(parser);
    return *message != NULL;
}

/* `applies` has no `}` before the next statement, or at all. */
static void applies_not_closed(struct parser *parser, struct span open)
{
    const bool at_end = parser->token.kind == TOKEN_END;
    struct diagnostic *error =
        parser_error(parser, ERROR_SYNTAX, at_end ? open : parser->token.span,
                     "`applies` is not closed: a `}` is missing");

    if (!at_end)
        diagnostic_second(error, open, "opened here");
    diagnostic_help(error, "write applies { … }");
    parser->braces--; /* it was meant to be closed */
}

static struct applies *parse_applies(struct parser *parser)
{
    struct applies *applies = storage_take(parser->storage, 1, sizeof(*applies));
    const struct span start = parser->token.span;
    struct condition *all = storage_take(parser->storage, 1, sizeof(*all));

    parser_advance_word(parser);
    const struct span open = parser->token.span;
    if (applies && all && parser->token.kind == TOKEN_NAME) {
        const char *near = parser_nearest_word(&parser->token, grammar_words(WORDS_STATEMENT));
        struct diagnostic *error = parser_expected(parser, "`{`");
        if (!near)
            diagnostic_help(error, "write applies { %.*s … }", (int)parser->token.length,
                            parser->token.text);
        return NULL;
    }
    if (!applies || !all || !parser_expect(parser, TOKEN_OPEN_BRACE, "`{`"))
        return NULL;
    all->kind = CONDITION_AND;
    struct condition **last = &all->first;
    while (parser->token.kind != TOKEN_CLOSE_BRACE) {
        if (parser->token.kind == TOKEN_END ||
            token_is_one_of(&parser->token, grammar_words(WORDS_STATEMENT))) {
            applies_not_closed(parser, open);
            return NULL;
        }
        *last = parse_condition(parser);
        if (!*last)
            return NULL;
        last = &(*last)->next;
    }
    applies->span = span_join(start, parser->token.span);
    parser_advance(parser);
    all->span = applies->span;
    if (!all->first)
        all->kind = CONDITION_TRUE;
    applies->condition = all->first && !all->first->next ? all->first : all;
    return applies;
}

/* One of two words, and something else stands there. */
static void expected_word(struct parser *parser, enum foreign_place place, const char *what,
                          const char *const *words)
{
    const struct token token = parser->token;
    const char *sentence = NULL;
    const char *instead =
        token.kind == TOKEN_NAME ? foreign_word(place, token.text, token.length, &sentence) : NULL;
    struct diagnostic *error = parser_expected(parser, what);

    if (instead)
        diagnostic_label(error, "here that is `%s`", instead);
    else if (token.kind == TOKEN_NAME && parser_nearest_word(&token, words))
        diagnostic_label(error, "did you mean `%s`?", parser_nearest_word(&token, words));
    else if (place == FOREIGN_DEFAULT)
        diagnostic_help(error, "write default deny CLASS, … or default allow CLASS, …");
    else
        diagnostic_help(error, "write mode enforce or mode observe");
}

static struct mode *parse_mode(struct parser *parser)
{
    struct mode *mode = storage_take(parser->storage, 1, sizeof(*mode));
    const struct span start = parser->token.span;

    parser_advance_word(parser);
    if (!mode)
        return NULL;
    mode->observe = parser_at(parser, "observe");
    if (!mode->observe && !parser_at(parser, "enforce")) {
        static const char *const words[] = {"enforce", "observe", NULL};
        expected_word(parser, FOREIGN_MODE, "`enforce` or `observe`", words);
        return NULL;
    }
    parser_advance(parser);
    mode->span = span_join(start, parser->previous.span);
    return mode;
}

static struct default_statement *parse_default(struct parser *parser)
{
    struct default_statement *statement = storage_take(parser->storage, 1, sizeof(*statement));
    const struct span start = parser->token.span;

    parser_advance_word(parser);
    if (!statement)
        return NULL;
    statement->deny = parser_at(parser, "deny");
    if (!statement->deny && !parser_at(parser, "allow")) {
        static const char *const words[] = {"deny", "allow", NULL};
        expected_word(parser, FOREIGN_DEFAULT, "`deny` or `allow`", words);
        return NULL;
    }
    parser_advance(parser);
    if (parser->token.kind == TOKEN_ASSIGN ||
        (parser->token.kind == TOKEN_FOREIGN_OPERATOR &&
         parser->token.text[parser->token.length - 1] == '=')) {
        diagnostic_help(parser_error(parser, ERROR_NOT_AN_OPERATOR, parser->token.span,
                                     "nothing is assigned to a default"),
                        "write default %s CLASS, … or default %s all",
                        statement->deny ? "deny" : "allow", statement->deny ? "deny" : "allow");
        return NULL;
    }
    if (!parse_classes(parser, &statement->classes) || !parse_message(parser, &statement->message))
        return NULL;
    statement->span = span_join(start, parser->previous.span);
    if (parser_at(parser, "where") || parser_at(parser, "as")) {
        diagnostic_help(parser_error(parser, ERROR_SYNTAX, parser->token.span,
                                     "a default has neither condition nor name"),
                        "write a rule: %s … where … as NAME", statement->deny ? "deny" : "allow");
        return NULL;
    }
    return mistake_behind(parser, message_word) ? NULL : statement;
}

/* Sets stand in policies and at file level. A set whose list cannot be read keeps its name, so that
 * nobody is told that it does not exist. */
static struct set *parse_set(struct parser *parser)
{
    struct set *set = storage_take(parser->storage, 1, sizeof(*set));
    const struct span start = parser->token.span;

    parser_advance(parser);
    if (!set || !parser_name(parser, "a name for the set", &set->name)) {
        parser->sets_lost = true;
        return NULL;
    }
    if (parser->token.kind == TOKEN_FOREIGN_OPERATOR &&
        (parser->token.text[0] == ':' || parser->token.text[0] == '=')) {
        diagnostic_help(parser_error(parser, ERROR_NOT_AN_OPERATOR, parser->token.span,
                                     "`%.*s` is no operator", (int)parser->token.length,
                                     parser->token.text),
                        "write set %.*s = [ … ]", (int)set->name.length, set->name.text);
        parser->panicking = false; /* the list may be right */
        parser_advance(parser);
    } else if (!parser_expect(parser, TOKEN_ASSIGN, "`=`")) {
        set->flawed = true;
    }
    if (set->flawed) {
        /* its name is known, and that is all */
    } else if (parser->token.kind == TOKEN_OPEN_BRACE ||
               parser->token.kind == TOKEN_OPEN_PARENTHESIS) {
        mistake_as_value(parser);
        set->flawed = true;
    } else if (parser->token.kind != TOKEN_OPEN_BRACKET) {
        const struct token token = parser->token;
        struct diagnostic *error = parser_expected(parser, "a list");
        if (token.kind == TOKEN_END || token.kind == TOKEN_CLOSE_BRACE)
            diagnostic_help(error, "write set %.*s = [ … ]", (int)set->name.length, set->name.text);
        else
            diagnostic_help(error, "a set is a list in brackets: set %.*s = [%.*s]",
                            (int)set->name.length, set->name.text, (int)token.span.length,
                            token.span.source->text + token.span.offset);
        set->flawed = true;
    } else {
        set->flawed = !parse_list(parser, &set->values, &set->list_span) || parser->spoiled;
    }
    set->span = span_join(start, parser->previous.span);
    return set;
}

static bool parse_events(struct parser *parser, struct rule *rule)
{
    struct literal **last = &rule->events;

    parser_advance(parser);
    do {
        if (parser->token.kind == TOKEN_NAME || parser->token.kind == TOKEN_QUALIFIED) {
            diagnostic_help(parser_error(parser, ERROR_BARE_WORD, parser->token.span,
                                         "the name of an event stands in quotes"),
                            "write event \"%.*s\"", (int)parser->token.length, parser->token.text);
            return false;
        }
        *last = parser_string(parser);
        if (!*last)
            return false;
        last = &(*last)->next;
    } while (parser_take(parser, TOKEN_COMMA));
    return true;
}

/* Any word is a name behind `as`; but one that begins the next line, and with which a rule goes on,
 * begins the next rule. */
static bool at_next_rule(const struct parser *parser)
{
    const struct token *next = &parser->next;

    return token_is_first_on_line(&parser->token) &&
           token_is_one_of(&parser->token, grammar_words(WORDS_STATEMENT)) &&
           next->kind != TOKEN_CLOSE_BRACE && next->kind != TOKEN_END &&
           !token_is(next, "message") && !token_is_one_of(next, grammar_words(WORDS_STATEMENT));
}

static bool parse_rule_end(struct parser *parser, struct rule *rule)
{
    if (!parser_take_word(parser, "as")) {
        mistake_in_rule(parser, rule);
        return false;
    }
    if (at_next_rule(parser)) {
        diagnostic_help(
            parser_error(parser, ERROR_SYNTAX, parser->previous.span, "no name stands behind `as`"),
            "denials and records cite rules by name: as NAME");
        return false;
    }
    if (!parser_name(parser, "a name for the rule", &rule->name))
        return false;
    if (parser_at(parser, "where")) {
        diagnostic_help(parser_error(parser, ERROR_SYNTAX, parser->token.span,
                                     "`where` stands before `as NAME`"),
                        "write … where … as %.*s", (int)rule->name.length, rule->name.text);
        return false;
    }
    if (!parse_message(parser, &rule->message))
        return false;
    if (rule->message && parser->token.kind == TOKEN_STRING) {
        diagnostic_help(parser_expected(parser, "the next statement"), "a message is one string");
        return false;
    }
    return rule->message || !mistake_behind(parser, message_word);
}

static struct rule *parse_rule(struct parser *parser, enum rule_effect effect)
{
    struct rule *rule = storage_take(parser->storage, 1, sizeof(*rule));
    const struct span start = parser->token.span;

    parser_advance_word(parser);
    if (!rule)
        return NULL;
    rule->effect = effect;
    rule->effect_span = start;
    if (!(parser_at(parser, "event") ? parse_events(parser, rule)
                                     : parse_classes(parser, &rule->classes)))
        return NULL;
    if (parser_take_word(parser, "where")) {
        rule->condition = parse_condition(parser);
        if (!rule->condition)
            return NULL;
    }
    if (!parse_rule_end(parser, rule))
        return NULL;
    rule->span = span_join(start, parser->previous.span);
    if (!rule->message)
        mistake_in_name(parser); /* the rule was read */
    return rule;
}

static struct floor_statement *parse_floor(struct parser *parser)
{
    struct floor_statement *statement = storage_take(parser->storage, 1, sizeof(*statement));
    const struct span start = parser->token.span;

    parser_advance(parser);
    if (!statement)
        return NULL;
    if (parser_at(parser, "all")) {
        diagnostic_help(parser_error(parser, ERROR_SYNTAX, parser->token.span,
                                     "a floor names its classes, `all` is none of them"),
                        "of exec, fork, read, write, connect, bind");
        return NULL;
    }
    if (!parse_classes(parser, &statement->classes))
        return NULL;
    statement->required_span = parser->token.span;
    static const char *const words[] = {"required", NULL};
    statement->required = parser_take_word(parser, "required");
    statement->span = span_join(start, parser->previous.span);
    if (!statement->required && mistake_behind(parser, words))
        return NULL;
    return statement;
}

static struct word part_of(const struct word *word, size_t from, size_t to)
{
    const struct span span = {word->span.source, word->span.offset + (uint32_t)from,
                              (uint32_t)(to - from)};
    return (struct word){word->text + from, to - from, span};
}

/* TIER/POLICY.RULE, which the lexer has found to be well formed, into its parts. */
static void split_reference(struct override *override)
{
    const struct word *word = &override->reference;
    const char *slash = memchr(word->text, '/', word->length);
    const char *dot =
        slash ? memchr(slash, '.', word->length - (size_t)(slash - word->text)) : NULL;

    if (!slash || !dot)
        return;
    override->tier = TIER_MANDATORY;
    for (int tier = TIER_MANDATORY; tier <= TIER_VENDOR; tier++) {
        const char *name = policy_tier_name((enum policy_tier)tier);
        if (strlen(name) == (size_t)(slash - word->text) &&
            memcmp(name, word->text, strlen(name)) == 0)
            override->tier = (enum policy_tier)tier;
    }
    override->policy = part_of(word, (size_t)(slash + 1 - word->text), (size_t)(dot - word->text));
    override->rule = part_of(word, (size_t)(dot + 1 - word->text), word->length);
}

/* Days since 1970-01-01 of a date, year * 10000 + month * 100 + day, in the Gregorian calendar. */
static int32_t days_of_date(int64_t date)
{
    enum { MONTHS_BEFORE_MARCH = 2, DAYS_TO_1970 = 719468 }; /* from 0000-03-01 */
    const int64_t month = date / 100 % 100;
    /* Years begin in March here, so that a leap day is a year's last. */
    const int64_t year = date / 10000 - (month <= MONTHS_BEFORE_MARCH ? 1 : 0);
    const int64_t shifted = (month + 9) % 12;
    const int64_t day_of_year = (153 * shifted + 2) / 5 + date % 100 - 1;
    const int64_t era = year >= 0 ? year / 400 : -1; /* the year before 0000 is the only negative */
    const int64_t year_of_era = year - era * 400;

    return (int32_t)(era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
                     day_of_year - DAYS_TO_1970);
}

/* TIER/POLICY.RULE. Who leaves the tier out is told how it is written. */
static bool parse_reference(struct parser *parser, struct override *override)
{
    if (parser->token.kind == TOKEN_RULE_REFERENCE) {
        override->reference = word_of(&parser->token);
        split_reference(override);
        parser_advance(parser);
        return true;
    }
    mistake_as_reference(parser);
    return false;
}

/* Something of `reason … until …` is not there. */
static bool report_override_end(struct parser *parser, const struct override *override,
                                const char *missing, const char *what)
{
    static const char *const words[] = {"where", "reason", "until", NULL};
    const char *near = parser->token.kind == TOKEN_NAME && !parser_ends_statement(parser)
                           ? parser_nearest_word(&parser->token, words)
                           : NULL;
    struct diagnostic *error = parser_ends_statement(parser)
                                   ? parser_error(parser, ERROR_SYNTAX, override->reference.span,
                                                  "this override has no `%s`", missing)
                                   : parser_expected(parser, what);
    if (near && !token_is(&parser->token, near)) {
        diagnostic_label(error, "did you mean `%s`?", near);
        return false;
    }
    diagnostic_help(error, "an override says why and how long: reason \"ticket 4411\" until "
                           "2027-01-31");
    return false;
}

static bool parse_override_end(struct parser *parser, struct override *override)
{
    if (!parser_take_word(parser, "reason"))
        return report_override_end(parser, override, "reason",
                                   override->condition ? "`and`, `or` or `reason`"
                                                       : "`where` or `reason`");
    override->reason = parser_string(parser);
    if (!override->reason)
        return false;
    if (!parser_take_word(parser, "until"))
        return report_override_end(parser, override, "until", "`until`");
    override->date_span = parser->token.span;
    if (parser->token.kind != TOKEN_DATE) {
        mistake_as_date(parser);
        return false;
    }
    override->until = days_of_date(parser->token.low);
    parser_advance(parser);
    return true;
}

static struct override *parse_override(struct parser *parser)
{
    struct override *override = storage_take(parser->storage, 1, sizeof(*override));
    const struct span start = parser->token.span;

    parser_advance(parser);
    if (!override || !parse_reference(parser, override))
        return NULL;
    if (parser_take_word(parser, "where")) {
        override->condition = parse_condition(parser);
        if (!override->condition)
            return NULL;
    }
    if (!parse_override_end(parser, override))
        return NULL;
    override->span = span_join(start, parser->previous.span);
    return override;
}

static bool parse_limit(struct parser *parser)
{
    struct class_list classes = {0};
    struct word name;
    struct literal *message = NULL;

    if (!parse_classes(parser, &classes))
        return false;
    if (!parser_take_word(parser, "to")) {
        (void)parser_expected(parser, "`to`");
        return false;
    }
    if (parser->token.kind != TOKEN_INTEGER) {
        diagnostic_help(parser_expected(parser, "a number"),
                        "leave `limit` out: a later version brings it");
        return false;
    }
    parser_advance(parser);
    if (!parser_take_word(parser, "per")) {
        (void)parser_expected(parser, "`per`");
        return false;
    }
    if (!parser_take_word(parser, "session") && !parser_take_word(parser, "user") &&
        !parser_expect(parser, TOKEN_DURATION, "`session`, `user` or a time such as 10s"))
        return false;
    if (parser_take_word(parser, "where") && !parse_condition(parser))
        return false;
    if (!parser_take_word(parser, "as")) {
        (void)parser_expected(parser, "`as NAME`");
        return false;
    }
    return parser_name(parser, "a name for the limit", &name) && parse_message(parser, &message);
}

static struct later *parse_later(struct parser *parser)
{
    struct later *later = storage_take(parser->storage, 1, sizeof(*later));
    const struct span start = parser->token.span;

    parser_advance(parser);
    if (!later || !parse_limit(parser))
        return NULL;
    later->span = start;
    return later;
}

/* Where the next statement of each kind is put. */
struct policy_ends {
    struct applies **applies;
    struct mode **modes;
    struct default_statement **defaults;
    struct floor_statement **floors;
    struct set **sets;
    struct rule **rules;
    struct override **overrides;
    struct later **later;
};

#define APPEND(end, item)                                                                          \
    do {                                                                                           \
        *(end) = (item);                                                                           \
        if (*(end))                                                                                \
            (end) = &(*(end))->next;                                                               \
        else                                                                                       \
            policy->flawed = true;                                                                 \
    } while (0)

static void parse_statement(struct parser *parser, struct policy *policy, struct policy_ends *ends)
{
    static const char *const effects[] = {
        [EFFECT_ALLOW] = "allow",
        [EFFECT_DENY] = "deny",
        [EFFECT_KILL] = "kill",
        [EFFECT_LOG] = "log",
    };

    for (int effect = EFFECT_ALLOW; effect <= EFFECT_LOG; effect++) {
        if (parser_at(parser, effects[effect])) {
            APPEND(ends->rules, parse_rule(parser, (enum rule_effect)effect));
            return;
        }
    }
    if (parser_at(parser, "applies")) {
        APPEND(ends->applies, parse_applies(parser));
    } else if (parser_at(parser, "mode")) {
        APPEND(ends->modes, parse_mode(parser));
    } else if (parser_at(parser, "default")) {
        APPEND(ends->defaults, parse_default(parser));
    } else if (parser_at(parser, "set")) {
        APPEND(ends->sets, parse_set(parser));
    } else if (parser_at(parser, "floor")) {
        APPEND(ends->floors, parse_floor(parser));
    } else if (parser_at(parser, "override")) {
        APPEND(ends->overrides, parse_override(parser));
    } else if (parser_at(parser, "limit")) {
        APPEND(ends->later, parse_later(parser));
    } else {
        mistake_as_statement(parser);
        policy->flawed = true;
    }
}

static struct policy *parse_policy(struct parser *parser);

/* A policy that stands further in than the one around it was put there on purpose: it is read for
 * its form, and stands in nothing. Otherwise a brace was forgotten before it. */
static bool parse_nested(struct parser *parser, const struct policy *policy)
{
    enum { NESTED_MAX = 4 };

    if (!parser_at_new_policy(parser) || parser->nested == NESTED_MAX ||
        token_indentation(&parser->token) <= policy->indentation)
        return false;
    struct diagnostic *error = parser_error(parser, ERROR_SYNTAX, parser->token.span,
                                            "a policy cannot stand inside another");
    diagnostic_second(error, policy->name.span, "inside this one");
    diagnostic_help(error, "close `%.*s` before it with `}`", (int)policy->name.length,
                    policy->name.text);
    parser->sets_lost = true;
    parser->panicking = false;
    parser->nested++;
    (void)parse_policy(parser);
    parser->nested--;
    return true;
}

/* Behind the `{` of a policy, up to and with its `}`. */
static void parse_statements(struct parser *parser, struct policy *policy, struct span open)
{
    struct policy_ends ends = {&policy->applies,   &policy->modes, &policy->defaults,
                               &policy->floors,    &policy->sets,  &policy->rules,
                               &policy->overrides, &policy->later};
    const unsigned braces = parser->braces;

    while (parser->token.kind != TOKEN_CLOSE_BRACE) {
        parser_begin_statement(parser);
        if (parse_nested(parser, policy)) {
            policy->flawed = true;
            continue;
        }
        if (parser->token.kind == TOKEN_END || parser_at_new_policy(parser)) {
            policy->flawed = true;
            parser->unclosed++;
            struct diagnostic *error = parser_error(parser, ERROR_SYNTAX, policy->name.span,
                                                    "policy `%.*s` is not closed: a `}` is missing",
                                                    (int)policy->name.length, policy->name.text);
            diagnostic_second(error, open, NULL);
            diagnostic_help(error, "close it with `}` behind its last statement");
            parser->braces = 0;
            return;
        }
        parse_statement(parser, policy, &ends);
        if (parser->panicking) {
            policy->flawed = true;
            parser_skip_to(parser, grammar_words(WORDS_STATEMENT), braces);
        }
        if (parser->spoiled)
            policy->flawed = true;
        if (parser->storage->failed)
            return;
    }
    parser->panicking = false;
    parser_advance(parser);
}

static struct policy *parse_policy(struct parser *parser)
{
    struct policy *policy = storage_take(parser->storage, 1, sizeof(*policy));
    const struct token word = parser->token;

    parser_advance(parser);
    if (!policy || !parser_name(parser, "a name for the policy", &policy->name))
        return NULL;
    policy->indentation = token_indentation(&word);
    if (parser->token.kind == TOKEN_STRING)
        policy->title = parser_string(parser);
    const struct span open = parser->token.span;
    if (parser->token.kind != TOKEN_OPEN_BRACE) {
        diagnostic_help(parser_expected(parser, "`{`"), "write policy %.*s { … }",
                        (int)policy->name.length, policy->name.text);
        return NULL;
    }
    parser_advance(parser);
    parse_statements(parser, policy, open);
    policy->span = span_join(word.span, parser->previous.span);
    return policy;
}

static struct file_item *parse_item(struct parser *parser)
{
    struct file_item *item = storage_take(parser->storage, 1, sizeof(*item));
    if (!item)
        return NULL;
    if (parser_at(parser, "policy")) {
        item->policy = parse_policy(parser);
        if (item->policy)
            item->span = item->policy->span;
    } else if (parser_at(parser, "set")) {
        item->set = parse_set(parser);
        if (item->set)
            item->span = item->set->span;
    } else {
        mistake_at_file_level(parser);
    }
    return item->policy || item->set ? item : NULL;
}

static struct file_tree *parse(const struct source *source, struct storage *storage,
                               struct diagnostics *diagnostics, struct token_trace *trace)
{
    struct file_tree *tree = storage_take(storage, 1, sizeof(*tree));
    struct parser parser;
    const size_t errors = diagnostics_error_count(diagnostics);

    if (!tree)
        return NULL;
    tree->source = source;
    struct file_item **last = &tree->items;
    parser_init(&parser, source, storage, diagnostics);
    parser.trace = trace;
    while (parser.token.kind != TOKEN_END && !storage->failed) {
        parser_begin_statement(&parser);
        *last = parse_item(&parser);
        if (*last)
            last = &(*last)->next;
        if (parser.panicking) {
            while (parser.token.kind == TOKEN_CLOSE_BRACE && parser.braces > 0)
                parser_advance(&parser);
            parser_skip_to(&parser, grammar_words(WORDS_FILE), 0);
        }
    }
    tree->sets_lost = parser.sets_lost;
    tree->flawed = diagnostics_error_count(diagnostics) > errors;
    return storage->failed ? NULL : tree;
}

struct file_tree *parse_policies(const struct source *source, struct storage *storage,
                                 struct diagnostics *diagnostics)
{
    return parse(source, storage, diagnostics, NULL);
}

bool trace_policies(const struct source *source, struct storage *storage,
                    struct diagnostics *diagnostics, struct token_trace *trace)
{
    return parse(source, storage, diagnostics, trace) != NULL;
}
