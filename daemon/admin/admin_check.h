/* Who may administer. */
#ifndef WARDER_DAEMON_ADMIN_ADMIN_CHECK_H
#define WARDER_DAEMON_ADMIN_ADMIN_CHECK_H

#include "daemon/session/connection.h"

/* NULL if the sender of this request may; else why not, for a person. `group` is the
 * administrators'. */
const char *admin_check(const struct connection *connection, const struct incoming *incoming,
                        gid_t group);

/* The administrators' group; (gid_t)-1 if the host has none. */
gid_t admin_group(void);

#endif
