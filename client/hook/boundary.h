/* The C boundary (ring 2): calls of libc that this object stands before, judged on the arguments
 * that they will be made with.
 *
 * A wrapper copies what it was given, judges the copies, and makes the call with them. In a process
 * without a session nothing is judged, and the wrapper is the call. Nothing here touches the
 * interpreter: its lock may be held or not, and no code of it runs.
 *
 * Judging takes a borrowed question:
 *
 *     struct answer answer;
 *     struct question *question = boundary_borrow();
 *     struct value *arguments = question ? arena_zalloc(&question->memory.arena, ...) : NULL;
 *     ...
 *     const bool allowed = arguments && boundary_judge(question, "libc.dlopen", arguments, 2,
 * &answer); if (!allowed) boundary_refuse(&answer); boundary_return(question);
 *
 * for a process of the session only; the child of a vfork has other ways (boundary_exec.h). */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_H
#define WARDER_CLIENT_HOOK_BOUNDARY_H

#include <stdbool.h>
#include <stdint.h>

#include "client/hook/hook_session.h"
#include "policies/engine/event.h"
#include "policies/engine/vocabulary.h"

/* True if this process has a session: without one every wrapper is the call. Ends a process whose
 * session was overwritten. */
bool boundary_concerns(void);

/* True if a policy of this session could deny, kill or have recorded operations of the class: only
 * then is there anything to ask. */
bool boundary_guards(enum operation_class operation_class);

/* True if one could deny or kill them: only then may a call be made otherwise than it was asked
 * for. */
bool boundary_holds(enum operation_class operation_class);

/* True if one could deny or kill anything at all. */
bool boundary_holds_anything(void);

/* True if the process's own memory is held: one could deny native code or its like, and what leads
 * to an address of the program's choice leads around that. */
bool boundary_holds_memory(void);

/* True if one denies them all, whatever they are. */
bool boundary_flatly_denies(enum operation_class operation_class);

/* This object's functions stand before libc's in this process: what no audit event knows for
 * certain can be left to them. Said once, when the process comes under policy; not under attach().
 */
void boundary_begin(void);
bool boundary_stands(void);

/* A connection for one question, its arena empty; waits while all are taken, within the bound for a
 * verdict. NULL if none became free. boundary_return takes NULL too. */
struct question *boundary_borrow(void);
void boundary_return(struct question *question);

/* Judges an event of the catalogue (libc.*). The arguments are borrowed, and may stand in the
 * question's arena. True if it is allowed; `answer` is a denial in every other case, also without
 * a question. */
bool boundary_judge(struct question *question, const char *event, const struct value *arguments,
                    uint32_t argument_count, struct answer *answer);

/* The parts of that, for who has the event in memory of its own. `answer` becomes a denial that no
 * daemon had a part in. */
bool boundary_map(struct event *event, const char *name, struct arena *arena);
void boundary_deny(const char *event, const char *why, struct answer *answer);

/* What a denied call leaves behind: errno EACCES, and the whole sentence as what strerror() next
 * says of it to this thread. Ends the process where that was the verdict. */
void boundary_refuse(const struct answer *answer);

#endif
