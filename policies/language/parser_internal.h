/* What parser.c (files and statements), parse_condition.c and parse_test.c share: the tokens at
 * hand, and how errors are said so that one mistake gives one error. */
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
    bool panicking;        /* an error was reported in this statement, and it was left */
    bool sets_lost;        /* a statement that may have been a set could not be read */
    bool spoiled;          /* the statement holds a token that the lexer reported: whatever else is
                              wrong with it follows from that */
    struct token_trace *trace; /* NULL: none is kept */
    enum token_mark mark;      /* of `token` */
};

void parser_init(struct parser *parser, const struct source *source, struct storage *storage,
                 struct diagnostics *diagnostics);
void parser_advance(struct parser *parser);
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

/* A name, of the thing that `what` says (`a name for the rule`). */
bool parser_name(struct parser *parser, const char *what, struct word *name);

struct word word_of(const struct token *token);
struct literal *parser_string(struct parser *parser);

/* Of the words, the one that the token was probably to be; NULL if none is close. */
const char *parser_nearest_word(const struct token *token, const char *const *words);

/* `policy NAME` at the start of a line: where it cannot stand, a brace was forgotten before it. */
bool parser_at_new_policy(const struct parser *parser);

/* Skips to where a statement may begin, by one of its words, or end, with `braces` open. */
void parser_skip_to(struct parser *parser, const char *const *words, unsigned braces);

/* NULL if the statement has to be left. */
struct literal *parse_value(struct parser *parser);
/* At `[`; the values, NULL if there are none. False if the statement has to be left. */
bool parse_list(struct parser *parser, struct literal **values, struct span *span);
struct condition *parse_condition(struct parser *parser);

/* Words that join conditions or end them: they are no attribute and no value. */
bool is_joining_word(const struct token *token);

#endif
