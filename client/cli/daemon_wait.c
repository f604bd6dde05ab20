#include "client/cli/daemon_wait.h"

#include <errno.h>

#include "client/cli/command.h"

enum {
    SILENT_MILLISECONDS = 2000,
};

const Warder__V1__DaemonMessage *daemon_wait_receive(struct daemon_client *client, int milliseconds,
                                                     int *descriptor)
{
    if (milliseconds <= SILENT_MILLISECONDS) /* or for ever, as whoever follows a record does */
        return daemon_client_receive(client, milliseconds, descriptor);
    const Warder__V1__DaemonMessage *message =
        daemon_client_receive(client, SILENT_MILLISECONDS, descriptor);
    if (message || errno != ETIMEDOUT)
        return message;
    if (!complains_in_json())
        complain("the daemon has not answered yet; waiting for another %d seconds (Ctrl-C ends "
                 "this)",
                 (milliseconds - SILENT_MILLISECONDS) / 1000);
    return daemon_client_receive(client, milliseconds - SILENT_MILLISECONDS, descriptor);
}
