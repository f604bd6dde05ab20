/* Closing what a user has sent.
 *
 * Closing a descriptor may wait for as long as whoever stands behind it likes: the program that
 * serves a file system of its own, the peer of a socket that lingers, a great file system that was
 * unmounted and goes with its last descriptor. So a loop closes none but sealed memory files of the
 * size of a message. The others go to a thread of their user's, which is made when there is
 * something to close and ends when there is nothing. While CLOSINGS_MAX wait, nothing is read from
 * the user (connection.c): they stay about as many. They count as the user's descriptors
 * (user_account.h).
 *
 * A connection's socket may have some in it that were not received: see daemon/sweeper.h. */
#ifndef WARDER_DAEMON_SESSION_CLOSINGS_H
#define WARDER_DAEMON_SESSION_CLOSINGS_H

#include <stdbool.h>
#include <stddef.h>

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

/* How many wait, of this user and of all: descriptors that the process has. */
size_t closings_count(const struct closings *closings);
size_t closings_count_all(void);

bool closings_are_full(const struct closings *closings);

/* Takes a descriptor over, and closes it in the user's thread; at once where there is no memory to
 * be had. From any thread. */
void closings_add(struct closings *closings, int descriptor);

/* Makes the thread, if there is something to close and it could not be made before. */
void closings_retry(struct closings *closings);

/* Takes over what was received and not taken (taken: set to -1). */
void closings_add_received(struct closings *closings, struct packet_received *received);

#endif
