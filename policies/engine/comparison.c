#include "policies/engine/comparison.h"

#include <string.h>

#include "policies/engine/glob.h"
#include "policies/engine/path_text.h"

struct text {
    const char *bytes;
    size_t length;
};

static bool is_text(const struct value *value)
{
    return value->kind == VALUE_TEXT || value->kind == VALUE_BYTES;
}

static struct text text_of(const struct value *value)
{
    return (struct text){value->count > 0 ? value->bytes : "", value->count};
}

static struct text literal_text(const struct question *question, const struct block_value *literal)
{
    return (struct text){block_text(question->block, literal->text), literal->length};
}

static bool same_bytes(struct text a, struct text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

static unsigned char lower(char c)
{
    const unsigned char byte = (unsigned char)c;
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
}

/* Registry paths: the case of letters and the kind of separator do not count. */
static unsigned char registry_folded(char c)
{
    return c == '/' ? '\\' : lower(c);
}

static bool registry_starts(struct text path, struct text front)
{
    if (path.length < front.length)
        return false;
    for (size_t i = 0; i < front.length; i++)
        if (registry_folded(path.bytes[i]) != registry_folded(front.bytes[i]))
            return false;
    return true;
}

bool path_behind_place(const char *path, size_t length, const char *place, const char **rest,
                       size_t *rest_length)
{
    const size_t front = strcmp(place, "/") == 0 ? 0 : strlen(place);

    if (length < front || memcmp(path, place, front) != 0 || (length > front && path[front] != '/'))
        return false;
    if (length == 0)
        return false; /* no path at all, wherever the place is */
    *rest = path + front;
    *rest_length = length - front;
    if (*rest_length == 1)
        *rest_length = 0; /* "/" itself, when that is the place */
    return true;
}

/* True if `holds` says so of what is behind one of the paths of the literal's place. */
static bool
in_place(const struct question *question, struct text path, const struct block_value *literal,
         bool (*holds)(const struct question *, const struct block_value *, struct text rest))
{
    if (literal->place >= PLACE_COUNT)
        return false;
    const struct place_paths *paths = &question->subject->places[literal->place];
    for (size_t i = 0; i < paths->count; i++) {
        struct text rest;
        if (path_behind_place(path.bytes, path.length, paths->paths[i], &rest.bytes,
                              &rest.length) &&
            holds(question, literal, rest))
            return true;
    }
    return false;
}

static bool rest_equals(const struct question *question, const struct block_value *literal,
                        struct text rest)
{
    return same_bytes(rest, literal_text(question, literal));
}

static bool rest_is_under(const struct question *question, const struct block_value *literal,
                          struct text rest)
{
    const struct text below = literal_text(question, literal);
    return below.length == 0 || path_is_under(rest.bytes, rest.length, below.bytes, below.length);
}

static bool glob_holds(const struct question *question, const struct block_value *literal,
                       enum glob_kind kind, struct text text)
{
    const struct text front = literal_text(question, literal);
    const uint32_t *words =
        (const uint32_t *)block_section(question->block, SECTION_GLOB_WORDS) + literal->glob.first;

    if (kind == GLOB_REGISTRY) {
        if (!registry_starts(text, front))
            return false;
    } else if (text.length < front.length ||
               (front.length > 0 && memcmp(text.bytes, front.bytes, front.length) != 0)) {
        return false;
    }
    return glob_match(kind, words, literal->glob.count, text.bytes + front.length,
                      text.length - front.length, question->budget);
}

static bool rest_matches(const struct question *question, const struct block_value *literal,
                         struct text rest)
{
    return glob_holds(question, literal, GLOB_PATH, rest);
}

/* Host names are compared without case and without the final dot. One that is not ASCII stands for
 * an A-label that is not computed here. */
static enum truth host_equals(struct text host, struct text name, bool below)
{
    if (host.length > 0 && host.bytes[host.length - 1] == '.')
        host.length--;
    for (size_t i = 0; i < host.length; i++)
        if ((unsigned char)host.bytes[i] >= 0x80)
            return TRUTH_UNKNOWN;
    if (below) { /* one or more labels, each with a letter at least, before the dot */
        if (host.length < name.length + 2 || host.bytes[0] == '.' ||
            host.bytes[host.length - name.length - 1] != '.')
            return TRUTH_FALSE;
        host.bytes += host.length - name.length;
        host.length = name.length;
    }
    if (host.length != name.length)
        return TRUTH_FALSE;
    for (size_t i = 0; i < host.length; i++)
        if (lower(host.bytes[i]) != (unsigned char)name.bytes[i])
            return TRUTH_FALSE;
    return TRUTH_TRUE;
}

static bool address_equals(const struct value *value, const struct block_value *literal)
{
    const struct address network = block_value_address(literal);
    struct address address;

    return value->kind == VALUE_BYTES && address_from_bytes(value->bytes, value->count, &address) &&
           address_is_in(&address, &network, literal->prefix);
}

static enum order order_of(int64_t a, int64_t b)
{
    if (a == b)
        return ORDER_EQUAL;
    return a < b ? ORDER_LESS : ORDER_GREATER;
}

static enum order order_of_float(double real, int64_t integer)
{
    const double limit = 9223372036854775808.0; /* 2^63, which no int64_t reaches */

    if (real >= limit)
        return ORDER_GREATER;
    if (real < -limit)
        return ORDER_LESS;
    if (!(real >= -limit))
        return ORDER_NONE; /* not a number */
    const int64_t whole = (int64_t)real;
    if (whole != integer)
        return order_of(whole, integer);
    const double rest = real - (double)whole;
    if (rest == 0)
        return ORDER_EQUAL;
    return rest < 0 ? ORDER_LESS : ORDER_GREATER;
}

/* Python counts True as 1, and passes flags as either: so do we. */
static enum order number_order(const struct value *value, int64_t integer)
{
    switch (value->kind) {
    case VALUE_BOOL:
        return order_of(value->truth ? 1 : 0, integer);
    case VALUE_INT:
        return order_of(value->integer, integer);
    case VALUE_FLOAT:
        return order_of_float(value->real, integer);
    case VALUE_BIG_INT: /* beyond 64 bits either way: the sign says which */
        if (value->count == 0)
            return ORDER_NONE;
        return (unsigned char)value->bytes[value->count - 1] & 0x80 ? ORDER_LESS : ORDER_GREATER;
    default:
        return ORDER_NONE;
    }
}

/* Reads digits at the front and steps over them and what follows up to the next dot. */
static int64_t version_part(struct text *version)
{
    int64_t number = 0;
    while (version->length > 0 && *version->bytes >= '0' && *version->bytes <= '9') {
        if (number < INT32_MAX)
            number = number * 10 + (*version->bytes - '0');
        version->bytes++;
        version->length--;
    }
    while (version->length > 0) {
        const char c = *version->bytes;
        version->bytes++;
        version->length--;
        if (c == '.')
            break;
    }
    return number;
}

/* By as many parts as the policy writes: 3.9.18 is equal to 3.9, and not greater. */
static enum order version_order(struct text version, struct text literal)
{
    while (literal.length > 0) {
        const int64_t part = version_part(&version);
        const enum order order = order_of(part, version_part(&literal));
        if (order != ORDER_EQUAL)
            return order;
    }
    return ORDER_EQUAL;
}

static enum truth as_truth(bool holds)
{
    return holds ? TRUTH_TRUE : TRUTH_FALSE;
}

uint64_t comparison_steps(const struct question *question, const struct value *value,
                          const struct block_value *literal)
{
    if (!is_text(value) || !block_value_has_text(literal))
        return 1;
    const size_t shorter = value->count < literal->length ? value->count : literal->length;
    switch ((enum block_value_kind)literal->kind) {
    case BLOCK_VALUE_HOST:
    case BLOCK_VALUE_HOST_BELOW:
    case BLOCK_VALUE_VERSION:
        return budget_of_bytes(value->count); /* read to the end, whatever the literal is */
    case BLOCK_VALUE_PLACE:
    case BLOCK_VALUE_PLACE_GLOB: {
        if (literal->place >= PLACE_COUNT)
            return 1;
        const size_t place = value->count < PATH_TEXT_MAX ? value->count : PATH_TEXT_MAX;
        return 1 +
               question->subject->places[literal->place].count * budget_of_bytes(place + shorter);
    }
    default:
        return budget_of_bytes(shorter);
    }
}

enum truth value_equals(const struct question *question, enum attribute_type type,
                        const struct value *value, const struct block_value *literal)
{
    struct text named = {"", 0};

    if (block_value_has_text(literal))
        named = literal_text(question, literal);
    switch ((enum block_value_kind)literal->kind) {
    case BLOCK_VALUE_TEXT:
        if (!is_text(value))
            return TRUTH_FALSE;
        if (type == TYPE_REGISTRY)
            return as_truth(value->count == named.length && registry_starts(text_of(value), named));
        return as_truth(same_bytes(text_of(value), named));
    case BLOCK_VALUE_RANGE: {
        const enum order low = number_order(value, literal->low);
        const enum order high = number_order(value, literal->high);
        return as_truth((low == ORDER_EQUAL || low == ORDER_GREATER) &&
                        (high == ORDER_EQUAL || high == ORDER_LESS));
    }
    case BLOCK_VALUE_BOOL:
        return as_truth((value->kind == VALUE_BOOL || value->kind == VALUE_INT) &&
                        number_order(value, literal->low) == ORDER_EQUAL);
    case BLOCK_VALUE_ADDRESS:
        return as_truth(address_equals(value, literal));
    case BLOCK_VALUE_VERSION:
        return as_truth(is_text(value) && version_order(text_of(value), named) == ORDER_EQUAL);
    case BLOCK_VALUE_HOST:
    case BLOCK_VALUE_HOST_BELOW:
        if (!is_text(value))
            return TRUTH_FALSE;
        return host_equals(text_of(value), named, literal->kind == BLOCK_VALUE_HOST_BELOW);
    case BLOCK_VALUE_PLACE:
        return as_truth(is_text(value) && in_place(question, text_of(value), literal, rest_equals));
    case BLOCK_VALUE_GLOB:
    case BLOCK_VALUE_PLACE_GLOB:
        break;
    }
    return TRUTH_FALSE;
}

bool value_is_under(const struct question *question, enum attribute_type type,
                    const struct value *value, const struct block_value *literal)
{
    if (!is_text(value))
        return false;
    const struct text path = text_of(value);
    if (literal->kind == BLOCK_VALUE_PLACE)
        return in_place(question, path, literal, rest_is_under);
    if (literal->kind != BLOCK_VALUE_TEXT)
        return false;

    const struct text above = literal_text(question, literal);
    switch (type) {
    case TYPE_REGISTRY:
        return registry_starts(path, above) &&
               (path.length == above.length || registry_folded(path.bytes[above.length]) == '\\');
    case TYPE_MODULE:
        return path.length >= above.length && memcmp(path.bytes, above.bytes, above.length) == 0 &&
               (path.length == above.length || path.bytes[above.length] == '.');
    default:
        return path_is_under(path.bytes, path.length, above.bytes, above.length);
    }
}

bool value_matches(const struct question *question, enum attribute_type type,
                   const struct value *value, const struct block_value *literal)
{
    if (!is_text(value))
        return false;
    if (literal->kind == BLOCK_VALUE_PLACE_GLOB)
        return in_place(question, text_of(value), literal, rest_matches);
    if (literal->kind != BLOCK_VALUE_GLOB)
        return false;

    enum glob_kind kind = GLOB_TEXT;
    if (type == TYPE_PATH)
        kind = GLOB_PATH;
    else if (type == TYPE_REGISTRY)
        kind = GLOB_REGISTRY;
    return glob_holds(question, literal, kind, text_of(value));
}

enum order value_order(const struct question *question, const struct value *value,
                       const struct block_value *literal)
{
    if (literal->kind == BLOCK_VALUE_RANGE)
        return number_order(value, literal->low);
    if (literal->kind == BLOCK_VALUE_VERSION && is_text(value))
        return version_order(text_of(value), literal_text(question, literal));
    return ORDER_NONE;
}
