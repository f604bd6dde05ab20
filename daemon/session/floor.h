/* The floor of a session: what the kernel is to hold for the life of its process, compiled from the
 * governing, enforcing policies (docs/policy-language.md, "Floors").
 *
 * Only classes that some policy floors are held, and of these what every policy that floors the
 * class lets through: the intersection. Where a policy has no floor of a class, it takes nothing
 * away and gives nothing. Inside (loops.h); everything is the arena's. */
#ifndef WARDER_DAEMON_SESSION_FLOOR_H
#define WARDER_DAEMON_SESSION_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/session/floor_seccomp.h"
#include "policies/engine/evaluate.h"
#include "policies/engine/subject.h"
#include "policies/floor/network_outline.h"
#include "policies/floor/path_set.h"
#include "proto/message.h"

enum {
    /* Of one floor: paths, and bytes of all of them. A Welcome is one packet of 128 KiB. */
    FLOOR_PATHS_MAX = 2048,
    FLOOR_PATH_BYTES_MAX = 64 * 1024,
    /* Of a class: where a policy allows more, Landlock is not given a list of them. */
    FLOOR_PORTS_MAX = 1024,
    FLOOR_NAME_MAX = 320, /* bytes of TIER/NAME, as administration takes it */
};

/* What a person is told whose policies name too much. */
#define FLOOR_TOO_LARGE                                                                            \
    "the floors of the policies of this process name more files and directories than a process "   \
    "can be handed (2,048): let the allows beside `floor` name directories instead"

/* What one policy adds: the same sum says that it asks for the same as before. */
struct floor_part {
    uint64_t sum;
    char policy[FLOOR_NAME_MAX]; /* TIER/NAME */
};

struct floor {
    struct arena *arena;
    uint32_t classes;  /* bits: 1 << enum operation_class */
    uint32_t required; /* of these */
    struct path_set exec;
    struct path_set read;
    struct path_set write;
    struct network_outline connect;
    struct network_outline bind;
    struct floor_part *parts;
    size_t part_count;
    size_t part_capacity;
    bool failed; /* the arena was too small */
};

void floor_init(struct floor *floor, struct arena *arena);

/* Adds what a policy asks for; nothing if it only observes, or has no floor. */
void floor_add(struct floor *floor, const struct policy_block *block, uint32_t policy,
               const struct subject *subject, const struct governing *overriding);

/* Takes out the classes of which everything is allowed. To be called once, behind all policies.
 * False if there is none left: no floor. */
bool floor_settle(struct floor *floor);

/* The message for an interpreter; false if the floor is too large, or memory is short. */
bool floor_message(const struct floor *floor, struct seccomp_cache *programs,
                   Warder__V1__Floor *out);

/* The message for `warder run`, before the program is started and anything of it is known: the base
 * filter, and which classes an interpreter will take. */
bool floor_launch_message(const struct floor *floor, struct seccomp_cache *programs,
                          Warder__V1__Floor *out);

#endif
