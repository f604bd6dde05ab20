/* What an argument of an audit event is, once it has been read without running any Python code.
 *
 * A value is a node; lists and maps point at their children. Everything lives in one arena and is
 * never freed singly. Three marks say what could not be known for certain; a marked value makes a
 * condition on it unknown, and unknown never allows (policy-language, "Three values"). */
#ifndef WARDER_POLICIES_ENGINE_VALUE_H
#define WARDER_POLICIES_ENGINE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_kind {
    VALUE_NONE,
    VALUE_BOOL,
    VALUE_INT,     /* fits 64 bits, signed */
    VALUE_BIG_INT, /* does not: little-endian two's complement in `bytes` */
    VALUE_FLOAT,
    VALUE_TEXT,   /* a str: UTF-8, with surrogateescape undone, so any bytes but those of a lone
                     surrogate that stands for no byte (such a text is marked opaque) */
    VALUE_BYTES,  /* a bytes or bytearray */
    VALUE_LIST,   /* a list or tuple */
    VALUE_MAP,    /* a dict: `count` pairs, key and value in turn */
    VALUE_OBJECT, /* anything else: `bytes` is the name of its type. Always opaque */
};

enum value_mark {
    VALUE_CUT = 1, /* longer, deeper or larger than the bounds: what is here is the beginning */
    VALUE_SUBCLASS = 2, /* of a subclass: the stored content is here, but the object may answer
                           differently */
    VALUE_OPAQUE = 4,   /* not certain at all: an object known by its type alone, text that has no
                           bytes, the content of a bytearray, which may be other bytes by the time
                           they are used */
};

struct value {
    uint8_t kind;   /* enum value_kind */
    uint8_t marks;  /* enum value_mark, or-ed */
    uint32_t count; /* bytes of TEXT, BYTES, BIG_INT, OBJECT; elements of LIST; pairs of MAP */
    union {
        bool truth;
        int64_t integer;
        double real;
        const char *bytes;         /* not terminated: `count` is the length */
        const struct value *items; /* LIST: count; MAP: 2 * count */
    };
};

/* True if the value itself (not what it contains) carries a mark. */
static inline bool value_is_marked(const struct value *value)
{
    return value->marks != 0;
}

/* True if the value or anything inside it carries a mark. Recursion is bounded by the depth that
 * values are read with (VALUE_DEPTH_MAX). */
bool value_is_marked_throughout(const struct value *value);

/* Bounds of what is read and of what a message may carry. A value beyond them is cut and marked. */
enum {
    VALUE_DEPTH_MAX = 8,         /* nesting of lists and maps; a deeper one is cut to empty */
    VALUE_ITEMS_MAX = 4096,      /* elements of one list, pairs of one map */
    VALUE_BYTES_MAX = 64 * 1024, /* bytes of one text; more than PATH_MAX (4096), and half of
                                    the longest single argument of execve (MAX_ARG_STRLEN) */
    VALUE_NODES_MAX = 16 * 1024, /* nodes of one event */
    /* Bytes of all texts of one event. A message has most of them twice, as arguments and as
     * attributes, and must stay below MESSAGE_SIZE_MAX (proto/packet.h). */
    VALUE_TOTAL_BYTES_MAX = 320 * 1024,
};

static inline struct value value_none(void)
{
    return (struct value){.kind = VALUE_NONE};
}

static inline struct value value_int(int64_t integer)
{
    return (struct value){.kind = VALUE_INT, .integer = integer};
}

static inline struct value value_bool(bool truth)
{
    return (struct value){.kind = VALUE_BOOL, .truth = truth};
}

/* `bytes` is borrowed. */
static inline struct value value_text(const char *bytes, size_t length)
{
    return (struct value){.kind = VALUE_TEXT, .count = (uint32_t)length, .bytes = bytes};
}

/* A value that exists and could not be read for certain. */
static inline struct value value_unknown(void)
{
    return (struct value){.kind = VALUE_OBJECT, .marks = VALUE_OPAQUE};
}

/* The same, of what a caller wrote: the name of its type stays known, for messages. */
static inline struct value value_unknown_of(const struct value *written)
{
    struct value unknown = value_unknown();

    if (written->kind == VALUE_OBJECT) {
        unknown.bytes = written->bytes;
        unknown.count = written->count;
    } else if (written->kind == VALUE_BIG_INT) {
        unknown.bytes = "int";
        unknown.count = sizeof("int") - 1;
    }
    return unknown;
}

#endif
