/* Stand before the functions of libc by which the kernel writes where it is told to: ioctl, fcntl,
 * getsockopt and setsockopt.
 *
 * Python code that may not reach native code and memory gets there by an address that it hands the
 * kernel: as a number in the place of a structure, inside a structure, or in a buffer that CPython
 * passes on as it was allocated (getsockopt, of which no audit event tells); or by a count in a
 * structure that is larger than the buffer it stands in. Where a policy could deny `native`, `ffi`
 * or `control`, no such request is made here.
 *
 * A number in the place of an address is known by its size: CPython takes 32 bits of it, and its
 * own structures lie on a stack, which no Linux puts there. (A changeable buffer of more than 1,024
 * bytes may lie there in a program that is not position-independent, and is refused with it.)
 *
 * The child of a vfork calls these: nothing is asked, allocated or changed here. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "client/hook/boundary.h"
#include "client/hook/boundary_caller.h"
#include "client/hook/real_libc.h"
#include "client/hook/work_memory.h"
#include "policies/engine/control_request.h"

#define EXPORTED __attribute__((visibility("default")))

/* Declared in headers that rename fcntl or that give these other types under other options. */
int ioctl(int descriptor, unsigned long request, ...);
int fcntl(int descriptor, int command, ...);
int fcntl64(int descriptor, int command, ...);
int getsockopt(int socket, int level, int option, void *value, unsigned *length);
int setsockopt(int socket, int level, int option, const void *value, unsigned length);

static bool is_number(const void *argument)
{
    return argument && (uintptr_t)argument <= UINT32_MAX;
}

static int refuse(const char *call, const char *why)
{
    struct answer answer;

    boundary_deny(call, why, &answer);
    boundary_refuse(&answer);
    return -1;
}

static const char number_words[] = "a number stands where this request takes an address";

static const char unbounded_words[] =
    "its structure may say where the kernel writes, or how much, and this request is not known as "
    "one that does not";

/* Why it is not to be made; NULL if it is. What an ordinary program asks is known, and looked up in
 * a table. Libraries (of sound, of graphics) have made requests and structures themselves. */
static const char *refusal(uint32_t request, const void *argument, const void *caller)
{
    const bool number = is_number(argument) && !ioctl_takes_number(request);
    const bool bounded = ioctl_is_bounded(request);

    if ((!number && bounded) || !(boundary_holds_memory() || boundary_holds(CLASS_CONTROL)) ||
        !boundary_is_asked_by_python(caller, "PyInit_fcntl"))
        return NULL;
    return bounded ? number_words : unbounded_words;
}

EXPORTED int ioctl(int descriptor, unsigned long request, ...)
{
    va_list arguments;

    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    /* The kernel sees no more of a request than 32 bits. */
    const char *why = refusal((uint32_t)request, argument, __builtin_return_address(0));
    return why ? refuse("ioctl", why) : real_libc()->ioctl(descriptor, request, argument);
}

/* True if the call is not to be made. */
static bool refused_fcntl(int command, const void *argument)
{
    if (!is_number(argument) || fcntl_takes_number(command) ||
        !(boundary_holds_memory() || boundary_holds(CLASS_CONTROL)))
        return false;
    refuse("fcntl", number_words);
    return true;
}

EXPORTED int fcntl(int descriptor, int command, ...)
{
    va_list arguments;

    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return refused_fcntl(command, argument) ? -1
                                            : real_libc()->fcntl(descriptor, command, argument);
}

/* What fcntl is called in programs with large files; older libcs have none. */
EXPORTED int fcntl64(int descriptor, int command, ...)
{
    va_list arguments;

    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (refused_fcntl(command, argument))
        return -1;
    return real_libc()->fcntl64 ? real_libc()->fcntl64(descriptor, command, argument)
                                : real_libc()->fcntl(descriptor, command, argument);
}

/* Options whose value holds addresses: of TCP and MPTCP, where received bytes and tables go to;
 * filters of a socket, whose length is counted in instructions when they are read; the rules of the
 * host's packet filters. */
