#include "daemon/admin/outbox.h"

#include <stdlib.h>
#include <string.h>

/* A packed AdminReply: unpacked again when it is its turn would cost more than it is worth, so the
 * envelope is packed as a whole. */
struct letter {
    struct letter *next;
    Warder__V1__DaemonMessage *message; /* owned, with all below it */
};

struct outbox {
    struct reply_to to;
    struct letter *first;
    struct letter **end;
    bool sending;
    void (*drained)(void *context, struct connection *connection);
    void *context;
};

struct outbox *outbox_of(struct connection *connection)
{
    return connection->administered;
}

bool outbox_is_empty(const struct connection *connection)
{
    const struct outbox *outbox = connection->administered;
    return !outbox || !outbox->first;
}

static void letter_free(struct letter *letter)
{
    warder__v1__daemon_message__free_unpacked(letter->message, NULL);
    free(letter);
}

void outbox_close(struct connection *connection)
{
    struct outbox *outbox = connection->administered;

    if (!outbox)
        return;
    while (outbox->first) {
        struct letter *letter = outbox->first;
        outbox->first = letter->next;
        letter_free(letter);
    }
    free(outbox);
    connection->administered = NULL;
    connection->on_writable = NULL;
}

static void pump(struct connection *connection)
{
    struct outbox *outbox = connection->administered;

    if (outbox->sending) /* a drained callback adds more: the loop below sends it */
        return;
    outbox->sending = true;
    for (;;) {
        while (outbox->first) {
            struct letter *letter = outbox->first;
            if (!connection_try_send(connection, &outbox->to, letter->message)) {
                /* Waiting for room; or closed, and the outbox gone with it. */
                if (connection->administered == outbox)
                    outbox->sending = false;
                return;
            }
            outbox->first = letter->next;
            if (!outbox->first)
                outbox->end = &outbox->first;
            letter_free(letter);
        }
        if (outbox->drained)
            outbox->drained(outbox->context, connection);
        if (connection->administered != outbox)
            return;
        if (!outbox->first)
            break;
    }
    outbox->sending = false;
}

struct outbox *outbox_open(struct connection *connection, const struct incoming *incoming,
                           void (*drained)(void *context, struct connection *connection),
                           void *context)
{
    outbox_close(connection);
    struct outbox *outbox = calloc(1, sizeof(*outbox));
    if (!outbox)
        return NULL;
    outbox->to = connection_reply_to(connection, incoming);
    outbox->end = &outbox->first;
    outbox->drained = drained;
    outbox->context = context;
    connection->administered = outbox;
    connection->on_writable = pump;
    return outbox;
}

/* A copy that lives by itself: packed and unpacked again. */
static Warder__V1__DaemonMessage *copied(Warder__V1__AdminReply *reply)
{
    Warder__V1__DaemonMessage message = WARDER__V1__DAEMON_MESSAGE__INIT;
    Warder__V1__DaemonMessage *copy = NULL;

    message.body_case = WARDER__V1__DAEMON_MESSAGE__BODY_ADMIN;
    message.admin = reply;
    const size_t size = warder__v1__daemon_message__get_packed_size(&message);
    uint8_t *bytes = malloc(size + 1);
    if (bytes) {
        warder__v1__daemon_message__pack(&message, bytes);
        copy = warder__v1__daemon_message__unpack(NULL, size, bytes);
    }
    free(bytes);
    return copy;
}

void outbox_add(struct connection *connection, Warder__V1__AdminReply *reply, bool more)
{
    struct outbox *outbox = connection->administered;
    struct letter *letter = outbox ? calloc(1, sizeof(*letter)) : NULL;

    reply->more = more;
    if (letter)
        letter->message = copied(reply);
    if (!letter || !letter->message) {
        free(letter);
        connection_close(connection); /* a gap would look like the end */
        return;
    }
    *outbox->end = letter;
    outbox->end = &letter->next;
    pump(connection);
}

void outbox_fail(struct connection *connection, Warder__V1__FailureKind kind, const char *text)
{
    Warder__V1__AdminReply reply = WARDER__V1__ADMIN_REPLY__INIT;
    Warder__V1__Failed failed = WARDER__V1__FAILED__INIT;

    failed.kind = kind;
    failed.text = text_field(text);
    reply.body_case = WARDER__V1__ADMIN_REPLY__BODY_FAILED;
    reply.failed = &failed;
    outbox_add(connection, &reply, false);
}
