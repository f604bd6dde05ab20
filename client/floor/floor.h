/* Taking a floor: what the kernel is to hold of a policy for the life of a process, whatever code
 * runs in it. The daemon compiles it (Floor, warder.proto); this puts it into force, in the child
 * of `warder run` as far as a program can start under it, and in an interpreter before its
 * program's code.
 *
 * What the kernel at hand lacks is left out and named; everything else that goes wrong is a
 * failure, after which the process must not go on. What was taken cannot be given back. It needs
 * libc alone. */
#ifndef WARDER_CLIENT_FLOOR_FLOOR_H
#define WARDER_CLIENT_FLOOR_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/floor/floor_landlock.h"
#include "client/floor/missing_words.h"
#include "proto/message.h"

struct floor_terms {
    enum floor_stage stage;
    int landlock_abi; /* landlock_kernel_abi(), or less */
    bool early;   /* to foresee what an interpreter's floor will come to, before its filter, paths
                     and ports are known */
    bool threads; /* others than the calling one are there: Landlock does not reach them, so
                     nothing of it is taken */
};

struct floor_taken {
    uint32_t classes; /* held from now on, each of them wholly; bits: 1 << enum operation_class */
    uint32_t landlock_abi; /* that it was taken by; 0: none */
    unsigned absent;       /* paths that were not there */
    struct missing_words missing;
};

/* For a person. */
struct floor_failure {
    char text[512];
};

/* What floor_take() would come to. */
void floor_foresee(const Warder__V1__Floor *floor, const struct floor_terms *terms,
                   struct floor_taken *taken);

/* False with `failure` filled in: the process may hold a part of it, and must end. */
bool floor_take(const Warder__V1__Floor *floor, const struct floor_terms *terms,
                struct floor_taken *taken, struct floor_failure *failure);

/* True if all is held that the floor requires; else says what is not. */
bool floor_is_enough(const Warder__V1__Floor *floor, const struct floor_taken *taken,
                     struct floor_failure *failure);

/* Keeps the signals of this process, and of all that it starts, inside, and with them its reach
 * into other processes' memory: for a process that a private daemon must be safe from. 0, or
 * -errno: -ENOSYS if the kernel cannot. */
int floor_keep_signals_inside(void);

#endif
