/* Stands before listen.
 *
 * It binds a socket that was bound to nothing: to every address of the machine, and a port that the
 * kernel chooses. No audit event tells of either, so that is judged here, as the bind that it is. A
 * socket that is bound was judged when that was done.
 *
 * Its name does not tell: a socket whose connection has failed keeps the port in its name, and has
 * it no more. So the kernel is asked to bind it to nothing, which it does with one that is free,
 * and refuses with one that is bound. Where a floor forbids even that, the name is judged. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/hook/boundary.h"
#include "client/hook/real_libc.h"
#include "client/hook/work_memory.h"

#define EXPORTED __attribute__((visibility("default")))

static const char event[] = "libc.listen";

/* What a socket of the internet is bound to. */
struct bound {
    char host[INET6_ADDRSTRLEN];
    int port;
};

union name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int option_of(int socket, int option)
{
    int value = -1;
    socklen_t size = sizeof(value);

    return getsockopt(socket, SOL_SOCKET, option, &value, &size) < 0 ? -1 : value;
}

/* True if the kernel says that the socket is bound; where it says that it is not, it has no port.
 */
static bool is_bound(int socket, const union name *name, struct bound *bound)
{
    const union name nothing = {.any.sa_family = name->any.sa_family};
    const socklen_t size = name->any.sa_family == AF_INET ? sizeof(nothing.v4) : sizeof(nothing.v6);
    const int on = 1;
    int before = 0;
    socklen_t before_size = sizeof(before);

    /* An address without a port is kept for the time when one is needed. */
    if (getsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &before, &before_size) < 0 ||
        setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0)
        return false;
    const bool is_free = bind(socket, &nothing.any, size) == 0;
    const bool refused = !is_free && errno == EINVAL;
    setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &before, sizeof(before));
    if (is_free)
        bound->port = 0;
    return refused;
}

/* True if listening would bind the socket, or may, and what it is bound to now. */
static bool would_be_bound(int socket, struct bound *bound)
{
    union name name = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t size = sizeof(name);
    const int type = option_of(socket, SO_TYPE);

    if ((type != SOCK_STREAM && type != SOCK_SEQPACKET) || option_of(socket, SO_ACCEPTCONN) == 1 ||
        getsockname(socket, &name.any, &size) < 0)
        return false; /* it is judged already, or nothing that listens, and the kernel says so */
    const bool old = name.any.sa_family == AF_INET;
    if (!old && name.any.sa_family != AF_INET6)
        return false;
    const void *address = old ? (const void *)&name.v4.sin_addr : &name.v6.sin6_addr;
    if (!inet_ntop(name.any.sa_family, address, bound->host, sizeof(bound->host)))
        return false;
    bound->port = ntohs(old ? name.v4.sin_port : name.v6.sin6_port);
    return bound->port == 0 || !is_bound(socket, &name, bound);
}

static bool judge(int socket, const struct bound *bound, struct answer *answer)
{
    const struct value address[] = {
        {.kind = VALUE_TEXT, .count = (uint32_t)strlen(bound->host), .bytes = bound->host},
        value_int(bound->port)};
    const struct value arguments[] = {value_int(socket),
                                      {.kind = VALUE_LIST, .count = 2, .items = address}};

    if (hook_session_process() == PROCESS_BESIDE) {
        boundary_deny(event, "the child of a vfork may do nothing but start a program", answer);
        return false;
    }
    struct question *question = boundary_borrow();
    const bool allowed = boundary_judge(question, event, arguments, 2, answer);
    boundary_return(question);
    return allowed;
}

static bool may_listen(int socket)
{
    struct bound bound;

    if (!would_be_bound(socket, &bound))
        return true;
    struct answer *answer = work_memory_take();
    if (!answer) {
        errno = ENOMEM;
        return false;
    }
    const bool allowed = judge(socket, &bound, answer);
    if (!allowed)
        boundary_refuse(answer);
    work_memory_return(answer);
    return allowed;
}

/* What is judged is what listens: another thread can put another socket in the descriptor's place,
 * so both are done with a duplicate that it has not seen. */
static int judge_and_listen(int socket, int backlog)
{
    const int own = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        return -1;
    const int result = may_listen(own) ? real_libc()->listen(own, backlog) : -1;
    const int error = errno;
    close(own);
    errno = error;
    return result;
}

int listen(int socket, int backlog);
EXPORTED int listen(int socket, int backlog)
{
    if (!boundary_concerns() || !boundary_guards(CLASS_BIND))
        return real_libc()->listen(socket, backlog);
    return judge_and_listen(socket, backlog);
}
