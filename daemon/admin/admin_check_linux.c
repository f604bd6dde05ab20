#define _GNU_SOURCE
#include "daemon/admin/admin_check.h"

#include <grp.h>
#include <sys/socket.h>

#include "daemon/session/session.h"
#include "proto/host_paths.h"

gid_t admin_group(void)
{
    const struct group *entry = getgrnam(HOST_ADMIN_GROUP);
    return entry ? entry->gr_gid : (gid_t)-1;
}

static bool peer_is_in(int socket, gid_t group)
{
    gid_t groups[IDENTITY_GROUPS_MAX];
    socklen_t size = sizeof(groups);
    struct ucred peer;
    socklen_t peer_size = sizeof(peer);

    if (group == (gid_t)-1)
        return false;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) == 0 && peer.gid == group)
        return true;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
        return false;
    for (size_t i = 0; i < size / sizeof(gid_t); i++)
        if (groups[i] == group)
            return true;
    return false;
}

static bool is_under_policy(struct server *server, pid_t pid)
{
    pid_t ancestors[IDENTITY_ANCESTORS_MAX];
    const size_t count = identity_ancestors(pid, ancestors, IDENTITY_ANCESTORS_MAX);

    if (session_of_process(server, pid))
        return true;
    for (size_t i = 0; i < count; i++)
        if (session_of_process(server, ancestors[i]))
            return true;
    return false;
}

const char *admin_check(const struct connection *connection, const struct incoming *incoming,
                        gid_t group)
{
    const struct packet_received *received = incoming->received;

    if (connection->state == STATE_CONTROL)
        return NULL;
    /* A descriptor that was passed on serves nobody but the one who opened it. */
    if (!received->has_credentials || received->pid != connection->pid)
        return "the request did not come from the process that connected";
    if (received->uid != 0 && !peer_is_in(connection->socket, group))
        return "only root and members of the group `" HOST_ADMIN_GROUP "` may do this";
    if (is_under_policy(connection->server, received->pid))
        return "a process under policy, or started by one, may not do this";
    return NULL;
}
