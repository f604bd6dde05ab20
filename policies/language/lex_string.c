#include "policies/language/lexer_internal.h"

#include <string.h>

#include "policies/engine/hexadecimal.h"
#include "policies/engine/utf8.h"

/* Where the string's closing quote is, or the end of its line. */
static uint32_t string_end(const struct lexer *lexer, char quote, bool *closed)
{
    const struct source *source = lexer->source;
    uint32_t at = lexer->at + 1;

    *closed = false;
    while (at < source->length && source->text[at] != '\n') {
        if (source->text[at] == quote) {
            *closed = true;
            return at;
        }
        if (quote == '"' && source->text[at] == '\\' && at + 1 < source->length &&
            source->text[at + 1] != '\n')
            at++;
        at++;
    }
    return at;
}

/* At the `\` of `\xNN` or `\u{N…}`: writes what it stands for and moves behind it. */
static bool number_escape(const struct lexer *lexer, uint32_t *at, uint32_t end, char *out,
                          size_t *size)
{
    const char *text = lexer->source->text;

    if (text[*at + 1] == 'x') {
        const int high = end - *at < 4 ? -1 : hexadecimal_digit(text[*at + 2]);
        const int low = end - *at < 4 ? -1 : hexadecimal_digit(text[*at + 3]);
        if (high < 0 || low < 0)
            return false;
        out[0] = (char)(high * 16 + low);
        *size = 1;
        *at += 4;
        return true;
    }
    if (text[*at + 1] != 'u' || end - *at < 5 || text[*at + 2] != '{')
        return false;
    uint32_t digit = *at + 3;
    uint32_t code = 0;
    while (digit < end && hexadecimal_digit(text[digit]) >= 0 && code <= 0x10ffff)
        code = code << 4 | (uint32_t)hexadecimal_digit(text[digit++]);
    if (digit == *at + 3 || digit >= end || text[digit] != '}' || code > 0x10ffff ||
        (code >= 0xd800 && code <= 0xdfff))
        return false;
    *size = utf8_encode(code, out);
    *at = digit + 1;
    return true;
}

static bool short_escape(char c, char *out)
{
    static const char from[] = "\\\"ntr";
    static const char to[] = "\\\"\n\t\r";
    const char *found = c != '\0' ? strchr(from, c) : NULL;
    if (!found)
        return false;
    *out = to[found - from];
    return true;
}

static void bad_escape(const struct lexer *lexer, struct token *token, uint32_t at, uint32_t end)
{
    const char *text = lexer->source->text;
    const bool numbered = at + 1 < end && (text[at + 1] == 'x' || text[at + 1] == 'u');
    size_t size = 1;
    if (at + 1 < end)
        (void)utf8_decode(text + at + 1, end - at - 1, &size);
    const uint32_t behind = at + 1 + (at + 1 < end ? (uint32_t)size : 0);
    struct diagnostic *error =
        report(lexer->diagnostics, ERROR_BAD_ESCAPE, lexer_span(lexer, at, behind),
               "`%.*s` is no escape", (int)(behind - at), text + at);

    token->flawed = true;
    if (numbered && text[at + 1] == 'x')
        diagnostic_help(error, "a byte is \\x and two hexadecimal digits: \\x2f");
    else if (numbered)
        diagnostic_help(error, "a character is \\u{…} with its code point: \\u{e9}");
    else
        diagnostic_help(error, "there are \\\\ \\\" \\n \\t \\r \\xNN \\u{N…}; "
                               "a string in single quotes has no escapes: 'C:\\dir'");
}

/* A quote of a word processor in the line, where the string was perhaps to end. */
static bool has_typographic_quote(const char *text, uint32_t length)
{
    for (uint32_t at = 0; at < length;) {
        size_t size;
        const uint32_t c = utf8_decode(text + at, length - at, &size);
        if (c >= 0x2018 && c <= 0x201f)
            return true;
        at += (uint32_t)size;
    }
    return false;
}

static void report_open(const struct lexer *lexer, struct token *token, uint32_t end)
{
    const uint32_t open = lexer->at;
    const char *text = lexer->source->text + open;
    struct diagnostic *error =
        report(lexer->diagnostics, ERROR_OPEN_STRING, lexer_span(lexer, open, open + 1),
               "this string does not end on its line");

    token->flawed = true;
    if (has_typographic_quote(text, end - open))
        diagnostic_help(error, "close it with %c; the quote of a word processor is no end", *text);
    else
        diagnostic_help(
            error, "close it with %c; a line end inside is written \\n in double quotes", *text);
}

/* `"""`, which begins no string here: all of it up to the next one, or to the line's end, is one
 * mistake. */
static bool lex_tripled(struct lexer *lexer, struct token *token)
{
    const struct source *source = lexer->source;
    const char *text = source->text + lexer->at;
    const uint32_t left = source->length - lexer->at;
    uint32_t end = 3;

    if (left < 3 || text[1] != text[0] || text[2] != text[0])
        return false;
    while (end < left && text[end] != '\n' &&
           !(left - end >= 3 && memcmp(text + end, text, 3) == 0))
        end++;
    if (end < left && text[end] != '\n')
        end += 3;
    token->kind = TOKEN_BAD;
    token->span = lexer_span(lexer, lexer->at, lexer->at + end);
    lexer->at += end;
    diagnostic_help(report(lexer->diagnostics, ERROR_OPEN_STRING, token->span,
                           "a string begins and ends with one quote"),
                    "write \"…\", on one line");
    return true;
}

void lex_string(struct lexer *lexer, struct token *token)
{
    if (lex_tripled(lexer, token))
        return;
    const char *text = lexer->source->text;
    const uint32_t open = lexer->at;
    const char quote = text[open];
    bool closed;
    uint32_t end = string_end(lexer, quote, &closed);

    token->kind = TOKEN_STRING;
    token->text = text + open + 1;
    token->length = end - open - 1;
    if (!closed)
        report_open(lexer, token, end);
    lexer->at = closed ? end + 1 : end;
    token->span = lexer_span(lexer, open, lexer->at);
    if (lexer_is_tainted(lexer, token->text, token->length))
        token->flawed = true;
    if (quote == '\'' || !memchr(token->text, '\\', token->length))
        return;

    char *plain = storage_take(lexer->storage, token->length + 1, 1);
    if (!plain)
        return;
    size_t length = 0;
    for (uint32_t at = open + 1; at < end;) {
        size_t size = 0;
        if (text[at] != '\\') {
            plain[length++] = text[at++];
        } else if (at + 1 < end && short_escape(text[at + 1], plain + length)) {
            length++;
            at += 2;
        } else if (at + 1 < end && number_escape(lexer, &at, end, plain + length, &size)) {
            length += size;
        } else {
            if (!token->flawed) /* 'C:\Users\x' in the wrong quotes is one mistake */
                bad_escape(lexer, token, at, end);
            at++;
        }
    }
    token->text = plain;
    token->length = length;
}
