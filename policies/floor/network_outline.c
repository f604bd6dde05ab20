#include "policies/floor/network_outline.h"

#include <string.h>

#include "policies/engine/block_layout.h"

enum { PORT_MAX = 65535 };

void network_outline_all(struct network_outline *out)
{
    out->families = FLOOR_FAMILIES_ALL;
    memset(out->ports, 0xff, sizeof(out->ports));
}

static void nothing(struct network_outline *out)
{
    *out = (struct network_outline){.families = 0};
}

/* Ports are of the internet families: without one there is none, and without a port no such
 * family. */
static void settle(struct network_outline *outline)
{
    if (!(outline->families & FLOOR_FAMILIES_INTERNET))
        memset(outline->ports, 0, sizeof(outline->ports));
    else if (network_outline_port_count(outline) == 0)
        outline->families &= ~(uint32_t)FLOOR_FAMILIES_INTERNET;
}

void network_outline_meet(struct network_outline *out, const struct network_outline *other)
{
    out->families &= other->families;
    for (size_t i = 0; i < PORT_WORDS; i++)
        out->ports[i] &= other->ports[i];
    settle(out);
}

static void join(struct network_outline *out, const struct network_outline *other)
{
    out->families |= other->families;
    for (size_t i = 0; i < PORT_WORDS; i++)
        out->ports[i] |= other->ports[i];
}

uint32_t network_outline_port_count(const struct network_outline *outline)
{
    uint32_t count = 0;

    for (size_t i = 0; i < PORT_WORDS; i++)
        count += (uint32_t)__builtin_popcountll(outline->ports[i]);
    return count;
}

bool network_outline_has_all_ports(const struct network_outline *outline)
{
    return network_outline_port_count(outline) == PORT_MAX + 1;
}

static void add_ports(struct network_outline *out, int64_t low, int64_t high)
{
    for (int64_t port = low < 0 ? 0 : low; port <= high && port <= PORT_MAX; port++)
        out->ports[port / 64] |= UINT64_C(1) << (port % 64);
}

static void of_port(const struct policy_block *block, const struct block_node *node,
                    struct network_outline *out)
{
    nothing(out);
    out->families = FLOOR_FAMILIES_INTERNET;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct block_value *value = &block_values(block)[node->first + i];
        if (value->kind != BLOCK_VALUE_RANGE)
            continue;
        switch ((enum node_operator)node->operator_kind) {
        case OPERATOR_EQUALS:
            add_ports(out, value->low, value->high);
            break;
        case OPERATOR_LESS:
            add_ports(out, 0, value->low < PORT_MAX ? value->low - 1 : PORT_MAX);
            break;
        case OPERATOR_LESS_OR_EQUAL:
            add_ports(out, 0, value->low);
            break;
        case OPERATOR_GREATER:
            add_ports(out, value->low < PORT_MAX ? value->low + 1 : PORT_MAX + 1, PORT_MAX);
            break;
        case OPERATOR_GREATER_OR_EQUAL:
            add_ports(out, value->low, PORT_MAX);
            break;
        default: /* `is none`: a port that no system takes */
            break;
        }
    }
    settle(out);
}

static uint32_t family_named(const char *word)
{
    static const struct {
        const char *word;
        uint32_t families;
    } families[] = {
        {"unix", FLOOR_FAMILY_UNIX},     {"inet", FLOOR_FAMILY_INET},
        {"inet6", FLOOR_FAMILY_INET6},   {"netlink", FLOOR_FAMILY_NETLINK},
        {"packet", FLOOR_FAMILY_PACKET}, {"other", FLOOR_FAMILY_OTHER},
    };

    for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
        if (strcmp(families[i].word, word) == 0)
            return families[i].families;
    return 0; /* `pipe`: of another system */
}

static void of_families(uint32_t families, struct network_outline *out)
{
    network_outline_all(out);
    out->families = families;
    settle(out);
}

static void of_family(const struct policy_block *block, const struct block_node *node,
                      struct network_outline *out)
{
    uint32_t families = 0;

    for (uint32_t i = 0; i < node->count; i++) {
        const struct block_value *value = &block_values(block)[node->first + i];
        if (value->kind == BLOCK_VALUE_TEXT)
            families |= family_named(block_text(block, value->text));
    }
    of_families(families, out);
}

