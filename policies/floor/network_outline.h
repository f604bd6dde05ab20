/* What the kernel can hold of one policy's connect or bind: families of sockets (seccomp) and TCP
 * ports (Landlock), read off the conditions of its allows.
 *
 * As an outline of paths (floor_outline.h) it is never narrower than the policy: addresses, names
 * of hosts and paths of Unix sockets are left to the audit hook, and so are ports of UDP. */
#ifndef WARDER_POLICIES_FLOOR_NETWORK_OUTLINE_H
#define WARDER_POLICIES_FLOOR_NETWORK_OUTLINE_H

#include "policies/floor/floor_outline.h"

/* Bits, by the words that a policy has for them. */
enum floor_family {
    FLOOR_FAMILY_UNIX = 1,
    FLOOR_FAMILY_INET = 2,
    FLOOR_FAMILY_INET6 = 4,
    FLOOR_FAMILY_NETLINK = 8,
    FLOOR_FAMILY_PACKET = 16,
    FLOOR_FAMILY_OTHER = 32,
    FLOOR_FAMILIES_INTERNET = FLOOR_FAMILY_INET | FLOOR_FAMILY_INET6,
    FLOOR_FAMILIES_ALL = 63,
};

enum {
    PORT_WORDS = 65536 / 64,
    NETWORK_STEPS_MAX = 50 * 1000, /* nodes and values of one outline: each moves 8 KiB */
};

struct network_outline {
    uint32_t families;          /* enum floor_family: 0: nothing is allowed */
    uint64_t ports[PORT_WORDS]; /* bit N % 64 of word N / 64: port N, of the internet families */
};

/* The outline of the policy for connect or bind. False if its conditions are more than can be
 * looked at: nobody may go by it then. */
bool outline_network(const struct outline_question *question, enum operation_class operation_class,
                     struct network_outline *out);

/* Everything there is. */
void network_outline_all(struct network_outline *out);
/* What is in both. */
void network_outline_meet(struct network_outline *out, const struct network_outline *other);
/* Every port. */
bool network_outline_has_all_ports(const struct network_outline *outline);
uint32_t network_outline_port_count(const struct network_outline *outline);

static inline bool network_outline_has_port(const struct network_outline *outline, uint32_t port)
{
    return (outline->ports[port / 64] >> (port % 64) & 1) != 0;
}

/* True if the kernel holds an allow with this condition as the rule has it: ports and families
 * alone. */
bool network_outline_is_exact(const struct policy_block *block, uint32_t condition);

#endif
