/* IP addresses and the blocks of them that policies name.
 *
 * An IPv4-mapped IPv6 address (::ffff:10.0.0.1) reaches the same host as its IPv4 address, so both
 * are one address here: address_fold turns the first into the second. What is left as IPv6 is never
 * inside an IPv4 block nor the other way round; `::/0` therefore names every address that is really
 * IPv6. Pure functions, for any thread. */
#ifndef WARDER_POLICIES_ENGINE_ADDRESS_H
#define WARDER_POLICIES_ENGINE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ADDRESS_IPV4_BYTES = 4,
    ADDRESS_IPV6_BYTES = 16,
    ADDRESS_TEXT_MAX = 48, /* INET6_ADDRSTRLEN is 46, terminator included */
};

struct address {
    uint8_t width;                     /* bytes used: ADDRESS_IPV4_BYTES or ADDRESS_IPV6_BYTES */
    uint8_t bytes[ADDRESS_IPV6_BYTES]; /* network order; unused ones are 0 */
};

/* Reads four decimal parts without leading zeros, or IPv6 as in RFC 4291 (`::`, an IPv4 address in
 * the last four bytes), without a zone. The text is not terminated. Does not fold. */
bool address_parse(const char *text, size_t length, struct address *address);

/* Reads an address as the kernel holds it: 4 or 16 bytes. Folded. */
bool address_from_bytes(const void *bytes, size_t count, struct address *address);

/* Folds an IPv4-mapped address, and with it the length of a prefix: 96 bits less. A prefix shorter
 * than 96 bits spans more than mapped addresses and is left alone. */
void address_fold(struct address *address, unsigned *prefix);

static inline unsigned address_bits(const struct address *address)
{
    return 8U * address->width;
}

/* Linux takes who connects or sends to the unspecified address (0.0.0.0, ::, ::ffff:0.0.0.0) to the
 * loopback of its family. True if this is one, turned into what it reaches. */
bool address_reach(struct address *address);

/* True if the first `prefix` bits are those of `network` and both are of one width. */
bool address_is_in(const struct address *address, const struct address *network, unsigned prefix);

/* Sets every bit after the first `prefix` to 0; returns true if any was set. */
bool address_mask(struct address *address, unsigned prefix);

/* The usual spelling (RFC 5952 for IPv6), terminated; `text` has ADDRESS_TEXT_MAX bytes. */
void address_format(const struct address *address, char *text);

#endif
