#include "daemon/session/unguarded.h"

/* Words of the daemon's own: who says it is not believed more than that. */
static const char *words_of(Warder__V1__UnguardedReason reason)
{
    switch (reason) {
    case WARDER__V1__UNGUARDED_REASON__UNGUARDED_REASON_ENDED:
        return "an interpreter did not come under policy: the hook was not in it, and `warder run` "
               "has ended it";
    case WARDER__V1__UNGUARDED_REASON__UNGUARDED_REASON_UNJUDGED:
        return "an interpreter did not come under policy: the hook was not in it, and nothing that "
               "it did was judged";
    case WARDER__V1__UNGUARDED_REASON__UNGUARDED_REASON_UNFIT:
        return "an interpreter did not start: it is no CPython from 3.8 on";
    case WARDER__V1__UNGUARDED_REASON__UNGUARDED_REASON_UNANSWERED:
        return "an interpreter did not come under policy: it was not answered in time";
    default:
        return "an interpreter did not come under policy";
    }
}

void unguarded_record(struct connection *connection, const Warder__V1__Unguarded *unguarded)
{
    struct server *server = connection->server;
    const bool launcher = connection->state == STATE_LAUNCHER || connection->state == STATE_CONTROL;

    server->statistics.unguarded++;
    server_record_refusal(server, connection->account, launcher ? unguarded->pid : connection->pid,
                          0, words_of(unguarded->reason));
    if (!launcher)
        connection_close(connection);
}
