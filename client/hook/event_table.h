/* Which events nobody has anything to say about: the first thing that the hook looks at, and for
 * most events the last.
 *
 * A byte for each event of the catalogue, made anew with every generation (policy_reach.h). It
 * counts only while the generation page says so, and lies in memory that the kernel wipes in a
 * forked child: a child skips nothing until it has a session of its own. Looking takes no lock and
 * makes no system call; any thread may look at any time, one at a time may change. */
#ifndef WARDER_CLIENT_HOOK_EVENT_TABLE_H
#define WARDER_CLIENT_HOOK_EVENT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "policies/engine/policy_reach.h"
#include "proto/generation_page.h"

/* Makes the memory; once. False if it could not be wiped in children: nothing is skipped then. */
bool event_table_ready(void);

/* The page to go by, that of the daemon which has just welcomed this process; NULL: none. What was
 * in force before is not any more. */
void event_table_set_page(const struct generation_page *page);

/* The epoch that the page says; 0 if there is none, or its daemon is gone. */
uint64_t event_table_page_epoch(void);

/* The epoch that the table is of; 0: of none, or this process is a child. */
uint64_t event_table_epoch(void);

/* What a table is made of. */
struct event_table_terms {
    const struct policy_reach *reach;
    bool records;         /* every decision, so that nothing is skipped */
    bool keeps_hook_file; /* the hook's own file is not to be changed: writes are looked at */
};

/* Puts another table in force. Callers take turns. */
void event_table_set(uint64_t epoch, const struct event_table_terms *terms);

enum event_skip {
    EVENT_LOOKED_AT,
    EVENT_SKIPPED,      /* allowed whatever its arguments are, and nobody wants it recorded */
    EVENT_READ_SKIPPED, /* `open`, if it is for reading alone */
};

enum event_skip event_table_skips(const char *name);

#endif
