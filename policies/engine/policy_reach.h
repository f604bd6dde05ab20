/* Which events a policy could have anything to say about but "allowed": those that some rule of its
 * that denies, kills or logs can concern, or that a default of its denies. Of the others the
 * verdict is known before they happen, whatever their arguments are.
 *
 * Says too much rather than too little. Allocates nothing; linear in the policy's rules, and for
 * rules on events by a glob in their number times that of the catalogue's events. */
#ifndef WARDER_POLICIES_ENGINE_POLICY_REACH_H
#define WARDER_POLICIES_ENGINE_POLICY_REACH_H

#include <stdbool.h>
#include <stdint.h>

#include "policies/engine/policy_block.h"

enum {
    REACH_EVENTS_MAX = 512, /* numbers of events, EVENT_UNKNOWN included */
};

struct policy_reach {
    uint32_t classes;              /* bit N: operations of class N, CLASS_NONE included */
    bool events[REACH_EVENTS_MAX]; /* by number: events that are reached by name; EVENT_UNKNOWN:
                                      some that the catalogue does not know are */
};

/* Adds what one policy reaches. `reach` is zeroed before the first. */
void policy_reach_add(struct policy_reach *reach, const struct policy_block *block,
                      uint32_t policy);

/* True if some policy that was added could have something to say about the event of this number;
 * always for a number that has no place here. */
bool policy_reaches(const struct policy_reach *reach, uint16_t event);

#endif
