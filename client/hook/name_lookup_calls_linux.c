/* Stand before libc's functions that look names up: they call them, and keep what came back. The
 * name is copied first, so that what is kept is what was asked. Nothing is denied here: `resolve`
 * is judged at the audit event. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "client/hook/elf_symbols.h"
#include "client/hook/hook_session.h"
#include "client/hook/name_lookup.h"
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
    asked->kept = hook_session_is_live() && length > 0 && length < sizeof(asked->copy) &&
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

EXPORTED int getaddrinfo(const char *restrict node, const char *restrict service,
                         const struct addrinfo *restrict hints, struct addrinfo **restrict answer)
{
    struct asked asked;
    NEXT(getaddrinfo)

    if (!next)
        return EAI_FAIL;
    ask(&asked, node);
    const int result = next(asked.name, service, hints, answer);
    if (result == 0)
        keep_list(&asked, *answer);
    return result;
}

EXPORTED struct hostent *gethostbyname(const char *name)
{
    struct asked asked;
    NEXT(gethostbyname)

    if (!next)
        return NULL;
    ask(&asked, name);
    struct hostent *answer = next(asked.name);
    keep_entry(&asked, answer);
    return answer;
}

EXPORTED struct hostent *gethostbyname2(const char *name, int family)
{
    struct asked asked;
    NEXT(gethostbyname2)

    if (!next)
        return NULL;
    ask(&asked, name);
    struct hostent *answer = next(asked.name, family);
    keep_entry(&asked, answer);
    return answer;
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
    const int result = next(asked.name, entry, buffer, size, answer, host_error);
    if (result == 0)
        keep_entry(&asked, *answer);
    return result;
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
    const int result = next(asked.name, family, entry, buffer, size, answer, host_error);
    if (result == 0)
        keep_entry(&asked, *answer);
    return result;
}
