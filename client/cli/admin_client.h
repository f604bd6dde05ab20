/* Administration as the commands do it: one request, its replies one by one. */
#ifndef WARDER_CLIENT_CLI_ADMIN_CLIENT_H
#define WARDER_CLIENT_CLI_ADMIN_CLIENT_H

#include <stdbool.h>

#include "client/cli/daemon_client.h"

/* Connects to the administration socket, NULL: the host's. Complains and returns NULL if nobody
 * answers; `otherwise` is what there is without a daemon, behind the complaint (NULL: nothing). */
struct daemon_client *admin_connect(const char *path, const char *otherwise);

/* For those who read the record. */
#define ADMIN_RECORD_OF_A_RUN                                                                      \
    "; the record of a `warder run` without it is read with --state-dir DIR, if the run had that " \
    "too"

/* A daemon that was there: waits until one answers again, for as long as it takes. NULL after a
 * complaint, on lack of memory. */
struct daemon_client *admin_connect_again(const char *path);

/* Sends a request. False after a complaint. */
bool admin_request(struct daemon_client *client, Warder__V1__AdminRequest *request);

/* The next reply; NULL after a complaint. */
const Warder__V1__AdminReply *admin_reply(struct daemon_client *client);

/* The same where the daemon has nothing to do for it but to answer: it is given up sooner. */
const Warder__V1__AdminReply *admin_reply_at_once(struct daemon_client *client);

/* The same for who goes on with another daemon: without complaint, `*lost` says that the connection
 * has ended. One that speaks another version is complained of, and not lost. `patient`: the reply
 * is waited for as long as the daemon lives. */
const Warder__V1__AdminReply *admin_reply_or_end(struct daemon_client *client, bool patient,
                                                 bool *lost);

/* A reply that ends the request with a failure is told to the person; the exit status for it. */
int admin_failed(const Warder__V1__Failed *failed);

#endif
