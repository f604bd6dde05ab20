/* Which operations an audit event is: the catalogue's table, applied to arguments.
 *
 * The table (policies/catalogue/event-operations.tsv) says for each event which classes of
 * operation it is, under which condition, and where each attribute comes from. Some attributes need
 * what only the process itself can know: its directory, what a descriptor stands for, what a link
 * leads to. Those questions go to a resolver: the hook answers with system calls, `warder test` and
 * the tests with what was given. The mapping itself makes no system call, allocates from the arena
 * alone, and runs in time linear in the arguments. */
#ifndef WARDER_POLICIES_ENGINE_EVENT_MAP_H
#define WARDER_POLICIES_ENGINE_EVENT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/address.h"
#include "policies/engine/arena.h"
#include "policies/engine/event.h"

enum process_relation {
    PROCESS_SELF,
    PROCESS_CHILD,
    PROCESS_GROUP, /* the caller's own process group */
    PROCESS_OTHER, /* anything else: another process, another group, everything */
};

/* What a question comes back with. "None" is an answer; "unknown" makes what rests on it unknown.
 */
enum resolver_answer {
    ANSWER_UNKNOWN,
    ANSWER_NONE,
    ANSWER_KNOWN,
};

/* Each function answers one question. Texts are written to `buffer` of `size` bytes, terminated; a
 * text that does not fit is not known. A function that returns bool says whether the answer is
 * known. Functions must not block for long and must not run code of the interpreter. A NULL member
 * means: never known. */
struct event_resolver {
    void *context;

    /* The interpreter runs on Windows: paths are taken as they are written, numbers mean what they
     * mean there. */
    bool windows;

    /* The minor version of CPython 3; 0 if it is not known. Some versions pass garbage. */
    int python_minor;

    /* The directory of the calling process, absolute. */
    bool (*caller_directory)(void *context, char *buffer, size_t size);

    /* The path behind an open descriptor. ANSWER_NONE if it is open and has none (a pipe, a socket,
     * memory). */
    enum resolver_answer (*descriptor_path)(void *context, int64_t descriptor, char *buffer,
                                            size_t size);

    /* The descriptors of all directories that the calling process has open, at most `max` of them;
     * how many. A negative number if there are more, or it is not known. */
    int (*open_directories)(void *context, int *descriptors, int max);

    /* Where the kernel gets to from `path`: symbolic links, `.` and `..` resolved in its order.
     * `path` is absolute and NOT normalised, because `..` after a link leads to the parent of what
     * the link names; it may hold any byte but NUL, repeated and final separators, and be longer
     * than PATH_TEXT_MAX. Of a file that does not exist, the part that does is resolved and the
     * rest normalised as text. `follow` false: a link that is the last component is taken as it is.
     */
    bool (*resolve)(void *context, const char *path, bool follow, char *buffer, size_t size);

    /* True if the path (as for resolve) names a file that could be executed. */
    bool (*executable)(void *context, const char *path);

    /* A variable of the calling process's environment. */
    enum resolver_answer (*variable)(void *context, const char *name, char *buffer, size_t size);

    /* The whole environment as a VALUE_MAP of texts in the arena, cut and marked where it does not
     * fit. */
    bool (*environment)(void *context, struct arena *arena, struct value *map);

    /* The address family (AF_*) of the socket that is argument `argument` of the event; a negative
     * number if it is not known. */
    int (*socket_family)(void *context, unsigned argument);

    /* True if the socket that is argument `argument` has an address or device of its own: the
     * kernel then takes it from an unspecified address there, and not to the loopback. */
    bool (*socket_is_tied)(void *context, unsigned argument);

    /* The names whose lookup by the calling process gave an address (folded), as a VALUE_LIST of at
     * least one text in the arena, cut where there may have been more. False if no lookup gave it,
     * or nobody has seen the lookups. */
    bool (*host_names)(void *context, const struct address *address, struct arena *arena,
                       struct value *names);

    /* co_filename of the code object that is argument `argument`. */
    bool (*code_filename)(void *context, unsigned argument, char *buffer, size_t size);

    /* What a process is to the caller, for pid as kill(2) takes it: 0, -1 and negative numbers are
     * groups. */
    enum process_relation (*relation)(void *context, int64_t pid);
};

enum {
    /* What the mapping may need of the arena beyond what the operations keep: two forms of a path
     * and the question for the second, directories, PATH. Most of it is given back. */
    EVENT_MAP_SCRATCH = 48 * 1024,
};

/* Fills in event->operations from its number, name and arguments. An event that the catalogue does
 * not know is one operation of class `other`. The operations borrow from the arguments and the
 * arena. False if the arena is too small; the event then has no operations and must be denied. */
bool event_map(struct event *event, const struct event_resolver *resolver, struct arena *arena);

/* Fills in both forms of one path as the mapping does, for operations that come of no event:
 * against `directory`, an absolute path that need not be normalised, NULL if it is not known.
 * `follow` false: a link that is the last component is taken as it is. What cannot be a path is
 * unknown; an empty text is known, and names nothing. */
void event_map_path(const struct event_resolver *resolver, struct arena *arena,
                    const char *directory, const struct value *text, bool follow,
                    struct attribute *out);

#endif
