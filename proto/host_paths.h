/* Where a host keeps Warder's sockets, files and settings: one place that everyone agrees on. Tests
 * and private daemons use others. */
#ifndef WARDER_PROTO_HOST_PATHS_H
#define WARDER_PROTO_HOST_PATHS_H

#define HOST_RUNTIME_DIRECTORY "/run/warder"
#define HOST_SESSION_SOCKET HOST_RUNTIME_DIRECTORY "/session.sock"
#define HOST_ADMIN_SOCKET HOST_RUNTIME_DIRECTORY "/admin.sock"
#define HOST_STATE_DIRECTORY "/var/lib/warder"
#define HOST_CONFIGURATION "/etc/warder/warderd.toml"
#define HOST_ADMIN_GROUP "warder"

#endif
