/* From Hello to the facts of a session. Blocks on directory services: for worker threads. */
#ifndef WARDER_DAEMON_SESSION_SESSION_FACTS_H
#define WARDER_DAEMON_SESSION_SESSION_FACTS_H

#include "daemon/session/session.h"

/* Where the facts of a process come from, beside Hello itself. */
struct facts_source {
    int groups_socket; /* whose peer it is; -1: the user database is asked for groups */
    int executable;    /* O_PATH descriptors that came with Hello; -1: none */
    int directory;
    const char *executable_path; /* instead of a descriptor: kept from before */
    const char *directory_path;
};

/* Fills in everything but the identity, which is there already. Says why not in `*refusal`. */
bool session_facts_learn(struct session_facts *facts, const Warder__V1__Hello *hello,
                         const struct facts_source *source, const char **refusal);

/* Takes the places of another session: a forked child is the same program, and does not get to
 * choose new ones by changing its directory before it forks. False on lack of memory. */
bool session_facts_copy_places(struct session_facts *facts, const struct session_facts *from);

#endif
