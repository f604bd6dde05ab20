/* What parser.c (files and statements), parse_condition.c, parse_test.c and parse_mistakes.c share:
 * the tokens at hand, and how errors are said so that one mistake gives one error. */
#ifndef WARDER_POLICIES_LANGUAGE_PARSER_INTERNAL_H
#define WARDER_POLICIES_LANGUAGE_PARSER_INTERNAL_H

#include "policies/language/lexer.h"
#include "policies/language/parser.h"
#include "policies/language/token_trace.h"

struct parser {
    struct lexer lexer;
    struct storage *storage;
    struct diagnostics *diagnostics;
    struct token token;    /* the one to read */
    struct token next;     /* the one behind it */
    struct token previous; /* the one before it */
    unsigned braces;       /* open ones */
    unsigned unclosed; /* policies whose `}` was reported as missing: one more later is theirs */
    unsigned nested;   /* policies inside policies, around the token */
    bool panicking;    /* an error was reported in this statement, and it was left */
    bool said;         /* an error was said of the statement, by the parser or of a token before */
    bool lines_alone;  /* the next statement is sought at the start of a line alone */
    bool sets_lost;    /* a statement that may have been a set could not be read */
    bool spoiled;      /* the statement holds a token that the lexer reported: whatever else is
                          wrong with it follows from that */
    struct token_trace *trace; /* NULL: none is kept */
    enum token_mark mark;      /* of `token` */
};

void parser_init(struct parser *parser, const struct source *source, struct storage *storage,
                 struct diagnostics *diagnostics);
void parser_advance(struct parser *parser);
/* Over a word behind which no colon stands, as it does in other languages: one that does is
 * reported and passed over. */
void parser_advance_word(struct parser *parser);
void parser_begin_statement(struct parser *parser);

/* Says in the trace what the token to read is; what was said first holds. */
void parser_mark(struct parser *parser, enum token_mark mark);

/* The token is this word. */
bool parser_at(const struct parser *parser, const char *word);
bool token_is(const struct token *token, const char *word);
/* The token is one of these words; the list ends with NULL. */
bool token_is_one_of(const struct token *token, const char *const *words);

/* Reads the token if it is of the kind, or the word. */
bool parser_take(struct parser *parser, enum token_kind kind);
bool parser_take_word(struct parser *parser, const char *word);

/* As parser_take, and an error `expected WHAT, found …` otherwise. */
bool parser_expect(struct parser *parser, enum token_kind kind, const char *what);

/* Reports at the token that something else was expected and leaves the statement. NULL if nothing
 * is to be said. */
struct diagnostic *parser_expected(struct parser *parser, const char *what);

/* Reports at a place and leaves the statement, unless it was left already. */
struct diagnostic *parser_error(struct parser *parser, enum diagnostic_code code, struct span span,
                                const char *format, ...) TEXT_FORMAT(4, 5);

/* Takes back what the lexer said of the token, and lets the parser say something better of it: then
 * the statement is not spoiled by it. */
void parser_forgive(struct parser *parser);

/* A name, of the thing that `what` says (`a name for the rule`). */
bool parser_name(struct parser *parser, const char *what, struct word *name);

struct word word_of(const struct token *token);
struct literal *parser_string(struct parser *parser);

/* Of the words, the one that the token was probably to be; NULL if none is close. */
const char *parser_nearest_word(const struct token *token, const char *const *words);

/* `policy NAME {` at the start of a line: where it cannot stand, a brace was forgotten before it.
 */
bool parser_at_new_policy(const struct parser *parser);
/* Nothing but blanks before it in its line. */
bool token_is_first_on_line(const struct token *token);
/* Characters before it in its line. */
uint32_t token_indentation(const struct token *token);
/* The text goes on right behind the token, without a blank. */
bool tokens_touch(const struct token *first, const struct token *second);

/* Skips to where a statement may begin, by one of its words (or, inside braces, by one that was to
 * be it), or end, with `braces` open. What the lexer says of what is skipped is taken back: it
 * follows from what was reported. */
void parser_skip_to(struct parser *parser, const char *const *words, unsigned braces);

/* The token begins a statement, or ends a policy or the file. */
bool parser_ends_statement(const struct parser *parser);

/* parse_mistakes.c: what stands where it cannot, in the reader's words. Each reports, and leaves
 * the statement. */
void mistake_at_file_level(struct parser *parser);
void mistake_as_statement(struct parser *parser);
/* Behind the target of a rule, or, with a condition, behind that. */
void mistake_in_rule(struct parser *parser, const struct rule *rule);
/* Where nothing but `words` could go on with the statement, and it could as well end: true, and an
 * error, if the token was to be one of them. */
bool mistake_behind(struct parser *parser, const char *const *words);
/* Behind a rule's name: says of a second word of it that it is none, and passes it over. */
void mistake_in_name(struct parser *parser);
/* Where an operator should stand: false if the attribute may as well stand alone. */
bool mistake_as_operator(struct parser *parser, const struct predicate *predicate);
/* `is not`, `not in`: two words that are no operator. `shape` is what to write instead, as in
 * foreign_words.h; NULL for `not @ is $`, as the attribute takes it. */
void mistake_no_operator(struct parser *parser, struct span span, const struct predicate *predicate,
                         const char *shape);
/* Where a condition, an attribute or a value should begin. */
void mistake_as_condition(struct parser *parser);
void mistake_as_attribute(struct parser *parser);
void mistake_as_value(struct parser *parser);
/* In a list, behind a value. */
void mistake_in_list(struct parser *parser, struct span open);
/* Where a date should stand. */
void mistake_as_date(struct parser *parser);
/* Where TIER/POLICY.RULE should stand. */
void mistake_as_reference(struct parser *parser);

/* NULL if the statement has to be left. */
struct literal *parse_value(struct parser *parser);
/* At `[`; the values, NULL if there are none. False if the statement has to be left. */
bool parse_list(struct parser *parser, struct literal **values, struct span *span);
struct condition *parse_condition(struct parser *parser);

/* Words that join conditions or end them: they are no attribute and no value. */
bool is_joining_word(const struct token *token);

#endif
