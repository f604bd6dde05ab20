/* Running a program under policy, once a daemon has said that it may be. */
#ifndef WARDER_CLIENT_CLI_RUN_H
#define WARDER_CLIENT_CLI_RUN_H

#include <stdbool.h>

#include "client/cli/daemon_client.h"

struct run_plan {
    char **program;               /* argv, terminated by NULL */
    const char *hook;             /* path of libwarder.so */
    int door;                     /* taken over */
    const char *session_socket;   /* where interpreters connect that do not have the door */
    const char *token;            /* of the run, hexadecimal */
    struct daemon_client *client; /* hears of each interpreter that says Hello */
};

/* Runs it to its end; the exit status that this process should have. Ends itself by the same signal
 * if the program was ended by one. */
int run_program(struct run_plan *plan);

#endif
