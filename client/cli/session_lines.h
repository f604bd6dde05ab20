/* The sessions of a daemon as `warder status --sessions` shows them: to people, and as JSON. */
#ifndef WARDER_CLIENT_CLI_SESSION_LINES_H
#define WARDER_CLIENT_CLI_SESSION_LINES_H

#include <stdbool.h>

#include "client/cli/daemon_client.h"

/* Asks for them and prints each. The exit status; complains where something is wrong. */
int session_lines_print(struct daemon_client *client, bool json);

#endif
