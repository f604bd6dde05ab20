/* What becomes of a denial at the C boundary, where only an errno reaches the caller.
 *
 * It is kept for the thread: the next strerror(EACCES) of that thread says its sentence, which is
 * what CPython makes an exception of (denial_of_call.h). The child of a fork keeps it for the
 * thread that forked it, in a page that both have, because subprocess tells its caller what became
 * of its child. A denial is told once, and not after the thread's next audit event: then it is
 * about something else. No lock, no allocation but the pages, which the parent makes. */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_REFUSAL_H
#define WARDER_CLIENT_HOOK_BOUNDARY_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "client/hook/hook_session.h"

enum { REFUSED_EVENT_SIZE = 48 }; /* an event's name; the catalogue's of libc have 25 at most */

/* Before a fork: what its child is denied is this thread's to say. */
void boundary_refusal_expect(void);

void boundary_refusal_keep(const struct answer *answer);

/* The sentence, until this thread's next; NULL if there is none. */
const char *boundary_refusal_take(void);

/* Whether the sentence of a denial was the last that this thread was told. */
bool boundary_refusal_was_taken(void);

/* That denial, once: its texts, and the event's name. False if there is none. A child may have
 * written anything there; each text has an end. */
bool boundary_refusal_details(struct answer *answer, char event[REFUSED_EVENT_SIZE]);

/* Whether a denial is expected, kept, or was told: 0 if none. For boundary_refusal_forget() alone.
 */
extern _Thread_local uint32_t boundary_refusal_own
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
void boundary_refusal_forget_own(void);

/* At an audit event, every one: costs one load where nothing is expected. */
static inline void boundary_refusal_forget(void)
{
    if (boundary_refusal_own != 0)
        boundary_refusal_forget_own();
}

#endif
