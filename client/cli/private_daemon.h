/* A daemon of one's own: started beside this command, on a connection that only they two have.
 *
 * It ends when the connection does, whatever way the command ended. It has a session of its own, so
 * that what is typed at the terminal is not for it. */
#ifndef WARDER_CLIENT_CLI_PRIVATE_DAEMON_H
#define WARDER_CLIENT_CLI_PRIVATE_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

#include "client/cli/daemon_client.h"

struct private_daemon {
    pid_t pid;
    struct daemon_client *client; /* its owner's connection; owned */
    char *directory;              /* of its socket; owned */
    int opened;                   /* that directory, whatever its name leads to by now; owned */
};

/* `state_directory` NULL: its record and store are in its memory alone, where the program cannot
 * change them, and are asked for over the connection before it ends. False after a complaint. */
bool private_daemon_start(struct private_daemon *daemon, const char *state_directory, bool record);

/* One that answers questions about a record that was kept, and changes nothing in its directory. */
bool private_daemon_start_reading(struct private_daemon *daemon, const char *state_directory);

/* One that shows and changes the policies of a host whose daemon does not live: it refuses a
 * directory that one lives in, and puts nothing in force. */
bool private_daemon_start_mending(struct private_daemon *daemon, const char *state_directory);

/* Lets it end and waits for that, for some seconds; removes what it left. False if it did not end
 * in good order, which has been said: its record may lack what it had not written. */
bool private_daemon_stop(struct private_daemon *daemon);

#endif
