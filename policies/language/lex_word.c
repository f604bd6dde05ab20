#include "policies/language/lexer_internal.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bytes at the front that are digits. */
static size_t digits(const char *text, size_t length)
{
    size_t count = 0;
    while (count < length && is_digit(text[count]))
        count++;
    return count;
}

/* Bytes at the front that are among `set`. */
static size_t strspn_of(const char *text, size_t length, const char *set)
{
    size_t count = 0;
    while (count < length && text[count] != '\0' && strchr(set, text[count]))
        count++;
    return count;
}

bool is_name(const char *text, size_t length)
{
    bool may_end = false;
    if (length == 0 || !is_letter(text[0]))
        return false;
    for (size_t i = 0; i < length; i++) {
        const bool hyphen = text[i] == '-';
        if (!hyphen && !is_letter(text[i]) && !is_digit(text[i]) && text[i] != '_')
            return false;
        if (hyphen && !may_end)
            return false;
        may_end = !hyphen;
    }
    return may_end;
}

/* NAME(.NAME)+ */
static bool is_qualified_name(const char *text, size_t length)
{
    const char *dot = memchr(text, '.', length);
    if (!dot)
        return false;
    while (dot) {
        const size_t part = (size_t)(dot - text);
        if (!is_name(text, part))
            return false;
        text += part + 1;
        length -= part + 1;
        dot = memchr(text, '.', length);
    }
    return is_name(text, length);
}

/* TIER/POLICY.RULE */
static bool is_rule_reference(const char *text, size_t length)
{
    static const char *const tiers[] = {"mandatory/", "local/", "vendor/"};
    for (size_t i = 0; i < sizeof(tiers) / sizeof(*tiers); i++) {
        const size_t tier = strlen(tiers[i]);
        if (length <= tier || memcmp(text, tiers[i], tier) != 0)
            continue;
        const char *dot = memchr(text + tier, '.', length - tier);
        if (!dot)
            return false;
        const size_t policy = (size_t)(dot - text) - tier;
        return is_name(text + tier, policy) && is_name(dot + 1, length - tier - policy - 1);
    }
    return false;
}

/* `vendor/untrusted`: the beginning of a reference, which is no path that anyone writes. */
static bool names_tier(const char *text, size_t length)
{
    static const char *const tiers[] = {"mandatory/", "local/", "vendor/"};
    for (size_t i = 0; i < sizeof(tiers) / sizeof(*tiers); i++)
        if (length > strlen(tiers[i]) && memcmp(text, tiers[i], strlen(tiers[i])) == 0)
            return memchr(text + strlen(tiers[i]), '/', length - strlen(tiers[i])) == NULL;
    return false;
}

/* `session.home`, or what was to be a place. */
static bool names_place(const char *text, size_t length)
{
    static const char session[] = "session.";
    return length > strlen(session) && memcmp(text, session, strlen(session)) == 0 &&
           is_qualified_name(text, length);
}

static struct diagnostic *unreadable(const struct lexer *lexer, struct token *token,
                                     enum diagnostic_code code, const char *why, const char *help)
{
    struct diagnostic *error =
        report(lexer->diagnostics, code, token->span, "cannot read `%.*s` as a value%s%s",
               (int)token->length, token->text, why ? ": " : "", why ? why : "");
    if (help)
        diagnostic_help(error, "%s", help);
    token->kind = TOKEN_BAD;
    return error;
}

static bool is_leap_year(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* \d{4}-\d{2}-\d{2} */
static bool lex_date(const struct lexer *lexer, struct token *token)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const char *t = token->text;

    if (token->length != 10 || digits(t, 4) != 4 || t[4] != '-' || digits(t + 5, 2) != 2 ||
        t[7] != '-' || digits(t + 8, 2) != 2)
        return false;
    int64_t year = 0;
    for (int i = 0; i < 4; i++)
        year = year * 10 + (t[i] - '0');
    const int month = (t[5] - '0') * 10 + (t[6] - '0');
    const int day = (t[8] - '0') * 10 + (t[9] - '0');
    token->kind = TOKEN_DATE;
    token->low = (year * 100 + month) * 100 + day;
    if (month < 1 || month > 12 || day < 1 ||
        day > days[month - 1] + (month == 2 && is_leap_year(year) ? 1 : 0)) {
        struct diagnostic *error = report(lexer->diagnostics, ERROR_BAD_DATE, token->span,
                                          "there is no day %.*s", (int)token->length, t);
        diagnostic_help(error, "a date is year, month and day: 2027-01-31");
        token->kind = TOKEN_BAD;
    }
    return true;
}

