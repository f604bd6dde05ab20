/* How the emitter fills a map. */
#ifndef WARDER_POLICIES_LANGUAGE_SOURCE_MAP_INTERNAL_H
#define WARDER_POLICIES_LANGUAGE_SOURCE_MAP_INTERNAL_H

#include "policies/language/source.h"
#include "policies/language/source_map.h"

enum mapped_kind {
    MAPPED_POLICY,
    MAPPED_RULE,
    MAPPED_NODE,
    MAPPED_OVERRIDE,
    MAPPED_DEFAULT, /* policy * CLASS_COUNT + class */
    MAPPED_KINDS
};

/* Lack of memory is remembered; what could not be noted is then unknown. `map` may be NULL. */
void source_map_note(struct source_map *map, enum mapped_kind kind, uint32_t index,
                     struct span span);

#endif
