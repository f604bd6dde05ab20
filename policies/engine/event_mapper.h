/* What the parts of the mapping share: one event on its way to being operations.
 *
 * Internal to event_map.c and the files that make attributes (path_attribute.c,
 * exec_operation.c, socket_operation.c, windows_operation.c). A source is a function that fills in
 * one attribute and says whether the operation has it at all:
 *
 *     false                      absent: the operation has no such attribute
 *     true, value marked         it has one, and what it is could not be known for certain
 *     true, value not marked     known
 *
 * Arguments may be of any kind with any mark, for every program can raise every event with whatever
 * it likes: they are read through the functions below, and what is not of the kind that CPython
 * passes is unknown. Memory that does not suffice makes values unknown; event_map then sees that
 * the arena is exhausted and refuses the whole event. */
#ifndef WARDER_POLICIES_ENGINE_EVENT_MAPPER_H
#define WARDER_POLICIES_ENGINE_EVENT_MAPPER_H

#include "policies/catalogue/mapping.h"
#include "policies/engine/arena.h"
#include "policies/engine/event.h"
#include "policies/engine/event_map.h"
#include "policies/engine/truth.h"

struct mapper {
    const struct event *event;
    const struct event_resolver *resolver;
    struct arena *arena;

    /* The interpreter runs on Windows, or the event is raised there alone. */
    bool windows;

    /* The caller's directory, asked for once, when it is first needed. */
    bool directory_asked;
    const char *directory; /* NULL: not known */

    /* Where a relative path of os.open is taken from in the operation that is being made; NULL: not
     * known. */
    const char *opened_base;

    /* The attributes that the operation has so far, in order of enum attribute_name. */
    const struct attribute *attributes;
    uint32_t attribute_count;
};

/* The argument of an operand: unknown if the event came without it, or the table names none. */
const struct value *mapper_argument(const struct mapper *mapper, uint8_t operand);

/* True if the value is a number, and which. A mark for a subclass does not matter here: the numbers
 * that are asked for so (flags, pids, signals, families, ports) are read by C code of CPython,
 * which takes the stored value of any int (PyLong_AsLong) and asks no method of it. Not for a value
 * that may be a path too: value_read_descriptor. */
bool value_read_integer(const struct value *value, int64_t *integer);

/* True if a value that stands where a path may stand is a descriptor, and which: a number that a C
 * int holds and that is not negative. One of a subclass is not certain to be one: what CPython
 * cannot take for a descriptor (FileIO's overflow, Python code that asks os.fspath) it asks for its
 * __fspath__, so that a number becomes any path. */
bool value_read_descriptor(const struct value *value, int64_t *descriptor);

/* True if the value is a text or bytes, and certain. */
bool value_is_plain_text(const struct value *value);

/* True if the value is None, and certain. */
bool value_is_none(const struct value *value);

/* True if the value is this text, certain or not. */
bool value_is_text(const struct value *value, const char *text);

/* `value` as a text, with its marks; bytes are the same text, anything else is unknown. */
struct value value_as_text(const struct value *value);

/* `value` as a list of texts, each as value_as_text makes it; what is no list is unknown. */
struct value value_as_texts(struct mapper *mapper, const struct value *value);

/* A terminated text as a value. */
struct value value_of_string(const char *text);

/* The directory of the calling process, absolute; NULL if it is not known. */
const char *mapper_directory(struct mapper *mapper);

/* The attribute of the operation that is being made, or NULL. */
const struct attribute *mapper_attribute(const struct mapper *mapper, enum attribute_name name);

#endif
