#include "policies/language/lexer_internal.h"

#include <string.h>

#include "policies/engine/utf8.h"
#include "policies/language/text_buffer.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";

enum { ZEROS_OF_A_TEXT = 2 }; /* NUL bytes in a file that is none */

static bool has_byte_order_mark(const struct source *source)
{
    return source->length >= 3 && memcmp(source->text, byte_order_mark, 3) == 0;
}

static void report_control(const struct lexer *lexer, struct span span, uint32_t c)
{
    struct diagnostic *error;
    if (c == '\r')
        error = report(lexer->diagnostics, ERROR_CONTROL_CHARACTER, span,
                       "a carriage return that no line feed follows");
    else
        error = report(lexer->diagnostics, ERROR_CONTROL_CHARACTER, span,
                       "control character U+%04X", (unsigned)c);
    diagnostic_help(error,
                    c == '\0' ? "is this a text file? Policies are UTF-8"
                              : "remove it; inside a string write \\x%02x",
                    (unsigned)c);
}

static void report_bidirectional(const struct lexer *lexer, struct span span, uint32_t c)
{
    struct diagnostic *error = report(
        lexer->diagnostics, ERROR_BIDIRECTIONAL, span,
        "U+%04X changes the direction of text: this line does not read as it stands", (unsigned)c);
    diagnostic_help(error, "remove it; inside a string write \\u{%x}", (unsigned)c);
}

static bool is_unwelcome(uint32_t c)
{
    return utf8_is_raw(c) || character_is_control(c) || character_is_bidirectional(c);
}

bool lexer_is_tainted(const struct lexer *lexer, const char *text, size_t length)
{
    if (!lexer->tainted)
        return false;
    for (size_t at = 0; at < length;) {
        size_t size;
        if (is_unwelcome(utf8_decode(text + at, length - at, &size)))
            return true;
        at += size;
    }
    return false;
}

/* What is wrong with characters, wherever they stand: at most one error of a kind for a line, and
 * one for a file that is in another encoding. */
static void check_characters(struct lexer *lexer)
{
    const struct source *source = lexer->source;
    bool control_said = false;
    bool bidirectional_said = false;
    bool encoding_said = false;

    for (uint32_t at = lexer->at; at < source->length;) {
        size_t size;
        if (source->text[at] >= ' ' && source->text[at] < 0x7f) {
            at++; /* nearly all of every text */
            continue;
        }
        const uint32_t c = utf8_decode(source->text + at, source->length - at, &size);
        const struct span span = lexer_span(lexer, at, at + (uint32_t)size);
        const bool ends_line = c == '\r' && at + 1 < source->length && source->text[at + 1] == '\n';

        lexer->tainted |= is_unwelcome(c) && !ends_line;
        if (c == '\n') {
            control_said = false;
            bidirectional_said = false;
        } else if (utf8_is_raw(c) && !encoding_said) {
            struct diagnostic *error = report(lexer->diagnostics, ERROR_NOT_UTF8, span,
                                              "byte 0x%02x is not UTF-8", (unsigned)(c - UTF8_RAW));
            diagnostic_help(error,
                            "save the file as UTF-8; for a name that is not, write the byte "
                            "as \\x%02x in a string",
                            (unsigned)(c - UTF8_RAW));
            encoding_said = true;
        } else if (character_is_control(c) && !ends_line && !control_said) {
            report_control(lexer, span, c);
            control_said = true;
        } else if (character_is_bidirectional(c) && !bidirectional_said) {
            report_bidirectional(lexer, span, c);
            bidirectional_said = true;
        }
        at += (uint32_t)size;
    }
}

/* Bytes that no text in UTF-8 has many of: it is in another encoding, or no text. One error, for
 * nothing else is worth saying. */
static bool is_no_text(const struct lexer *lexer)
{
    const struct source *source = lexer->source;
    const bool wide = source->length >= 2 && (memcmp(source->text, "\xff\xfe", 2) == 0 ||
                                              memcmp(source->text, "\xfe\xff", 2) == 0);
    size_t zeros = 0;

    for (const char *at = source->text; zeros < ZEROS_OF_A_TEXT;) {
        const size_t left = source->length - (size_t)(at - source->text);
        at = left > 0 ? memchr(at, '\0', left) : NULL;
        if (!at)
            break;
        at++;
        zeros++;
    }
    if (!wide && zeros < ZEROS_OF_A_TEXT)
        return false;
    struct diagnostic *error =
        report(lexer->diagnostics, ERROR_NOT_UTF8, lexer_span(lexer, 0, wide ? 2 : 1),
               wide ? "this file is in UTF-16" : "this is no text file: it is full of NUL bytes");
    diagnostic_help(error, "policies are text in UTF-8: save it so");
    return true;
}

void lexer_init(struct lexer *lexer, const struct source *source, struct storage *storage,
                struct diagnostics *diagnostics)
{
    *lexer = (struct lexer){.source = source, .storage = storage, .diagnostics = diagnostics};
    if (is_no_text(lexer)) {
        lexer->at = source->length;
        return;
    }
    if (has_byte_order_mark(source)) {
        struct diagnostic *error = report(diagnostics, ERROR_BYTE_ORDER_MARK,
                                          lexer_span(lexer, 0, 3), "a byte order mark");
        diagnostic_help(error, "save without BOM");
        lexer->at = 3;
    }
    check_characters(lexer);
}