/* An IPv4 address is also one of an IPv6 socket. */
static void of_address(const struct policy_block *block, const struct block_node *node,
                       struct network_outline *out)
{
    uint32_t families = 0;

    for (uint32_t i = 0; i < node->count; i++) {
        const struct block_value *value = &block_values(block)[node->first + i];
        if (value->kind == BLOCK_VALUE_ADDRESS)
            families |=
                value->place == ADDRESS_IPV4_BYTES ? FLOOR_FAMILIES_INTERNET : FLOOR_FAMILY_INET6;
    }
    of_families(families, out);
}

static bool speaks_of_presence(const struct block_node *node)
{
    return node->operator_kind == OPERATOR_ABSENT || node->operator_kind == OPERATOR_NONE;
}

static void of_predicate(const struct policy_block *block, const struct block_node *node,
                         struct network_outline *out)
{
    network_outline_all(out);
    if (node->part != PART_WHOLE || speaks_of_presence(node))
        return;
    switch ((enum attribute_name)node->attribute) {
    case ATTRIBUTE_PORT:
        of_port(block, node, out);
        break;
    case ATTRIBUTE_FAMILY:
        if (node->operator_kind == OPERATOR_EQUALS)
            of_family(block, node, out);
        break;
    case ATTRIBUTE_ADDRESS:
        if (node->operator_kind == OPERATOR_EQUALS)
            of_address(block, node, out);
        break;
    case ATTRIBUTE_HOST:
        of_families(FLOOR_FAMILIES_INTERNET, out);
        break;
    case ATTRIBUTE_PATH:
        of_families(FLOOR_FAMILY_UNIX, out);
        break;
    default:
        break;
    }
}

/* One frame is 8 KiB, and there are at most BLOCK_DEPTH_MAX: 1.2 MB of stack. */
static void of_node(const struct policy_block *block, uint32_t index, unsigned depth,
                    struct budget *budget, struct network_outline *out)
{
    const struct block_node *node = &block_nodes(block)[index];
    struct network_outline part;

    network_outline_all(out);
    if (depth > BLOCK_DEPTH_MAX || !budget_pay(budget, 1 + node->count))
        return;
    if (node->kind == NODE_PREDICATE)
        of_predicate(block, node, out);
    if (node->kind != NODE_AND && node->kind != NODE_OR)
        return;
    if (node->kind == NODE_OR)
        nothing(out);
    for (uint32_t i = 0; i < node->count; i++) {
        of_node(block, node->first + i, depth + 1, budget, &part);
        if (node->kind == NODE_OR)
            join(out, &part);
        else
            network_outline_meet(out, &part);
    }
}

struct visit {
    const struct policy_block *block;
    struct budget budget;
    struct network_outline *out;
};

static void add_allowed(void *context, uint32_t condition)
{
    struct visit *visit = context;
    struct network_outline part;

    if (condition == (uint32_t)BLOCK_NONE)
        network_outline_all(&part);
    else
        of_node(visit->block, condition, 0, &visit->budget, &part);
    join(visit->out, &part);
}

bool outline_network(const struct outline_question *question, enum operation_class operation_class,
                     struct network_outline *out)
{
    struct visit visit = {question->block, {NETWORK_STEPS_MAX}, out};

    nothing(out);
    outline_visit_allows(question, operation_class, add_allowed, &visit);
    return !budget_is_spent(&visit.budget);
}

/* A port is open to IPv4 and IPv6 alike: a family of one of them alone says less than that. */
static bool is_plain_network(const struct policy_block *block, const struct block_node *node)
{
    struct network_outline part;

    if (node->part != PART_WHOLE || speaks_of_presence(node))
        return false;
    if (node->attribute == ATTRIBUTE_PORT)
        return true;
    if (node->attribute != ATTRIBUTE_FAMILY)
        return false;
    of_predicate(block, node, &part);
    const uint32_t internet = part.families & FLOOR_FAMILIES_INTERNET;
    return internet == 0 || internet == FLOOR_FAMILIES_INTERNET;
}

bool network_outline_is_exact(const struct policy_block *block, uint32_t condition)
{
    return outline_is_made_of(block, condition, is_plain_network);
}
