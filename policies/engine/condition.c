#include "policies/engine/condition.h"

#include <string.h>

#include "policies/engine/block_layout.h"
#include "policies/engine/comparison.h"
#include "policies/engine/operand.h"

static enum truth either(enum truth a, enum truth b)
{
    return a > b ? a : b;
}

static enum truth both(enum truth a, enum truth b)
{
    return a < b ? a : b;
}

static const struct block_value *literals(const struct question *question, uint32_t first)
{
    return (const struct block_value *)block_section(question->block, SECTION_VALUES) + first;
}

static bool ordered_as(enum node_operator operator_kind, enum order order)
{
    switch (operator_kind) {
    case OPERATOR_LESS:
        return order == ORDER_LESS;
    case OPERATOR_LESS_OR_EQUAL:
        return order == ORDER_LESS || order == ORDER_EQUAL;
    case OPERATOR_GREATER:
        return order == ORDER_GREATER;
    case OPERATOR_GREATER_OR_EQUAL:
        return order == ORDER_GREATER || order == ORDER_EQUAL;
    default:
        return false;
    }
}

/* One value against one literal, by the operator that compares the two. */
static enum truth compare(const struct question *question, const struct block_node *node,
                          enum node_operator operator_kind, const struct value *value,
                          const struct block_value *literal)
{
    const enum attribute_type type = (enum attribute_type)node->type;
    bool holds;

    if (value->marks || !budget_pay(question->budget, comparison_steps(question, value, literal)))
        return TRUTH_UNKNOWN;
    switch (operator_kind) {
    case OPERATOR_EQUALS:
    case OPERATOR_LIST_EQUALS:
    case OPERATOR_STARTS:
    case OPERATOR_HAS:
        return value_equals(question, type, value, literal);
    case OPERATOR_UNDER:
        holds = value_is_under(question, type, value, literal);
        break;
    case OPERATOR_MATCHES:
    case OPERATOR_HAS_MATCHES:
        holds = value_matches(question, type, value, literal);
        break;
    default:
        holds = ordered_as(operator_kind, value_order(question, value, literal));
    }
    if (budget_is_spent(question->budget)) /* on a glob, which could not say then */
        return TRUTH_UNKNOWN;
    return holds ? TRUTH_TRUE : TRUTH_FALSE;
}

/* One value against every literal of the predicate. */
static enum truth any_literal(const struct question *question, const struct block_node *node,
                              const struct value *value)
{
    const struct block_value *literal = literals(question, node->first);
    enum truth truth = TRUTH_FALSE;

    for (uint32_t i = 0; i < node->count && truth != TRUTH_TRUE; i++) {
        truth = either(truth, compare(question, node, (enum node_operator)node->operator_kind,
                                      value, &literal[i]));
        if (budget_is_spent(question->budget))
            break;
    }
    return truth;
}

/* Some element, or key, against some literal. */
static enum truth any_element(const struct question *question, const struct block_node *node,
                              const struct operand *list)
{
    enum truth truth = value_is_cut(&list->value) ? TRUTH_UNKNOWN : TRUTH_FALSE;

    for (uint32_t i = 0; i < list->value.count && truth != TRUTH_TRUE; i++) {
        if (!budget_pay(question->budget, 1))
            return TRUTH_UNKNOWN;
        const struct value value = operand_element(list, i);
        truth = either(truth, any_literal(question, node, &value));
    }
    return truth;
}

/* The first elements, each against the literal of its place; all of them if `throughout`. */
static enum truth first_elements(const struct question *question, const struct block_node *node,
                                 const struct operand *list, bool throughout)
{
    const struct block_value *literal = literals(question, node->first);
    const uint32_t count = list->value.count;
    enum truth truth = TRUTH_TRUE;

    if (list->value.kind != VALUE_LIST || (throughout && count > node->count))
        return TRUTH_FALSE;
    if (count < node->count)
        truth = value_is_cut(&list->value) ? TRUTH_UNKNOWN : TRUTH_FALSE;
    else if (throughout && value_is_cut(&list->value))
        truth = TRUTH_UNKNOWN;
    for (uint32_t i = 0; i < node->count && i < count && truth != TRUTH_FALSE; i++) {
        const struct value value = operand_element(list, i);
        truth = both(truth, compare(question, node, OPERATOR_EQUALS, &value, &literal[i]));
    }
    return truth;
}