static bool is_refused_option(int level, int option)
{
    enum {
        LEVEL_IP = 0,
        LEVEL_SOCKET = 1,
        LEVEL_TCP = 6,
        LEVEL_IPV6 = 41,
        LEVEL_MPTCP = 284,
        ZEROCOPY_RECEIVE = 35,
        FULL_INFO = 4,
        SOCKET_FILTER = 26, /* SO_ATTACH_FILTER and SO_GET_FILTER */
        REUSEPORT_FILTER = 51,
        FILTER_FIRST = 64, /* iptables and ip6tables 64, arptables 96, ebtables 128 and on */
        FILTER_LAST = 135,
        TRAFFIC_CLASS_TOLD = 66, /* IPV6_RECVTCLASS, which no filter of ip6tables has */
        TRAFFIC_CLASS = 67,      /* IPV6_TCLASS */
    };
    return (level == LEVEL_SOCKET && (option == SOCKET_FILTER || option == REUSEPORT_FILTER)) ||
           (level == LEVEL_TCP && option == ZEROCOPY_RECEIVE) ||
           (level == LEVEL_MPTCP && option == FULL_INFO) ||
           (level == LEVEL_IP && option >= FILTER_FIRST && option <= FILTER_LAST) ||
           (level == LEVEL_IPV6 && option >= FILTER_FIRST && option <= FILTER_FIRST + 5 &&
            option != TRAFFIC_CLASS_TOLD && option != TRAFFIC_CLASS);
}

enum {
    OPTION_SIZE_MAX = 1024, /* what socket.getsockopt asks for at most (CPython, socketmodule.c) */
    OPTION_ROOM = 8, /* times that: the kernel counts some values in larger units than bytes */
    OPTION_SIZE_SMALL = 64, /* nearly all values are numbers */
};

/* Has the kernel answer in memory of our own, and takes no more of it than there is room for. */
static int copy_option(int socket, int level, int option, void *value, unsigned *length,
                       void *memory)
{
    const unsigned size = *length;
    unsigned given = size;
    const int result = real_libc()->getsockopt(socket, level, option, memory, &given);

    if (result < 0)
        return result;
    *length = given < size ? given : size;
    memcpy(value, memory, *length);
    return result;
}

_Static_assert((size_t)OPTION_ROOM *OPTION_SIZE_MAX <= WORK_MEMORY_SIZE, "it fits");

/* Some options read their value before they answer: how many of something there is room for, and
 * where. CPython hands on what a freed object left in it, which is the program's to choose; they
 * find zeros here. */
static int get_option(int socket, int level, int option, void *value, unsigned *length)
{
    if (*length <= OPTION_SIZE_SMALL) {
        _Alignas(16) unsigned char memory[OPTION_ROOM * OPTION_SIZE_SMALL] = {0};
        return copy_option(socket, level, option, value, length, memory);
    }
    void *memory = work_memory_take();
    if (!memory) {
        errno = ENOMEM;
        return -1;
    }
    memset(memory, 0, (size_t)OPTION_ROOM * OPTION_SIZE_MAX);
    const int result = copy_option(socket, level, option, value, length, memory);
    work_memory_return(memory);
    return result;
}

EXPORTED int getsockopt(int socket, int level, int option, void *value, unsigned *length)
{
    const bool held = boundary_holds_memory();

    if (held && is_refused_option(level, option)) {
        errno = ENOPROTOOPT;
        return -1;
    }
    if (held && value && length && *length <= OPTION_SIZE_MAX)
        return get_option(socket, level, option, value, length);
    return real_libc()->getsockopt(socket, level, option, value, length);
}

EXPORTED int setsockopt(int socket, int level, int option, const void *value, unsigned length)
{
    if (is_refused_option(level, option) && boundary_holds_memory()) {
        errno = ENOPROTOOPT;
        return -1;
    }
    return real_libc()->setsockopt(socket, level, option, value, length);
}
