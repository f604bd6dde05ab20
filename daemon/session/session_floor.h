/* The floor of one session: what it was asked to take when it began, what its process says that it
 * took, and whether the policies of today would ask for another one.
 *
 * A floor is for the life of a process: a forked child has its parent's. Inside (loops.h). */
#ifndef WARDER_DAEMON_SESSION_SESSION_FLOOR_H
#define WARDER_DAEMON_SESSION_SESSION_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/arena.h"
#include "proto/message.h"

enum {
    FLOOR_MISSING_MAX = 32, /* rights that a kernel lacks */
    FLOOR_MISSING_LENGTH_MAX = 160,
};

struct session;
struct server;
struct wishes;

struct session_floor {
    uint32_t classes;        /* asked for: bits, 1 << enum operation_class; 0: none */
    uint32_t required;       /* of these */
    uint64_t generation;     /* whose policies asked */
    struct kept_part *parts; /* what each of them asked for */
    size_t part_count;
    bool taken; /* the process has said what it took: */
    uint32_t taken_classes;
    uint32_t landlock_abi;
    char **missing; /* as it says */
    size_t missing_count;
};

void session_floor_deinit(struct session_floor *floor);

/* Finds out what the session is to take, and keeps it. `out` gets the message, in the arena, or
 * NULL where there is no floor. False, with words for the process, if it cannot be handed over. */
bool session_floor_offer(struct session *session, struct arena *arena, Warder__V1__Floor **out,
                         const char **refusal);

/* False, with words for the process, if it comes by attach() and a floor is required of it: it
 * takes none. To be asked before it is a session of its process, which nothing is to be left of. */
bool session_floor_is_possible(const struct session *session, struct arena *arena, char *refusal,
                               size_t size);

/* The child that a process has forked has what the process has. False on lack of memory. */
bool session_floor_inherit(struct session_floor *floor, const struct session_floor *parent);

/* What the process says. False, with words for the record, if it did not take what is required. */
bool session_floor_take(struct session *session, const Warder__V1__FloorTaken *taken,
                        const char **refusal);

/* Puts the floor, in the arena, into what is kept for a daemon that comes after this one. What is
 * taken later is added there by session_floor_take. False on lack of memory. */
bool session_floor_keep(const struct session_floor *floor, struct arena *arena,
                        Warder__V1__KeptSession *kept);

/* Takes up again what was kept. False on lack of memory. */
bool session_floor_restore(struct session_floor *floor, const Warder__V1__KeptSession *kept);

/* True if the session may go on to speak of events: nothing is required, or it was taken. */
bool session_floor_is_settled(const struct session_floor *floor);

/* A policy (TIER/NAME, in the arena) that asks for another floor now than the session was asked to
 * take; NULL if none does. */
const char *session_floor_changed_by(struct session *session, struct arena *arena);

/* The floor of what a run names, for its launcher; NULL if there is none. False as above. */
bool run_floor_offer(struct server *server, const struct wishes *wishes, struct arena *arena,
                     Warder__V1__Floor **out, const char **refusal);

#endif
