#include "daemon/admin/session_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/admin/outbox.h"
#include "daemon/session/session.h"
#include "policies/engine/event_text.h"

enum {
    SHOWN_MAX = 1024, /* bytes of a path or script */
};

/* What a process said, so that it can be shown; in the arena. */
static ProtobufCBinaryData printable_field(struct arena *arena, const char *text)
{
    char shown[SHOWN_MAX];

    printable_text(text ? text : "", text ? strlen(text) : 0, shown, sizeof(shown));
    const char *copy = arena_copy(arena, shown, strlen(shown));
    return text_field(copy ? copy : "");
}

static void describe_floor(struct session *session, struct arena *arena,
                           Warder__V1__SessionEntry *entry)
{
    const struct session_floor *floor = &session->floor;

    entry->floor_asked = floor->classes;
    entry->floor_taken = floor->taken_classes;
    entry->floor_said = floor->taken;
    entry->landlock_abi = floor->landlock_abi;
    entry->forked = session->parent != 0;
    entry->missing = arena_zalloc(arena, floor->missing_count + 1, sizeof(*entry->missing));
    for (size_t i = 0; entry->missing && i < floor->missing_count; i++)
        entry->missing[entry->n_missing++] = text_field(floor->missing[i]);
    entry->floor_changed_by = text_field(session_floor_changed_by(session, arena));
}

/* Everything that is sent is in the server's arena, which the next one begins anew. */
static void send_session(struct server *server, struct connection *connection,
                         struct session *session)
{
    Warder__V1__AdminReply reply = WARDER__V1__ADMIN_REPLY__INIT;
    Warder__V1__SessionEntry entry = WARDER__V1__SESSION_ENTRY__INIT;
    struct arena *arena = &server->arena;
    char number[32];

    arena_reset(arena);
    snprintf(number, sizeof(number), "%" PRIx64, session->number);
    entry.session = text_field(number);
    entry.route = session->facts.route;
    entry.attached = session->attached;
    entry.pid = session->facts.identity.pid;
    entry.user = printable_field(arena, session->facts.known.user);
    entry.executable = printable_field(arena, session->facts.executable);
    entry.script = printable_field(arena, session->facts.script);
    describe_floor(session, arena, &entry);
    entry.n_policies = session_policy_names(session, arena, &entry.policies);
    reply.body_case = WARDER__V1__ADMIN_REPLY__BODY_SESSION;
    reply.session = &entry;
    outbox_add(connection, &reply, true);
}

void session_list_send(struct server *server, struct connection *connection, uint32_t most)
{
    Warder__V1__AdminReply reply = WARDER__V1__ADMIN_REPLY__INIT;
    Warder__V1__Done done = WARDER__V1__DONE__INIT;
    struct session *session = server->sessions;
    uint32_t sent = 0;

    if (most == 0 || most > SESSION_LIST_MAX)
        most = SESSION_LIST_MAX;
    /* The table keeps the order in which they came. */
    while (session && session->hh.next)
        session = session->hh.next;
    for (; session && sent < most; session = session->hh.prev, sent++)
        send_session(server, connection, session);
    done.generation = server->generation->number;
    done.partial = session != NULL;
    reply.body_case = WARDER__V1__ADMIN_REPLY__BODY_DONE;
    reply.done = &done;
    outbox_add(connection, &reply, false);
}
