#include "client/cli/admin_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/cli/command.h"
#include "client/cli/daemon_wait.h"
#include "client/cli/diagnostic_json.h"
#include "proto/host_paths.h"

enum {
    AGAIN_MILLISECONDS = 200,        /* between two attempts to reach a daemon that went away */
    ANSWER_MILLISECONDS = 30 * 1000, /* a daemon that answers does so long before, also while it
                                        compiles policies or its disk is slow */
    AT_ONCE_MILLISECONDS = 8 * 1000, /* what its loop answers of itself, however busy the host */
};

struct daemon_client *admin_connect(const char *path, const char *otherwise)
{
    const char *at = path ? path : HOST_ADMIN_SOCKET;
    struct daemon_client *client = daemon_client_connect(at);

    if (client)
        return client;
    if (errno == ENOENT || errno == ECONNREFUSED)
        complain("no daemon answers at %s; start it with `warderd "
                 "--foreground`, or name its socket with --admin-socket%s",
                 at, otherwise ? otherwise : "");
    else
        complain("%s: %s", at, strerror(errno));
    return NULL;
}

struct daemon_client *admin_connect_again(const char *path)
{
    const struct timespec moment = {.tv_nsec = AGAIN_MILLISECONDS * 1000000L};
    struct daemon_client *client;

    while (!(client = daemon_client_connect(path ? path : HOST_ADMIN_SOCKET)) && errno != ENOMEM)
        nanosleep(&moment, NULL);
    if (!client)
        complain("out of memory");
    return client;
}

bool admin_request(struct daemon_client *client, Warder__V1__AdminRequest *request)
{
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;

    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_ADMIN;
    message.admin = request;
    const int error = daemon_client_send(client, &message);
    if (error == -EPIPE) /* it may have said why it ended */
        return true;
    if (error == -EMSGSIZE)
        complain("the request is larger than 1 MiB: give fewer or smaller files at once");
    else if (error < 0)
        complain("the daemon cannot be asked: %s", strerror(-error));
    return error == 0;
}

/* `milliseconds` -1: as long as it takes. */
static const Warder__V1__AdminReply *receive(struct daemon_client *client, int milliseconds,
                                             bool *lost)
{
    const Warder__V1__DaemonMessage *message;

    /* A run that has ended may have left news of its interpreters. */
    do
        message = daemon_wait_receive(client, milliseconds, NULL);
    while (message && message->body_case == WARDER__V1__DAEMON_MESSAGE__BODY_STARTED);
    if (message && message->body_case == WARDER__V1__DAEMON_MESSAGE__BODY_ADMIN)
        return message->admin;
    if (!message && errno == ETIMEDOUT) {
        complain(
            "the daemon has not answered for %d seconds: it hangs, or its machine is very busy",
            milliseconds / 1000);
        return NULL;
    }
    *lost = !message && errno != EBADMSG;
    if (!*lost)
        complain("the daemon closed the connection: it speaks another version");
    return NULL;
}

const Warder__V1__AdminReply *admin_reply_or_end(struct daemon_client *client, bool patient,
                                                 bool *lost)
{
    return receive(client, patient ? -1 : ANSWER_MILLISECONDS, lost);
}

static const Warder__V1__AdminReply *reply_within(struct daemon_client *client, int milliseconds)
{
    bool lost = false;
    const Warder__V1__AdminReply *reply = receive(client, milliseconds, &lost);

    if (lost)
        complain("the daemon closed the connection");
    return reply;
}

const Warder__V1__AdminReply *admin_reply(struct daemon_client *client)
{
    return reply_within(client, ANSWER_MILLISECONDS);
}

const Warder__V1__AdminReply *admin_reply_at_once(struct daemon_client *client)
{
    return reply_within(client, AT_ONCE_MILLISECONDS);
}

static const char *kind_word(Warder__V1__FailureKind kind)
{
    switch (kind) {
    case WARDER__V1__FAILURE_KIND__FAILURE_KIND_POLICY:
        return "policy";
    case WARDER__V1__FAILURE_KIND__FAILURE_KIND_NOT_FOUND:
        return "not-found";
    case WARDER__V1__FAILURE_KIND__FAILURE_KIND_FORBIDDEN:
        return "forbidden";
    default:
        return "failure";
    }
}

int admin_failed(const Warder__V1__Failed *failed)
{
    const bool of_policy = failed->kind == WARDER__V1__FAILURE_KIND__FAILURE_KIND_POLICY;

    if (of_policy && !complains_in_json()) {
        /* The checker's own words, which name file and line. */
        fwrite(field_bytes(&failed->text), 1, failed->text.len, stderr);
        if (failed->text.len > 0 && failed->text.data[failed->text.len - 1] != '\n')
            fputc('\n', stderr);
    } else {
        diagnostics_print_json_received(stdout, failed->diagnostics, failed->n_diagnostics);
        complain_of(kind_word(failed->kind), "%.*s", (int)failed->text.len,
                    field_bytes(&failed->text));
    }
    return of_policy || failed->kind == WARDER__V1__FAILURE_KIND__FAILURE_KIND_NOT_FOUND
               ? EXIT_NO
               : EXIT_USAGE;
}
