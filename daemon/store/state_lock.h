/* One daemon in a state directory at a time.
 *
 * Two that write the same databases would give the same numbers to different sessions, and the
 * record would point at the wrong process. The lock belongs to an open file, DIRECTORY/daemon.lock,
 * and the kernel lets it go when the daemon ends, however it ends: the file itself says nothing but
 * who holds it, and may stay. */
#ifndef WARDER_DAEMON_STORE_STATE_LOCK_H
#define WARDER_DAEMON_STORE_STATE_LOCK_H

#include <stddef.h>

#define STATE_LOCK_FILE "daemon.lock"

/* A descriptor that holds the lock until it is closed. -1: the directory is another daemon's, or
 * cannot be used; `error` says which, and names the other by its pid. */
int state_lock_take(const char *directory, char *error, size_t size);

#endif
