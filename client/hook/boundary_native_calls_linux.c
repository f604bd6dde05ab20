/* Stand before libc's functions that say what became of a load, and that change where libc finds
 * what it loads. dlopen and dlmopen are in boundary_native_jump.S. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "client/hook/boundary_native.h"
#include "client/hook/elf_symbols.h"
#include "client/hook/real_libc.h"

/* <libintl.h> makes macros of its functions. */
char *bindtextdomain(const char *domain, const char *directory);

#define EXPORTED __attribute__((visibility("default")))

/* What was denied here, libc knows nothing of. */
EXPORTED char *dlerror(void)
{
    static char *(*_Atomic next)(void);
    const char *denial = boundary_native_denial();

    if (denial)
        return (char *)denial;
    if (!next) {
        void *found = elf_next("dlerror");
        char *(*function)(void);
        memcpy(&function, &found, sizeof(function));
        next = function;
    }
    return next ? next() : NULL;
}

EXPORTED int chroot(const char *path)
{
    static int (*_Atomic next)(const char *);

    if (!next) {
        void *found = elf_next("chroot");
        int (*function)(const char *);
        memcpy(&function, &found, sizeof(function));
        next = function;
    }
    if (!next) {
        errno = ENOSYS;
        return -1;
    }
    return boundary_native_allows_root(path) ? next(path) : -1;
}

/* Without a directory it is a question, and nothing is changed by it. What is judged is copied, and
 * the copy is what libc keeps. */
EXPORTED char *bindtextdomain(const char *domain, const char *directory)
{
    char domain_copy[NAME_MAX + 1];
    char copy[PATH_MAX];

    if (!domain || !directory)
        return real_libc()->bindtextdomain(domain, directory);
    const size_t domain_length = strnlen(domain, sizeof(domain_copy));
    const size_t length = strnlen(directory, sizeof(copy));
    if (domain_length == sizeof(domain_copy) || length == sizeof(copy)) {
        errno = ENAMETOOLONG; /* no file could be of that name */
        return NULL;
    }
    memcpy(domain_copy, domain, domain_length);
    domain_copy[domain_length] = '\0';
    memcpy(copy, directory, length);
    copy[length] = '\0';
    if (!boundary_native_allows_translations(domain_copy, copy))
        return NULL;
    return real_libc()->bindtextdomain(domain_copy, copy);
}
