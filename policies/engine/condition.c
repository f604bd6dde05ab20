#include "policies/engine/condition.h"

#include <string.h>

#include "policies/engine/block_layout.h"
#include "policies/engine/comparison.h"

static const struct operand absent = {.state = OPERAND_ABSENT};
static const struct operand unknown = {.state = OPERAND_UNKNOWN};

static struct operand here(struct value value)
{
    return (struct operand){.state = OPERAND_HERE, .value = value};
}

static struct operand text_or_absent(const char *text)
{
    return text ? here(value_text(text, strlen(text))) : absent;
}

static bool is_container(const struct value *value)
{
    return value->kind == VALUE_LIST || value->kind == VALUE_MAP;
}

static bool is_cut(const struct value *value)
{
    return (value->marks & VALUE_CUT) != 0;
}

/* True if nothing about the value is certain; a container that is only cut is certain as far as it
 * goes. */
static bool is_doubtful(const struct value *value)
{
    return is_container(value) ? (value->marks & ~VALUE_CUT) != 0 : value->marks != 0;
}

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

/* Elements of a list, keys of a map. */
static struct value element(const struct operand *operand, size_t index)
{
    if (operand->names)
        return value_text(operand->names[index], strlen(operand->names[index]));
    return operand->value.items[operand->value.kind == VALUE_MAP ? 2 * index : index];
}

static struct operand list_element(const struct operand *list, int64_t index)
{
    const int64_t count = list->value.count;

    if (list->value.kind != VALUE_LIST)
        return list->value.marks ? unknown : absent;
    if (is_doubtful(&list->value))
        return unknown;
    if (index < 0 && is_cut(&list->value))
        return unknown; /* nobody knows where the end is */
    if (index < 0)
        index += count;
    if (index < 0 || index >= count)
        return is_cut(&list->value) ? unknown : absent;
    return here(element(list, (size_t)index));
}

/* A key that is there twice (as text and as bytes), or that a marked one may also be, has no
 * certain value. */
static struct operand map_value(const struct question *question, const struct operand *map,
                                const char *key)
{
    const size_t length = strlen(key);
    struct operand found = absent;

    if (map->value.marks)
        return unknown;
    if (map->value.kind != VALUE_MAP)
        return absent;
    if (!budget_pay(question->budget, 1 + (uint64_t)map->value.count))
        return unknown;
    for (uint32_t i = 0; i < map->value.count; i++) {
        const struct value *name = &map->value.items[2 * (size_t)i];
        if (name->marks)
            return unknown;
        if ((name->kind != VALUE_TEXT && name->kind != VALUE_BYTES) || name->count != length)
            continue;
        if (!budget_pay(question->budget, budget_of_bytes(length)))
            return unknown;
        if (memcmp(name->bytes, key, length) != 0)
            continue;
        if (found.state == OPERAND_HERE)
            return unknown;
        found = here(map->value.items[2 * (size_t)i + 1]);
    }
    return found;
}

static struct operand label(const struct question *question, const char *name)
{
    const struct subject *subject = question->subject;

    if (!budget_pay(question->budget, 1 + subject->label_count))
        return unknown;
    for (size_t i = 0; i < subject->label_count; i++)
        if (strcmp(subject->labels[i].name, name) == 0)
            return text_or_absent(subject->labels[i].value);
    return absent;
}

static struct operand argument(const struct event *event, int64_t index)
{
    if (!event || index < 0 || index >= event->argument_count)
        return absent;
    return here(event->arguments[index]);
}

/* The argument that has the predicate's name in this event: the places are in order of event. */
static struct operand named_argument(const struct question *question, const struct block_node *node)
{
    const struct argument_place *places =
        (const struct argument_place *)block_section(question->block, SECTION_ARGUMENTS) +
        node->key;
    uint32_t low = 0;
    uint32_t high = node->key_count;

    if (!question->event)
        return absent;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (places[middle].event < question->event->number)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == node->key_count || places[low].event != question->event->number)
        return absent;
    return argument(question->event, places[low].argument);
}

static struct operand event_name(const struct event *event)
{
    if (!event)
        return absent;
    struct value name = value_text(event->name, event->name_length);
    if (event->name_cut)
        name.marks = VALUE_CUT;
    return here(name);
}

