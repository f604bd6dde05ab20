#include "policies/engine/socket_operation.h"

#include <string.h>

#include "policies/engine/address.h"
#include "policies/engine/path_attribute.h"

/* Numbers of the systems' headers: policies include none of them, and a policy for Windows is
 * judged on Linux too (`warder test`). Linux: bits/socket.h; Windows: winsock2.h, ws2def.h. */
enum {
    FAMILY_UNIX = 1,
    FAMILY_INET = 2,
    FAMILY_INET6_LINUX = 10,
    FAMILY_INET6_WINDOWS = 23,
    FAMILY_NETLINK_LINUX = 16,
    FAMILY_PACKET_LINUX = 17,

    KIND_STREAM = 1,
    KIND_DGRAM = 2,
    KIND_RAW = 3,
    KIND_SEQPACKET = 5,
    KIND_MASK_LINUX = 0xf, /* above it are SOCK_NONBLOCK and SOCK_CLOEXEC */
};

enum address_family {
    ADDRESS_FAMILY_UNKNOWN,
    ADDRESS_FAMILY_UNIX,
    ADDRESS_FAMILY_INET,
    ADDRESS_FAMILY_INET6,
    ADDRESS_FAMILY_NETLINK,
    ADDRESS_FAMILY_PACKET,
    ADDRESS_FAMILY_OTHER,
};

static enum address_family family_of_number(const struct mapper *mapper, int64_t number)
{
    if (number == FAMILY_UNIX)
        return ADDRESS_FAMILY_UNIX;
    if (number == FAMILY_INET)
        return ADDRESS_FAMILY_INET;
    if (number == (mapper->windows ? FAMILY_INET6_WINDOWS : FAMILY_INET6_LINUX))
        return ADDRESS_FAMILY_INET6;
    if (mapper->windows)
        return ADDRESS_FAMILY_OTHER;
    if (number == FAMILY_NETLINK_LINUX)
        return ADDRESS_FAMILY_NETLINK;
    return number == FAMILY_PACKET_LINUX ? ADDRESS_FAMILY_PACKET : ADDRESS_FAMILY_OTHER;
}

static struct value family_word(enum address_family family)
{
    static const char *const words[] = {
        [ADDRESS_FAMILY_UNIX] = "unix",     [ADDRESS_FAMILY_INET] = "inet",
        [ADDRESS_FAMILY_INET6] = "inet6",   [ADDRESS_FAMILY_NETLINK] = "netlink",
        [ADDRESS_FAMILY_PACKET] = "packet", [ADDRESS_FAMILY_OTHER] = "other",
    };
    return family == ADDRESS_FAMILY_UNKNOWN ? value_unknown() : value_of_string(words[family]);
}

/* The family that CPython has read the address by, which it does before the event. A socket object
 * can be made anew meanwhile (by code of an object that stands for the address, by another thread
 * while a name is looked up); an address that the family does not take shows it. Tuples are for all
 * families but one. */
static enum address_family socket_family(const struct mapper *mapper, uint8_t socket,
                                         const struct value *address)
{
    const struct event_resolver *resolver = mapper->resolver;

    if (!resolver->socket_family || socket >= mapper->event->argument_count)
        return ADDRESS_FAMILY_UNKNOWN;
    const int number = resolver->socket_family(resolver->context, socket);
    if (number < 0)
        return ADDRESS_FAMILY_UNKNOWN;
    const enum address_family family = family_of_number(mapper, number);
    const bool is_tuple = address->kind == VALUE_LIST;
    return is_tuple == (family == ADDRESS_FAMILY_UNIX) ? ADDRESS_FAMILY_UNKNOWN : family;
}

static bool is_internet(enum address_family family)
{
    return family == ADDRESS_FAMILY_INET || family == ADDRESS_FAMILY_INET6;
}

