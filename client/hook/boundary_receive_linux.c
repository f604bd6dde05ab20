/* Stand before the functions of libc that receive, and those that say a socket's name.
 *
 * CPython believes what they say of lengths, and hands out that much memory. There are three ways
 * in which that is more than was written: of a packet that was cut the kernel says the whole length
 * where it is asked to (MSG_TRUNC); of a stream it throws away what would have been read, and
 * writes nothing, under the same flag; and of a name that was cut it says the whole length, which
 * is larger than the place that CPython has for it where a socket object was made with another
 * family than its descriptor's.
 *
 * Where a policy could deny `native` or `ffi`, Python code gets no more than it has made room for,
 * zeros where nothing is written, and a name that was cut without its family, of which CPython
 * reads so much as was written. The child of a vfork may call these. */
/* Not _GNU_SOURCE: it gives the addresses of these functions another type. Nor libc's inline
 * versions of them, which clang takes for the functions themselves. */
#undef _FORTIFY_SOURCE
#define _POSIX_C_SOURCE 200809L // NOLINT(bugprone-reserved-identifier)
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "client/hook/boundary.h"
#include "client/hook/boundary_caller.h"
#include "client/hook/real_libc.h"

#define EXPORTED __attribute__((visibility("default")))
#define CALLER __builtin_return_address(0)

int accept4(int socket, struct sockaddr *name, unsigned *length, int flags);

static bool is_python(const void *caller)
{
    return boundary_holds_memory() && boundary_is_asked_by_python(caller, "PyInit__socket");
}

/* --------------------------------------------------------------------------------------- lengths
 */

/* Of a stream, under MSG_TRUNC. */
static bool writes_nothing(int socket)
{
    int type = SOCK_STREAM;
    socklen_t size = sizeof(type);

    return real_libc()->getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
           type == SOCK_STREAM;
}

static ssize_t no_more_than(ssize_t result, size_t room)
{
    return result > 0 && (size_t)result > room ? (ssize_t)room : result;
}

/* True if the answer is to be looked at: the buffers are ready for that. */
static bool prepare(int socket, const struct iovec *buffers, size_t count, int flags,
                    const void *caller)
{
    const int before = errno;

    if (!(flags & MSG_TRUNC) || !is_python(caller))
        return false;
    if (writes_nothing(socket))
        for (size_t i = 0; i < count; i++)
            if (buffers[i].iov_base)
                memset(buffers[i].iov_base, 0, buffers[i].iov_len);
    errno = before;
    return true;
}

/* ----------------------------------------------------------------------------------------- names
 */

/* How much room there is for a name; none where nothing is to be said of it. */
static unsigned room_of(const struct sockaddr *name, const unsigned *length)
{
    return name && length ? *length : 0;
}

static void finish_name(struct sockaddr *name, unsigned *length, unsigned room, const void *caller)
{
    if (room < sizeof(name->sa_family) || *length <= room || !is_python(caller))
        return;
    *length = room;
    name->sa_family = AF_UNSPEC;
}

/* ---------------------------------------------------------------------------------------- calls
 */

EXPORTED ssize_t recv(int socket, void *buffer, size_t size, int flags)
{
    const struct iovec buffers = {.iov_base = buffer, .iov_len = size};
    const bool looks = prepare(socket, &buffers, 1, flags, CALLER);
    const ssize_t result = real_libc()->recv(socket, buffer, size, flags);

    return looks ? no_more_than(result, size) : result;
}

EXPORTED ssize_t recvfrom(int socket, void *buffer, size_t size, int flags, struct sockaddr *name,
                          unsigned *length)
{
    const struct iovec buffers = {.iov_base = buffer, .iov_len = size};
    const unsigned room = room_of(name, length);
    const bool looks = prepare(socket, &buffers, 1, flags, CALLER);
    const ssize_t result = real_libc()->recvfrom(socket, buffer, size, flags, name, length);

    if (result >= 0)
        finish_name(name, length, room, CALLER);
    return looks ? no_more_than(result, size) : result;
}

static size_t room_in(const struct msghdr *message)
{
    size_t room = 0;

    for (size_t i = 0; i < message->msg_iovlen; i++)
        if (__builtin_add_overflow(room, message->msg_iov[i].iov_len, &room))
            return SIZE_MAX;
    return room;
}

EXPORTED ssize_t recvmsg(int socket, struct msghdr *message, int flags)
{
    const unsigned room = room_of(message->msg_name, &message->msg_namelen);
    const bool looks = prepare(socket, message->msg_iov, message->msg_iovlen, flags, CALLER);
    const ssize_t result = real_libc()->recvmsg(socket, message, flags);

    if (result >= 0)
        finish_name(message->msg_name, &message->msg_namelen, room, CALLER);
    return looks ? no_more_than(result, room_in(message)) : result;
}

/* The call has a name and its length. */
#define NAMED(call)                                                                                \
    const unsigned room = room_of(name, length);                                                   \
    const int result = (call);                                                                     \
    if (result >= 0)                                                                               \
        finish_name(name, length, room, CALLER);                                                   \
    return result

EXPORTED int accept(int socket, struct sockaddr *name, unsigned *length)
{
    NAMED(real_libc()->accept(socket, name, length));
}

EXPORTED int accept4(int socket, struct sockaddr *name, unsigned *length, int flags)
{
    NAMED(real_libc()->accept4(socket, name, length, flags));
}

EXPORTED int getpeername(int socket, struct sockaddr *name, unsigned *length)
{
    NAMED(real_libc()->getpeername(socket, name, length));
}

EXPORTED int getsockname(int socket, struct sockaddr *name, unsigned *length)
{
    NAMED(real_libc()->getsockname(socket, name, length));
}
