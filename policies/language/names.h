/* Names of the vocabulary in a policy text: looked up, and, where there is none, reported with the
 * nearest one. */
#ifndef WARDER_POLICIES_LANGUAGE_NAMES_H
#define WARDER_POLICIES_LANGUAGE_NAMES_H

#include "policies/catalogue/catalogue.h"
#include "policies/engine/subject.h"
#include "policies/language/report.h"
#include "policies/language/syntax_tree.h"
#include "policies/language/text_buffer.h"

/* CLASS_NONE, and an error, if there is no such class. */
enum operation_class find_class(struct diagnostics *diagnostics, const struct word *word);

/* PLACE_COUNT, and an error, if there is no such place; `name` is session.NAME. */
enum place find_place(struct diagnostics *diagnostics, const char *name, size_t length,
                      struct span span);

/* The event that a string names exactly; NULL, and an error, if the catalogue does not know it. */
const struct event_entry *find_event(struct diagnostics *diagnostics,
                                     const struct literal *literal);

/* True for attributes that `applies` can ask about. */
bool is_selector(enum attribute_name attribute);
/* True for those that every rule has: event, arg, user, group, label, script. */
bool is_common_attribute(enum attribute_name attribute);

/* `read, write, connect`: the classes that have the attribute. */
void add_classes_with(struct text_buffer *out, enum attribute_name attribute);
/* `file, argv, cwd`: the attributes of a class. */
void add_attributes_of(struct text_buffer *out, enum operation_class operation_class);
/* `every way to start a program`: what a class covers. */
const char *class_covers(enum operation_class operation_class);
/* `an integer`: a type in a reader's words. */
const char *type_in_words(enum attribute_type type);

#endif