static enum truth list_predicate(const struct question *question, const struct block_node *node,
                                 const struct operand *list)
{
    if (value_is_doubtful(&list->value))
        return TRUTH_UNKNOWN;
    if (!value_is_container(&list->value))
        return TRUTH_FALSE;
    switch ((enum node_operator)node->operator_kind) {
    case OPERATOR_LIST_EQUALS:
        return first_elements(question, node, list, true);
    case OPERATOR_STARTS:
        return first_elements(question, node, list, false);
    default:
        return any_element(question, node, list);
    }
}

static enum truth predicate_truth(const struct question *question, const struct block_node *node)
{
    const struct operand operand = operand_find(question, node);
    const bool asks_absence = node->operator_kind == OPERATOR_ABSENT;

    if (operand.state == OPERAND_UNKNOWN)
        return TRUTH_UNKNOWN;
    if (operand.state == OPERAND_ABSENT)
        return asks_absence ? TRUTH_TRUE : TRUTH_FALSE;
    if (asks_absence)
        return TRUTH_FALSE;

    switch ((enum node_operator)node->operator_kind) {
    case OPERATOR_NONE:
        if (value_is_doubtful(&operand.value))
            return TRUTH_UNKNOWN;
        return operand.value.kind == VALUE_NONE ? TRUTH_TRUE : TRUTH_FALSE;
    case OPERATOR_LIST_EQUALS:
    case OPERATOR_STARTS:
    case OPERATOR_HAS:
    case OPERATOR_HAS_MATCHES:
        return list_predicate(question, node, &operand);
    default:
        /* A host is every name that led to the address. */
        if (node->type == TYPE_HOST && operand.value.kind == VALUE_LIST)
            return list_predicate(question, node, &operand);
        return any_literal(question, node, &operand.value);
    }
}

static enum truth node_truth(const struct question *question, uint32_t index, unsigned depth)
{
    const struct block_node *node =
        (const struct block_node *)block_section(question->block, SECTION_NODES) + index;
    enum truth truth;

    if (depth > BLOCK_DEPTH_MAX || !budget_pay(question->budget, 1))
        return TRUTH_UNKNOWN;
    switch ((enum node_kind)node->kind) {
    case NODE_TRUE:
        return TRUTH_TRUE;
    case NODE_PREDICATE:
        return predicate_truth(question, node);
    case NODE_NOT:
        truth = node_truth(question, node->first, depth + 1);
        return (enum truth)(TRUTH_TRUE - truth);
    case NODE_AND:
        truth = TRUTH_TRUE;
        for (uint32_t i = 0; i < node->count && truth != TRUTH_FALSE; i++) {
            truth = both(truth, node_truth(question, node->first + i, depth + 1));
            if (budget_is_spent(question->budget))
                return both(truth, TRUTH_UNKNOWN);
        }
        return truth;
    case NODE_OR:
        truth = TRUTH_FALSE;
        for (uint32_t i = 0; i < node->count && truth != TRUTH_TRUE; i++) {
            truth = either(truth, node_truth(question, node->first + i, depth + 1));
            if (budget_is_spent(question->budget))
                return either(truth, TRUTH_UNKNOWN);
        }
        return truth;
    }
    return TRUTH_UNKNOWN;
}

enum truth condition_truth(const struct question *question, uint32_t node)
{
    return node_truth(question, node, 0);
}

enum truth event_name_matches(const struct question *question, uint32_t first, uint32_t count)
{
    const struct block_value *glob = literals(question, first);
    const struct value name = value_text(question->event->name, question->event->name_length);

    if (question->event->name_cut)
        return TRUTH_UNKNOWN;
    for (uint32_t i = 0; i < count; i++) {
        if (!budget_pay(question->budget, comparison_steps(question, &name, &glob[i])))
            return TRUTH_UNKNOWN;
        if (value_matches(question, TYPE_TEXT, &name, &glob[i]))
            return TRUTH_TRUE;
    }
    return budget_is_spent(question->budget) ? TRUTH_UNKNOWN : TRUTH_FALSE;
}
