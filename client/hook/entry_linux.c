/* How the hook gets into a process on Linux.
 *
 * Preloaded, the constructor runs before the program's first instruction. If the program holds
 * CPython (it defines PySys_AddAuditHook, or a library that it is linked to does), the process says
 * Hello and the hook is registered before the interpreter exists; one that is too old for a hook is
 * ended. If it does not, one door stays
 * open: a libpython that comes later by dlopen calls setlocale() while it initialises, before its
 * first audit event (all versions: Python/preconfig.c, _PyPreConfig_Read), and this object's
 * setlocale stands before libc's. To every other program that calls it, it is a jump. */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/hook/audit_hook.h"
#include "client/hook/boundary.h"
#include "client/hook/boundary_native.h"
#include "client/hook/builtin_modules.h"
#include "client/hook/denial_of_call.h"
#include "client/hook/elf_symbols.h"
#include "client/hook/fatal.h"
#include "client/hook/first_environment.h"
#include "client/hook/hook_session.h"
#include "client/hook/inherited_environment.h"
#include "client/hook/name_lookup.h"
#include "client/hook/own_pages.h"
#include "client/hook/process_facts.h"
#include "client/hook/python_module.h"
#include "client/hook/real_libc.h"

/* With what the loader writes to anyway, as in inherited_environment.c. */
#define WRITTEN_BY_EVERY_PROGRAM __attribute__((section(".data")))

static unsigned long long loads_seen WRITTEN_BY_EVERY_PROGRAM; /* objects, for the constructor */
static bool python_found;                                      /* then, or since */

/* True if the object stands in the global scope through the loader's hands (LD_PRELOAD,
 * ld.so.preload), and not because somebody imported it: then attach() decides. */
static bool preloaded WRITTEN_BY_EVERY_PROGRAM;

static char *const *arguments WRITTEN_BY_EVERY_PROGRAM; /* argv, as the kernel put it there */

/* What every CPython defines, before 3.8 too: without audit hooks it is not served, and may not run
 * where Warder is asked for. */
static const char any_python[] = "Py_Initialize";

static bool holds_python(const struct elf_object *object)
{
    return elf_symbol(object, "PySys_AddAuditHook") || elf_symbol(object, any_python);
}

static bool find_python(struct elf_object *object)
{
    return elf_find_definer_of_either("PySys_AddAuditHook", any_python, object);
}

/* A private daemon is the run's own, and has no status to be seen. */
static void end_unguarded(const char *why)
{
    char line[800];
    snprintf(line, sizeof(line),
             "warder: this interpreter may not start: %s. %sprogram started without Warder's "
             "preload is not under its policy.",
             why, getenv("WARDER_DAEMON") ? "A " : "See `warder status`; a ");
    fatal_end(line);
}

/* Puts an interpreter that is about to start under policy, or ends the process. */
static void guard(const struct elf_object *object, Warder__V1__HookRoute route)
{
    struct session_failure failure;
    struct runtime *runtime = runtime_of(object);

    if (!runtime) {
        real_libc();
        hook_session_tell_unfit();
        end_unguarded("it is no CPython from 3.8 on, or its C API cannot be found");
    }
    if (runtime->hooked)
        return;
    real_libc();
    own_pages_seal();
    process_facts_note_arguments(arguments);
    const struct session_request request = {.python_version = runtime->api.version, .route = route};
    if (!hook_session_start(&request, &failure))
        end_unguarded(failure.text);
    first_environment_note(environ);
    inherited_environment_hide();
    boundary_begin();
    boundary_native_begin();
    name_lookup_begin();
    if (!audit_hook_install(runtime))
        end_unguarded("CPython did not take the audit hook");
    denial_of_call_serve(runtime);
    if (!runtime->early)
        return;
    python_module_register(runtime);
    if (!builtin_modules_guard(runtime))
        end_unguarded("it has more built-in modules than can be guarded");
}

/* glibc passes a constructor what it passes main(). */
__attribute__((constructor)) static void enter(int count, char **vector)
{
    struct elf_object object;

    (void)count;
    arguments = vector;
    loads_seen = elf_load_count();
    if (!find_python(&object)) {
        /* What such a program never calls is not looked for: real_libc() is filled in when the
         * first function of the boundary is. */
        preloaded = true;
        inherited_environment_take();
        return;
    }
    real_libc();
    python_found = true;
    /* An initialised interpreter means that it is importing us. */
    struct runtime *runtime = runtime_of(&object);
    preloaded = !runtime || !runtime->api.Py_IsInitialized();
    if (!preloaded)
        return;
    inherited_environment_take();
    guard(&object, WARDER__V1__HOOK_ROUTE__HOOK_ROUTE_PRELOAD);
}

/* Called from a libpython that is initialising: for the first time, or again after its end. */
static void look_at_caller(uintptr_t address)
{
    struct elf_object object;

    if (!preloaded || (!python_found && elf_load_count() == loads_seen))
        return;
    if (!elf_find_holder(address, &object) || !holds_python(&object))
        return;
    python_found = true;
    struct runtime *runtime = runtime_of(&object);
    if (!runtime || (!runtime->hooked && !runtime->api.Py_IsInitialized()))
        guard(&object, WARDER__V1__HOOK_ROUTE__HOOK_ROUTE_LATE);
}

char *setlocale(int category, const char *locale);
__attribute__((visibility("default"))) char *setlocale(int category, const char *locale)
{
    static char *(*real)(int, const char *);

    if (!real) {
        struct elf_object libc;
        if (elf_find_definer("setlocale", &libc)) {
            void *address = elf_symbol(&libc, "setlocale");
            __builtin_memcpy(&real, &address, sizeof(real));
        }
    }
    look_at_caller((uintptr_t)__builtin_return_address(0));
    return real ? real(category, locale) : NULL;
}
