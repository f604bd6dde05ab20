/* Places are kept as offsets into the texts, for the spans of a compilation go away with it; lines
 * are counted when somebody asks. */
#include "policies/language/source_map.h"

#include <stdlib.h>

#include "policies/language/source_map_internal.h"

struct place {
    const char *file;
    const char *text; /* all of it */
    uint32_t offset;
    uint32_t length; /* 0: nothing is known */
};

struct source_map {
    struct place *places[MAPPED_KINDS];
    uint32_t counts[MAPPED_KINDS];
};

struct source_map *source_map_new(void)
{
    return calloc(1, sizeof(struct source_map));
}

void source_map_free(struct source_map *map)
{
    if (!map)
        return;
    for (int kind = 0; kind < MAPPED_KINDS; kind++)
        free(map->places[kind]);
    free(map);
}

static bool make_room(struct source_map *map, enum mapped_kind kind, uint32_t index)
{
    const uint32_t count = map->counts[kind];

    if (index < count)
        return true;
    const uint32_t grown = index < UINT32_MAX / 4 ? (index + 1) * 2 + 30 : UINT32_MAX / 2;
    struct place *places = realloc(map->places[kind], grown * sizeof(*places));
    if (!places)
        return false;
    for (uint32_t i = count; i < grown; i++)
        places[i] = (struct place){.file = NULL};
    map->places[kind] = places;
    map->counts[kind] = grown;
    return index < grown;
}

void source_map_note(struct source_map *map, enum mapped_kind kind, uint32_t index,
                     struct span span)
{
    if (!map || !span.source || !make_room(map, kind, index))
        return;
    map->places[kind][index] =
        (struct place){span.source->file, span.source->text, span.offset, span.length};
}

static bool find(const struct source_map *map, enum mapped_kind kind, uint32_t index,
                 struct source_excerpt *out)
{
    if (!map || index >= map->counts[kind] || map->places[kind][index].length == 0)
        return false;
    const struct place *place = &map->places[kind][index];
    const struct source source = {.file = place->file, .text = place->text};
    *out = (struct source_excerpt){
        .file = place->file, .text = place->text + place->offset, .length = place->length};
    span_position((struct span){&source, place->offset, place->length}, &out->line, &out->column);
    return true;
}

bool source_map_policy(const struct source_map *map, uint32_t policy, struct source_excerpt *out)
{
    return find(map, MAPPED_POLICY, policy, out);
}

bool source_map_rule(const struct source_map *map, uint32_t rule, struct source_excerpt *out)
{
    return find(map, MAPPED_RULE, rule, out);
}

bool source_map_node(const struct source_map *map, uint32_t node, struct source_excerpt *out)
{
    return find(map, MAPPED_NODE, node, out);
}

bool source_map_override(const struct source_map *map, uint32_t override,
                         struct source_excerpt *out)
{
    return find(map, MAPPED_OVERRIDE, override, out);
}

bool source_map_default(const struct source_map *map, uint32_t policy,
                        enum operation_class operation_class, struct source_excerpt *out)
{
    return policy < UINT32_MAX / CLASS_COUNT && (unsigned)operation_class < CLASS_COUNT &&
           find(map, MAPPED_DEFAULT, policy * CLASS_COUNT + (uint32_t)operation_class, out);
}
