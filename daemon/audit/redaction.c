#include "daemon/audit/redaction.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Parts of names that announce a secret. */
static const char *const announcing[] = {
    "password",   "passwd",      "passphrase",  "pwd",        "secret",       "token",
    "apikey",     "api-key",     "api_key",     "accesskey",  "access-key",   "access_key",
    "privatekey", "private-key", "private_key", "credential", "authorization"};

static bool contains(const char *name, size_t length, const char *part)
{
    const size_t size = strlen(part);
    for (size_t at = 0; at + size <= length; at++)
        if (strncasecmp(name + at, part, size) == 0)
            return true;
    return false;
}

static bool announces(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof(announcing) / sizeof(*announcing); i++)
        if (contains(name, length, announcing[i]))
            return true;
    return false;
}

static bool is_name(char character)
{
    return isalnum((unsigned char)character) || character == '-' || character == '_' ||
           character == '.';
}

/* Where a secret begins and ends in a text, from `from` on. */
struct secret {
    size_t start;
    size_t end;
};

/* A value ends at its quote, or at white space. */
static size_t value_end(const char *text, size_t length, size_t start)
{
    if (start < length && (text[start] == '"' || text[start] == '\'')) {
        const char *quote = memchr(text + start + 1, text[start], length - start - 1);
        return quote ? (size_t)(quote - text) + 1 : length;
    }
    while (start < length && !isspace((unsigned char)text[start]) && text[start] != '&' &&
           text[start] != '"' && text[start] != '\'')
        start++;
    return start;
}

/* A header is its whole line: `Authorization: Bearer KEY`. */
static size_t line_end(const char *text, size_t length, size_t start)
{
    while (start < length && text[start] != '\n' && text[start] != '"' && text[start] != '\'')
        start++;
    return start;
}

/* NAME=VALUE, NAME:VALUE, --NAME VALUE inside one text. */
static bool find_named(const char *text, size_t length, size_t from, struct secret *secret)
{
    for (size_t at = from; at < length;) {
        size_t end = at;
        while (end < length && is_name(text[end]))
            end++;
        if (end == at) {
            at++;
            continue;
        }
        if (end < length && announces(text + at, end - at)) {
            size_t value = end;
            const bool option = text[at] == '-';
            if (text[value] == '=' || text[value] == ':')
                value++;
            else if (!(option && text[value] == ' '))
                value = length;
            while (value < length && text[value] == ' ')
                value++;
            if (value < length) {
                const bool header =
                    text[end] == ':' && contains(text + at, end - at, "authorization");
                *secret = (struct secret){value, header ? line_end(text, length, value)
                                                        : value_end(text, length, value)};
                return secret->end > secret->start;
            }
        }
        at = end;
    }
    return false;
}

/* SCHEME://USER:PASSWORD@HOST */
static bool find_in_address(const char *text, size_t length, size_t from, struct secret *secret)
{
    for (size_t at = from; at + 3 < length; at++) {
        if (memcmp(text + at, "://", 3) != 0)
            continue;
        size_t colon = 0;
        for (size_t i = at + 3; i < length && text[i] != '/' && !isspace((unsigned char)text[i]);
             i++) {
            if (text[i] == ':' && !colon)
                colon = i;
            if (text[i] == '@' && colon) {
                *secret = (struct secret){colon + 1, i};
                return secret->end > secret->start;
            }
        }
    }
    return false;
}

static bool find_secret(const char *text, size_t length, size_t from, struct secret *secret)
{
    struct secret named;
    struct secret in_address;
    const bool has_named = find_named(text, length, from, &named);
    const bool has_address = find_in_address(text, length, from, &in_address);

    if (has_named && (!has_address || named.start <= in_address.start))
        *secret = named;
    else
        *secret = in_address;
    return has_named || has_address;
}

/* The text with every secret replaced; NULL if there is none. `whole`: the text itself is one. */
static char *mask(const char *text, size_t length, bool whole, size_t *masked_length)
{
    enum { SECRETS_MAX = 64 }; /* a text with more is hostile, and is hidden from there on */
    struct secret secret = {0, length};
    int secrets = 0;
    bool found = whole || find_secret(text, length, 0, &secret);
    char *out = NULL;
    size_t used = 0;
    size_t from = 0;

    if (!found)
        return NULL;
    /* A secret of one byte grows to a note of at most 24. */
    out = malloc(length * 24 + 32);
    if (!out)
        return NULL;
    while (found) {
        memcpy(out + used, text + from, secret.start - from);
        used += secret.start - from;
        used += (size_t)sprintf(out + used, "<%zu bytes>", secret.end - secret.start);
        from = secret.end;
        if (++secrets == SECRETS_MAX)
            secret = (struct secret){from, length};
        found = !whole && from < length && secrets <= SECRETS_MAX &&
                (secrets == SECRETS_MAX || find_secret(text, length, from, &secret));
    }
    memcpy(out + used, text + from, length - from);
    *masked_length = used + length - from;
    return out;
}

void redaction_init(struct redaction *redaction)
{
    *redaction = (struct redaction){.items = NULL};
}

static bool keep(struct redaction *redaction, char *text)
{
    char **grown = realloc(redaction->texts, (redaction->count + 1) * sizeof(*grown));
    if (!grown) {
        free(text);
        return false;
    }
    redaction->texts = grown;
    redaction->texts[redaction->count++] = text;
    return true;
}

/* Masks one text in place of the value. False if there was nothing to do. */
static bool mask_value(struct redaction *redaction, struct value *value, bool whole)
{
    size_t length;

    if ((value->kind != VALUE_TEXT && value->kind != VALUE_BYTES) || value->count == 0)
        return false;
    char *text = mask(value->bytes, value->count, whole, &length);
    if (!text || !keep(redaction, text)) {
        /* No memory for the mask is no reason to write the secret. */
        if (text || whole)
            *value = (struct value){.kind = VALUE_TEXT, .bytes = ""};
        return text != NULL || whole;
    }
    value->bytes = text;
    value->count = (uint32_t)length;
    return true;
}

bool redaction_mask_command(struct redaction *redaction, const struct value *value,
                            struct value *masked)
{
    bool any = false;

    *masked = *value;
    if (value->kind == VALUE_TEXT || value->kind == VALUE_BYTES)
        return mask_value(redaction, masked, false);
    if (value->kind != VALUE_LIST || value->count == 0)
        return false;
    redaction->items = malloc(value->count * sizeof(*redaction->items));
    if (!redaction->items)
        return false;
    memcpy(redaction->items, value->items, value->count * sizeof(*redaction->items));
    bool announced = false; /* the element before was `--password` */
    for (uint32_t i = 0; i < value->count; i++) {
        struct value *item = &redaction->items[i];
        const bool text = item->kind == VALUE_TEXT || item->kind == VALUE_BYTES;
        const bool option = text && item->count > 1 && item->bytes[0] == '-';
        const bool next = option && !memchr(item->bytes, '=', item->count) &&
                          !memchr(item->bytes, ' ', item->count) &&
                          announces(item->bytes, item->count);
        any |= mask_value(redaction, item, announced && !option);
        announced = next;
    }
    masked->items = redaction->items;
    return any;
}

void redaction_deinit(struct redaction *redaction)
{
    for (uint32_t i = 0; i < redaction->count; i++)
        free(redaction->texts[i]);
    free(redaction->texts);
    free(redaction->items);
    redaction_init(redaction);
}
