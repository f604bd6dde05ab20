/* Values of events as a person reads them: "id", ["git", "push"], 443, none. What programs chose
 * cannot play with the terminal. */
#ifndef WARDER_POLICIES_SCENE_VALUE_TEXT_H
#define WARDER_POLICIES_SCENE_VALUE_TEXT_H

#include "policies/engine/operand.h"
#include "policies/engine/value.h"
#include "policies/engine/vocabulary.h"
#include "policies/language/text_buffer.h"

/* Adds the value, cut where it is long. `type` tells addresses from bytes. */
void value_text_add(struct text_buffer *buffer, const struct value *value,
                    enum attribute_type type);

/* What a predicate saw, also that it was not there, or not known. */
void operand_text_add(struct text_buffer *buffer, const struct operand *operand,
                      enum attribute_type type);

#endif
