/* What becomes of the sentence of a denial at the C boundary, where only an errno reaches the
 * caller.
 *
 * It is kept for the thread: the next strerror(EACCES) of that thread says it, which is what
 * CPython makes an exception of. The child of a fork keeps it for the thread that forked it, in a
 * page that both have, because subprocess tells its caller what became of its child. A sentence is
 * said once, and not after the thread's next audit event: then it is about something else. No lock,
 * no allocation but the page, which the parent makes. */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_REFUSAL_H
#define WARDER_CLIENT_HOOK_BOUNDARY_REFUSAL_H

/* Before a fork: what its child is denied is this thread's to say. */
void boundary_refusal_expect(void);

void boundary_refusal_keep(const char *text);

/* The sentence, until this thread's next; NULL if there is none. */
const char *boundary_refusal_take(void);

/* At an audit event. Costs one load where nothing is expected. */
void boundary_refusal_forget(void);

#endif
