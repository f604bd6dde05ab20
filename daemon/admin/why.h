/* One decision, with what was and is in force: for `warder why`.
 *
 * Administrators may ask about every decision, and are given the policies' texts. Any other user
 * who is not under policy may ask about the sessions of that user: what is said of others' is that
 * there is no such decision. The disk is read by a worker, one question of a user at a time. */
#ifndef WARDER_DAEMON_ADMIN_WHY_H
#define WARDER_DAEMON_ADMIN_WHY_H

#include "daemon/session/connection.h"

struct whys;

struct whys *whys_new(struct server *server);
void whys_free(struct whys *whys);

/* Answers through the connection's outbox. `everything`: the asker is an administrator. */
void why_start(struct whys *whys, struct connection *connection, const struct incoming *incoming,
               bool everything);

#endif
