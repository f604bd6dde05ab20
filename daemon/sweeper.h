/* A process of the daemon's own that closes connections of which not everything was read.
 *
 * What was sent to a socket and not received goes with the socket, descriptors too, and the kernel
 * lets them go in whatever closes the socket last. For a process that ends it does not wait for
 * anybody; for one that goes on, sockets that linger do. Receiving them first is no way out:
 * closing what was received waits for those who serve files (closings.h). So such a socket is
 * handed to this process, which lets children of its end with it.
 *
 * It has nothing of the daemon's but its end of a socket, and ends when the daemon does. */
#ifndef WARDER_DAEMON_SWEEPER_H
#define WARDER_DAEMON_SWEEPER_H

#include <stdbool.h>
#include <sys/types.h>

struct sweeper {
    int socket; /* -1: there is none */
    pid_t process;
};

/* Starts it, before the process has a second thread. False with errno set. */
bool sweeper_start(struct sweeper *sweeper);

/* Hands it a socket, and closes it here. False, and it is not closed, if the other has too much to
 * do, or there is none. From any thread. */
bool sweeper_take(const struct sweeper *sweeper, int socket);

/* Waits a moment for its end: it ends by itself. */
void sweeper_stop(struct sweeper *sweeper);

#endif