/* Digits without a leading zero, up to 64 bits signed. */
static bool parse_decimal(const char *text, size_t length, int64_t *number)
{
    uint64_t value = 0;
    if (length == 0 || digits(text, length) != length || (length > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < length; i++) {
        const uint64_t digit = (uint64_t)(text[i] - '0');
        if (value > (INT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *number = (int64_t)value;
    return true;
}

static void host_bits(const struct lexer *lexer, struct token *token, struct address network)
{
    char written[ADDRESS_TEXT_MAX];
    char one[ADDRESS_TEXT_MAX];
    address_format(&network, written);
    address_format(&token->address, one);
    struct diagnostic *error =
        report(lexer->diagnostics, ERROR_HOST_BITS, token->span,
               "%.*s has bits set after its prefix", (int)token->length, token->text);
    diagnostic_help(error, "the network is %s/%u; for the one address write %s", written,
                    token->prefix, one);
    token->kind = TOKEN_BAD;
}

/* The word has a `/` behind `front` bytes, which are an address. */
static void lex_cidr(const struct lexer *lexer, struct token *token, size_t front)
{
    const char *prefix_text = token->text + front + 1;
    const size_t prefix_length = token->length - front - 1;
    const bool ipv4 = token->address.width == ADDRESS_IPV4_BYTES;
    int64_t prefix;

    if (!parse_decimal(prefix_text, prefix_length, &prefix) ||
        prefix > address_bits(&token->address)) {
        (void)unreadable(lexer, token, ERROR_BAD_ADDRESS,
                         ipv4 ? "behind `/` stands the length of the prefix, 0 to 32"
                              : "behind `/` stands the length of the prefix, 0 to 128",
                         ipv4 ? "write 10.20.0.0/16, or the address alone"
                              : "write 2001:db8::/32, or the address alone");
        return;
    }
    token->kind = TOKEN_CIDR;
    token->prefix = (unsigned)prefix;
    struct address network = token->address;
    if (address_mask(&network, token->prefix))
        host_bits(lexer, token, network);
}

/* True if somebody who wrote this meant an address: nothing but digits and dots with three dots
 * or more, or hexadecimal digits with two colons or more. */
static bool looks_like_address(const char *text, size_t length)
{
    size_t dots = 0;
    size_t colons = 0;
    bool decimal = true;

    for (size_t i = 0; i < length; i++) {
        const char c = text[i];
        const bool hexadecimal = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (c == '.')
            dots++;
        else if (c == ':')
            colons++;
        else if (hexadecimal)
            decimal = false;
        else if (!is_digit(c))
            return false;
    }
    return colons >= 2 || (colons == 0 && decimal && dots >= 3);
}

/* What is an address but for leading zeros is written without them; of anything else it is said how
 * one looks. */
static void help_with_ipv4(struct diagnostic *error, const char *text, size_t length)
{
    char shorter[ADDRESS_TEXT_MAX];
    size_t count = 0;
    struct address address;

    for (size_t i = 0; i < length && count < sizeof(shorter); i++) {
        const bool begins = i == 0 || !is_digit(text[i - 1]);
        const bool before_digit = i + 1 < length && is_digit(text[i + 1]);
        if (begins && text[i] == '0' && before_digit) {
            while (i + 1 < length && text[i] == '0' && is_digit(text[i + 1]))
                i++;
        }
        shorter[count++] = text[i];
    }
    if (count < sizeof(shorter) && address_parse(shorter, count, &address))
        diagnostic_help(error, "write %.*s", (int)count, shorter);
    else
        diagnostic_help(error,
                        "an address looks like 10.20.0.1, a block of them like 10.20.0.0/16");
}

static bool lex_address(const struct lexer *lexer, struct token *token)
{
    const char *slash = memchr(token->text, '/', token->length);
    const size_t front = slash ? (size_t)(slash - token->text) : token->length;

    if (address_parse(token->text, front, &token->address)) {
        token->prefix = address_bits(&token->address);
        if (slash)
            lex_cidr(lexer, token, front);
        else
            token->kind = TOKEN_ADDRESS;
        return true;
    }
    if (!looks_like_address(token->text, front))
        return false;
    if (memchr(token->text, ':', front))
        (void)unreadable(lexer, token, ERROR_BAD_ADDRESS,
                         "an IPv6 address has eight groups, or fewer and one `::`",
                         "an address looks like 2001:db8::1");
    else
        help_with_ipv4(unreadable(lexer, token, ERROR_BAD_ADDRESS,
                                  "an IPv4 address has four parts of 0 to 255, without leading "
                                  "zeros",
                                  NULL),
                       token->text, token->length);
    return true;
}

static bool lex_range(const struct lexer *lexer, struct token *token)
{
    const size_t low = digits(token->text, token->length);
    if (low == 0 || low + 1 >= token->length || token->text[low] != '-' ||
        digits(token->text + low + 1, token->length - low - 1) != token->length - low - 1)
        return false;
    if (!parse_decimal(token->text, low, &token->low) ||
        !parse_decimal(token->text + low + 1, token->length - low - 1, &token->high)) {
        (void)unreadable(lexer, token, ERROR_BAD_INTEGER,
                         "a range is two integers without leading zeros",
                         "a range looks like 8000-8100");
        return true;
    }
    token->kind = TOKEN_RANGE;
    if (token->low > token->high) {
        struct diagnostic *error =
            report(lexer->diagnostics, ERROR_BACKWARD_RANGE, token->span,
                   "the range %.*s ends before it starts", (int)token->length, token->text);
        diagnostic_help(error, "write %.*s-%.*s", (int)(token->length - low - 1),
                        token->text + low + 1, (int)low, token->text);
        token->kind = TOKEN_BAD;
    }
    return true;
}

static int digit_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

/* An integer's digits behind its sign and prefix. */
static void integer_value(const struct lexer *lexer, struct token *token, bool negative,
                          unsigned base, size_t at)
{
    const uint64_t most = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t value = 0;

    for (; at < token->length; at++) {
        const unsigned digit = (unsigned)digit_value(token->text[at]);
        if (value > (most - digit) / base) {
            (void)unreadable(lexer, token, ERROR_BAD_INTEGER,
                             "integers are from -9223372036854775808 to 9223372036854775807",
                             "no attribute is beyond that: see to the number of its digits");
            return;
        }
        value = value * base + digit;
    }
    token->kind = TOKEN_INTEGER;
    if (!negative)
        token->low = (int64_t)value;
    else
        token->low = value == most ? INT64_MIN : -(int64_t)value;
    token->high = token->low;
}

static bool lex_integer(const struct lexer *lexer, struct token *token)
{
    const char *text = token->text;
    const bool negative = text[0] == '-';
    size_t at = negative ? 1 : 0;
    unsigned base = 10;

    if (at + 2 < token->length && text[at] == '0' && (text[at + 1] == 'x' || text[at + 1] == 'o')) {
        base = text[at + 1] == 'x' ? 16 : 8;
        at += 2;
    }
    if (at >= token->length)
        return false;
    for (size_t i = at; i < token->length; i++)
        if ((unsigned)digit_value(text[i]) >= base)
            return false;
    if (base == 10 && token->length - at > 1 && text[at] == '0') {
        (void)unreadable(lexer, token, ERROR_BAD_INTEGER, "a number has no leading zero",
                         "remove it; an octal number is written 0o755");
        return true;
    }
    integer_value(lexer, token, negative, base, at);
    return true;
}

static bool lex_duration(struct token *token)
{
    static const char *const units[] = {"ms", "s", "m", "h", "d"};
    const size_t count = digits(token->text, token->length);

    if (count == 0)
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (token->length - count == strlen(units[i]) &&
            memcmp(token->text + count, units[i], token->length - count) == 0) {
            token->kind = TOKEN_DURATION;
            return true;
        }
    }
    return false;
}

/* `10.0.0.0-10.0.0.9`: false if it is none; else the smallest network that holds both. */
static bool reads_as_address_range(const char *text, size_t length, char *network, size_t size)
{
    const char *dash = length > 0 ? memchr(text, '-', length) : NULL;
    const size_t front = dash ? (size_t)(dash - text) : 0;
    char first[ADDRESS_TEXT_MAX];
    struct address low;
    struct address high;

    if (!dash || !address_parse(text, front, &low) ||
        !address_parse(dash + 1, length - front - 1, &high) || low.width != high.width)
        return false;
    unsigned prefix = address_bits(&low);
    while (!address_is_in(&high, &low, prefix))
        prefix--;
    address_mask(&low, prefix);
    address_format(&low, first);
    (void)snprintf(network, size, "%s/%u", first, prefix);
    return true;
}

/* `3.12.1`: a version, or a part of an address. */
static bool is_numbers_and_dots(const char *text, size_t length)
{
    size_t dots = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '.' && !is_digit(text[i]))
            return false;
        dots += text[i] == '.';
    }
    return dots == 2;
}

static void unknown_word(const struct lexer *lexer, struct token *token)
{
    char network[ADDRESS_TEXT_MAX + 8];
    const char *text = token->text;
    const size_t length = token->length;
    const char *colon = memchr(text, ':', length);

    if (names_tier(text, length)) {
        diagnostic_help(report(lexer->diagnostics, ERROR_BARE_WORD, token->span,
                               "`%.*s` names no rule", (int)length, text),
                        "a rule is TIER/POLICY.RULE, a default TIER/POLICY.default-CLASS");
        token->kind = TOKEN_BAD;
        return;
    }
    const char *slash = memchr(text, '/', length);
    if (slash) {
        const size_t front = (size_t)(slash - text);
        struct diagnostic *error = report(lexer->diagnostics, ERROR_BARE_WORD, token->span,
                                          "a text or path stands in quotes");
        if (names_place(text, front))
            diagnostic_help(error, "write %.*s \"%.*s\"", (int)front, text, (int)(length - front),
                            slash);
        else if (front == 0)
            diagnostic_help(error, "write \"%.*s\"", (int)length, text);
        else
            diagnostic_help(error,
                            "as a text it is \"%.*s\"; as a path below the directory where the "
                            "session started, session.start \"/%.*s\"",
                            (int)length, text, (int)length, text);
        token->kind = TOKEN_BAD;
        return;
    }
    const size_t low = digits(text, length);
    const size_t between = low < length ? strspn_of(text + low, length - low, ".:") : 0;
    if (low > 0 && between > 0 && low + between < length &&
        digits(text + low + between, length - low - between) == length - low - between &&
        (between > 1 || text[low] == ':')) {
        diagnostic_help(unreadable(lexer, token, ERROR_UNREADABLE_WORD, NULL, NULL),
                        "a range is written %.*s-%.*s", (int)low, text,
                        (int)(length - low - between), text + low + between);
        return;
    }
    if (low > 0 && low + 1 == length && text[low] == '-') {
        diagnostic_help(
            unreadable(lexer, token, ERROR_UNREADABLE_WORD, "a range has two ends", NULL),
            "write the second, as in %.*s-65535, or `>= %.*s`", (int)low, text, (int)low, text);
        return;
    }
    if (reads_as_address_range(text, length, network, sizeof(network))) {
        diagnostic_help(unreadable(lexer, token, ERROR_UNREADABLE_WORD,
                                   "addresses have no ranges, they are written as networks", NULL),
                        "the smallest that holds both is %s; several stand in a list: address in "
                        "[10.0.0.0/29, 10.0.0.8/31]",
                        network);
        return;
    }
    struct address address;
    if (colon && address_parse(text, (size_t)(colon - text), &address)) {
        (void)unreadable(lexer, token, ERROR_UNREADABLE_WORD,
                         "an address and a port are two attributes",
                         "write address is … and port is …");
        return;
    }
    if (is_numbers_and_dots(text, length)) {
        diagnostic_help(unreadable(lexer, token, ERROR_UNREADABLE_WORD, NULL, NULL),
                        "a version is \"%.*s\", in quotes; an address has four parts, a block of "
                        "them is 10.20.0.0/16",
                        (int)length, text);
        return;
    }
    diagnostic_help(unreadable(lexer, token, ERROR_UNREADABLE_WORD, NULL, NULL),
                    "a text or a version stands in quotes: \"%.*s\"", (int)length, text);
}

void lex_word(const struct lexer *lexer, struct token *token)
{
    if (lex_date(lexer, token) || lex_address(lexer, token) || lex_range(lexer, token) ||
        lex_integer(lexer, token) || lex_duration(token))
        return;
    if (is_rule_reference(token->text, token->length))
        token->kind = TOKEN_RULE_REFERENCE;
    else if (is_qualified_name(token->text, token->length))
        token->kind = TOKEN_QUALIFIED;
    else if (is_name(token->text, token->length))
        token->kind = TOKEN_NAME;
    else
        unknown_word(lexer, token);
}
