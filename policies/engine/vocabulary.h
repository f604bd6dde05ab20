/* The words of the policy language that name what interpreters do: operation classes, their
 * attributes, the types of those, and the words that an attribute can be compared with.
 *
 * One table for everyone: the parser and checker, the evaluator, the mapping of events, the
 * contract (proto/warder.proto repeats the numbers, and proto/event_wire.c asserts that they
 * agree), the tests. Numbers are part of the contract and of the compiled policy: append, never
 * reorder. */
#ifndef WARDER_POLICIES_ENGINE_VOCABULARY_H
#define WARDER_POLICIES_ENGINE_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum operation_class {
    CLASS_NONE = 0, /* an event that is no operation: only raw `event` rules reach it */
    CLASS_EXEC,
    CLASS_FORK,
    CLASS_SIGNAL,
    CLASS_READ,
    CLASS_WRITE,
    CLASS_CONNECT,
    CLASS_BIND,
    CLASS_SOCKET,
    CLASS_RESOLVE,
    CLASS_IMPORT,
    CLASS_NATIVE,
    CLASS_FFI,
    CLASS_CODE,
    CLASS_PICKLE,
    CLASS_INTROSPECT,
    CLASS_HOOK,
    CLASS_RUN,
    CLASS_ENVIRON,
    CLASS_CONTROL,
    CLASS_THREAD,
    CLASS_REGISTRY,
    CLASS_OTHER,
    CLASS_COUNT
};

enum attribute_name {
    ATTRIBUTE_NONE = 0,
    /* of operations */
    ATTRIBUTE_FILE,
    ATTRIBUTE_ARGV,
    ATTRIBUTE_CWD,
    ATTRIBUTE_ENV,
    ATTRIBUTE_SHELL,
    ATTRIBUTE_INTERPRETER,
    ATTRIBUTE_TARGET,
    ATTRIBUTE_PID,
    ATTRIBUTE_SIGNAL,
    ATTRIBUTE_ACTION,
    ATTRIBUTE_PATH,
    ATTRIBUTE_ADDRESS,
    ATTRIBUTE_PORT,
    ATTRIBUTE_HOST,
    ATTRIBUTE_FAMILY,
    ATTRIBUTE_KIND,
    ATTRIBUTE_PROTOCOL,
    ATTRIBUTE_MODULE,
    ATTRIBUTE_NAME,
    ATTRIBUTE_SYMBOL,
    ATTRIBUTE_REQUEST,
    ATTRIBUTE_HOW,
    /* of every operation */
    ATTRIBUTE_EVENT,
    ATTRIBUTE_ARG, /* arg[N], arg.NAME: the number is resolved by the compiler or at evaluation */
    /* of the session (selectors; user, group, label and script also in rules) */
    ATTRIBUTE_USER,
    ATTRIBUTE_GROUP,
    ATTRIBUTE_LABEL,
    ATTRIBUTE_SCRIPT,
    ATTRIBUTE_EXE,
    ATTRIBUTE_UNIT,
    ATTRIBUTE_PLATFORM,
    ATTRIBUTE_PYTHON,
    ATTRIBUTE_COUNT
};

enum attribute_type {
    TYPE_PATH,     /* two forms: as written and resolved */
    TYPE_REGISTRY, /* a registry path: HKLM\..., case ignored */
    TYPE_MODULE,   /* a dotted name; `under` compares whole parts */
    TYPE_TEXT,
    TYPE_WORD,    /* a text out of a known set: vocabulary_words() */
    TYPE_HOST,    /* a host name: case, final dot and IDN folded; `is` and `in` only */
    TYPE_ADDRESS, /* an IP address; 4 or 16 bytes in a VALUE_BYTES */
    TYPE_INT,
    TYPE_SIGNAL, /* an int that may be written as a name: SIGTERM or TERM */
    TYPE_BOOL,
    TYPE_TEXT_LIST,
    TYPE_TEXT_MAP,
    TYPE_VERSION, /* 3.9, compared by its parts */
    TYPE_ANY,     /* an argument of an event: whatever it is at run time */
};

/* `exec`; NULL for CLASS_NONE and numbers that are no class. */
const char *vocabulary_class_name(enum operation_class operation_class);
/* CLASS_NONE if there is no such class. The name is not terminated. */
enum operation_class vocabulary_class(const char *name, size_t length);

/* True for the classes that the kernel can hold: a floor can be of them. */
bool vocabulary_class_has_floor(enum operation_class operation_class);

const char *vocabulary_attribute_name(enum attribute_name attribute);
enum attribute_name vocabulary_attribute(const char *name, size_t length);
enum attribute_type vocabulary_attribute_type(enum attribute_name attribute);

/* The attributes of a class, the main one first, ending with ATTRIBUTE_NONE; those that every class
 * has are not in it. */
const enum attribute_name *vocabulary_class_attributes(enum operation_class operation_class);
bool vocabulary_class_has(enum operation_class operation_class, enum attribute_name attribute);

/* The words that `attribute` takes in operations of a class, ending with NULL: for `action` of a
 * signal: signal, terminate, open, limit, trace. NULL where the attribute is not of TYPE_WORD. */
const char *const *vocabulary_words(enum operation_class operation_class,
                                    enum attribute_name attribute);

/* The number of a signal by its Linux name, `SIGTERM` or `TERM`; 0 if there is none. The numbers
 * are those of x86-64 and arm64 (signal(7)), so that a policy means the same wherever it is
 * compiled. */
int vocabulary_signal(const char *name, size_t length);

#endif
