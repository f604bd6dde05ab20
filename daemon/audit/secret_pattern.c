#define _GNU_SOURCE
#include "daemon/audit/secret_pattern.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Parts of names that announce a secret. */
static const char *const announcing[] = {
    "password",   "passwd",      "passphrase",  "pwd",        "secret",        "token",
    "apikey",     "api-key",     "api_key",     "accesskey",  "access-key",    "access_key",
    "privatekey", "private-key", "private_key", "credential", "authorization", "cookie"};

/* What the word after an option is, or the rest of the option's own. */
enum option_value {
    VALUE_PLAIN,
    VALUE_WHOLE,         /* a secret */
    VALUE_AFTER_COLON,   /* USER:PW */
    VALUE_AFTER_PERCENT, /* USER%PW */
};

/* Options that mean the same to many programs, written as here. */
static const struct {
    const char *option;
    enum option_value value;
} options[] = {
    {"-pw", VALUE_WHOLE},
    {"-pass", VALUE_WHOLE},
    {"--pass", VALUE_WHOLE},
    {"-passin", VALUE_WHOLE},
    {"-passout", VALUE_WHOLE},
    {"-u", VALUE_AFTER_COLON},
    {"--user", VALUE_AFTER_COLON},
    {"-U", VALUE_AFTER_COLON},
    {"--auth", VALUE_AFTER_COLON},
    {"--proxy-user", VALUE_AFTER_COLON},
    {"--userpwd", VALUE_AFTER_COLON},
};

/* Options of one letter of programs whose names begin so. To others `-p` is a port. */
struct secret_program {
    const char *name;
    char letter;
    bool separate; /* the secret may be the next word too: of the others it is a prompt */
    enum option_value value;
};

static const struct secret_program programs[] = {
    {"mysql", 'p', false, VALUE_WHOLE},
    {"mariadb", 'p', false, VALUE_WHOLE},
    {"sshpass", 'p', true, VALUE_WHOLE},
    {"7z", 'p', false, VALUE_WHOLE},
    {"rar", 'p', false, VALUE_WHOLE},
    {"unrar", 'p', false, VALUE_WHOLE},
    {"zip", 'P', true, VALUE_WHOLE},
    {"unzip", 'P', true, VALUE_WHOLE},
    {"redis-cli", 'a', true, VALUE_WHOLE},
    {"ldap", 'w', true, VALUE_WHOLE},
    {"smbclient", 'U', true, VALUE_AFTER_PERCENT},
    {"rpcclient", 'U', true, VALUE_AFTER_PERCENT},
};

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

static bool is_space(char character)
{
    return isspace((unsigned char)character);
}

/* Between the commands of a shell's line. */
static bool is_separator(char character)
{
    return character && strchr(";|&()`\n", character);
}

static bool is_quote(char character)
{
    return character == '"' || character == '\'';
}

/* ------------------------------------------------------------------------------- words of options
 */

static bool begins(const char *text, size_t length, const char *with)
{
    return length >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

static const struct secret_program *program_of(const char *word, size_t length)
{
    for (size_t i = length; i > 0; i--) {
        if (word[i - 1] == '/') {
            word += i;
            length -= i;
            break;
        }
    }
    for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
        if (begins(word, length, programs[i].name))
            return &programs[i];
    return NULL;
}

/* The part of a value that is secret. */
static bool cut_value(const char *word, size_t start, size_t end, enum option_value value,
                      struct secret *secret)
{
    const char mark = value == VALUE_AFTER_COLON ? ':' : '%';

    if (value == VALUE_PLAIN)
        return false;
    if (value != VALUE_WHOLE) {
        const char *at = start < end ? memchr(word + start, mark, end - start) : NULL;
        if (!at || (end - start > 3 && memmem(word + start, end - start, "://", 3)))
            return false; /* addresses are found as such */
        start = (size_t)(at - word) + 1;
    }
    *secret = (struct secret){start, end};
    return end > start;
}

/* -pPW, -uUSER:PW, --user=USER:PW; or the option alone, and the next word is awaited. */
static bool option_value(struct word_scan *scan, const char *word, size_t length,
                         struct secret *secret)
{
    const struct secret_program *program = scan->program;

    if (program && word[1] == program->letter) {
        if (length > 2)
            return cut_value(word, 2, length, program->value, secret);
        scan->expected = program->separate ? program->value : VALUE_PLAIN;
        return false;
    }
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        const size_t size = strlen(options[i].option);
        if (!begins(word, length, options[i].option))
            continue;
        if (length == size)
            scan->expected = options[i].value;
        else if (word[size] == '=')
            return cut_value(word, size + 1, length, options[i].value, secret);
        else if (size == 2)
            return cut_value(word, size, length, options[i].value, secret);
        else
            continue;
        return false;
    }
    const char *sign = memchr(word, '=', length);
    const size_t name = sign ? (size_t)(sign - word) : length;
    for (size_t i = 0; i < name; i++)
        if (!is_name(word[i]))
            return false;
    if (!announces(word, name))
        return false;
    if (sign)
        return cut_value(word, name + 1, length, VALUE_WHOLE, secret);
    scan->expected = VALUE_WHOLE;
    return false;
}

