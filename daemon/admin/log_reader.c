#include "daemon/admin/log_reader.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/admin/outbox.h"
#include "daemon/admin/session_number.h"
#include "daemon/audit/audit_query.h"

enum {
    WRITE_MILLISECONDS = 3000, /* what was decided before the question is waited for so long */
};

/* One reader, for as long as its connection asks. */
struct log_reader {
    struct log_reader *next;
    struct log_readers *readers;
    struct connection *connection; /* held; its outbox closed means that nobody reads any more */
    struct audit_query query;
    bool follow;
    bool at_end; /* the last page was not full */
    bool busy;   /* a worker has it */
    bool woken;  /* there was news while it was busy */
    bool gone;
};

struct log_readers {
    struct server *server;
    struct log_reader *first;
};

struct page_job {
    uv_work_t work;
    struct log_reader *reader;
    struct audit_query query;
    struct audit_rows rows;
    char error[512];
    bool failed;
};

static void read_page(struct log_reader *reader);

static void reader_free(struct log_reader *reader)
{
    for (struct log_reader **at = &reader->readers->first; *at; at = &(*at)->next) {
        if (*at == reader) {
            *at = reader->next;
            break;
        }
    }
    connection_release(reader->connection);
    free(reader);
}

static void work(uv_work_t *request)
{
    struct page_job *job = request->data;
    struct server *server = job->reader->readers->server;

    if (!job->query.started && job->query.denied)
        audit_log_wait_for_kept(server->audit, WRITE_MILLISECONDS);
    else if (!job->query.started)
        audit_log_wait(server->audit, WRITE_MILLISECONDS);
    struct audit_reader *file =
        audit_reader_open(server->configuration->state_directory, job->error, sizeof(job->error));
    job->failed =
        !file || !audit_query_next(file, &job->query, &job->rows, job->error, sizeof(job->error));
    audit_reader_free(file);
}

static void send_end(struct connection *connection)
{
    Warder__V1__AdminReply reply = WARDER__V1__ADMIN_REPLY__INIT;
    Warder__V1__Done done = WARDER__V1__DONE__INIT;

    reply.body_case = WARDER__V1__ADMIN_REPLY__BODY_DONE;
    reply.done = &done;
    outbox_add(connection, &reply, false);
}

static void send_rows(struct log_reader *reader, const struct audit_rows *rows)
{
    for (size_t i = 0; i < rows->count && !reader->gone; i++) {
        Warder__V1__AdminReply reply = WARDER__V1__ADMIN_REPLY__INIT;
        Warder__V1__LogEntry entry = WARDER__V1__LOG_ENTRY__INIT;
        entry.id = rows->rows[i].id;
        entry.time = rows->rows[i].time;
        entry.kind = text_field(rows->rows[i].kind);
        entry.json = text_field(rows->rows[i].json);
        reply.body_case = WARDER__V1__ADMIN_REPLY__BODY_ENTRY;
        reply.entry = &entry;
        outbox_add(reader->connection, &reply, true);
    }
}

static void after_work(uv_work_t *request, int status)
{
    struct page_job *job = request->data;
    struct log_reader *reader = job->reader;
    struct server *server = reader->readers->server;

    loops_enter(server);
    reader->busy = false;
    if (reader->gone || status < 0) {
        reader_free(reader);
    } else if (job->failed) {
        reader->gone = true;
        outbox_fail(reader->connection, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR, job->error);
        reader_free(reader);
    } else {
        reader->query = job->query;
        reader->at_end = job->rows.count < AUDIT_ROWS_MAX;
        reader->busy = true; /* the outbox may drain while rows are added: one page after another */
        send_rows(reader, &job->rows);
        reader->busy = false;
        if (reader->gone) {
            reader_free(reader);
        } else if (reader->at_end && !reader->follow) {
            struct connection *connection = connection_hold(reader->connection);
            reader_free(reader);
            send_end(connection);
            connection_release(connection);
        } else if (outbox_is_empty(reader->connection) && (!reader->at_end || reader->woken)) {
            read_page(reader);
        }
    }
    audit_rows_deinit(&job->rows);
    free(job);
    loops_leave(server);
}

static void read_page(struct log_reader *reader)
{
    struct page_job *job = calloc(1, sizeof(*job));

    if (!job) {
        connection_close(reader->connection);
        return;
    }
    job->reader = reader;
    job->query = reader->query;
    job->work.data = job;
    reader->busy = true;
    reader->woken = false;
    if (uv_queue_work(reader->readers->server->loop, &job->work, work, after_work) < 0) {
        free(job);
        connection_close(reader->connection);
    }
}

static struct log_reader *reader_of(struct log_readers *readers,
                                    const struct connection *connection)
{
    struct log_reader *reader = readers->first;
    while (reader && (reader->gone || reader->connection != connection))
        reader = reader->next;
    return reader;
}

static void on_drained(void *context, struct connection *connection)
{
    struct log_reader *reader = reader_of(context, connection);

    if (reader && !reader->busy && (!reader->at_end || reader->woken))
        read_page(reader);
}

void log_reader_start(struct log_readers *readers, struct connection *connection,
                      const struct incoming *incoming)
{
    const Warder__V1__ReadLog *request = incoming->message->admin->log;
    struct log_reader *reader = calloc(1, sizeof(*reader));
    uint64_t session;

    if (!reader || !outbox_open(connection, incoming, on_drained, readers)) {
        free(reader);
        connection_close(connection);
        return;
    }
    if (!session_number_read(&request->session, &session)) {
        free(reader);
        outbox_fail(connection, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR,
                    "that is no session's id: one is a number in hexadecimal, such as 7f3a");
        return;
    }
    if (request->event.len > AUDIT_EVENT_MAX) {
        free(reader);
        outbox_fail(connection, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR,
                    "no event has so long a name");
        return;
    }
    *reader = (struct log_reader){
        .next = readers->first,
        .readers = readers,
        .connection = connection_hold(connection),
        .query = {.denied = request->denied,
                  .last = request->last,
                  .after = request->after,
                  .session = session,
                  .decision = request->decision},
        .follow = request->follow,
    };
    if (request->event.len > 0)
        memcpy(reader->query.event, request->event.data, request->event.len);
    readers->first = reader;
    read_page(reader);
}

void log_reader_forget(struct log_readers *readers, struct connection *connection)
{
    struct log_reader *reader = reader_of(readers, connection);

    if (!reader)
        return;
    reader->gone = true;
    if (!reader->busy)
        reader_free(reader);
}

void log_readers_wake(struct log_readers *readers)
{
    for (struct log_reader *reader = readers->first; reader; reader = reader->next) {
        reader->woken = true;
        if (reader->follow && reader->query.started && !reader->busy && !reader->gone &&
            outbox_is_empty(reader->connection))
            read_page(reader);
    }
}

struct log_readers *log_readers_new(struct server *server)
{
    struct log_readers *readers = calloc(1, sizeof(*readers));
    if (readers)
        readers->server = server;
    return readers;
}

void log_readers_free(struct log_readers *readers)
{
    free(readers);
}
