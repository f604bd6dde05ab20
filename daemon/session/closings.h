/* Closing what a user has sent.
 *
 * Closing a descriptor may wait for as long as whoever stands behind it likes: the program that
 * serves a file system of its own, the peer of a socket that lingers, a great file system that was
 * unmounted and goes with its last descriptor. So no loop closes one. It goes to a thread of its
 * user's, which is made when there is something to close and ends when there is nothing. While
 * CLOSINGS_MAX wait, nothing is read from the user (connection.c), so that they stay about as many.
 *
 * Descriptors that cannot wait are closed at once by whoever has them: sealed memory files. */
#ifndef WARDER_DAEMON_SESSION_CLOSINGS_H
#define WARDER_DAEMON_SESSION_CLOSINGS_H

#include <stdbool.h>

struct packet_received;

enum {
    CLOSINGS_MAX =
        32, /* of a user, before nothing is read from it; then those of one packet more */
};

struct closings;

/* A user's; NULL on lack of memory. */
struct closings *closings_new(void);

/* What waits is closed all the same: the thread has the rest to itself. */
void closings_release(struct closings *closings);

bool closings_are_full(const struct closings *closings);

/* Takes a descriptor over, and closes it in the user's thread; at once where there is no thread or
 * memory to be had. From any thread. */
void closings_add(struct closings *closings, int descriptor);

/* Takes over what was received and not taken (taken: set to -1). */
void closings_add_received(struct closings *closings, struct packet_received *received);

#endif
