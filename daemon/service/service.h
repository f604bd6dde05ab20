/* What a service manager and the daemon tell each other: sockets that are waiting, readiness, the
 * end.
 *
 * systemd's side of it is two environment variables and a datagram (sd_listen_fds(3),
 * sd_notify(3)): forty lines, no library. Without a manager every call does nothing. */
#ifndef WARDER_DAEMON_SERVICE_SERVICE_H
#define WARDER_DAEMON_SERVICE_SERVICE_H

#include <stddef.h>
#include <sys/types.h>

/* The listening socket that the manager passed under a name (FileDescriptorName=), taken: -1 if
 * there is none of that name, and afterwards. */
int service_take_socket(const char *name);

/* Tells the manager: "READY=1", "STOPPING=1", "STATUS=...". */
void service_notify(const char *state);

/* Who a user is. 0 or a negative errno: -ENOENT if there is none of that name. */
int service_find_user(const char *user, uid_t *uid, gid_t *gid);

/* The name of a user; "" if there is none of that number. */
void service_name_user(uid_t uid, char *name, size_t size);

/* Gives up root for a user and its groups, for good. 0 or a negative errno; the process must not go
 * on after a failure. */
int service_become(const char *user);

#endif
