/* One connection of the hook to the daemon: a packet out, its answer in, within a bound.
 *
 * The descriptor is within reach of the interpreter's own code, which can close it, replace it,
 * read and write it without an audit event. So nothing here trusts the descriptor: an answer counts
 * only if it carries the request's number and a MAC under the session's key; every wait has an end;
 * and before a descriptor is closed it is made sure that it still is the one that was opened. */
#ifndef WARDER_CLIENT_HOOK_DAEMON_CONNECTION_H
#define WARDER_CLIENT_HOOK_DAEMON_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "policies/engine/arena.h"
#include "proto/message.h"
#include "proto/packet.h"

struct daemon_connection {
    int socket;      /* -1: none */
    uint64_t inode;  /* of the socket; the descriptor is ours as long as it has this one */
    uint64_t number; /* as the daemon gave; part of every MAC. 0 before it has */
    uint64_t sent;   /* number of the last message sent */
    unsigned owed;   /* answers that came too late so far, and are passed over when they come */
};

#define DAEMON_CONNECTION_NONE ((struct daemon_connection){.socket = -1})

enum exchange_result {
    EXCHANGE_DONE,
    EXCHANGE_LOST,      /* no daemon at the other end, or not any more */
    EXCHANGE_LATE,      /* no answer within the bound */
    EXCHANGE_FORGED,    /* an answer that is not the daemon's */
    EXCHANGE_TOO_LARGE, /* the message cannot be sent */
};

enum {
    ANSWERS_OWED_MAX = 8, /* on a connection that is kept; after more it is of no more use */
};

/* What an exchange works with. Memory belongs to the caller. */
struct exchange_memory {
    struct arena arena;    /* answers are decoded here, after a reset */
    unsigned char *packet; /* PACKET_SIZE_MAX bytes */
};

struct exchange {
    const unsigned char *key; /* of the session; NULL where there is none yet */
    const int *descriptors;   /* to send along; borrowed */
    int descriptor_count;
    int received_max; /* descriptors that there is room for in `received`; 0: one */
    bool bare;        /* no descriptors come with the answer */
    int64_t deadline; /* monotonic_now's clock */
    struct exchange_memory *memory;
};

/* Nanoseconds of a clock that is never set back. */
int64_t monotonic_now(void);

/* What it takes to connect when the program has used up its open files: a few more than its soft
 * limit has, until the room is ended. Where the hard limit leaves none there is none. */
struct descriptor_room {
    uint64_t soft; /* the program's limit */
    bool made;
};

struct descriptor_room descriptor_room_make(void);
void descriptor_room_end(const struct descriptor_room *room);

/* Takes over a connected packet socket: moved to a high descriptor, close-on-exec. On failure the
 * socket is closed and false returned. */
bool daemon_connection_adopt(struct daemon_connection *connection, int socket, uint64_t number);

/* Where the daemon is, and who it must be. */
struct daemon_address {
    char path[108]; /* of its session socket; sun_path's size */
    pid_t process;  /* that answers there; 0: the owner of the socket says enough */
};

/* Connects to the daemon's session socket, waiting for room in its queue until the deadline. False
 * if nobody is there, or somebody whom this process must not trust. */
bool daemon_connection_open(struct daemon_connection *connection,
                            const struct daemon_address *address, int64_t deadline);

/* True if this process can take another descriptor: one that it cannot is lost with the packet that
 * brings it, and with the packet the connection. */
bool daemon_connection_has_room(const struct daemon_connection *connection);

/* Sends a message and, if `reply` is not NULL, waits for its answer; `*reply` lives in the arena.
 * Descriptors that come with the answer go to `received` (-1 where none came), if there are as many
 * as it has room for or fewer; NULL refuses them.
 * After anything but EXCHANGE_DONE, EXCHANGE_TOO_LARGE and EXCHANGE_LATE the connection is of no
 * more use. After EXCHANGE_LATE it is, where it has a key, until ANSWERS_OWED_MAX of them: a daemon
 * that stood still for a while answers what it has been asked, and those answers are passed over.
 */
enum exchange_result daemon_connection_exchange(struct daemon_connection *connection,
                                                const struct exchange *exchange,
                                                const Warder__V1__ClientMessage *message,
                                                const Warder__V1__DaemonMessage **reply,
                                                int *received);

/* The body of a message: in the exchange's packet, with PACKET_HEADER_SIZE in front of it. */
struct packed_body {
    unsigned char *bytes;
    size_t length;
};

/* Sends a message that is packed already, and waits for its answer, which is authentic then, and
 * not decoded yet. Otherwise the same. */
enum exchange_result daemon_connection_exchange_packed(struct daemon_connection *connection,
                                                       const struct exchange *exchange,
                                                       const struct packed_body *message,
                                                       struct packed_body *reply);

/* True if the descriptor is still the one that was opened: the program may have closed or replaced
 * it. */
bool daemon_connection_is_intact(const struct daemon_connection *connection);

/* Closes the descriptor if it is still ours, and forgets it either way. */
void daemon_connection_close(struct daemon_connection *connection);

#endif
