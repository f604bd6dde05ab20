/* The words of a policy text (grammar, "lexical"). */
#ifndef WARDER_POLICIES_LANGUAGE_TOKEN_H
#define WARDER_POLICIES_LANGUAGE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/address.h"
#include "policies/language/diagnostics.h"
#include "policies/language/source.h"

enum token_kind {
    TOKEN_END, /* of the text */
    TOKEN_BAD, /* an error was reported for it */
    TOKEN_STRING,
    TOKEN_NAME,
    TOKEN_QUALIFIED, /* names with dots between */
    TOKEN_RULE_REFERENCE,
    TOKEN_INTEGER,
    TOKEN_RANGE,
    TOKEN_ADDRESS,
    TOKEN_CIDR,
    TOKEN_DATE,
    TOKEN_DURATION,
    TOKEN_OPEN_BRACE,
    TOKEN_CLOSE_BRACE,
    TOKEN_OPEN_BRACKET,
    TOKEN_CLOSE_BRACKET,
    TOKEN_OPEN_PARENTHESIS,
    TOKEN_CLOSE_PARENTHESIS,
    TOKEN_COMMA,
    TOKEN_DOT,
    TOKEN_ASSIGN, /* = */
    TOKEN_LESS,
    TOKEN_LESS_OR_EQUAL,
    TOKEN_GREATER,
    TOKEN_GREATER_OR_EQUAL,
    TOKEN_FOREIGN_OPERATOR, /* == != && || ! : := of other languages; the parser says what is meant
                             */
};

struct diagnostic;

struct token {
    enum token_kind kind;
    bool flawed; /* a string in which an error was reported: what it says is not to be judged */
    struct diagnostic *reported;        /* what the lexer said of it; NULL for nothing */
    struct diagnostic *before_reported; /* and of a `;` or a comment of C before it */
    struct span span;
    const char *text; /* STRING: what it stands for; else as written. Not terminated */
    size_t length;
    int64_t low; /* INTEGER, RANGE; DATE: year * 10000 + month * 100 + day */
    int64_t high;
    struct address address; /* ADDRESS, CIDR; not folded */
    unsigned prefix;        /* CIDR; ADDRESS: all bits */
};

#endif
