#include "policies/floor/rings.h"

#include <stdbool.h>

#include "policies/engine/block_layout.h"
#include "policies/floor/floor_outline.h"
#include "policies/floor/network_outline.h"

static uint32_t bit(enum operation_class operation_class)
{
    return UINT32_C(1) << operation_class;
}

static bool is_at_boundary(enum operation_class operation_class)
{
    return operation_class == CLASS_EXEC || operation_class == CLASS_FORK ||
           operation_class == CLASS_NATIVE;
}

static bool is_floored(const struct policy_block *block, uint32_t policy,
                       enum operation_class operation_class)
{
    return (block_policy(block, policy)->floor & bit(operation_class)) != 0;
}

static void note_allow(void *context, uint32_t condition)
{
    (void)condition;
    *(bool *)context = true;
}

static bool has_allow(const struct policy_block *block, uint32_t policy,
                      enum operation_class operation_class)
{
    const struct outline_question question = {.block = block, .policy = policy};
    bool any = false;

    outline_visit_allows(&question, operation_class, note_allow, &any);
    return any;
}

/* What a floor would bring. Beside an allowed program there can be none of `fork`. */
static const char *without_floor(const struct policy_block *block, uint32_t policy,
                                 enum operation_class operation_class)
{
    if (operation_class == CLASS_FORK &&
        (has_allow(block, policy, CLASS_EXEC) || has_allow(block, policy, CLASS_FORK)))
        return "";
    switch (operation_class) {
    case CLASS_EXEC:
        return "`floor exec` would hold it in the kernel, against native code too";
    case CLASS_FORK:
        return "`floor fork` would hold it in the kernel, against native code too";
    case CLASS_READ:
        return "against programs that play by the rules alone; `floor read` would hold it in the "
               "kernel";
    case CLASS_WRITE:
        return "against programs that play by the rules alone; `floor write` would hold it in the "
               "kernel";
    case CLASS_CONNECT:
        return "against programs that play by the rules alone; `floor connect` would hold families "
               "and "
               "TCP ports in the kernel";
    case CLASS_BIND:
        return "against programs that play by the rules alone; `floor bind` would hold TCP ports "
               "in the "
               "kernel";
    default:
        return "";
    }
}

static bool names_single_files(const struct policy_block *block, uint32_t index, unsigned depth,
                               struct budget *budget)
{
    const struct block_node *node = &block_nodes(block)[index];

    if (depth > BLOCK_DEPTH_MAX || !budget_pay(budget, 1))
        return false;
    if (node->kind == NODE_PREDICATE)
        return node->attribute == ATTRIBUTE_PATH && node->operator_kind == OPERATOR_EQUALS;
    if (node->kind != NODE_AND && node->kind != NODE_OR)
        return false;
    for (uint32_t i = 0; i < node->count; i++)
        if (names_single_files(block, node->first + i, depth + 1, budget))
            return true;
    return false;
}

/* What the kernel opens more than the allow says, or less. */
static const char *of_allow(const struct policy_block *block, uint32_t condition,
                            enum operation_class operation_class)
{
    struct budget budget = {OUTLINE_STEPS_MAX};

    switch (operation_class) {
    case CLASS_EXEC:
        return outline_is_exact(block, condition)
                   ? ""
                   : "the kernel lets its programs start with any arguments";
    case CLASS_READ:
    case CLASS_WRITE:
        if (!outline_is_exact(block, condition))
            return "the kernel opens its directories whole, and does not see the rest of the "
                   "condition";
        return operation_class == CLASS_WRITE && condition != (uint32_t)BLOCK_NONE &&
                       names_single_files(block, condition, 0, &budget)
                   ? "the kernel opens a file by its name only if it is there when the process "
                     "starts"
                   : "";
    default:
        return network_outline_is_exact(block, condition)
                   ? ""
                   : "the kernel opens its families and TCP ports, ports for IPv4 and IPv6 alike, "
                     "and does not see the rest of the condition";
    }
}

struct rings rings_of_rule(const struct policy_block *block, uint32_t policy, uint32_t rule,
                           enum operation_class operation_class)
{
    const struct rule_record *record = block_rule(block, rule);
    const enum rule_effect effect = rule_effect(block, rule);
    const bool by_class = (record->classes & bit(operation_class)) != 0;
    struct rings found = {RING_HOOK, ""};

    if (by_class && is_at_boundary(operation_class))
        found.rings |= RING_BOUNDARY;
    if (effect == EFFECT_LOG || !vocabulary_class_has_floor(operation_class))
        return found;
    if (!is_floored(block, policy, operation_class)) {
        found.kernel = without_floor(block, policy, operation_class);
        return found;
    }
    if (effect == EFFECT_ALLOW) {
        found.rings |= RING_KERNEL;
        found.kernel = of_allow(block, record->condition, operation_class);
    } else if (!has_allow(block, policy, operation_class)) {
        found.rings |= RING_KERNEL;
    } else {
        found.kernel = "the kernel holds it outside of what the allows open, and not below";
    }
    return found;
}

struct rings rings_of_default(const struct policy_block *block, uint32_t policy,
                              enum operation_class operation_class)
{
    struct rings found = {RING_HOOK, ""};

    if (is_at_boundary(operation_class))
        found.rings |= RING_BOUNDARY;
    if (is_floored(block, policy, operation_class))
        found.rings |= RING_KERNEL;
    else if (rings_default_denies(block, policy, operation_class))
        found.kernel = without_floor(block, policy, operation_class);
    return found;
}

bool rings_default_denies(const struct policy_block *block, uint32_t policy,
                          enum operation_class operation_class)
{
    return block_policy(block, policy)->defaults[operation_class].verdict == DEFAULT_DENY;
}

const char *rings_class_gap(const struct policy_block *block, uint32_t policy,
                            enum operation_class operation_class)
{
    if (!is_floored(block, policy, operation_class))
        return "";
    const bool allows = has_allow(block, policy, operation_class);
    switch (operation_class) {
    case CLASS_EXEC:
        return allows ? "native code can start the loader and the interpreters that an allowed "
                        "program needs"
                      : "";
    case CLASS_READ:
        return "what `exec` and `native` allow is readable too; names, sizes and owners of files "
               "are not held";
    case CLASS_WRITE:
        return allows ? "modes and times (chmod, utime) of the user's own files elsewhere are not "
                        "held"
                      : "";
    case CLASS_CONNECT:
        return allows ? "addresses and names of hosts are not held, nor ports of UDP" : "";
    case CLASS_BIND:
        return allows ? "addresses and ports of UDP are not held, nor a port that listen() chooses"
                      : "";
    default:
        return "";
    }
}

const char *rings_text(uint32_t rings)
{
    static const char *const texts[] = {"no ring",       "ring 1",          "ring 2",
                                        "rings 1 and 2", "ring 3",          "rings 1 and 3",
                                        "rings 2 and 3", "rings 1, 2 and 3"};

    return texts[rings & (RING_HOOK | RING_BOUNDARY | RING_KERNEL)];
}
