/* From a policy text to its tokens, one after the other.
 *
 * Reports what is wrong with the text itself (encoding, control characters, words and strings that
 * are none) and goes on behind it: such a token is TOKEN_BAD or flawed, and nothing else is to be
 * said about it. */
#ifndef WARDER_POLICIES_LANGUAGE_LEXER_H
#define WARDER_POLICIES_LANGUAGE_LEXER_H

#include <stdbool.h>

#include "policies/language/report.h"
#include "policies/language/source.h"
#include "policies/language/storage.h"
#include "policies/language/token.h"

struct lexer {
    const struct source *source;
    struct storage *storage; /* texts of strings with escapes */
    struct diagnostics *diagnostics;
    uint32_t at;  /* bytes read */
    bool tainted; /* an error was reported for a character, wherever it stands */
    bool semicolon_said;
    bool comment_said; /* both once for a text: it is one habit */
};

/* Everything is borrowed. Reports what is wrong with the encoding. */
void lexer_init(struct lexer *lexer, const struct source *source, struct storage *storage,
                struct diagnostics *diagnostics);

/* TOKEN_END at the end, as often as it is asked. */
void lexer_next(struct lexer *lexer, struct token *token);

/* True if the characters are a NAME of the grammar. */
bool is_name(const char *text, size_t length);

#endif
