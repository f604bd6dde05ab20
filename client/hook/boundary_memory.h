/* Memory that one call at the C boundary works in: copies of what it was given, its event, and the
 * messages about it.
 *
 * There is a fixed number of them, made when first needed, but never by the child of a vfork: its
 * parent sees to it that there is one. The child takes one in the memory that it shares with its
 * parent and, if it becomes another program, cannot give it back: the kernel does, which writes 0
 * to the word that set_tid_address(2) names when a process leaves its memory, by exec or by its
 * end. Nothing here allocates from libc. */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_MEMORY_H
#define WARDER_CLIENT_HOOK_BOUNDARY_MEMORY_H

#include <stdbool.h>

#include "client/hook/daemon_connection.h"
#include "client/hook/hook_session.h"
#include "policies/engine/arena.h"

struct boundary_memory {
    struct arena texts;              /* copies of the call's arguments */
    struct exchange_memory exchange; /* the event, and what is sent of it */
    enum session_process process;    /* who has taken it */
};

/* NULL if all stay taken for as long as a verdict may take, or there is no memory. */
struct boundary_memory *boundary_memory_take(void);
void boundary_memory_return(struct boundary_memory *memory);

/* Before a vfork: one that its child can take. False if there is no memory. */
bool boundary_memory_prepare(void);

#endif