static struct operand operation_value(const struct question *question,
                                      const struct block_node *node)
{
    const struct operation *operation = question->operation;
    if (!operation)
        return absent;
    /* `path` is one name for two kinds of path. */
    if (node->attribute == ATTRIBUTE_PATH &&
        (operation->operation_class == CLASS_REGISTRY) != (node->type == TYPE_REGISTRY))
        return absent;
    const struct attribute *attribute =
        operation_attribute(operation, (enum attribute_name)node->attribute);
    if (!attribute)
        return absent;
    if (attribute->nameless && node->attribute == ATTRIBUTE_HOST)
        return question->names_doubted ? unknown : absent;
    if (node->type != TYPE_PATH || !question->resolved)
        return here(attribute->value);
    /* A form that nobody filled in is not the form none. */
    if (attribute->resolved.kind == VALUE_NONE && attribute->value.kind != VALUE_NONE)
        return here(value_unknown());
    return here(attribute->resolved);
}

static struct operand whole(const struct question *question, const struct block_node *node)
{
    const struct subject *subject = question->subject;

    switch ((enum attribute_name)node->attribute) {
    case ATTRIBUTE_EVENT:
        return event_name(question->event);
    case ATTRIBUTE_USER:
        return text_or_absent(subject->user);
    case ATTRIBUTE_GROUP: {
        struct operand groups =
            here((struct value){.kind = VALUE_LIST, .count = (uint32_t)subject->group_count});
        groups.names = subject->groups;
        return groups;
    }
    case ATTRIBUTE_SCRIPT:
        return text_or_absent(subject->script);
    case ATTRIBUTE_EXE:
        return text_or_absent(subject->exe);
    case ATTRIBUTE_UNIT:
        return text_or_absent(subject->unit);
    case ATTRIBUTE_PLATFORM:
        return text_or_absent(subject->platform);
    case ATTRIBUTE_PYTHON:
        return text_or_absent(subject->python);
    default:
        return operation_value(question, node);
    }
}

struct operand condition_operand(const struct question *question, const struct block_node *node)
{
    switch ((enum node_part)node->part) {
    case PART_LABEL:
        return label(question, block_text(question->block, node->key));
    case PART_ARGUMENT:
        return named_argument(question, node);
    case PART_ELEMENT:
        if (node->attribute == ATTRIBUTE_ARG)
            return argument(question->event, node->index);
        break;
    default:
        break;
    }

    const struct operand operand = whole(question, node);
    if (operand.state != OPERAND_HERE || node->part == PART_WHOLE)
        return operand;
    if (node->part == PART_ELEMENT)
        return list_element(&operand, node->index);
    return map_value(question, &operand, block_text(question->block, node->key));
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
    enum truth truth = is_cut(&list->value) ? TRUTH_UNKNOWN : TRUTH_FALSE;

    for (uint32_t i = 0; i < list->value.count && truth != TRUTH_TRUE; i++) {
        if (!budget_pay(question->budget, 1))
            return TRUTH_UNKNOWN;
        const struct value value = element(list, i);
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
        truth = is_cut(&list->value) ? TRUTH_UNKNOWN : TRUTH_FALSE;
    else if (throughout && is_cut(&list->value))
        truth = TRUTH_UNKNOWN;
    for (uint32_t i = 0; i < node->count && i < count && truth != TRUTH_FALSE; i++) {
        const struct value value = element(list, i);
        truth = both(truth, compare(question, node, OPERATOR_EQUALS, &value, &literal[i]));
    }
    return truth;
}

static enum truth list_predicate(const struct question *question, const struct block_node *node,
                                 const struct operand *list)
{
    if (is_doubtful(&list->value))
        return TRUTH_UNKNOWN;
    if (!is_container(&list->value))
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
    const struct operand operand = condition_operand(question, node);
    const bool asks_absence = node->operator_kind == OPERATOR_ABSENT;

    if (operand.state == OPERAND_UNKNOWN)
        return TRUTH_UNKNOWN;
    if (operand.state == OPERAND_ABSENT)
        return asks_absence ? TRUTH_TRUE : TRUTH_FALSE;
    if (asks_absence)
        return TRUTH_FALSE;

    switch ((enum node_operator)node->operator_kind) {
    case OPERATOR_NONE:
        if (is_doubtful(&operand.value))
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
