#define _GNU_SOURCE
#include "daemon/session/handshake_job.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/audit/audit_query.h"
#include "daemon/session/kept_session.h"
#include "daemon/session/session.h"

/* ------------------------------------------------------------------------------------------ jobs
 */

void job_free(struct job *job)
{
    if (job->executable >= 0)
        closings_add(job->connection->account->closings, job->executable);
    if (job->directory >= 0)
        closings_add(job->connection->account->closings, job->directory);
    session_facts_deinit(&job->facts);
    wishes_release(job->wishes);
    wish_list_release(&job->kept_wishes);
    origin_release(job->kept_origin);
    if (job->connection) {
        user_account_return(&job->connection->server->accounts, job->connection->account,
                            CHARGE_BYTES, job->charged);
        connection_release(job->connection);
    }
    free(job->refusal_owned);
    free(job->bytes);
    free(job->arena.memory);
    free(job);
}

struct job *job_new(struct connection *connection, const struct incoming *incoming,
                    enum job_kind kind)
{
    const struct configuration *configuration = connection->server->configuration;
    const size_t arena_size = MESSAGE_ARENA_SIZE;

    if (!user_account_charge(&connection->server->accounts, connection->account, CHARGE_BYTES,
                             incoming->length))
        return NULL;
    struct job *job = calloc(1, sizeof(*job));
    if (!job) {
        user_account_return(&connection->server->accounts, connection->account, CHARGE_BYTES,
                            incoming->length);
        return NULL;
    }
    job->charged = incoming->length;
    job->connection = connection_hold(connection);
    job->kind = kind;
    job->executable = job->directory = -1;
    job->facts.identity.pidfd = -1;
    job->bytes = malloc(incoming->length + 1);
    void *memory = malloc(arena_size);
    if (!job->bytes || !memory) {
        free(memory);
        job_free(job);
        return NULL;
    }
    arena_init(&job->arena, memory, arena_size);
    memcpy(job->bytes, incoming->body, incoming->length);
    job->length = incoming->length;
    job->to = connection_reply_to(connection, incoming);
    memcpy(job->state_directory, configuration->state_directory, sizeof(job->state_directory));
    memcpy(job->session_socket, configuration->session_socket, sizeof(job->session_socket));
    return job;
}

/* On the loop: another descriptor of the socket, for the worker, could be the last to be closed,
 * and wait for what was sent to it (closings.h). */
void job_ask_groups(struct job *job)
{
    identity_peer_groups(job->connection->socket, &job->groups);
    job->has_groups = true;
}

/* ----------------------------------------------------------------------------------- in a worker
 */

static bool take_wishes(struct job *job, const Warder__V1__Wishes *message)
{
    job->wishes = wishes_new(message, &job->refusal_owned);
    if (!job->wishes)
        job->refusal = job->refusal_owned ? job->refusal_owned : "out of memory";
    return job->wishes != NULL;
}

static void close_if_open(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

static void work_hello(struct job *job)
{
    const Warder__V1__Hello *hello = job->message->hello;
    const struct facts_source source = {.groups = job->has_groups ? &job->groups : NULL,
                                        .executable = job->executable,
                                        .directory = job->directory};

    if (session_facts_learn(&job->facts, hello, &source, &job->refusal) &&
        take_wishes(job, hello->wishes))
        job->refusal = NULL;
    /* Here, where nobody but their user waits if it takes long (work_queue.h). */
    close_if_open(&job->executable);
    close_if_open(&job->directory);
}

static bool take_kept_wishes(struct job *job)
{
    for (size_t i = 0; i < job->kept->n_wishes; i++) {
        if (!take_wishes(job, job->kept->wishes[i]))
            return false;
        const bool added = wish_list_add(&job->kept_wishes, job->wishes);
        wishes_release(job->wishes);
        job->wishes = NULL;
        if (!added) {
            job->refusal = SESSION_TOO_MANY_WISHES;
            return false;
        }
    }
    return true;
}

static void work_resume(struct job *job)
{
    const Warder__V1__Resume *resume = job->message->resume;
    uint64_t start_time = 0;
    char error[256];

    job->refusal = "the session is not known to this daemon any more";
    job->kept = kept_session_read(job->session_socket, resume->session, &job->arena);
    if (!job->kept || !job->kept->hello)
        return;
    /* The same process, as the kernel counts them. */
    if (!identity_start_time(job->facts.identity.pid, &start_time) ||
        start_time != job->kept->start_time || job->kept->pid != job->facts.identity.pid ||
        job->kept->uid != job->facts.identity.uid)
        return;
    const struct facts_source source = {
        .groups = job->has_groups ? &job->groups : NULL,
        .executable = -1,
        .directory = -1,
        .executable_path = field_text(&job->arena, &job->kept->executable),
        .directory_path = field_text(&job->arena, &job->kept->directory),
    };
    const char *refusal;
    if (!session_facts_learn(&job->facts, job->kept->hello, &source, &refusal)) {
        job->refusal = refusal;
        return;
    }
    if (!take_kept_wishes(job))
        return;
    job->refusal = "out of memory";
    if (job->kept->n_origin > 0 &&
        !(job->kept_origin = origin_of_kept(job->kept->n_origin, job->kept->origin)))
        return;
    struct audit_reader *reader = audit_reader_open(job->state_directory, error, sizeof(error));
    if (reader)
        job->decisions = audit_reader_last_decision(reader, job->kept->session);
    audit_reader_free(reader);
    /* Told, and not written down: the process's word, which counts for its own session alone. */
    if (resume->decision > job->decisions && resume->decision < INT64_MAX / 2)
        job->decisions = resume->decision;
    job->refusal = NULL;
}

static void work(struct queued_work *queued)
{
    struct job *job = (struct job *)queued;

    job->message = client_message_decode(&job->arena, job->bytes, job->length);
    job->refusal = "out of memory";
    if (!job->message)
        return;
    if (job->kind == JOB_HELLO)
        work_hello(job);
    else if (job->kind == JOB_RESUME)
        work_resume(job);
    else if (take_wishes(job, job->message->launch->wishes))
        job->refusal = NULL;
}

/* ------------------------------------------------------------------------------- on the loop again
 */

static void cancelled(struct queued_work *queued)
{
    job_free((struct job *)queued);
}

void job_start(struct job *job, void (*done)(struct queued_work *work, int status))
{
    struct connection *connection = job->connection;

    connection->deadline = 0;
    job->state = connection->state;
    connection->state = STATE_WAITING;
    job->work.run = work;
    job->work.done = done;
    connection->work = &job->work;
    connection->cancelled = cancelled;
    work_queue_add(&connection->server->work, &connection->account->work, &job->work);
}
