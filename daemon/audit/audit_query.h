/* Reading the record, beside the thread that writes it. Blocks on the disk: not for the loop.
 *
 * Each row comes as one JSON object:
 *
 *     id, time (RFC 3339, UTC, nanoseconds), kind, summary, count;
 *     of decisions: decision ("7f3a-12"), session, verdict, event, arguments, operations, policy,
 * rule, logged_by ("local/p.rule" of each `log` rule that named the event), message, unknown,
 * settled, generation, file, line, and subject: {proved: {...}, said: {...}, asked: {...}}; of
 * refusals and the like: uid, pid */
#ifndef WARDER_DAEMON_AUDIT_AUDIT_QUERY_H
#define WARDER_DAEMON_AUDIT_AUDIT_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AUDIT_ROWS_MAX = 200,  /* of one call */
    AUDIT_EVENT_MAX = 128, /* bytes of what is asked for as the name of an event */
};

/* Rows come in order of time up to what the record held when the query started, and from then on in
 * order of arrival: a denial is written a moment after what followed it, and must not be missed. */
struct audit_query {
    bool denied;                     /* deny, kill and would-deny alone */
    uint64_t session;                /* 0: of all */
    uint64_t decision;               /* of that session, by its number; 0: of all */
    char event[AUDIT_EVENT_MAX + 1]; /* decisions about this one, by SQLite's GLOB; "": all */
    uint64_t last;                   /* only the last so many; 0: all */
    uint64_t after; /* what arrived behind this id, and `last` is nothing then; 0: from `last` on */
    /* moved on by each call */
    bool started;
    bool arriving; /* what was there at the start has been read */
    uint64_t held; /* highest id at the start */
    int64_t time;  /* rows behind this one are next */
    uint64_t id;
};

struct audit_row {
    uint64_t id;
    uint64_t time; /* nanoseconds since 1970, UTC */
    char kind[16];
    char *json;
};

struct audit_rows {
    struct audit_row rows[AUDIT_ROWS_MAX];
    size_t count;
};

struct audit_reader;

struct audit_reader *audit_reader_open(const char *directory, char *error, size_t size);
void audit_reader_free(struct audit_reader *reader);

/* The next rows; fewer than AUDIT_ROWS_MAX at the end of what there is. */
bool audit_query_next(struct audit_reader *reader, struct audit_query *query,
                      struct audit_rows *rows, char *error, size_t size);
void audit_rows_deinit(struct audit_rows *rows);

/* The number of the last decision of a session that the record has; 0 if it has none. */
uint64_t audit_reader_last_decision(struct audit_reader *reader, uint64_t session);

#endif
