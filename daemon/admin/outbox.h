/* Answers of administration on their way: a list, because they can be more than a socket holds.
 *
 * An outbox belongs to one connection and one request. */
#ifndef WARDER_DAEMON_ADMIN_OUTBOX_H
#define WARDER_DAEMON_ADMIN_OUTBOX_H

#include <stdbool.h>

#include "daemon/session/connection.h"

struct outbox;

/* The connection's outbox for answers to this request, replacing what was there. `drained` is
 * called whenever everything has gone out; it may add more. NULL on lack of memory. */
struct outbox *outbox_open(struct connection *connection, const struct incoming *incoming,
                           void (*drained)(void *context, struct connection *connection),
                           void *context);
struct outbox *outbox_of(struct connection *connection);
void outbox_close(struct connection *connection);

/* Adds an answer and sends what can be sent. `more`: others to the same request follow. */
void outbox_add(struct connection *connection, Warder__V1__AdminReply *reply, bool more);

/* Nothing is waiting. */
bool outbox_is_empty(const struct connection *connection);

/* Answers with a failure: the last of its request. */
void outbox_fail(struct connection *connection, Warder__V1__FailureKind kind, const char *text);

#endif
