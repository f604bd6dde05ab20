/* Stand before libc's functions that say what became of a load, and that change where libc finds
 * what it loads. dlopen and dlmopen are in boundary_native_jump.S. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client/hook/boundary_native.h"
#include "client/hook/elf_symbols.h"

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
