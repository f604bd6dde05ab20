/* Waiting for a daemon's answer, with a word to the person who waits. */
#ifndef WARDER_CLIENT_CLI_DAEMON_WAIT_H
#define WARDER_CLIENT_CLI_DAEMON_WAIT_H

#include "client/cli/daemon_client.h"

/* daemon_client_receive. Once the wait is longer than a daemon that is well takes, says that it
 * waits and how long yet; not to programs (complaints_in_json). */
const Warder__V1__DaemonMessage *daemon_wait_receive(struct daemon_client *client, int milliseconds,
                                                     int *descriptor);

#endif
