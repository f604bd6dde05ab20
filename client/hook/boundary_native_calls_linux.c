/* Stand before libc's functions that say what became of a load, and that change where libc finds
 * what it loads. dlopen and dlmopen are in boundary_native_jump.S. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "client/hook/boundary_native.h"
#include "client/hook/elf_symbols.h"
#include "client/hook/real_libc.h"
#include "client/hook/work_memory.h"

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

/* What is judged is copied, and the copy is what libc keeps. */
struct translations {
    char domain[NAME_MAX + 1];
    char directory[PATH_MAX];
};
_Static_assert(sizeof(struct translations) <= WORK_MEMORY_SIZE, "they have a block");

static bool copy_name(char *copy, size_t size, const char *name)
{
    const size_t length = strnlen(name, size);

    if (length == size)
        return false;
    memcpy(copy, name, length);
    copy[length] = '\0';
    return true;
}

static char *bind_copied(struct translations *copies, const char *domain, const char *directory)
{
    if (!copy_name(copies->domain, sizeof(copies->domain), domain) ||
        !copy_name(copies->directory, sizeof(copies->directory), directory)) {
        errno = ENAMETOOLONG; /* no file could be of that name */
        return NULL;
    }
    if (!boundary_native_allows_translations(copies->domain, copies->directory))
        return NULL;
    return real_libc()->bindtextdomain(copies->domain, copies->directory);
}

/* Without a directory it is a question, and nothing is changed by it. */
EXPORTED char *bindtextdomain(const char *domain, const char *directory)
{
    if (!domain || !directory)
        return real_libc()->bindtextdomain(domain, directory);
    struct translations *copies = work_memory_take();
    if (!copies) {
        errno = ENOMEM;
        return NULL;
    }
    char *bound = bind_copied(copies, domain, directory);
    work_memory_return(copies);
    return bound;
}
