/* The pages of this object's own.
 *
 * Sealing them: its code and its read-only data, with the tables of functions
 * that the loader has filled in. No call of this process can unmap, replace or make them writable
 * from then on (mseal(2), Linux 6.10 on 64-bit machines; elsewhere nothing happens). */
#ifndef WARDER_CLIENT_HOOK_OWN_PAGES_H
#define WARDER_CLIENT_HOOK_OWN_PAGES_H

#include <stddef.h>

void own_pages_seal(void);

/* Keeps this object's data out of core files, which the program may read: the session's key is in
 * it. Of children, too. Before there is a session. */
void own_pages_leave_out(void);

/* Memory of our own, private, zeroed, which is in no core file either: what is read and written
 * there may hold the key. NULL if there is none. Given back by munmap(2). */
void *own_pages_map(size_t size);

/* The size of what is kept read-only by itself: the largest pages that the architecture has. Such
 * data stands in a union with so many bytes, aligned to as many. */
#if defined(__aarch64__)
#define OWN_PAGES_SIZE 65536
#else
#define OWN_PAGES_SIZE 4096
#endif

/* Makes such pages read-only for good, and seals them. */
void own_pages_keep(void *pages);

#endif
