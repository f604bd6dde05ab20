#include "policies/engine/address.h"

#include <stdio.h>
#include <string.h>

#include "policies/engine/hexadecimal.h"

static const uint8_t mapped_front[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool parse_ipv4(const char *text, size_t length, uint8_t *bytes)
{
    size_t at = 0;
    for (int part = 0; part < ADDRESS_IPV4_BYTES; part++) {
        if (part > 0 && (at >= length || text[at++] != '.'))
            return false;
        const size_t first = at;
        unsigned number = 0;
        while (at < length && text[at] >= '0' && text[at] <= '9' && at - first < 3)
            number = number * 10 + (unsigned)(text[at++] - '0');
        if (at == first || number > 255 || (at - first > 1 && text[first] == '0'))
            return false;
        bytes[part] = (uint8_t)number;
    }
    return at == length;
}

/* A run of groups of up to four digits with `:` between them, the last of which may be an IPv4
 * address. Returns the number of bytes written, or -1. */
static int parse_groups(const char *text, size_t length, uint8_t *bytes)
{
    int count = 0;
    for (size_t at = 0; at < length; at++) { /* the step is over a colon */
        const char *colon = memchr(text + at, ':', length - at);
        const size_t part = colon ? (size_t)(colon - (text + at)) : length - at;

        if (!colon && memchr(text + at, '.', part)) {
            if (count + ADDRESS_IPV4_BYTES > ADDRESS_IPV6_BYTES ||
                !parse_ipv4(text + at, part, bytes + count))
                return -1;
            return count + ADDRESS_IPV4_BYTES;
        }
        if (part == 0 || part > 4 || count + 2 > ADDRESS_IPV6_BYTES)
            return -1;
        unsigned group = 0;
        for (size_t i = 0; i < part; i++) {
            const int digit = hexadecimal_digit(text[at + i]);
            if (digit < 0)
                return -1;
            group = group << 4 | (unsigned)digit;
        }
        bytes[count++] = (uint8_t)(group >> 8);
        bytes[count++] = (uint8_t)(group & 0xff);
        at += part;
        if (colon && at + 1 == length)
            return -1; /* a colon with nothing behind it */
    }
    return count;
}

static bool parse_ipv6(const char *text, size_t length, uint8_t *bytes)
{
    size_t gap = length; /* where `::` stands */
    for (size_t i = 0; i + 1 < length && gap == length; i++)
        if (text[i] == ':' && text[i + 1] == ':')
            gap = i;
    if (gap == length)
        return parse_groups(text, length, bytes) == ADDRESS_IPV6_BYTES;

    uint8_t behind[ADDRESS_IPV6_BYTES] = {0};
    const int before_count = parse_groups(text, gap, bytes);
    const int behind_count = parse_groups(text + gap + 2, length - gap - 2, behind);

    /* `::` stands for at least one group, and an IPv4 address may only be the end. */
    if (before_count < 0 || behind_count < 0 || before_count + behind_count > 14 ||
        memchr(text, '.', gap))
        return false;
    memcpy(bytes + ADDRESS_IPV6_BYTES - behind_count, behind, (size_t)behind_count);
    return true;
}

bool address_parse(const char *text, size_t length, struct address *address)
{
    *address = (struct address){0};
    if (memchr(text, ':', length)) {
        address->width = ADDRESS_IPV6_BYTES;
        return parse_ipv6(text, length, address->bytes);
    }
    address->width = ADDRESS_IPV4_BYTES;
    return parse_ipv4(text, length, address->bytes);
}

bool address_from_bytes(const void *bytes, size_t count, struct address *address)
{
    *address = (struct address){0};
    if (count != ADDRESS_IPV4_BYTES && count != ADDRESS_IPV6_BYTES)
        return false;
    address->width = (uint8_t)count;
    memcpy(address->bytes, bytes, count);
    unsigned prefix = address_bits(address);
    address_fold(address, &prefix);
    return true;
}

void address_fold(struct address *address, unsigned *prefix)
{
    if (address->width != ADDRESS_IPV6_BYTES || *prefix < 8 * sizeof(mapped_front) ||
        memcmp(address->bytes, mapped_front, sizeof(mapped_front)) != 0)
        return;
    struct address folded = {.width = ADDRESS_IPV4_BYTES};
    memcpy(folded.bytes, address->bytes + sizeof(mapped_front), ADDRESS_IPV4_BYTES);
    *address = folded;
    *prefix -= 8 * (unsigned)sizeof(mapped_front);
}

bool address_reach(struct address *address)
{
    static const uint8_t loopback[ADDRESS_IPV4_BYTES] = {127, 0, 0, 1};
    struct address folded = *address;
    unsigned prefix = address_bits(address);

    address_fold(&folded, &prefix);
    for (unsigned i = 0; i < folded.width; i++)
        if (folded.bytes[i] != 0)
            return false;
    if (folded.width == ADDRESS_IPV6_BYTES)
        address->bytes[ADDRESS_IPV6_BYTES - 1] = 1;
    else
        memcpy(address->bytes + address->width - sizeof(loopback), loopback, sizeof(loopback));
    return true;
}

bool address_is_in(const struct address *address, const struct address *network, unsigned prefix)
{
    if (address->width != network->width || prefix > address_bits(address))
        return false;
    const unsigned whole = prefix / 8;
    const unsigned rest = prefix % 8;
    if (memcmp(address->bytes, network->bytes, whole) != 0)
        return false;
    return rest == 0 ||
           ((unsigned)(address->bytes[whole] ^ network->bytes[whole]) >> (8 - rest)) == 0;
}

bool address_mask(struct address *address, unsigned prefix)
{
    bool changed = false;
    for (unsigned bit = prefix; bit < address_bits(address); bit++) {
        const unsigned mask = 0x80U >> (bit % 8);
        if (address->bytes[bit / 8] & mask) {
            address->bytes[bit / 8] = (uint8_t)(address->bytes[bit / 8] & ~mask);
            changed = true;
        }
    }
    return changed;
}

/* The longest run of zero groups, two at least, is written `::`; the first of equals. */
static void longest_gap(const unsigned *groups, int *start, int *length)
{
    *start = -1;
    *length = 1;
    for (int i = 0; i < 8; i++) {
        int run = 0;
        while (i + run < 8 && groups[i + run] == 0)
            run++;
        if (run > *length) {
            *start = i;
            *length = run;
        }
        i += run;
    }
}

void address_format(const struct address *address, char *text)
{
    const uint8_t *b = address->bytes;
    if (address->width == ADDRESS_IPV4_BYTES) {
        (void)snprintf(text, ADDRESS_TEXT_MAX, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
        return;
    }

    unsigned groups[8];
    for (size_t i = 0; i < 8; i++)
        groups[i] = (unsigned)b[2 * i] << 8 | b[2 * i + 1];
    int gap;
    int gap_length;
    longest_gap(groups, &gap, &gap_length);

    size_t at = 0;
    for (int i = 0; i < 8; i++) {
        if (i == gap) {
            at += (size_t)snprintf(text + at, ADDRESS_TEXT_MAX - at, "::");
            i += gap_length - 1;
            continue;
        }
        const char *colon = i > 0 && text[at - 1] != ':' ? ":" : "";
        at += (size_t)snprintf(text + at, ADDRESS_TEXT_MAX - at, "%s%x", colon, groups[i]);
    }
}
