/* What a test supposes of the world: links, programs that are found by their names, hosts, the
 * platform (grammar, `given`).
 *
 * A test's answers come from here alone, and never from the machine that it runs on: a path leads
 * nowhere but to itself unless a test says so. Lives in the storage that it was made with;
 * afterwards it is read-only, for any thread. */
#ifndef WARDER_POLICIES_SCENE_GIVENS_H
#define WARDER_POLICIES_SCENE_GIVENS_H

#include "policies/engine/value.h"
#include "policies/language/diagnostics.h"
#include "policies/language/name_table.h"
#include "policies/language/test_tree.h"

enum {
    GIVEN_LINKS_FOLLOWED_MAX = 40, /* in one path, as Linux does (MAXSYMLINKS) */
};

struct given_host;

/* Zeroed: nothing is supposed, on Linux. */
struct givens {
    bool windows;
    /* An `exec` of a name without a separator is of the program of that name, as people type it in
     * a shell. In tests it is a relative path: whoever starts a program has looked for it. */
    bool names_programs;
    struct name_table links;    /* absolute path -> where it leads, a terminated text */
    struct name_table files;    /* absolute paths of programs -> anything */
    struct name_table programs; /* names without a separator -> anything */
    const char *search_path; /* the directories of those, as PATH has them; NULL: none is given */
    struct given_host *hosts;
};

/* False if an error was reported, or the storage has failed. */
bool givens_make(const struct given *given, struct storage *storage,
                 struct diagnostics *diagnostics, struct givens *out);

/* Where an absolute path leads, component by component as the kernel goes: `.` and `..` taken in
 * its order, links followed, the last component's too if `follow`. False if that does not fit, or
 * goes round in circles. */
bool givens_resolve(const struct givens *givens, const char *path, bool follow, char *buffer,
                    size_t size);

/* For struct compile_options: a policy's literals lead where the test says. `context` is the
 * givens. */
bool givens_resolve_literal(void *context, const char *path, char *resolved, size_t size);

/* True if a program is given there. The path is absolute. */
bool givens_have_program(const struct givens *givens, const char *path);

/* A name of this kind is given: `given "git" resolves to "/usr/bin/git"`. */
bool givens_have_name(const struct givens *givens, const char *name, size_t length);

/* Where the program of a name without a separator is given to be; NULL: it is not. */
const char *givens_program(const struct givens *givens, const char *name, size_t length,
                           struct storage *storage);

/* The names that lead to an address (VALUE_BYTES), as a list in the storage; an empty one if none
 * does. */
struct value givens_host_names(const struct givens *givens, const struct value *address,
                               struct storage *storage);

#endif