bool secret_in_word(struct word_scan *scan, const char *word, size_t length, struct secret *secret)
{
    const enum option_value expected = (enum option_value)scan->expected;
    const bool option = length > 1 && word[0] == '-';

    scan->expected = VALUE_PLAIN;
    if (option)
        return option_value(scan, word, length, secret);
    if (expected != VALUE_PLAIN)
        return cut_value(word, 0, length, expected, secret);
    const struct secret_program *program = program_of(word, length);
    if (program)
        scan->program = program;
    return false;
}

/* ------------------------------------------------------------------------------- inside of a text
 */

/* The quote that is open before `at`, as a shell sees it; 0: none. */
static char open_quote(const char *text, size_t at)
{
    char quote = 0;

    for (size_t i = 0; i < at; i++) {
        if (text[i] == '\\' && quote != '\'')
            i++;
        else if (quote && text[i] == quote)
            quote = 0;
        else if (!quote && is_quote(text[i]))
            quote = text[i];
    }
    return quote;
}

static size_t quote_end(const char *text, size_t length, size_t start, char quote)
{
    while (start < length && text[start] != quote)
        start += text[start] == '\\' && quote != '\'' && start + 1 < length ? 2 : 1;
    return start;
}

/* A word of a shell's, quoted in parts or not at all: a'b'"c"\ d. */
static size_t shell_word_end(const char *text, size_t length, size_t start)
{
    while (start < length && !is_space(text[start]) && !is_separator(text[start])) {
        if (is_quote(text[start]))
            start = quote_end(text, length, start + 1, text[start]);
        else if (text[start] == '\\')
            start++;
        start += start < length;
    }
    return start;
}

/* A value ends at its own quote, at that around it, or at white space. */
static size_t value_end(const char *text, size_t length, size_t start)
{
    const char outer = open_quote(text, start);

    if (!outer)
        return shell_word_end(text, length, start);
    if (start < length && is_quote(text[start]) && text[start] != outer) {
        const size_t end = quote_end(text, length, start + 1, text[start]);
        return end < length ? end + 1 : end;
    }
    while (start < length && !is_space(text[start]) && text[start] != '&' && text[start] != outer)
        start += text[start] == '\\' && start + 1 < length ? 2 : 1;
    return start;
}

/* A header is its whole line, or goes to the end of the quotes around it. */
static size_t header_end(const char *text, size_t length, size_t start)
{
    const char outer = open_quote(text, start);
    const size_t quoted = outer ? quote_end(text, length, start, outer) : length;
    const char *line = memchr(text + start, '\n', length - start);
    const size_t end = line ? (size_t)(line - text) : length;

    return quoted < end ? quoted : end;
}

/* Behind NAME: the start of its value; 0 if none follows. */
static size_t value_start(const char *text, size_t length, size_t name, size_t end)
{
    size_t value = end;

    if (value < length && is_quote(text[value])) /* "NAME": VALUE */
        value++;
    if (value < length && (text[value] == '=' || text[value] == ':'))
        value++;
    else if (text[name] == '-' && end < length && is_space(text[end]))
        value = end;
    else
        return 0;
    while (value < length && is_space(text[value]))
        value++;
    return value < length ? value : 0;
}

