#include "policies/language/emit.h"

#include <string.h>

#include "policies/engine/path_text.h"

static struct block_node *node_at(struct emitter *emitter, uint32_t index)
{
    return emit_at(emitter, SECTION_NODES, sizeof(struct block_node), index);
}

/* What the path, or the literal front of a glob, resolves to; false if that is itself. */
static bool resolved_path(const struct emitter *emitter, const struct typed_value *value,
                          char *resolved, size_t *length)
{
    char found[PATH_TEXT_MAX];
    char path[PATH_TEXT_MAX];

    if (!value->is_path || !emitter->options || !emitter->options->resolve ||
        value->length >= sizeof(path))
        return false;
    memcpy(path, value->text, value->length);
    path[value->length] = '\0';
    if (!emitter->options->resolve(emitter->options->context, path, found, sizeof(found)))
        return false;
    *length = path_normalise(NULL, found, strnlen(found, sizeof(found)), resolved, PATH_TEXT_MAX);
    if (*length == 0)
        return false;
    if (value->glob_length > 0 && *length == 1)
        *length = 0; /* the root: the pattern begins with its separator */
    return *length != value->length || memcmp(resolved, value->text, *length) != 0;
}

static struct block_range emit_glob(struct emitter *emitter, const struct typed_value *value)
{
    uint32_t words[GLOB_WORDS_MAX];
    size_t count;
    size_t at;

    if (value->glob_length == 0)
        return (struct block_range){0, 0};
    (void)glob_compile(value->glob_kind, value->glob, value->glob_length, words, &count, &at);
    const uint32_t first = emit_reserve(emitter, SECTION_GLOB_WORDS, sizeof(*words), count);
    uint32_t *place = emit_at(emitter, SECTION_GLOB_WORDS, sizeof(*words), first);
    if (place)
        memcpy(place, words, count * sizeof(*words));
    return (struct block_range){first, (uint32_t)count};
}

static void emit_value(struct emitter *emitter, const struct typed_value *value, const char *text,
                       size_t length)
{
    const uint32_t index = emit_reserve(emitter, SECTION_VALUES, sizeof(struct block_value), 1);
    const uint32_t offset = emit_text(emitter, text, length);
    const struct block_range glob = emit_glob(emitter, value);
    struct block_value *put = emit_at(emitter, SECTION_VALUES, sizeof(struct block_value), index);

    if (!put)
        return;
    put->kind = (uint8_t)value->kind;
    put->place = (uint8_t)value->place;
    put->text = offset;
    if (value->kind == BLOCK_VALUE_ADDRESS) {
        put->place = value->address.width;
        put->prefix = (uint16_t)value->prefix;
        memcpy(put->address, value->address.bytes, sizeof(put->address));
    } else if (block_value_has_text(put)) {
        put->length = (uint32_t)length;
        put->glob = glob;
    } else {
        put->low = value->low;
        put->high = value->high;
    }
}

struct block_range emit_values(struct emitter *emitter, const struct typed_value *values)
{
    struct block_range range = {emitter->sections[SECTION_VALUES].count, 0};
    char resolved[PATH_TEXT_MAX];
    size_t length;

    for (const struct typed_value *value = values; value; value = value->next) {
        emit_value(emitter, value, value->text, value->length);
        if (resolved_path(emitter, value, resolved, &length))
            emit_value(emitter, value, resolved, length);
    }
    range.count = emitter->sections[SECTION_VALUES].count - range.first;
    return range;
}

static struct block_range emit_places(struct emitter *emitter,
                                      const struct checked_predicate *checked)
{
    const size_t size = sizeof(struct argument_place);
    const uint32_t first = emit_reserve(emitter, SECTION_ARGUMENTS, size, checked->place_count);
    struct argument_place *places = emit_at(emitter, SECTION_ARGUMENTS, size, first);
    if (places)
        memcpy(places, checked->places, checked->place_count * size);
    return (struct block_range){first, (uint32_t)checked->place_count};
}

static bool emit_predicate(struct emitter *emitter, uint32_t index,
                           const struct checked_predicate *checked)
{
    struct block_range key = {0, 0};
    if (!checked) { /* the checker passed over it: it must not be passed over here */
        emitter->failed = true;
        return false;
    }
    if (checked->part == PART_ARGUMENT)
        key = emit_places(emitter, checked);
    else if (checked->key)
        key.first = emit_text(emitter, checked->key, checked->key_length);
    const struct block_range values = emit_values(emitter, checked->values);
    struct block_node *node = node_at(emitter, index);

    if (!node)
        return false;
    node->kind = NODE_PREDICATE;
    node->operator_kind = (uint8_t)checked->operator_kind;
    node->attribute = (uint8_t)checked->attribute;
    node->type = (uint8_t)checked->type;
    node->part = (uint8_t)checked->part;
    node->index = checked->index;
    node->key = key.first;
    node->key_count = key.count;
    node->first = values.first;
    node->count = values.count;
    return checked->type == TYPE_PATH;
}

static enum node_kind kind_of(enum condition_kind kind)
{
    switch (kind) {
    case CONDITION_AND:
        return NODE_AND;
    case CONDITION_OR:
        return NODE_OR;
    case CONDITION_NOT:
        return NODE_NOT;
    default:
        return NODE_TRUE;
    }
}

bool emit_condition(struct emitter *emitter, uint32_t index, const struct condition *condition)
{
    bool has_paths = false;
    uint32_t count = 0;

    if (condition->kind == CONDITION_PREDICATE) {
        /* Without parentheses around it. */
        emit_place(emitter, MAPPED_NODE, index, condition->predicate->span);
        return emit_predicate(emitter, index, condition->predicate->checked);
    }
    emit_place(emitter, MAPPED_NODE, index, condition->span);
    for (const struct condition *child = condition->first; child; child = child->next)
        count++;
    const uint32_t first = emit_reserve(emitter, SECTION_NODES, sizeof(struct block_node), count);
    struct block_node *node = node_at(emitter, index);
    if (!node)
        return false;
    node->kind = (uint8_t)kind_of(condition->kind);
    node->first = first;
    node->count = count;
    count = 0;
    for (const struct condition *child = condition->first; child; child = child->next)
        has_paths |= emit_condition(emitter, first + count++, child);
    return has_paths;
}
