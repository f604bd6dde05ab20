#include "policies/engine/operand.h"

#include <string.h>

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

struct value operand_element(const struct operand *operand, size_t index)
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
    if (value_is_doubtful(&list->value))
        return unknown;
    if (index < 0 && value_is_cut(&list->value))
        return unknown; /* nobody knows where the end is */
    if (index < 0)
        index += count;
    if (index < 0 || index >= count)
        return value_is_cut(&list->value) ? unknown : absent;
    return here(operand_element(list, (size_t)index));
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

struct operand operand_find(const struct question *question, const struct block_node *node)
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
