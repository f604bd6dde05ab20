/* lexer.c reads what stands between tokens and punctuation; lex_word.c classifies words, and
 * lex_string.c reads strings. */
#ifndef WARDER_POLICIES_LANGUAGE_LEXER_INTERNAL_H
#define WARDER_POLICIES_LANGUAGE_LEXER_INTERNAL_H

#include "policies/language/lexer.h"

static inline struct span lexer_span(const struct lexer *lexer, uint32_t from, uint32_t to)
{
    return (struct span){lexer->source, from, to - from};
}

/* True if an error was reported for one of these characters of the source. */
bool lexer_is_tainted(const struct lexer *lexer, const char *text, size_t length);

/* At a quote; moves behind the string. */
void lex_string(struct lexer *lexer, struct token *token);

/* The token has its span and text; finds out what it is. */
void lex_word(const struct lexer *lexer, struct token *token);

#endif
