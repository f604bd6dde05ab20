/* The process of a test: what answers the mapping of events (event_map.h) out of what is given.
 *
 * It runs in session.start. Links, programs on PATH and sockets are those that the test names;
 * descriptors, its environment, and programs whose name is not given are not known. Of processes, 0
 * is its own group, and every other number is another process. */
#ifndef WARDER_POLICIES_SCENE_GIVEN_PROCESS_H
#define WARDER_POLICIES_SCENE_GIVEN_PROCESS_H

#include "policies/engine/event_map.h"
#include "policies/scene/givens.h"
#include "policies/scene/scene_subject.h"

struct given_process {
    const struct scene_subject *subject;
    const struct event *event; /* the one that is mapped */
    int socket_family;         /* AF_* of its socket; negative: not known */
};

/* The resolver's `context` is the process, which must outlive it. */
struct event_resolver given_process_resolver(struct given_process *process);

/* The number of a family by its word (`inet`), as the platform has it; negative if there is none.
 */
int given_socket_family(const struct scene_subject *subject, const char *word, size_t length);

#endif
