/* Running a program under policy, once a daemon has said that it may be. */
#ifndef WARDER_CLIENT_CLI_RUN_H
#define WARDER_CLIENT_CLI_RUN_H

#include <stdbool.h>

#include "client/cli/daemon_client.h"
#include "proto/message.h"

struct run_plan {
    char **program;                 /* argv, terminated by NULL */
    const char *hook;               /* path of libwarder.so */
    int door;                       /* taken over */
    pid_t daemon;                   /* that must answer there; 0: the host's, whatever it is */
    const char *session_socket;     /* where interpreters connect that do not have the door */
    const char *token;              /* of the run, hexadecimal */
    struct daemon_client *client;   /* hears of each interpreter that says Hello */
    bool wants_policy;              /* says so if nothing governs what is run */
    bool adopts;                    /* what the program leaves without a parent (run_program) */
    const Warder__V1__Floor *floor; /* NULL: none */
    /* The program's signals stay among what it starts: its daemon is its own user's, and a policy
     * is against signals to others. On kernels that can (Landlock ABI 6). */
    bool keeps_signals_inside;
};

/* A run is known to the host's daemon by the process of `warder run`: what descends from that is
 * under the run's policies. A process whose parents have ended would fall to init, and out of them:
 * with `adopts` it comes to this process instead, for as long as the program runs. A private
 * daemon's run needs none of it, for everything there is of the run; its daemon is a child of this
 * process that somebody else waits for.
 *
 * What of the floor can stand before the program is taken in its process, before it is started. A
 * floor that this kernel cannot hold though it is required is a failure, before anything is
 * started.
 *
 * Runs it to its end; the exit status that this process should have. Ends itself by the same signal
 * if the program was ended by one. */
int run_program(struct run_plan *plan);

#endif
