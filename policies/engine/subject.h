/* Who is asking: the facts of a session that policies select on, and its places.
 *
 * Fixed when the session starts. The daemon fills it in; `proved` says which facts the kernel
 * vouches for and which the process said of itself (design, "The session"). Strings are terminated
 * and borrowed; NULL where a fact does not exist (a process outside any unit). */
#ifndef WARDER_POLICIES_ENGINE_SUBJECT_H
#define WARDER_POLICIES_ENGINE_SUBJECT_H

#include <stddef.h>
#include <stdint.h>

enum place {
    PLACE_PYTHON, /* the interpreter's own trees and the distribution's packages, less what the
                     subject can write */
    PLACE_VENV,
    PLACE_HOME,
    PLACE_START,
    PLACE_TEMP,
    PLACE_NULL,
    PLACE_COUNT
};

/* `session.python` without the `session.`; NULL for a number that is no place. */
const char *place_name(enum place place);

struct place_paths {
    size_t count; /* 0: this session has no such place, and a predicate on it is false */
    const char *const *paths; /* absolute, normalised, links resolved; no final slash but for "/" */
};

struct label {
    const char *name;
    const char *value;
};

struct subject {
    const char *user;
    const char *const *groups; /* names */
    size_t group_count;
    const char *exe;
    const char *unit;
    const char *platform; /* linux, windows */
    const char *python;   /* "3.11.7" */
    const char *script;
    const struct label *labels;
    size_t label_count;
    struct place_paths places[PLACE_COUNT];
};

#endif
