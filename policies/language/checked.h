/* What the checker found out about a tree: names resolved, literals read as the types that they are
 * compared with. The compiler works from this. Everything lives in the compilation's storage. */
#ifndef WARDER_POLICIES_LANGUAGE_CHECKED_H
#define WARDER_POLICIES_LANGUAGE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/block_layout.h"
#include "policies/engine/glob.h"
#include "policies/language/source.h"

struct typed_value {
    enum block_value_kind kind;
    enum place place;
    bool is_path;     /* an absolute path, or the front of a path's glob: it also stands for what it
                         resolves to */
    const char *text; /* as in struct block_value */
    size_t length;
    enum glob_kind glob_kind;
    const char *glob; /* the pattern behind `text` */
    size_t glob_length;
    int64_t low;
    int64_t high;
    struct address address;
    unsigned prefix;
    struct span span; /* of the literal */
    struct typed_value *next;
};

struct checked_predicate {
    enum attribute_name attribute;
    enum attribute_type type;
    enum node_part part;
    enum node_operator operator_kind;
    int32_t index;
    const char *key; /* of a map, or a label; not terminated */
    size_t key_length;
    struct argument_place *places; /* PART_ARGUMENT, by event */
    size_t place_count;
    struct typed_value *values;
};

struct target; /* check_internal.h */

struct checked_rule {
    const struct target *target; /* what its condition is asked about */
    uint32_t index;              /* the emitter's: in the block */
    uint32_t classes;            /* bit N: the target names class N; all classes for `all` */
    uint16_t *events;            /* those that the target names, by number, each once */
    size_t event_count;
    struct typed_value *globs; /* of event names */
};

#endif
