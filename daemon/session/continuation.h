/* One subprocess.run that the audit hook and the C boundary both see is one decision.
 *
 * A session's last allowed execs are remembered, each by a hash of the program and its arguments
 * under the session's key. A boundary event that says which of them it continues, and starts the
 * same, makes no second record, but where the program will be out of the hook's reach; a fork on
 * the way to an allowed exec belongs to it. */
#ifndef WARDER_DAEMON_SESSION_CONTINUATION_H
#define WARDER_DAEMON_SESSION_CONTINUATION_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/session/session.h"
#include "policies/engine/event.h"

/* An audit event was allowed as decision `number`. */
void continuation_remember(struct session *session, const struct event *event, uint64_t number);

enum continuation {
    CONTINUES_NOTHING,
    CONTINUES_EXEC, /* the same program with the same arguments */
    CONTINUES_FORK, /* a fork, and what it continues is an exec */
};

/* What the event is to a decision of the session, or of the one that it was forked from. */
enum continuation continuation_of(const struct session *session, const struct event *event,
                                  uint64_t decision);

#endif
