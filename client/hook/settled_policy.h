/* The part of the compiled policy that governs this session, mapped into the process, and what it
 * settles: an event that every governing policy allows, for certain and without an exception. The
 * evaluator is the daemon's own.
 *
 * What is handed over is believed only as far as it proves itself: the file must be sealed, carry
 * the session's tag (but in the first Welcome, before any code of the program has run), and be
 * blocks that can be walked whatever their bytes are. Where anything is wrong nothing is settled,
 * and every event is asked. What is settled can only be "allowed": a denial, doubt, an override, a
 * policy that is observed and would deny, a budget that is spent, all of it is the daemon's to say.
 *
 * Any thread may judge while another takes a handout up. */
#ifndef WARDER_CLIENT_HOOK_SETTLED_POLICY_H
#define WARDER_CLIENT_HOOK_SETTLED_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "policies/engine/event.h"
#include "proto/message.h"

enum {
    HANDOUT_DESCRIPTORS_MAX = 3, /* that come with a handout: the file, and with the first one the
                                    page and the ring */
};

enum settlement {
    SETTLED_NOT,      /* the daemon is asked */
    SETTLED_SILENTLY, /* allowed, and nobody wants a record */
    SETTLED_RECORDED, /* allowed, and to be recorded */
};

/* What came in. */
struct handout {
    const Warder__V1__PolicyHandout *message; /* NULL: there was none */
    const unsigned char *key; /* of the session, which the file's tag is under; NULL in the first
                                 Welcome, which brings page and ring */
    int descriptors[HANDOUT_DESCRIPTORS_MAX]; /* -1: none */
};

/* True if this process could settle events if it were handed a policy: it needs memory that is
 * wiped in its children. Once it has lost a daemon it settles nothing any more. */
bool settled_policy_is_possible(void);

/* Takes up a handout; its descriptors are closed. */
void settled_policy_take(struct handout *handout);

/* True if another generation is in force than the one that is settled by: a handout is to be
 * fetched. */
bool settled_policy_is_stale(void);

enum settlement settled_policy_judge(const struct event *event);

/* In a forked child: what is mapped is not the child's, whose threads are gone. */
void settled_policy_become_child(void);

#endif
