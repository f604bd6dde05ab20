#define _GNU_SOURCE
#include "daemon/admin/why.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/admin/outbox.h"
#include "daemon/admin/session_number.h"
#include "daemon/audit/audit_query.h"
#include "daemon/store/policy_store.h"
#include "policies/language/statement.h"

enum {
    WRITE_MILLISECONDS = 3000, /* what was decided before the question is waited for so long */
};

/* The statement that the record cites, copied out of its policy's text. */
struct cited_statement {
    char *text; /* NULL: the store does not have it */
    uint64_t revision;
    uint32_t line;
};

struct why_job {
    uv_work_t work;
    struct why_job *next;
    struct whys *whys;
    struct connection *connection; /* held */
    const struct user_account *account;
    bool everything;
    uid_t uid; /* of the asker */
    uint64_t session;
    uint64_t decision;
    uint64_t generation; /* now in force */
    /* what the worker has found */
    struct audit_rows rows;
    json_t *row; /* the first of them, read, with what the others have beside it */
    char *json;  /* the same, as text */
    struct stored_policies then;
    struct stored_policies now;
    struct cited_statement statement;
    bool not_found;
    bool failed;
    char error[512];
};

struct whys {
    struct server *server;
    struct why_job *first;
};

/* ---------------------------------------------------------------------------- on a worker's thread
 */

static bool is_askers(const struct why_job *job)
{
    const json_t *proved = json_object_get(json_object_get(job->row, "subject"), "proved");
    const json_t *uid = json_object_get(proved, "uid");

    return job->everything || (json_is_integer(uid) && json_integer_value(uid) == job->uid);
}

/* One decision has a record for each line of the program that was told its number. */
static json_t *place_of(const json_t *row)
{
    json_t *place = json_object();

    json_object_set(place, "file", json_object_get(row, "file"));
    json_object_set(place, "line", json_object_get(row, "line"));
    json_object_set(place, "count", json_object_get(row, "count"));
    return place;
}

/* The first row, with the count of all, and where there are several, `places`. */
static json_t *read_rows(const struct audit_rows *rows)
{
    json_t *first = NULL;
    json_auto_t *places = json_array();
    json_int_t count = 0;

    for (size_t i = 0; i < rows->count; i++) {
        json_auto_t *row = json_loads(rows->rows[i].json, JSON_ALLOW_NUL, NULL);
        if (!row)
            break;
        count += json_integer_value(json_object_get(row, "count"));
        json_array_append_new(places, place_of(row));
        if (!first)
            first = json_incref(row);
    }
    if (rows->count > 1 && first) {
        json_object_set_new(first, "count", json_integer(count));
        json_object_set(first, "places", places);
    }
    return first;
}