/* A comment of C, or a `;`: said once for the text, and then as good as a blank. */
static bool skip_foreign_blank(struct lexer *lexer)
{
    const struct source *source = lexer->source;
    const char *text = source->text + lexer->at;
    const uint32_t left = source->length - lexer->at;
    const bool block = left >= 2 && text[0] == '/' && text[1] == '*';
    uint32_t length = 1;

    if (*text == ';') {
        if (!lexer->semicolon_said)
            diagnostic_help(report(lexer->diagnostics, ERROR_STRANGE_CHARACTER,
                                   lexer_span(lexer, lexer->at, lexer->at + 1),
                                   "nothing ends with `;` here"),
                            "remove it, here and below: each statement begins with its own word");
        lexer->semicolon_said = true;
        lexer->at++;
        return true;
    }
    if (!block && (left < 2 || text[0] != '/' || text[1] != '/'))
        return false;
    while (length < left && (block ? !(length > 2 && text[length - 1] == '*' && text[length] == '/')
                                   : text[length] != '\n'))
        length++;
    if (block && length < left)
        length++;
    if (!lexer->comment_said)
        diagnostic_help(report(lexer->diagnostics, ERROR_STRANGE_CHARACTER,
                               lexer_span(lexer, lexer->at, lexer->at + 2),
                               "`%.2s` begins no comment", text),
                        "write # before each line of a comment, here and below");
    lexer->comment_said = true;
    lexer->at += length;
    return true;
}

static void skip_blank(struct lexer *lexer)
{
    const struct source *source = lexer->source;
    while (lexer->at < source->length) {
        const char c = source->text[lexer->at];
        if (c == '#') {
            const char *end = memchr(source->text + lexer->at, '\n', source->length - lexer->at);
            lexer->at = end ? (uint32_t)(end - source->text) : source->length;
        } else if (c == ' ' || c == '\t' || c == '\n' ||
                   (c == '\r' && lexer->at + 1 < source->length &&
                    source->text[lexer->at + 1] == '\n')) {
            lexer->at++;
        } else if ((c != ';' && c != '/') || !skip_foreign_blank(lexer)) {
            return;
        }
    }
}

static bool is_word_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == ':' || c == '/' || c == '-';
}

static const struct {
    const char *text;
    enum token_kind kind;
} punctuation[] = {
    /* longer ones first */
    {"==", TOKEN_FOREIGN_OPERATOR},
    {"=~", TOKEN_FOREIGN_OPERATOR},
    {"!=", TOKEN_FOREIGN_OPERATOR},
    {":=", TOKEN_FOREIGN_OPERATOR},
    {"&&", TOKEN_FOREIGN_OPERATOR},
    {"||", TOKEN_FOREIGN_OPERATOR},
    {"<=", TOKEN_LESS_OR_EQUAL},
    {">=", TOKEN_GREATER_OR_EQUAL},
    {"!", TOKEN_FOREIGN_OPERATOR},
    {"&", TOKEN_FOREIGN_OPERATOR},
    {"|", TOKEN_FOREIGN_OPERATOR},
    {":", TOKEN_FOREIGN_OPERATOR},
    {"<", TOKEN_LESS},
    {">", TOKEN_GREATER},
    {"=", TOKEN_ASSIGN},
    {"{", TOKEN_OPEN_BRACE},
    {"}", TOKEN_CLOSE_BRACE},
    {"[", TOKEN_OPEN_BRACKET},
    {"]", TOKEN_CLOSE_BRACKET},
    {"(", TOKEN_OPEN_PARENTHESIS},
    {")", TOKEN_CLOSE_PARENTHESIS},
    {",", TOKEN_COMMA},
    {".", TOKEN_DOT},
};

static bool lex_punctuation(struct lexer *lexer, struct token *token)
{
    const char *text = lexer->source->text + lexer->at;
    const uint32_t left = lexer->source->length - lexer->at;

    for (size_t i = 0; i < sizeof(punctuation) / sizeof(*punctuation); i++) {
        const uint32_t length = (uint32_t)strlen(punctuation[i].text);
        if (length > left || memcmp(text, punctuation[i].text, length) != 0)
            continue;
        token->kind = punctuation[i].kind;
        token->text = text;
        token->length = length;
        token->span = lexer_span(lexer, lexer->at, lexer->at + length);
        lexer->at += length;
        return true;
    }
    return false;
}

static bool is_typographic_quote(uint32_t c)
{
    return (c >= 0x2018 && c <= 0x201f) || c == 0xab || c == 0xbb || c == '`';
}

