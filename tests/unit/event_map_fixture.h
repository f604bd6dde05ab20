/* What the tests of event_map share: arguments written as they read, a process that answers the
 * mapping's questions the same way everywhere, and operations as text.
 *
 * The process runs in /work. Its file system:
 *
 *     /bin            -> /usr/bin          /work/link     -> /srv/target
 *     /usr/bin/sh     -> dash              /work/out      -> /etc/deep/dir
 *     executable: /usr/bin/{id,dash,env,both}, /usr/local/bin/tool, /work/bin/own,
 * /work/{here,both}, /child/bin/own, /child/prog descriptors: 5 is /srv/data, 6 is /srv/data/file,
 * 7 has no path, 15 is /etc, others are not known
 *
 * PATH is /usr/local/bin:/usr/bin:bin, the environment is {A=1}, it is process 100 and 101 is its
 * child. */
#ifndef WARDER_TESTS_UNIT_EVENT_MAP_FIXTURE_H
#define WARDER_TESTS_UNIT_EVENT_MAP_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/event_map.h"

#define COUNT_OF(...) (sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value))
#define TEXT(literal)                                                                              \
    {                                                                                              \
        .kind = VALUE_TEXT, .count = sizeof(literal) - 1, .bytes = (literal)                       \
    }
#define BYTES(literal)                                                                             \
    {                                                                                              \
        .kind = VALUE_BYTES, .count = sizeof(literal) - 1, .bytes = (literal)                      \
    }
#define INT(number)                                                                                \
    {                                                                                              \
        .kind = VALUE_INT, .integer = (number)                                                     \
    }
#define BOOL(value)                                                                                \
    {                                                                                              \
        .kind = VALUE_BOOL, .truth = (value)                                                       \
    }
#define NONE                                                                                       \
    {                                                                                              \
        .kind = VALUE_NONE                                                                         \
    }
#define OBJECT(type)                                                                               \
    {                                                                                              \
        .kind = VALUE_OBJECT, .marks = VALUE_OPAQUE, .count = sizeof(type) - 1, .bytes = (type)    \
    }
#define LIST(...)                                                                                  \
    {                                                                                              \
        .kind = VALUE_LIST, .count = COUNT_OF(__VA_ARGS__), .items = (const struct value[])        \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define EMPTY_LIST                                                                                 \
    {                                                                                              \
        .kind = VALUE_LIST, .count = 0, .items = NULL                                              \
    }
#define MAP(...)                                                                                   \
    {                                                                                              \
        .kind = VALUE_MAP, .count = COUNT_OF(__VA_ARGS__) / 2, .items = (const struct value[])     \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define MARKED(mark, kind_, length_, field, content)                                               \
    {                                                                                              \
        .kind = (kind_), .marks = (mark), .count = (length_), .field = (content)                   \
    }
#define SUBCLASS_TEXT(literal)                                                                     \
    MARKED(VALUE_SUBCLASS, VALUE_TEXT, sizeof(literal) - 1, bytes, literal)
#define SUBCLASS_INT(number) MARKED(VALUE_SUBCLASS, VALUE_INT, 0, integer, number)
#define CUT_TEXT(literal) MARKED(VALUE_CUT, VALUE_TEXT, sizeof(literal) - 1, bytes, literal)

enum { /* of Linux, as the resolver and the arguments give them */
       UNIX = 1,
       INET = 2,
       INET6 = 10,
       NETLINK = 16,
       PACKET = 17,
       VSOCK = 40,
};

/* What the process is like, where a test does not want the usual. */
struct process {
    const char *path;      /* PATH; NULL: not set */
    const char *directory; /* NULL: not known */
    const char *host_name; /* whose lookup gave 10.0.0.1 and 127.0.0.1; NULL: nobody has seen one */
    int socket_family;     /* of every socket; negative: not known */
    int python_minor;
    int open_directories; /* how many: those of descriptors 5, 15, 5, ...; negative: not known */
    bool socket_is_tied;  /* every socket has an address of its own */
    bool windows;
    bool knows_nothing; /* every question stays open */
};

struct process usual_process(void);

/* Where the absolute path leads in that file system; false if it cannot be told. */
bool fixture_resolves(const char *path, char *resolved, size_t size);

/* One event with its arguments, mapped; the operations live until the next call. */
struct event map_event(const struct process *process, const char *name,
                       const struct value *arguments, size_t count);

/* The operations as text, attributes in the order of their class, until the next call:
 *
 *     read path=/etc/passwd; write path=/work/link>/srv/target action=open
 *
 * `>` stands before the resolved form where it differs, `(id)` behind a value holds what the caller
 * gave, `?` is what is not known and stands behind text that carries a mark. */
const char *operations_text(const struct event *event);

void assert_mapping(const struct process *process, const char *name, const struct value *arguments,
                    size_t count, const char *expected, const char *file, int line);

/* MAPS(&process, "open", "read path=/etc/passwd", TEXT("/etc/passwd"), TEXT("r"), INT(0)) */
#define MAPS(process, name, expected, ...)                                                         \
    assert_mapping(process, name, (const struct value[]){__VA_ARGS__}, COUNT_OF(__VA_ARGS__),      \
                   expected, __FILE__, __LINE__)

#endif