static bool find_row(struct why_job *job)
{
    const char *directory = job->whys->server->configuration->state_directory;
    struct audit_query query = {.session = job->session, .decision = job->decision};
    struct audit_reader *reader = audit_reader_open(directory, job->error, sizeof(job->error));
    const bool read =
        reader && audit_query_next(reader, &query, &job->rows, job->error, sizeof(job->error));

    audit_reader_free(reader);
    job->failed = !read;
    if (!read)
        return false;
    job->row = read_rows(&job->rows);
    job->json = job->row ? json_dumps(job->row, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    job->not_found = !job->json || !is_askers(job);
    return !job->not_found;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void find_statement(struct why_job *job)
{
    const char *cited = text_of(job->row, "policy");

    for (size_t i = 0; i < job->then.count; i++) {
        const struct stored_policy *policy = &job->then.policies[i];
        const char *tier = policy_tier_name(policy->tier);
        const size_t length = strlen(tier);
        struct source_excerpt excerpt;
        if (strncmp(cited, tier, length) != 0 || cited[length] != '/' ||
            strcmp(cited + length + 1, policy->name) != 0)
            continue;
        const struct policy_text text = {
            .file = cited, .text = policy->text, .length = strlen(policy->text)};
        if (!policy_find_statement(&text, policy->name, text_of(job->row, "rule"), &excerpt))
            return;
        job->statement = (struct cited_statement){.text = strndup(excerpt.text, excerpt.length),
                                                  .revision = policy->revision,
                                                  .line = excerpt.line};
        return;
    }
}

static void work(uv_work_t *request)
{
    struct why_job *job = request->data;
    struct server *server = job->whys->server;
    const char *directory = server->configuration->state_directory;

    if (job->everything) /* others ask again: a worker does not wait for anybody's sake */
        audit_log_wait(server->audit, WRITE_MILLISECONDS);
    if (!find_row(job))
        return;
    /* Generation 0 is the empty store of the beginning. */
    const json_int_t then = json_integer_value(json_object_get(job->row, "generation"));
    job->failed =
        (then > 0 && !policy_store_read(directory, (uint64_t)then, &job->then, job->error,
                                        sizeof(job->error))) ||
        (job->everything && job->generation > 0 && job->generation != (uint64_t)then &&
         !policy_store_read(directory, job->generation, &job->now, job->error, sizeof(job->error)));
    if (!job->failed)
        find_statement(job);
}

/* ------------------------------------------------------------------------------- back on the loop
 */

static void send_row(const struct why_job *job)
{
    const struct audit_row *row = &job->rows.rows[0];
    Warder__V1__AdminReply reply = WARDER__V1__ADMIN_REPLY__INIT;
    Warder__V1__LogEntry entry = WARDER__V1__LOG_ENTRY__INIT;

    entry.id = row->id;
    entry.time = row->time;
    entry.kind = text_field(row->kind);
    entry.json = text_field(job->json);
    reply.body_case = WARDER__V1__ADMIN_REPLY__BODY_ENTRY;
    reply.entry = &entry;
    outbox_add(job->connection, &reply, true);
}

static void send_statement(const struct why_job *job)
{
    Warder__V1__AdminReply reply = WARDER__V1__ADMIN_REPLY__INIT;
    Warder__V1__Statement statement = WARDER__V1__STATEMENT__INIT;

    if (!job->statement.text)
        return;
    statement.policy = text_field(text_of(job->row, "policy"));
    statement.revision = job->statement.revision;
    statement.line = job->statement.line;
    statement.text = text_field(job->statement.text);
    reply.body_case = WARDER__V1__ADMIN_REPLY__BODY_STATEMENT;
    reply.statement = &statement;
    outbox_add(job->connection, &reply, true);
}

static void send_texts(const struct why_job *job, const struct stored_policies *stored)
{
    for (size_t i = 0; i < stored->count && job->everything; i++) {
        const struct stored_policy *policy = &stored->policies[i];
        Warder__V1__AdminReply reply = WARDER__V1__ADMIN_REPLY__INIT;
        Warder__V1__PolicyEntry entry = WARDER__V1__POLICY_ENTRY__INIT;
        entry.name = text_field(policy->name);
        entry.tier = policy->tier == TIER_VENDOR ? WARDER__V1__TIER__TIER_VENDOR
                                                 : WARDER__V1__TIER__TIER_LOCAL;
        entry.revision = policy->revision;
        entry.time = policy->time;
        entry.who = text_field(policy->who);
        entry.text = text_field(policy->text);
        entry.generation = stored->generation;
        reply.body_case = WARDER__V1__ADMIN_REPLY__BODY_POLICY;
        reply.policy = &entry;
        outbox_add(job->connection, &reply, true);
    }
}

static void answer(const struct why_job *job)
{
    Warder__V1__AdminReply reply = WARDER__V1__ADMIN_REPLY__INIT;
    Warder__V1__Done done = WARDER__V1__DONE__INIT;
    char text[400];

    if (job->connection->state == STATE_CLOSED)
        return;
    if (job->failed) {
        outbox_fail(job->connection, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR, job->error);
        return;
    }
    if (job->not_found) {
        (void)snprintf(text, sizeof(text),
                       "the record has no decision %llx-%llu%s: it was never recorded here, or has "
                       "been dropped to make room",
                       (unsigned long long)job->session, (unsigned long long)job->decision,
                       job->everything ? "" : " of a session of yours");
        outbox_fail(job->connection, WARDER__V1__FAILURE_KIND__FAILURE_KIND_NOT_FOUND, text);
        return;
    }
    send_row(job);
    send_statement(job);
    send_texts(job, &job->then);
    send_texts(job, &job->now);
    done.generation = job->generation;
    done.partial = !job->everything;
    reply.body_case = WARDER__V1__ADMIN_REPLY__BODY_DONE;
    reply.done = &done;
    outbox_add(job->connection, &reply, false);
}

static void job_free(struct why_job *job)
{
    for (struct why_job **at = &job->whys->first; *at; at = &(*at)->next) {
        if (*at == job) {
            *at = job->next;
            break;
        }
    }
    audit_rows_deinit(&job->rows);
    json_decref(job->row);
    free(job->json);
    stored_policies_deinit(&job->then);
    stored_policies_deinit(&job->now);
    free(job->statement.text);
    connection_release(job->connection);
    free(job);
}

static void after_work(uv_work_t *request, int status)
{
    struct why_job *job = request->data;
    struct server *server = job->whys->server;

    loops_enter(server);
    if (status < 0) {
        job->failed = true;
        (void)snprintf(job->error, sizeof(job->error), "the daemon is stopping");
    }
    answer(job);
    job_free(job);
    loops_leave(server);
}

/* ---------------------------------------------------------------------------------------- requests
 */

static bool is_busy(const struct whys *whys, const struct user_account *account)
{
    for (const struct why_job *job = whys->first; job; job = job->next)
        if (job->account == account)
            return true;
    return false;
}

static void refuse(struct connection *connection, const char *text)
{
    outbox_fail(connection, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR, text);
}

void why_start(struct whys *whys, struct connection *connection, const struct incoming *incoming,
               bool everything)
{
    const Warder__V1__Why *request = incoming->message->admin->why;
    uint64_t session;

    if (!session_number_read(&request->session, &session) || session == 0 ||
        request->decision == 0) {
        refuse(connection, "that is no decision's id: one is a session's number in hexadecimal and "
                           "the decision's, such as 7f3a-12");
        return;
    }
    if (is_busy(whys, connection->account)) {
        refuse(connection, "another question of this user is being answered; try again in a "
                           "moment");
        return;
    }
    struct why_job *job = calloc(1, sizeof(*job));
    if (!job) {
        refuse(connection, "out of memory");
        return;
    }
    *job = (struct why_job){.next = whys->first,
                            .whys = whys,
                            .connection = connection_hold(connection),
                            .account = connection->account,
                            .everything = everything,
                            .uid = incoming->received->uid,
                            .session = session,
                            .decision = request->decision,
                            .generation = whys->server->generation->number};
    job->work.data = job;
    whys->first = job;
    if (uv_queue_work(whys->server->loop, &job->work, work, after_work) < 0) {
        refuse(connection, "out of memory");
        job_free(job);
    }
}

struct whys *whys_new(struct server *server)
{
    struct whys *whys = calloc(1, sizeof(*whys));
    if (whys)
        whys->server = server;
    return whys;
}

void whys_free(struct whys *whys)
{
    free(whys);
}
