/* The audit hook itself, and how it gets into an interpreter.
 *
 * One runtime is one copy of CPython in this process: the program's, or a libpython that came by
 * dlopen. Each has its own table of functions; all share the process's session. */
#ifndef WARDER_CLIENT_HOOK_AUDIT_HOOK_H
#define WARDER_CLIENT_HOOK_AUDIT_HOOK_H

#include <stdbool.h>

#include "client/hook/elf_symbols.h"
#include "client/hook/python_api.h"

struct runtime {
    struct python_api api;
    uintptr_t base;   /* of the object that holds it: tells runtimes apart */
    void *hook_entry; /* CPython's own record of the hook, where it was allocated before the
                         allocators were final; NULL otherwise */
    void *late_entry; /* the same of the hook that stays behind when CPython clears its hooks */
    _Atomic(void *) ending;        /* the interpreter that CPython has last begun to clear, */
    _Atomic int64_t ending_number; /* and its number: another may come to stand where it stood */
    bool hooked;        /* the hook is registered; false again once CPython has cleared its hooks */
    bool early;         /* registered before initialisation */
    bool started;       /* the interpreter has been seen initialised: it takes exceptions now, until
                           its hooks are cleared, though it says well before that it is not
                           initialised any more */
    bool clearing;      /* CPython is about to clear its hooks, or has */
    bool late;          /* it has, and the hook that stayed judges: a denial ends the process */
    volatile bool seen; /* the private event of audit_hook_verify came through */
};

/* The runtime of an object that defines the API, made on first sight. NULL if it is no CPython that
 * this hook knows, or there are too many. */
struct runtime *runtime_of(const struct elf_object *object);

/* Registers the hook. False if CPython does not take it. The session must be live. */
bool audit_hook_install(struct runtime *runtime);

/* True if the current thread's interpreter takes an exception of ours now. */
bool audit_hook_raises(const struct runtime *runtime);

/* Raises a private event and sees whether it reaches the hook: PySys_AddAuditHook reports success
 * even if an earlier hook of Python's has vetoed it. The interpreter must be initialised. */
bool audit_hook_verify(struct runtime *runtime);

#endif
