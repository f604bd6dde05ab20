/* Values of a test: as Python passes them, and as attributes of an operation have them. */
#ifndef WARDER_POLICIES_SCENE_SCENE_VALUE_H
#define WARDER_POLICIES_SCENE_SCENE_VALUE_H

#include "policies/engine/value.h"
#include "policies/engine/vocabulary.h"
#include "policies/language/diagnostics.h"
#include "policies/language/test_tree.h"

/* What an event carries: an address is the text that Python has for it, and `unknown` an object
 * that nobody can see into. On lack of memory the storage has failed. */
struct value scene_argument(const struct raw *raw, struct storage *storage);

/* An attribute that is being read. */
struct scene_reading {
    struct storage *storage;
    struct diagnostics *diagnostics;
    enum operation_class operation_class;
    enum attribute_name attribute;
};

/* What an attribute of any type but a path is. False, and an error, if the value is not of the
 * attribute's type. Lists of the environment are written as Python's C code passes them:
 * NAME=VALUE.
 */
bool scene_attribute(const struct scene_reading *reading, const struct raw *raw,
                     struct value *value);

/* Says that the value is not of the attribute's type, and what is. */
void scene_value_does_not_fit(const struct scene_reading *reading, const struct raw *raw);

#endif
