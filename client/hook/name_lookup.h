/* The names behind addresses: what this process looked up, as libc answered.
 *
 * A connection is made to an address; which name led there only the lookup has seen. So the
 * functions of libc that look names up are stood before (name_lookup_calls_linux.c), and what each
 * answered is kept here, for the attribute `host` of a connect. Only a name that was asked for and
 * an address that came back for it make a pair: not what an answer says about itself (canonical
 * names, aliases), and not the names of a reverse lookup, which whoever owns the address writes.
 *
 * Nothing that Python code says reaches this table. What it can do is change how libc looks names
 * up: by variables of the environment (search lists, aliases) and by another root directory. After
 * the first, and under the second, no pair is added.
 *
 * The table is bounded. When it is full the oldest pair goes, and from then on every answer says
 * that there may have been more. Forked children have their parent's. Safe from any thread; waits
 * for no more than a few microseconds, and forgets rather than waits. */
#ifndef WARDER_CLIENT_HOOK_NAME_LOOKUP_H
#define WARDER_CLIENT_HOOK_NAME_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "policies/engine/address.h"
#include "policies/engine/arena.h"
#include "policies/engine/event.h"

enum {
    NAME_LOOKUP_PAIRS_MAX = 1024, /* a crawler's hosts, not a scanner's */
    NAME_LOOKUP_NAME_MAX = 253,   /* bytes of a name that DNS can have (RFC 1035, 2.3.4) */
    NAME_LOOKUP_ANSWER_MAX = 64,  /* names of one address that are told */
};

/* Keeps that looking `name` up gave `address` (folded or not). Names that are addresses themselves
 * and names that are too long are passed over. */
void name_lookup_note(const char *name, const struct address *address);

/* The names that led to an address, as a VALUE_LIST of texts in the arena, marked as cut where
 * there may be more. False if there is none, or the arena is too small. */
bool name_lookup_names(const struct address *address, struct arena *arena, struct value *names);

/* True from the first call of name_lookup_doubt on: nothing is added any more. */
bool name_lookup_is_doubted(void);
void name_lookup_doubt(void);

/* True of the events that name_lookup_note_event looks at: they may not be passed over unread. */
bool name_lookup_watches(const char *event);

/* Looks at an event that has just been allowed: os.putenv and os.unsetenv of a variable that libc
 * asks when it looks names up, or of one that cannot be read, are a reason for doubt. */
void name_lookup_note_event(const struct event *event);

/* When the session begins: the same variables in the environment that the process was started with,
 * which may be the work of a parent under this policy, are one too. */
void name_lookup_begin(void);

/* Forgets everything, doubt included. For tests. */
void name_lookup_reset(void);

#endif