bool source_family_name(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    int64_t number;

    out->value = value_unknown();
    if (!value_read_integer(mapper_argument(mapper, operands[0]), &number))
        return true;
    if (number == -1)
        return false; /* socket(fileno=...): whatever the descriptor is */
    out->value = family_word(family_of_number(mapper, number));
    return true;
}

bool source_kind_name(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    int64_t number;

    out->value = value_unknown();
    if (!value_read_integer(mapper_argument(mapper, operands[0]), &number))
        return true;
    if (number == -1)
        return false;
    switch (mapper->windows ? number : number & KIND_MASK_LINUX) {
    case KIND_STREAM:
        out->value = value_of_string("stream");
        break;
    case KIND_DGRAM:
        out->value = value_of_string("dgram");
        break;
    case KIND_RAW:
        out->value = value_of_string("raw");
        break;
    case KIND_SEQPACKET:
        out->value = value_of_string("seqpacket");
        break;
    default:
        out->value = value_of_string("other");
    }
    return true;
}

bool source_protocol(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    int64_t number;

    out->value = value_unknown();
    if (!value_read_integer(mapper_argument(mapper, operands[0]), &number))
        return true;
    out->value = value_int(number);
    return number != -1;
}

bool source_family(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    out->value =
        family_word(socket_family(mapper, operands[0], mapper_argument(mapper, operands[1])));
    return true;
}

