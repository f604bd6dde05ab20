#define _GNU_SOURCE
#include "daemon/admin/admin_check.h"

#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/session/subject_process.h"
#include "proto/host_paths.h"

struct administrators administrators_find(void)
{
    const struct group *entry = getgrnam(HOST_ADMIN_GROUP);
    return (struct administrators){
        .group = entry ? entry->gr_gid : (gid_t)-1,
        .owner = geteuid(),
    };
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

/* Has or had a session, whatever became of that, or is `warder run` itself: its program is under
 * policy before it is an interpreter, or without ever being one, and its orphans are its children.
 */
static bool is_subject(const struct server *server, pid_t pid)
{
    return subject_process_find(server, pid) != NULL;
}

/* NULL if the process neither is under policy nor descends from one that is. Of one that has ended
 * that is not known any more: so each has to be alive behind the question whether it is a subject.
 */
static const char *descent_objection(const struct server *server, pid_t pid)
{
    enum { DEPTH_MAX = 4096 }; /* deeper than any honest one: 40 ms of the loop's time */

    for (int depth = 0; depth < DEPTH_MAX && pid > 0; depth++) {
        if (is_subject(server, pid))
            return "a process under policy, or started by one, may not do this";
        if (!identity_parent(pid, &pid))
            return "who started this process cannot be told; it may not do this";
    }
    return pid > 0 ? "too many processes stand above this one; it may not do this" : NULL;
}

/* A descriptor that was passed on serves nobody but the one who opened it. */
static const char *sender_objection(const struct connection *connection,
                                    const struct packet_received *received)
{
    if (!received->has_credentials || received->pid != connection->pid)
        return "the request did not come from the process that connected";
    return NULL;
}

const char *admin_check(const struct connection *connection, const struct incoming *incoming,
                        const struct administrators *administrators)
{
    const struct packet_received *received = incoming->received;

    if (connection->state == STATE_CONTROL)
        return NULL;
    const char *objection = sender_objection(connection, received);
    if (objection)
        return objection;
    if (received->uid != 0 && received->uid != administrators->owner &&
        !peer_is_in(connection->socket, administrators->group))
        return "only root and members of the group `" HOST_ADMIN_GROUP "` may do this";
    return descent_objection(connection->server, received->pid);
}

const char *admin_check_own(const struct connection *connection, const struct incoming *incoming)
{
    const char *objection = sender_objection(connection, incoming->received);
    return objection ? objection : descent_objection(connection->server, incoming->received->pid);
}
