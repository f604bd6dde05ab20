#define _GNU_SOURCE
#include "daemon/admin/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/admin/admin_check.h"
#include "daemon/admin/log_reader.h"
#include "daemon/admin/outbox.h"
#include "daemon/admin/policy_change.h"
#include "daemon/admin/session_list.h"
#include "daemon/admin/why.h"
#include "daemon/session/denial_queue.h"
#include "daemon/session/session.h"

struct admin {
    struct server *server;
    struct policy_changer *changer;
    struct log_readers *readers;
    struct whys *whys;
    struct administrators administrators;
};

/* ----------------------------------------------------------------------------------- what there is
 */

static uint32_t find_policy(const struct policy_block *block, const struct stored_policy *stored)
{
    for (uint32_t policy = 0; policy < policy_block_policy_count(block); policy++)
        if (policy_tier(block, policy) == stored->tier &&
            strcmp(policy_name(block, policy), stored->name) == 0)
            return policy;
    return POLICY_NO_INDEX;
}

static void describe(const struct policy_block *block, const struct stored_policy *stored,
                     Warder__V1__PolicyEntry *entry)
{
    const uint32_t policy = block ? find_policy(block, stored) : POLICY_NO_INDEX;

    warder__v1__policy_entry__init(entry);
    entry->name = text_field(stored->name);
    entry->tier =
        stored->tier == TIER_VENDOR ? WARDER__V1__TIER__TIER_VENDOR : WARDER__V1__TIER__TIER_LOCAL;
    entry->revision = stored->revision;
    entry->time = stored->time;
    entry->who = text_field(stored->who);
    if (policy == POLICY_NO_INDEX)
        return;
    entry->title = text_field(policy_title(block, policy));
    entry->mode = text_field(policy_observes(block, policy) ? "observe" : "enforce");
    entry->selects = policy_has_applies(block, policy);
    entry->rules = policy_rule_count(block, policy);
}

static void send_entry(struct connection *connection, Warder__V1__PolicyEntry *entry, bool more)
{
    Warder__V1__AdminReply reply = WARDER__V1__ADMIN_REPLY__INIT;
    reply.body_case = WARDER__V1__ADMIN_REPLY__BODY_POLICY;
    reply.policy = entry;
    outbox_add(connection, &reply, more);
}

static void send_done(struct admin *admin, struct connection *connection)
{
    Warder__V1__AdminReply reply = WARDER__V1__ADMIN_REPLY__INIT;
    Warder__V1__Done done = WARDER__V1__DONE__INIT;

    done.generation = admin->server->generation->number;
    reply.body_case = WARDER__V1__ADMIN_REPLY__BODY_DONE;
    reply.done = &done;
    outbox_add(connection, &reply, false);
}

/* Of a store that does not compile: each policy by itself, so that it is seen which are to be
 * mended. */
static void list_alone(struct stored_policy *stored, struct connection *connection)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    const struct stored_policies alone = {.policies = stored, .count = 1};
    CLEANUP(policy_block_free)
    struct policy_block *block =
        diagnostics ? generation_compile_stored(&alone, diagnostics) : NULL;
    Warder__V1__PolicyEntry entry;
    char problem[512] = "there is no memory to compile it in";

    warder__v1__policy_entry__init(&entry);
    describe(block, stored, &entry);
    if (diagnostics && diagnostics_kept(diagnostics) > 0) {
        const struct diagnostic_view first = diagnostics_view(diagnostics, 0);
        snprintf(problem, sizeof(problem), "line %" PRIu32 ": %s", first.place.line, first.message);
    }
    if (!block)
        entry.problem = text_field(problem);
    send_entry(connection, &entry, true);
}

static void list(struct admin *admin, struct connection *connection)
{
    const struct generation *generation = admin->server->generation;

    for (size_t i = 0; i < generation->stored.count; i++) {
        Warder__V1__PolicyEntry entry;
        if (generation->idle) {
            list_alone(&generation->stored.policies[i], connection);
            continue;
        }
        describe(generation->block, &generation->stored.policies[i], &entry);
        send_entry(connection, &entry, true);
    }
    send_done(admin, connection);
}

static void show(struct admin *admin, struct connection *connection,
                 const ProtobufCBinaryData *name)
{
    const struct generation *generation = admin->server->generation;
    bool found = false;
    char given[320] = "";

    if (name->len < sizeof(given) && name->len > 0)
        memcpy(given, name->data, name->len);
    for (size_t i = 0; i < generation->stored.count; i++) {
        const struct stored_policy *stored = &generation->stored.policies[i];
        char cited[320];
        Warder__V1__PolicyEntry entry;
        snprintf(cited, sizeof(cited), "%s/%s", policy_tier_name(stored->tier), stored->name);
        if (strcmp(given, stored->name) != 0 && strcmp(given, cited) != 0)
            continue;
        describe(generation->block, stored, &entry);
        entry.text = text_field(stored->text);
        send_entry(connection, &entry, true);
        found = true;
    }
    if (found) {
        send_done(admin, connection);
        return;
    }
    char text[400];
    snprintf(text, sizeof(text), "there is no policy named `%.200s`; `warder list` shows all",
             given);
    outbox_fail(connection, WARDER__V1__FAILURE_KIND__FAILURE_KIND_NOT_FOUND, text);
}

