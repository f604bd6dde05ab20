/* The command's end of a conversation with a daemon: requests out, replies in.
 *
 * Blocks, with a bound. Not for code under policy: there is no key and no MAC here; the command
 * trusts the sockets that it opened or inherited. */
#ifndef WARDER_CLIENT_CLI_DAEMON_CLIENT_H
#define WARDER_CLIENT_CLI_DAEMON_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policies/engine/arena.h"
#include "policies/ownership.h"
#include "proto/message.h"

struct daemon_client {
    int socket;
    uint64_t sent;
    struct arena arena;    /* the last reply lives here */
    unsigned char *memory; /* packets and file bodies */
};

/* Takes over a connected socket. NULL on lack of memory (the socket is closed). */
struct daemon_client *daemon_client_new(int socket);

/* NULL with errno set if nobody answers there. */
struct daemon_client *daemon_client_connect(const char *path);
void daemon_client_free(struct daemon_client *client);
DEFINE_CLEANUP(struct daemon_client *, daemon_client_free);

/* 0 or a negative errno. */
int daemon_client_send(struct daemon_client *client, const Warder__V1__ClientMessage *message);

/* The next message; it lives until the next call. NULL on the end of the connection, after
 * `milliseconds` (-1: never), or if it is none; errno says which (EPIPE, ETIMEDOUT, EBADMSG). A
 * descriptor that comes along goes to `*descriptor`, -1 if none does. */
const Warder__V1__DaemonMessage *daemon_client_receive(struct daemon_client *client,
                                                       int milliseconds, int *descriptor);

/* The process at the other end, as the kernel says; -1 if it does not. */
pid_t daemon_client_peer(const struct daemon_client *client);

#endif
