/* Sealing this object's own pages: its code and its read-only data, with the tables of functions
 * that the loader has filled in. No call of this process can unmap, replace or make them writable
 * from then on (mseal(2), Linux 6.10 on 64-bit machines; elsewhere nothing happens). */
#ifndef WARDER_CLIENT_HOOK_OWN_PAGES_H
#define WARDER_CLIENT_HOOK_OWN_PAGES_H

void own_pages_seal(void);

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
