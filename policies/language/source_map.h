/* Where the statements and predicates of a compiled policy stand in the texts it was made from.
 *
 * The block has no places: whoever decides does not need them, and they would be half of it. Who
 * explains a decision compiles the texts once more, with a map in the options. */
#ifndef WARDER_POLICIES_LANGUAGE_SOURCE_MAP_H
#define WARDER_POLICIES_LANGUAGE_SOURCE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "policies/engine/vocabulary.h"
#include "policies/ownership.h"

struct source_map;

struct source_map *source_map_new(void); /* NULL on lack of memory */
void source_map_free(struct source_map *map);
DEFINE_CLEANUP(struct source_map *, source_map_free);

/* A stretch of a text. Borrowed from the texts that were compiled: good as long as they are. */
struct source_excerpt {
    const char *file;
    uint32_t line;   /* of its first byte, from 1 */
    uint32_t column; /* in characters, from 1 */
    const char *text;
    uint32_t length;
};

/* By index in the block that was compiled with the map. False if nothing is known of it. */
bool source_map_policy(const struct source_map *map, uint32_t policy, struct source_excerpt *out);
bool source_map_rule(const struct source_map *map, uint32_t rule, struct source_excerpt *out);
/* The condition, or part of one, that a node is. */
bool source_map_node(const struct source_map *map, uint32_t node, struct source_excerpt *out);
bool source_map_override(const struct source_map *map, uint32_t override,
                         struct source_excerpt *out);
/* The statement from which a policy has its default for the class. */
bool source_map_default(const struct source_map *map, uint32_t policy,
                        enum operation_class operation_class, struct source_excerpt *out);

#endif