/* One part of a number of inet_aton(3): decimal, octal behind 0, hexadecimal behind 0x. */
static bool read_part(const char *text, size_t length, uint32_t *part)
{
    unsigned base = 10;
    uint64_t number = 0;
    size_t at = 0;

    if (length > 1 && text[0] == '0') {
        base = (text[1] | 0x20) == 'x' ? 16 : 8;
        at = base == 16 ? 2 : 1;
    }
    if (at == length)
        return false;
    for (; at < length; at++) {
        const char c = (char)(text[at] | 0x20);
        unsigned digit = 99;
        if (text[at] >= '0' && text[at] <= '9')
            digit = (unsigned)(text[at] - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        if (digit >= base)
            return false;
        number = number * base + digit;
        if (number > UINT32_MAX)
            return false;
    }
    *part = (uint32_t)number;
    return true;
}

/* getaddrinfo takes every spelling that inet_aton(3) takes for an address, without a lookup: one to
 * four parts, the last of which fills what the others leave (127.1, 0x7f000001, 2130706433). */
static bool read_old_spelling(const char *text, size_t length, uint8_t *bytes)
{
    uint32_t address = 0;
    size_t at = 0;

    for (unsigned i = 0; i < ADDRESS_IPV4_BYTES; i++) {
        const char *dot = memchr(text + at, '.', length - at);
        const size_t size = dot ? (size_t)(dot - (text + at)) : length - at;
        const unsigned bits = dot ? 8 : 32 - 8 * i;
        uint32_t part;
        if (!read_part(text + at, size, &part) || (bits < 32 && part >> bits != 0))
            return false;
        if (!dot) {
            address |= part;
            for (unsigned j = 0; j < ADDRESS_IPV4_BYTES; j++)
                bytes[j] = (uint8_t)(address >> (24 - 8 * j));
            return true;
        }
        address |= part << (24 - 8 * i);
        at += size + 1;
    }
    return false;
}

/* True if the host needs no lookup, and which address it is then. */
static bool read_literal(const struct value *host, struct address *address)
{
    const char *zone = host->count > 0 ? memchr(host->bytes, '%', host->count) : NULL;
    const size_t length = zone ? (size_t)(zone - host->bytes) : host->count;

    if (length == 0)
        return false;
    if (address_parse(host->bytes, length, address))
        return !zone || address->width == ADDRESS_IPV6_BYTES; /* fe80::1%eth0 */
    *address = (struct address){.width = ADDRESS_IPV4_BYTES};
    return !zone && read_old_spelling(host->bytes, length, address->bytes);
}

/* What _socket takes the host of a tuple for (setipaddr in socketmodule.c). False: a name, or
 * nothing that the family knows. */
static bool read_host(enum address_family family, const struct value *host, struct address *address)
{
    const uint8_t width = family == ADDRESS_FAMILY_INET6 ? ADDRESS_IPV6_BYTES : ADDRESS_IPV4_BYTES;

    *address = (struct address){.width = width};
    if (host->count == 0)
        return true; /* any: 0.0.0.0 or :: */
    if (width == ADDRESS_IPV4_BYTES && value_is_text(host, "<broadcast>")) {
        memset(address->bytes, 0xff, width);
        return true;
    }
    if (!read_literal(host, address))
        return false;
    if (family == ADDRESS_FAMILY_INET) { /* getaddrinfo takes ::ffff:10.0.0.1 for 10.0.0.1 there */
        unsigned prefix = address_bits(address);
        address_fold(address, &prefix);
    }
    return address->width == width;
}

/* What an address means to who connects to it. False: that cannot be known. Windows reaches nothing
 * by an unspecified address. */
static bool reach_peer(const struct mapper *mapper, uint8_t socket, struct address *address)
{
    const struct event_resolver *resolver = mapper->resolver;

    return mapper->windows || !address_reach(address) || !resolver->socket_is_tied ||
           !resolver->socket_is_tied(resolver->context, socket);
}

/* An element of an address of the internet; NULL if that cannot be read. */
static const struct value *element(const struct value *address, uint32_t index)
{
    if (address->kind != VALUE_LIST || address->marks || index >= address->count)
        return NULL;
    return &address->items[index];
}

static bool internet_address(struct mapper *mapper, const uint8_t *operands, bool is_peer,
                             struct attribute *out)
{
    const struct value *written = mapper_argument(mapper, operands[1]);
    const enum address_family family = socket_family(mapper, operands[0], written);
    const struct value *host = element(written, 0);
    struct address address;

    out->value = value_unknown();
    if (family == ADDRESS_FAMILY_UNKNOWN)
        return true;
    if (!is_internet(family))
        return false;
    if (!host || !value_is_plain_text(host) || !read_host(family, host, &address))
        return true; /* a name's address is found by the call, and not in the event */
    if (is_peer && !reach_peer(mapper, operands[0], &address))
        return true;
    char *bytes = arena_copy(mapper->arena, address.bytes, address.width);
    if (bytes)
        out->value = (struct value){.kind = VALUE_BYTES, .count = address.width, .bytes = bytes};
    return true;
}

bool source_address(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    return internet_address(mapper, operands, false, out);
}

bool source_peer(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    return internet_address(mapper, operands, true, out);
}

bool source_port(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *written = mapper_argument(mapper, operands[1]);
    const enum address_family family = socket_family(mapper, operands[0], written);
    const struct value *port = element(written, 1);
    int64_t number;

    out->value = value_unknown();
    if (family == ADDRESS_FAMILY_UNKNOWN)
        return true;
    if (!is_internet(family))
        return false;
    if (port && value_read_integer(port, &number))
        out->value = value_int(number);
    return true;
}

bool source_host(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *written = mapper_argument(mapper, operands[1]);
    const enum address_family family = socket_family(mapper, operands[0], written);
    const struct value *host = element(written, 0);
    struct address address;

    out->value = value_unknown();
    if (family == ADDRESS_FAMILY_UNKNOWN)
        return true;
    if (!is_internet(family))
        return false;
    if (!host)
        return true;
    if (value_is_plain_text(host) && read_host(family, host, &address)) {
        /* Which names led here, only the C boundary has seen. */
        const struct event_resolver *resolver = mapper->resolver;
        struct value names;
        unsigned prefix = address_bits(&address);
        if (!reach_peer(mapper, operands[0], &address))
            return true;
        address_fold(&address, &prefix);
        if (resolver->host_names &&
            resolver->host_names(resolver->context, &address, mapper->arena, &names))
            out->value = names;
        else
            out->nameless = true;
        return true;
    }
    out->value = value_as_text(host);
    return true;
}

/* sun_path ends at the first NUL; one at its front makes the name abstract, and so does nothing at
 * all (unix(7)). */
static size_t unix_path_length(const struct value *address)
{
    if (address->count == 0)
        return 0;
    const char *end = memchr(address->bytes, '\0', address->count);
    return end ? (size_t)(end - address->bytes) : address->count;
}

static bool unix_path(struct mapper *mapper, const uint8_t *operands, enum last_component last,
                      struct attribute *out)
{
    const struct value *address = mapper_argument(mapper, operands[1]);
    const enum truth is_path = address_is_unix_path(mapper, operands[0], address);

    if (is_path == TRUTH_FALSE)
        return false;
    if (is_path == TRUTH_UNKNOWN) {
        path_attribute_unknown(address, out);
        return true;
    }
    const char *directory = address->bytes[0] == '/' ? NULL : mapper_directory(mapper);
    path_attribute_from_text(mapper, directory, address->bytes, unix_path_length(address), last,
                             out);
    return true;
}

bool source_socket_path(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    return unix_path(mapper, operands, LAST_FOLLOWED, out);
}

bool source_socket_entry(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    return unix_path(mapper, operands, LAST_KEPT, out);
}

bool source_log_socket(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    static const char path[] = "/dev/log"; /* _PATH_LOG of the systems' paths.h */

    (void)operands;
    path_attribute_from_text(mapper, NULL, path, sizeof(path) - 1, LAST_FOLLOWED, out);
    return true;
}

enum truth log_is_opened(const struct value *option)
{
    enum { AT_ONCE = 8 }; /* LOG_NDELAY */
    int64_t number;

    if (!value_read_integer(option, &number))
        return TRUTH_UNKNOWN;
    return number & AT_ONCE ? TRUTH_TRUE : TRUTH_FALSE;
}

enum truth address_is_unix_path(const struct mapper *mapper, uint8_t socket,
                                const struct value *address)
{
    const enum address_family family = socket_family(mapper, socket, address);

    if (family != ADDRESS_FAMILY_UNIX && family != ADDRESS_FAMILY_UNKNOWN)
        return TRUTH_FALSE;
    if (address->kind == VALUE_LIST && address->marks == 0)
        return TRUTH_FALSE; /* a tuple is no path to any socket */
    if (!value_is_plain_text(address))
        return TRUTH_UNKNOWN;
    if (unix_path_length(address) == 0)
        return TRUTH_FALSE;
    return family == ADDRESS_FAMILY_UNIX ? TRUTH_TRUE : TRUTH_UNKNOWN;
}

enum truth host_is_looked_up(const struct value *host)
{
    struct address address;

    if (value_is_none(host))
        return TRUTH_FALSE;
    if (!value_is_plain_text(host))
        return TRUTH_UNKNOWN;
    return host->count == 0 || read_literal(host, &address) ? TRUTH_FALSE : TRUTH_TRUE;
}

enum truth address_is_looked_up(const struct mapper *mapper, uint8_t socket,
                                const struct value *address)
{
    const enum address_family family = socket_family(mapper, socket, address);
    const struct value *host = element(address, 0);
    struct address literal;

    if ((family != ADDRESS_FAMILY_UNKNOWN && !is_internet(family)) || value_is_none(address))
        return TRUTH_FALSE;
    if (!host || !value_is_plain_text(host))
        return TRUTH_UNKNOWN;
    /* Either family takes an address of its own for one, so one that none of them reads is a name;
     * an address of the other family is none here, and none that can be reached. */
    if (read_host(ADDRESS_FAMILY_INET, host, &literal) ||
        read_host(ADDRESS_FAMILY_INET6, host, &literal))
        return TRUTH_FALSE;
    return family == ADDRESS_FAMILY_UNKNOWN ? TRUTH_UNKNOWN : TRUTH_TRUE;
}
