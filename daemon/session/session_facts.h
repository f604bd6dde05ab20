/* From Hello to the facts of a session. Blocks on directory services: for worker threads. */
#ifndef WARDER_DAEMON_SESSION_SESSION_FACTS_H
#define WARDER_DAEMON_SESSION_SESSION_FACTS_H

#include "daemon/session/session.h"

/* Where the facts of a process come from, beside Hello itself. */
struct facts_source {
    const struct peer_groups *groups; /* NULL: it is nobody's peer (identity_learn) */
    int executable;                   /* O_PATH descriptors that came with Hello; -1: none */
    int directory;
    const char *executable_path; /* instead of a descriptor: kept from before */
    const char *directory_path;
};

/* Fills in everything but the identity, which is there already. Says why not in `*refusal`. */
bool session_facts_learn(struct session_facts *facts, const Warder__V1__Hello *hello,
                         const struct facts_source *source, const char **refusal);

/* Takes the places that a process may say of itself. A path that is none is left out. False on lack
 * of memory. */
bool session_facts_take_places(struct session_facts *facts, size_t count,
                               Warder__V1__PlacePaths *const *places);

/* The same as a message, in the arena. False on lack of memory. */
bool session_facts_tell_places(const struct session_facts *facts, struct arena *arena,
                               size_t *count, Warder__V1__PlacePaths ***places);

/* Adds the paths that another has for a place, which are not there yet. False on lack of memory. */
bool session_facts_add_places(struct session_facts *facts, enum place place,
                              const struct session_facts *from);

/* Drops the paths of a place but for the first `kept`. */
void session_facts_drop_places(struct session_facts *facts, enum place place, size_t kept);

/* Takes the places of another session: a forked child is the same program, and does not get to
 * choose new ones by changing its directory before it forks. False on lack of memory. */
bool session_facts_copy_places(struct session_facts *facts, const struct session_facts *from);

#endif
