/* Stand before libc's functions that look names up: they call them, and keep what came back. The
 * name is copied first, so that what is kept is what was asked. Nothing is denied here: `resolve`
 * is judged at the audit event. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "client/hook/boundary.h"
#include "client/hook/elf_symbols.h"
#include "client/hook/hook_session.h"
#include "client/hook/name_lookup.h"
#include "client/hook/own_table.h"
#include "client/hook/process_resolver.h"

#define EXPORTED __attribute__((visibility("default")))

/* A name for the length of a call. What is longer than any name of DNS is looked up as it is, and
 * its answer is not kept. */
struct asked {
    const char *name;
    bool kept;
    char copy[NAME_LOOKUP_NAME_MAX + 2]; /* with a final dot, and the terminator */
};

static void ask(struct asked *asked, const char *name)
{
    const int error = errno;
    const size_t length = name ? strnlen(name, sizeof(asked->copy)) : 0;

    asked->name = name;
    asked->kept = boundary_concerns() && length > 0 && length < sizeof(asked->copy) &&
                  !name_lookup_is_doubted() && process_resolver_names_stand();
    if (asked->kept) {
        memcpy(asked->copy, name, length);
        asked->copy[length] = '\0';
        asked->name = asked->copy;
    }
    errno = error;
}

static void keep(const struct asked *asked, const void *bytes, size_t size)
{
    struct address address;

    if (address_from_bytes(bytes, size, &address))
        name_lookup_note(asked->copy, &address);
}

/* What changed the way of a lookup while it was under way makes it one that does not count. */
static bool counts(const struct asked *asked)
{
    return asked->kept && process_resolver_names_stand();
}

static void keep_list(const struct asked *asked, const struct addrinfo *answer)
{
    const int error = errno;

    if (!counts(asked))
        answer = NULL;
    for (; answer; answer = answer->ai_next) {
        if (answer->ai_family == AF_INET && answer->ai_addrlen >= sizeof(struct sockaddr_in)) {
            const struct sockaddr_in *internet = (const void *)answer->ai_addr;
            keep(asked, &internet->sin_addr, sizeof(internet->sin_addr));
        } else if (answer->ai_family == AF_INET6 &&
                   answer->ai_addrlen >= sizeof(struct sockaddr_in6)) {
            const struct sockaddr_in6 *internet = (const void *)answer->ai_addr;
            keep(asked, &internet->sin6_addr, sizeof(internet->sin6_addr));
        }
    }
    errno = error;
}

static void keep_entry(const struct asked *asked, const struct hostent *answer)
{
    const int error = errno;

    if (answer && counts(asked))
        for (char **address = answer->h_addr_list; address && *address; address++)
            keep(asked, *address, (size_t)answer->h_length);
    errno = error;
}