/* NAME=VALUE, NAME:VALUE, --NAME VALUE. */
static bool find_named(const char *text, size_t length, size_t from, struct secret *secret)
{
    size_t end;

    for (size_t at = from; at < length; at = end) {
        for (end = at; end < length && is_name(text[end]); end++)
            ;
        if (end == at) {
            end++;
            continue;
        }
        const size_t value =
            announces(text + at, end - at) ? value_start(text, length, at, end) : 0;
        if (!value)
            continue;
        const bool header = text[end] == ':' && (contains(text + at, end - at, "authorization") ||
                                                 contains(text + at, end - at, "cookie"));
        *secret = (struct secret){value, header ? header_end(text, length, value)
                                                : value_end(text, length, value)};
        if (secret->end > secret->start)
            return true;
    }
    return false;
}

/* SCHEME://USER:PASSWORD@HOST. A password with an `@` in it goes to the last. */
static bool find_in_address(const char *text, size_t length, size_t from, struct secret *secret)
{
    for (size_t at = from; at + 3 < length; at++) {
        if (memcmp(text + at, "://", 3) != 0)
            continue;
        size_t colon = 0;
        size_t sign = 0;
        for (size_t i = at + 3; i < length && text[i] != '/' && !is_space(text[i]); i++) {
            if (text[i] == ':' && !colon)
                colon = i;
            if (text[i] == '@' && colon)
                sign = i;
        }
        *secret = (struct secret){colon + 1, sign};
        if (sign > colon + 1)
            return true;
    }
    return false;
}

bool secret_in_host(const char *text, size_t length, struct secret *secret)
{
    size_t sign = length;
    while (sign > 0 && text[sign - 1] != '@')
        sign--;
    if (sign <= 1)
        return false;
    const char *colon = memchr(text, ':', sign - 1);
    *secret = (struct secret){colon ? (size_t)(colon - text) + 1 : 0, sign - 1};
    return secret->start < secret->end;
}

/* Options of a command line inside the text. `nested`: quotes part words as white space does, for
 * command lines inside of command lines. */
static bool find_in_words(const char *text, size_t length, size_t from, bool nested,
                          struct secret *secret)
{
    struct word_scan scan = {.program = NULL};
    size_t end;

    for (size_t at = 0; at < length; at = end) {
        end = at + 1;
        if (is_separator(text[at]))
            scan = (struct word_scan){.program = NULL};
        if (is_space(text[at]) || is_separator(text[at]) || (nested && is_quote(text[at])))
            continue;
        if (nested)
            for (end = at; end < length && !is_space(text[end]) && !is_quote(text[end]) &&
                           !is_separator(text[end]);)
                end++;
        else
            end = shell_word_end(text, length, at);
        size_t last = end > at ? end : ++end;
        if (!nested && last - at >= 2 && is_quote(text[at]) && text[last - 1] == text[at]) {
            at++;
            last--;
        }
        struct secret found;
        if (!secret_in_word(&scan, text + at, last - at, &found))
            continue;
        *secret = (struct secret){found.start + at, found.end + at};
        if (secret->start < from)
            secret->start = from;
        if (secret->start < secret->end)
            return true;
    }
    return false;
}

bool secret_join(struct secret *secret, bool any, const struct secret *other)
{
    if (!other)
        return any;
    if (!any || other->end < secret->start) {
        *secret = *other;
    } else if (other->start <= secret->end) {
        secret->start = other->start < secret->start ? other->start : secret->start;
        secret->end = other->end > secret->end ? other->end : secret->end;
    }
    return true;
}

bool secret_find(const char *text, size_t length, size_t from, struct secret *secret)
{
    struct secret candidates[4];
    const bool found[] = {
        find_named(text, length, from, &candidates[0]),
        find_in_address(text, length, from, &candidates[1]),
        find_in_words(text, length, from, false, &candidates[2]),
        find_in_words(text, length, from, true, &candidates[3]),
    };
    bool any = false;

    for (size_t i = 0; i < sizeof(found) / sizeof(*found); i++)
        any = secret_join(secret, any, found[i] ? &candidates[i] : NULL);
    return any;
}