static void count_floors(const struct server *server, Warder__V1__Status *status)
{
    for (const struct session *session = server->sessions; session; session = session->hh.next) {
        const struct session_floor *floor = &session->floor;
        status->floors_asked += floor->classes != 0;
        status->floors_lacking += (floor->classes & ~floor->taken_classes) != 0;
    }
}

static void tell_status(struct admin *admin, struct connection *connection)
{
    Warder__V1__AdminReply reply = WARDER__V1__ADMIN_REPLY__INIT;
    Warder__V1__Status status = WARDER__V1__STATUS__INIT;
    const struct server *server = admin->server;
    struct audit_statistics audit;

    audit_log_statistics(server->audit, &audit);
    status.version = text_field(WARDER_VERSION);
    status.started = server->statistics.started;
    status.generation = server->generation->number;
    status.policies = policy_block_policy_count(server->generation->block);
    status.sessions = (uint32_t)server->session_count;
    status.sessions_total = server->statistics.sessions;
    status.decisions = server->statistics.decisions;
    status.denials = server->statistics.denials;
    status.refused_messages = server->statistics.refused_messages;
    status.refused_connections = server->statistics.refused_connections;
    status.unguarded = server->statistics.unguarded;
    status.refused_requests = server->statistics.refused_requests;
    status.records_written = audit.written;
    status.records_dropped = audit.dropped;
    status.records_waiting = audit.waiting;
    status.record_error = text_field(audit.error);
    status.pid = getpid();
    status.state_directory = text_field(server->configuration->state_directory);
    status.session_socket = text_field(server->configuration->session_socket);
    count_floors(server, &status);
    status.record_all = server->configuration->record_all;
    status.loop_threads = server->configuration->loop_threads;
    reply.body_case = WARDER__V1__ADMIN_REPLY__BODY_STATUS;
    reply.status = &status;
    outbox_add(connection, &reply, false);
}

/* -------------------------------------------------------------------------------------- requests
 */

static void administer(void *context, struct connection *connection,
                       const struct incoming *incoming)
{
    struct admin *admin = context;
    const Warder__V1__AdminRequest *request = incoming->message->admin;
    const bool asks_why = request->body_case == WARDER__V1__ADMIN_REQUEST__BODY_WHY;
    const char *objection = admin_check(connection, incoming, &admin->administrators);
    const bool administers = objection == NULL;

    if (objection && asks_why)
        objection = admin_check_own(connection, incoming);
    connection_finished(connection);
    log_reader_forget(admin->readers, connection); /* a new request ends what came before */
    if (!objection && request->body_case == WARDER__V1__ADMIN_REQUEST__BODY_LOG) {
        denial_queue_flush(admin->server, true);
        log_reader_start(admin->readers, connection, incoming);
        return;
    }
    if (!outbox_open(connection, incoming, NULL, NULL)) {
        connection_close(connection);
        return;
    }
    if (objection) {
        char text[REFUSAL_TEXT_MAX];
        admin->server->statistics.refused_requests++;
        server_record_refusal(
            admin->server, connection->account, connection->pid, 0,
            refusal_at_socket((int)connection->state, objection, text, sizeof(text)));
        outbox_fail(connection, WARDER__V1__FAILURE_KIND__FAILURE_KIND_FORBIDDEN, objection);
        return;
    }
    switch (request->body_case) {
    case WARDER__V1__ADMIN_REQUEST__BODY_APPLY:
        policy_change_apply(admin->changer, connection, incoming);
        return;
    case WARDER__V1__ADMIN_REQUEST__BODY_REMOVE:
        policy_change_remove(admin->changer, connection, incoming);
        return;
    case WARDER__V1__ADMIN_REQUEST__BODY_LIST:
        list(admin, connection);
        return;
    case WARDER__V1__ADMIN_REQUEST__BODY_SHOW:
        show(admin, connection, &request->show->name);
        return;
    case WARDER__V1__ADMIN_REQUEST__BODY_STATUS:
        tell_status(admin, connection);
        return;
    case WARDER__V1__ADMIN_REQUEST__BODY_SESSIONS:
        session_list_send(admin->server, connection, request->sessions->most);
        return;
    case WARDER__V1__ADMIN_REQUEST__BODY_WHY:
        if (administers) /* for others denials wait as they do: they are counted, and get lines */
            denial_queue_flush(admin->server, true);
        why_start(admin->whys, connection, incoming, administers);
        return;
    default:
        outbox_fail(connection, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR,
                    "this daemon does not know the request; is the command newer?");
        return;
    }
}

static void connection_closed(void *context, struct connection *connection)
{
    struct admin *admin = context;

    log_reader_forget(admin->readers, connection);
    outbox_close(connection);
}

void admin_records_written(struct admin *admin)
{
    log_readers_wake(admin->readers);
}

struct admin *admin_new(struct server *server, struct policy_store *store,
                        const struct administrators *administrators)
{
    struct admin *admin = calloc(1, sizeof(*admin));

    if (!admin)
        return NULL;
    admin->server = server;
    admin->changer = policy_changer_new(server, store);
    admin->readers = log_readers_new(server);
    admin->whys = whys_new(server);
    admin->administrators = *administrators;
    if (!admin->changer || !admin->readers || !admin->whys) {
        admin_free(admin);
        return NULL;
    }
    server->administer = administer;
    server->connection_closed = connection_closed;
    server->administration = admin;
    return admin;
}

void admin_free(struct admin *admin)
{
    if (!admin)
        return;
    policy_changer_free(admin->changer);
    log_readers_free(admin->readers);
    whys_free(admin->whys);
    free(admin);
}
