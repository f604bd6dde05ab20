/* Live sessions, kept in the runtime directory so that a restarted daemon can take them up again.
 *
 * One file for each, readable to the daemon alone, on a file system that does not survive a boot.
 * The files hold session keys. Writing and removing happen in worker threads, in the order asked
 * for. */
#ifndef WARDER_DAEMON_SESSION_KEPT_SESSION_H
#define WARDER_DAEMON_SESSION_KEPT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/session/server.h"
#include "proto/message.h"

enum {
    KEPT_SESSION_SIZE_MAX = 512 * 1024,
};

/* Where they are, for a session socket: beside it. False if the path is too long. */
bool kept_sessions_directory(const char *session_socket, char *directory, size_t size);

/* Keeps a session under its number; the message is packed before the call returns. */
void kept_session_write(struct server *server, const Warder__V1__KeptSession *kept);

/* Adds fields to a session that is kept already. */
void kept_session_add(struct server *server, uint64_t number, const Warder__V1__KeptSession *more);

/* Records that a session is not kept: it ends with this daemon. */
void kept_session_lost(struct server *server, uint64_t number, const char *why);

void kept_session_remove(struct server *server, uint64_t number);

/* Reads one back: blocks, for a worker thread. The message lives in the arena; NULL if there is
 * none. */
const Warder__V1__KeptSession *kept_session_read(const char *session_socket, uint64_t number,
                                                 struct arena *arena);

/* Gets each of those whose process is there, for the time of the call. */
typedef void kept_session_seen(void *context, const Warder__V1__KeptSession *kept);

/* Removes those whose process is gone; `*highest` is the highest number of those that stay. Blocks:
 * before the loop starts. Makes the directory. 0 or a negative errno. */
int kept_sessions_clean(const char *session_socket, kept_session_seen *seen, void *context,
                        uint64_t *highest);

#endif
