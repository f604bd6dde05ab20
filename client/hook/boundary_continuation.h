/* What a thread was allowed at an audit event, on its way to the C boundary: one subprocess.run
 * that both see is one decision.
 *
 * Kept for the thread, by a digest under the session's key. Where the boundary sees the very same
 * operation (file, argv, directory, environment), it is the one that was decided, and nobody is
 * asked again. Otherwise the question names the decision that it continues. It is used up by the
 * call that follows, ends with the thread's next process to be started, and after some seconds. The
 * child of a fork has its own copy, the child of a vfork its parent's. */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_CONTINUATION_H
#define WARDER_CLIENT_HOOK_BOUNDARY_CONTINUATION_H

#include <stdbool.h>
#include <stdint.h>

#include "client/hook/hook_session.h"
#include "policies/engine/event.h"

/* Takes an exec out of an audit event where only the call itself will make it certain (an object
 * with a __fspath__, a subclass of list): the C boundary judges what it becomes. Not where a policy
 * denies it whatever it is. Before the event is judged. */
void boundary_continuation_leave(struct event *event);

/* An audit event has been judged. Notes what was allowed if it starts a program or forks. */
void boundary_continuation_note(const struct event *event, const struct answer *answer);

/* True if the event is what was decided before. `*continues`: the decision that it follows, 0 if
 * none. Used up, whatever the answer. */
bool boundary_continuation_covers(const struct event *event, uint64_t *continues);

/* A fork: the decision of the fork's own audit event (`*decided`), or of an exec that this fork is
 * on the way to; 0: neither. The exec stays noted for the child alone. */
uint64_t boundary_continuation_fork(bool *decided);

/* Behind a fork, in the process that forked. */
void boundary_continuation_end(void);

#endif
