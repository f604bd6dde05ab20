/* Administration: policies stored, listed, shown, removed; the record read; the state told.
 *
 * Stands above the sessions. Each request is checked for itself: root or the administrators' group,
 * by the credentials that the kernel puts beside the message, and no process of a session or
 * descended from one. The owner of a private daemon needs no check: its connection was inherited.
 * One question is anyone's who is in no session: about a decision of their own (why.h).
 */
#ifndef WARDER_DAEMON_ADMIN_ADMIN_H
#define WARDER_DAEMON_ADMIN_ADMIN_H

#include "daemon/admin/admin_check.h"
#include "daemon/session/server.h"
#include "daemon/store/policy_store.h"

struct admin;

/* Hangs itself into the server. NULL on lack of memory. */
struct admin *admin_new(struct server *server, struct policy_store *store,
                        const struct administrators *administrators);
void admin_free(struct admin *admin);

/* New records are on disk: those who follow hear of it. On the loop. */
void admin_records_written(struct admin *admin);

#endif
