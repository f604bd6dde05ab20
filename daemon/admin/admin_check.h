/* Who may administer. */
#ifndef WARDER_DAEMON_ADMIN_ADMIN_CHECK_H
#define WARDER_DAEMON_ADMIN_ADMIN_CHECK_H

#include "daemon/session/connection.h"

/* Beside root. */
struct administrators {
    gid_t group; /* the host's group for it; (gid_t)-1 if there is none */
    uid_t owner; /* who started the daemon: it is theirs, and so are its files */
};

/* To be called before the daemon becomes another user: whose account it runs under is no matter. */
struct administrators administrators_find(void);

/* NULL if the sender of this request may; else why not, for a person. */
const char *admin_check(const struct connection *connection, const struct incoming *incoming,
                        const struct administrators *administrators);

/* The same, of what anyone may ask about their own: refuses processes under policy, and those whom
 * somebody passed the connection on to. */
const char *admin_check_own(const struct connection *connection, const struct incoming *incoming);

#endif