/* At a quote of a word processor: the string up to the next one is one mistake. */
static void lex_typographic_string(struct lexer *lexer, struct token *token)
{
    const struct source *source = lexer->source;
    const uint32_t start = lexer->at;
    uint32_t at = start;
    bool closed = false;

    for (uint32_t opened = 0; at < source->length && source->text[at] != '\n' && !closed;
         opened++) {
        size_t size;
        const uint32_t c = utf8_decode(source->text + at, source->length - at, &size);
        closed = opened > 0 && is_typographic_quote(c);
        at += (uint32_t)size;
    }
    size_t size;
    (void)utf8_decode(source->text + start, source->length - start, &size);
    lexer->at = closed ? at : start + (uint32_t)size;
    token->kind = TOKEN_BAD;
    token->span = lexer_span(lexer, start, lexer->at);
    diagnostic_help(report(lexer->diagnostics, ERROR_STRANGE_CHARACTER, token->span,
                           "these are no quotes of the language"),
                    "strings stand in straight quotes: \"…\" or '…'");
}

/* What to write for a character that nothing begins with, `text` being all that stands there. */
static void help_with_strange(struct diagnostic *error, uint32_t first, const char *text,
                              size_t length)
{
    switch (first) {
    case '+':
    case '%':
    case '^':
        diagnostic_help(error, "nothing is computed: write the whole value");
        break;
    case '@':
    case '$':
        diagnostic_help(error,
                        "there are no variables; the places are session.home, session.start, "
                        "session.temp, session.venv, session.python and session.null");
        break;
    case 0x2010: /* hyphens and dashes of word processors */
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2212:
        diagnostic_help(error, "the language has `-` alone, and a comment begins with #");
        break;
    default:
        if (first >= 0x80)
            diagnostic_help(error,
                            "names and words are of ASCII; a text stands in quotes: \"%.*s\"",
                            (int)length, text);
        else
            diagnostic_help(error, "a text stands in quotes: \"%.*s\"", (int)length, text);
    }
}

/* What stands there begins no token. A row of such characters, and a word right behind them, is one
 * mistake; those that check_characters spoke of are passed over in silence. */
static void lex_strange(struct lexer *lexer, struct token *token)
{
    const struct source *source = lexer->source;
    const uint32_t start = lexer->at;
    uint32_t first = 0;
    size_t first_size = 0; /* with what was passed over before it */
    bool silent = true;

    while (lexer->at < source->length) {
        const char byte = source->text[lexer->at];
        if ((is_word_character(byte) && silent) ||
            (byte != '\0' && strchr(" \t\n#\"'{}[](),<>=!&|;", byte)))
            break;
        size_t size;
        const uint32_t c = utf8_decode(source->text + lexer->at, source->length - lexer->at, &size);
        if (!is_unwelcome(c)) {
            if (silent) {
                first = c;
                first_size = lexer->at + size - start;
            }
            silent = false;
        }
        lexer->at += (uint32_t)size;
    }
    token->kind = TOKEN_BAD;
    token->span = lexer_span(lexer, start, lexer->at);
    if (!silent)
        help_with_strange(report(lexer->diagnostics, ERROR_STRANGE_CHARACTER, token->span,
                                 "nothing begins with `%.*s`", (int)first_size,
                                 source->text + start),
                          first, source->text + start, token->span.length);
}

/* The end of the word that begins here. A colon behind a name or a number is none of it: it comes
 * from another language, and the parser says so. */
static uint32_t word_end(const struct source *source, uint32_t start)
{
    uint32_t end = start;

    while (end < source->length && is_word_character(source->text[end]))
        end++;
    while (end > start && source->text[end - 1] == '.')
        end--;
    if (end == start + 1 && source->text[start] == ':')
        return start;
    if (end > start + 1 && source->text[end - 1] == ':' && source->text[end - 2] != ':' &&
        memchr(source->text + start, ':', end - start) == source->text + end - 1 &&
        !memchr(source->text + start, '/', end - start))
        end--;
    return end;
}

static void read_token(struct lexer *lexer, struct token *token)
{
    const struct source *source = lexer->source;
    const uint32_t start = lexer->at;
    const char c = source->text[start];

    if (c == '"' || c == '\'') {
        lex_string(lexer, token);
        return;
    }
    if (is_word_character(c)) {
        const uint32_t end = word_end(source, start);
        if (end > start) {
            lexer->at = end;
            token->length = end - start;
            token->span = lexer_span(lexer, start, end);
            lex_word(lexer, token);
            return;
        }
    }
    if (lex_punctuation(lexer, token))
        return;
    size_t size;
    if (is_typographic_quote(utf8_decode(source->text + start, source->length - start, &size)))
        lex_typographic_string(lexer, token);
    else
        lex_strange(lexer, token);
}

void lexer_next(struct lexer *lexer, struct token *token)
{
    const struct source *source = lexer->source;

    const size_t before = diagnostics_kept(lexer->diagnostics);

    *token = (struct token){.kind = TOKEN_END};
    skip_blank(lexer);
    token->before_reported = diagnostics_last(lexer->diagnostics, before);
    token->text = source->text + lexer->at;
    token->span = lexer_span(lexer, lexer->at, lexer->at);
    if (lexer->at >= source->length)
        return;
    const size_t kept = diagnostics_kept(lexer->diagnostics);
    read_token(lexer, token);
    token->reported = diagnostics_last(lexer->diagnostics, kept);
}