/* The function that this object stands before, found once. */
#define NEXT(name)                                                                                 \
    static __typeof__(name) *_Atomic next;                                                         \
    if (!next) {                                                                                   \
        void *found = elf_next(#name);                                                             \
        __typeof__(name) *function;                                                                \
        memcpy(&function, &found, sizeof(function));                                               \
        next = function;                                                                           \
    }

/* ------------------------------------------------------------------------------- the lookup itself
 */

/* A call, and what it left behind. */
struct lookup {
    void (*make)(struct lookup *lookup);
    bool own; /* it was made where no other thread reaches its files and sockets */
    int error;
    int host_error;
};

static void make_lookup(void *argument, bool own)
{
    struct lookup *lookup = argument;

    lookup->own = own;
    errno = lookup->error;
    lookup->make(lookup);
    lookup->error = errno;
    lookup->host_error = h_errno;
}

/* libc reads its files and asks its servers by descriptors. While another thread can replace them,
 * what comes back may be that thread's answer: where a policy could deny a connection, such an
 * answer is not kept. */
static void look_up(struct lookup *lookup, struct asked *asked)
{
    lookup->error = errno;
    if (!asked->kept || !boundary_holds(CLASS_CONNECT)) {
        lookup->make(lookup);
        return;
    }
    if (!own_table_run(make_lookup, lookup)) {
        asked->kept = false;
        errno = lookup->error;
        lookup->make(lookup);
        return;
    }
    asked->kept = lookup->own;
    errno = lookup->error;
    h_errno = lookup->host_error;
}

/* ------------------------------------------------------------------------------------------- calls
 */

/* The lookup that a call's structure begins with. */
#define CALL_OF(type, lookup) ((struct type *)(void *)(lookup))

struct address_call {
    struct lookup lookup;
    __typeof__(getaddrinfo) *real;
    const char *node;
    const char *service;
    const struct addrinfo *hints;
    struct addrinfo **answer;
    int result;
};

static void make_address_call(struct lookup *lookup)
{
    struct address_call *call = CALL_OF(address_call, lookup);
    call->result = call->real(call->node, call->service, call->hints, call->answer);
}

EXPORTED int getaddrinfo(const char *restrict node, const char *restrict service,
                         const struct addrinfo *restrict hints, struct addrinfo **restrict answer)
{
    struct asked asked;
    NEXT(getaddrinfo)

    if (!next)
        return EAI_FAIL;
    ask(&asked, node);
    struct address_call call = {.lookup = {.make = make_address_call},
                                .real = next,
                                .node = asked.name,
                                .service = service,
                                .hints = hints,
                                .answer = answer};
    look_up(&call.lookup, &asked);
    if (call.result == 0)
        keep_list(&asked, *answer);
    return call.result;
}

/* `family` AF_UNSPEC: of the functions that are not told any. What libc answers with stands in
 * memory of its own that all threads have in common. */
struct host_call {
    struct lookup lookup;
    __typeof__(gethostbyname) *real;
    __typeof__(gethostbyname2) *real2;
    const char *name;
    int family;
    struct hostent *answer;
};

static void make_host_call(struct lookup *lookup)
{
    struct host_call *call = CALL_OF(host_call, lookup);
    call->answer = call->real(call->name);
}

static void make_host_call_of_family(struct lookup *lookup)
{
    struct host_call *call = CALL_OF(host_call, lookup);
    call->answer = call->real2(call->name, call->family);
}

EXPORTED struct hostent *gethostbyname(const char *name)
{
    struct asked asked;
    NEXT(gethostbyname)

    if (!next)
        return NULL;
    ask(&asked, name);
    struct host_call call = {.lookup = {.make = make_host_call}, .real = next, .name = asked.name};
    look_up(&call.lookup, &asked);
    keep_entry(&asked, call.answer);
    return call.answer;
}

EXPORTED struct hostent *gethostbyname2(const char *name, int family)
{
    struct asked asked;
    NEXT(gethostbyname2)

    if (!next)
        return NULL;
    ask(&asked, name);
    struct host_call call = {.lookup = {.make = make_host_call_of_family},
                             .real2 = next,
                             .name = asked.name,
                             .family = family};
    look_up(&call.lookup, &asked);
    keep_entry(&asked, call.answer);
    return call.answer;
}

struct reentrant_call {
    struct lookup lookup;
    __typeof__(gethostbyname_r) *real;
    __typeof__(gethostbyname2_r) *real2;
    const char *name;
    int family;
    struct hostent *entry;
    char *buffer;
    size_t size;
    struct hostent **answer;
    int *host_error;
    int result;
};

static void make_reentrant_call(struct lookup *lookup)
{
    struct reentrant_call *call = CALL_OF(reentrant_call, lookup);

    call->result = call->real(call->name, call->entry, call->buffer, call->size, call->answer,
                              call->host_error);
}

static void make_reentrant_call_of_family(struct lookup *lookup)
{
    struct reentrant_call *call = CALL_OF(reentrant_call, lookup);

    call->result = call->real2(call->name, call->family, call->entry, call->buffer, call->size,
                               call->answer, call->host_error);
}

EXPORTED int gethostbyname_r(const char *restrict name, struct hostent *restrict entry,
                             char *restrict buffer, size_t size, struct hostent **restrict answer,
                             int *restrict host_error)
{
    struct asked asked;
    NEXT(gethostbyname_r)

    if (!next)
        return ENOSYS;
    ask(&asked, name);
    struct reentrant_call call = {.lookup = {.make = make_reentrant_call},
                                  .real = next,
                                  .name = asked.name,
                                  .entry = entry,
                                  .buffer = buffer,
                                  .size = size,
                                  .answer = answer,
                                  .host_error = host_error};
    look_up(&call.lookup, &asked);
    if (call.result == 0)
        keep_entry(&asked, *answer);
    return call.result;
}

EXPORTED int gethostbyname2_r(const char *restrict name, int family, struct hostent *restrict entry,
                              char *restrict buffer, size_t size, struct hostent **restrict answer,
                              int *restrict host_error)
{
    struct asked asked;
    NEXT(gethostbyname2_r)

    if (!next)
        return ENOSYS;
    ask(&asked, name);
    struct reentrant_call call = {.lookup = {.make = make_reentrant_call_of_family},
                                  .real2 = next,
                                  .name = asked.name,
                                  .family = family,
                                  .entry = entry,
                                  .buffer = buffer,
                                  .size = size,
                                  .answer = answer,
                                  .host_error = host_error};
    look_up(&call.lookup, &asked);
    if (call.result == 0)
        keep_entry(&asked, *answer);
    return call.result;
}
