/* Changes of the stored policies: checked as a whole, stored, put in force; or none of it.
 *
 * One at a time; those that come meanwhile wait their turn, in the order of their coming, up to a
 * bound. The work (compiling, the disk) is a worker's; the new generation takes over on the
 * loop, and is in force at every session's next event. */
#ifndef WARDER_DAEMON_ADMIN_POLICY_CHANGE_H
#define WARDER_DAEMON_ADMIN_POLICY_CHANGE_H

#include "daemon/session/connection.h"
#include "daemon/store/policy_store.h"

struct policy_changer;

struct policy_changer *policy_changer_new(struct server *server, struct policy_store *store);
void policy_changer_free(struct policy_changer *changer);

/* Answer through the connection's outbox, now or later. */
void policy_change_apply(struct policy_changer *changer, struct connection *connection,
                         const struct incoming *incoming);
void policy_change_remove(struct policy_changer *changer, struct connection *connection,
                          const struct incoming *incoming);

#endif
