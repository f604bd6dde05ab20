/* One connection: packets in, checked before they are believed; packets out.
 *
 * A table (protocol.c) says which message is allowed in which state; what is not in it is refused,
 * and a refusal ends the connection's session, with a record. A message must decode, carry the next
 * number, and where the state has a key, the right MAC. */
#ifndef WARDER_DAEMON_SESSION_CONNECTION_H
#define WARDER_DAEMON_SESSION_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/session/server.h"
#include "proto/event_bytes.h"
#include "proto/message.h"
#include "proto/packet.h"
#include "proto/packet_socket.h"
#include "proto/verdict_bytes.h"

enum connection_state {
    STATE_NEW,      /* came by path: nobody yet */
    STATE_DOOR,     /* left open for the processes of a run */
    STATE_OPENED,   /* handed out at a door: somebody of that run */
    STATE_CHILD,    /* handed out for a forked child: Hello comes under its parent's key */
    STATE_WAITING,  /* a worker is busy for it; nothing may be said meanwhile */
    STATE_SESSION,  /* of a session */
    STATE_LAUNCHER, /* `warder run` after its Launch: it listens */
    STATE_CONTROL,  /* the owner of a private daemon */
    STATE_ADMIN,    /* came to the administration socket */
    STATE_CLOSED,
};

/* What the connection's loop has of it. */
enum connection_watch {
    WATCH_NONE,
    WATCH_POLLED,
    WATCH_ENDING, /* libuv has yet to let go of the handle */
    WATCH_OVER,   /* and the socket is closed */
};

struct connection {
    struct server *server;
    struct loop *loop;      /* whose it is: the first one's until it is a session's */
    struct loop *next_loop; /* where it goes once this one has let go of it; NULL: nowhere */
    struct loop *settled;   /* the one among whose connections it counts; NULL: none */
    struct loop_task arranging;
    enum connection_watch watch;
    uv_poll_t poll;
    int socket;
    enum connection_state state;
    unsigned references; /* workers that will come back to it, and the open socket */
    struct user_account *account;
    pid_t pid;               /* of the peer when it connected; 0 where the socket was handed out */
    bool unfinished;         /* charged as such, until Hello */
    uint64_t deadline;       /* server_now(): when Hello is due; 0: never */
    uint64_t number;         /* part of every MAC */
    uint64_t received;       /* number of the last message */
    struct session *session; /* STATE_SESSION: its own */
    struct session *parent;  /* STATE_CHILD, then STATE_WAITING: who forked it; held */
    struct run *run;         /* STATE_DOOR, STATE_OPENED, STATE_LAUNCHER, STATE_CONTROL; held */
    unsigned char
        key[SIPHASH_KEY_SIZE]; /* STATE_CHILD: the parent's; STATE_SESSION: the session's */
    bool keyed;
    size_t unsent;            /* bytes of an answer in the loop's `reply`, to be sent outside */
    bool held;                /* not read from while the record of its user's doings is behind */
    bool queued;              /* not read from until it is its turn (turns.h) */
    uint8_t passes;           /* how often it was passed over since it is queued */
    bool wants_write;         /* somebody waits for its peer to take what is sent */
    struct queued_work *work; /* STATE_WAITING: a worker's, that waits or is under way */
    void (*cancelled)(struct queued_work *work); /* it will not be run: frees it */
    void *administered;                          /* administration's own: answers that wait */
    void (*on_writable)(struct connection *connection);
    struct connection *next;
    struct connection *previous;
    struct connection *next_of_session;
    struct connection *next_queued;
    struct connection *previous_queued;
};

/* A message as it came, for the handlers. */
struct incoming {
    struct packet_header header;
    const unsigned char *body;
    size_t length;
    bool is_plain;                            /* an Ask that is in `asked`, and no message */
    struct sent_event asked;                  /* in the body and the server's arena */
    const Warder__V1__ClientMessage *message; /* in the server's arena; NULL if it is plain */
    struct packet_received *received;
};

/* What a reply refers to: copied, because a worker may stand between request and reply. */
struct reply_to {
    uint64_t sequence;
    unsigned char tag[SIPHASH_TAG_SIZE];
    bool keyed;
    unsigned char key[SIPHASH_KEY_SIZE];
    uint64_t number; /* of the connection, as the request knew it */
};

struct connection_options {
    enum connection_state state;
    struct user_account *account; /* charged already for a connection */
    pid_t pid;
    uint64_t number;
};

/* Takes over a connected socket. NULL on failure; the socket is closed then. */
struct connection *connection_new(struct server *server, int socket,
                                  const struct connection_options *options);

struct connection *connection_hold(struct connection *connection);
void connection_release(struct connection *connection);

/* Closes: nothing is received any more. Safe to call again. */
void connection_close(struct connection *connection);

/* Turns the peer away: a record, the end of its session, the end of the connection. */
void connection_refuse(struct connection *connection, const char *why);

/* Charges the connection as one that has yet to say Hello, and gives it two seconds to. False if
 * its user has too many such. */
bool connection_expect_hello(struct connection *connection);

/* Reads again from a connection that was held. False if it is too early. */
bool connection_let_go(struct connection *connection);

/* Reads what it was queued for. */
void connection_take_turn(struct connection *connection);

/* It is a session's from now on: it goes to the loop that has the fewest of those. */
void connection_settle(struct connection *connection);

/* Hello has been said: the connection is charged as any other. */
void connection_finished(struct connection *connection);

/* The connection is a session's, under its key: the kernel need not say any more of each message
 * who sent it. */
void connection_has_key(struct connection *connection, const unsigned char *key);

struct reply_to connection_reply_to(const struct connection *connection,
                                    const struct incoming *incoming);

/* Sends a message; a peer that does not take it is gone. `to` NULL: unasked, number 0. */
bool connection_send(struct connection *connection, const struct reply_to *to,
                     const Warder__V1__DaemonMessage *message, const int *descriptors,
                     int descriptor_count);

/* The same of an answer that allows, and says nothing beside: most are, and need no message. Where
 * there are several loops it goes out once the message has been dealt with, outside. */
bool connection_send_plain(struct connection *connection, const struct incoming *incoming,
                           const struct plain_verdict *verdict);

/* The same, but a peer that does not take it yet is waited for: false then, and `on_writable` is
 * called when it does. For administration, whose answers are long. */
bool connection_try_send(struct connection *connection, const struct reply_to *to,
                         const Warder__V1__DaemonMessage *message);

/* A new random connection number. */
uint64_t connection_fresh_number(void);

#endif
