/* The part of a floor that Landlock holds: where files may be read, written and executed, which TCP
 * ports are open, and that signals and abstract sockets stay inside.
 *
 * A plan says what is to be restricted, as far as an ABI can: pure, so that every ABI can be tried
 * on one machine. Taking it restricts the calling thread and all that it starts from then on, for
 * good; another thread that is there already is not reached. */
#ifndef WARDER_CLIENT_FLOOR_FLOOR_LANDLOCK_H
#define WARDER_CLIENT_FLOOR_FLOOR_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/floor/missing_words.h"
#include "proto/message.h"

enum floor_stage {
    FLOOR_BEFORE_PROGRAM, /* in the child of `warder run`: what every program may be under. Files
                             and ports are not: what opens which depends on the process */
    FLOOR_INTERPRETER,    /* all of it, before the interpreter's own code */
};

struct landlock_plan {
    uint64_t files;  /* rights on files and directories that are restricted; kernel_landlock.h */
    uint64_t ports;  /* rights on ports of TCP */
    uint64_t scopes; /* what stays inside */
    uint32_t held;   /* classes whose part of this the ABI can hold wholly */
};

/* The kernel's ABI; 0 if it has no Landlock, or not switched on. */
int landlock_kernel_abi(void);

/* Classes (bits: 1 << enum operation_class) of the floor that cannot be held without Landlock. */
uint32_t landlock_classes(const Warder__V1__Floor *floor);

/* Adds to `missing` what the ABI cannot. */
void landlock_plan_make(struct landlock_plan *plan, const Warder__V1__Floor *floor,
                        enum floor_stage stage, int abi, struct missing_words *missing);

/* True if there is anything to restrict. */
bool landlock_plan_is_needed(const struct landlock_plan *plan);

/* Restricts this thread; no_new_privs must be set, or the process be privileged. Paths of the floor
 * that are not there, and links, are passed over and counted; loaders and interpreters of the
 * programs that it names are added. 0, or -errno: -E2BIG if the process is in as many domains as
 * the kernel stacks. */
int landlock_plan_take(const struct landlock_plan *plan, const Warder__V1__Floor *floor,
                       unsigned *absent);

#endif
