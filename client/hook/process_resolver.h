/* The hook's answers to what only the process can know: its directory, what links lead to, what a
 * descriptor is (policies/engine/event_map.h asks).
 *
 * Answers come from system calls of this thread; none of them blocks on anything but the file
 * system, none runs code of the interpreter, none allocates. The interpreter lock must be held
 * where an answer is read from an argument.
 *
 * Names mean something else once the thread has another root (chroot, pivot_root, setns, a mount
 * namespace of its own), and no event tells of it. Which root there was when the session began is
 * noted, and while the root is another, nothing is answered that a name leads to: every path is
 * unknown. Forked children have their parent's note. */
#ifndef WARDER_CLIENT_HOOK_PROCESS_RESOLVER_H
#define WARDER_CLIENT_HOOK_PROCESS_RESOLVER_H

#include "client/hook/python_api.h"
#include "policies/engine/event_map.h"

struct process_resolver {
    const struct python_api *api; /* NULL: the event is none of an interpreter's */
    python_object *args;          /* of the event that is being mapped */
    bool starts_program;          /* it can: programs are searched for */
    int socket; /* that a call at the C boundary is about, its first argument; 0 where it is none */
    int root_stands; /* names mean what they did: 1; they do not: -1; not looked yet: 0 */
};

/* Notes the root; only the first call does. Where it cannot be known, no path ever is. */
void process_resolver_note_root(void);

/* True if this process can change none of the directories that the kernel walks through on an
 * absolute path, links included, and so not where it leads. Never so for root. */
bool process_path_is_settled(const char *path);

/* The same of a file: its contents stand too. */
bool process_file_is_settled(const char *path);

/* True if names lead where they led when the root was noted. One system call. */
bool process_resolver_names_stand(void);

/* The table of answers, for one event; `resolver` is borrowed as its context. Whether names stand
 * is looked at once, when the first one is asked about. */
struct event_resolver process_resolver_table(struct process_resolver *resolver);

/* An absolute path, `..` and links in it as the kernel would walk them, as the path of the file
 * that would be opened. Parts that do not exist stand as they are. False if it cannot be known: a
 * directory that may not be searched, too many links, too long. `follow` false: a link in the last
 * component is taken as itself. */
bool process_resolve_path(const char *path, bool follow, char *buffer, size_t size);

/* What the kernel calls the file behind a descriptor of this thread's table. False if it has no
 * name that leads there: a pipe, memory, something of another mount namespace, or another root than
 * the session began with. */
bool process_descriptor_path(int descriptor, char *buffer, size_t size);

/* The same, and what is known to have no name told from what is not known. */
enum resolver_answer process_descriptor_name(int descriptor, char *buffer, size_t size);

#endif
