/* The record, read for whoever asks: page by page, and followed if they want.
 *
 * A page is read by a worker when the one before it has gone out, so that a slow reader costs a
 * page of memory and nothing else. */
#ifndef WARDER_DAEMON_ADMIN_LOG_READER_H
#define WARDER_DAEMON_ADMIN_LOG_READER_H

#include "daemon/session/connection.h"

struct log_readers;

struct log_readers *log_readers_new(struct server *server);
void log_readers_free(struct log_readers *readers);

void log_reader_start(struct log_readers *readers, struct connection *connection,
                      const struct incoming *incoming);

/* The connection is gone. */
void log_reader_forget(struct log_readers *readers, struct connection *connection);

/* New records are on disk. */
void log_readers_wake(struct log_readers *readers);

#endif
