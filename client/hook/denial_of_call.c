#include "client/hook/denial_of_call.h"

#include <stddef.h>
#include <string.h>

#include "client/hook/boundary_refusal.h"
#include "client/hook/denial.h"
#include "client/hook/denial_class.h"
#include "client/hook/work_memory.h"

enum { SERVED_MAX = 4 }; /* runtimes of a process */

/* Only added to; by the thread that puts an interpreter under policy. */
static struct runtime *_Atomic served[SERVED_MAX];

/* What this thread's allocator has made last, until it has been initialised. What Python code makes
 * of PermissionError.__new__ alone never is, and may be gone. */
static _Thread_local struct {
    struct runtime *runtime;
    python_object *instance;
} making __attribute__((tls_model("initial-exec")));

void denial_of_call_serve(struct runtime *runtime)
{
    for (int i = 0; i < SERVED_MAX; i++) {
        if (served[i] == runtime)
            return;
        if (!served[i]) {
            served[i] = runtime;
            return;
        }
    }
}

static python_object *permission_error(const struct runtime *runtime)
{
    return *(python_object **)runtime->api.PyExc_PermissionError;
}

static struct runtime *runtime_of_type(const python_object *type)
{
    for (int i = 0; i < SERVED_MAX && served[i]; i++)
        if (permission_error(served[i]) == type)
            return served[i];
    return NULL;
}

/* An instance of the class of denials, if this thread may have one now. NULL without an exception
 * otherwise. */
static python_object *make_denial(struct runtime *runtime)
{
    const struct python_api *api = &runtime->api;

    if (!audit_hook_raises(runtime) || api->PyErr_Occurred())
        return NULL;
    python_object *class = denial_class(api);
    python_object *instance = NULL;
    if (class && denial_class_tells_calls(api, class))
        instance = api->PyType_GenericAlloc(class, 0);
    if (!instance) {
        api->PyErr_Clear();
        return NULL;
    }
    making.runtime = runtime;
    making.instance = instance;
    return instance;
}

/* PermissionError's, from the first denial on. */
static python_object *allocate(python_object *type, python_size items)
{
    struct runtime *runtime = runtime_of_type(type);
    python_object *instance = NULL;

    if (!runtime) /* a type of C's that has inherited this one; the function is the same in all */
        runtime = served[0];
    else if (boundary_refusal_was_taken())
        instance = make_denial(runtime);
    return instance ? instance : runtime->api.PyType_GenericAlloc(type, items);
}

/* Puts it into the type, which is where it is for as long as the interpreter's code. */
static void take_over(const struct runtime *runtime)
{
    const struct python_api *api = &runtime->api;
    python_object *(*const generic)(python_object *, python_size) = api->PyType_GenericAlloc;
    python_object *(*const ours)(python_object *, python_size) = allocate;
    char *const type = (char *)permission_error(runtime);
    const char *name;
    void **place;
    void *before;
    void *after;

    if (!type)
        return;
    /* A pointer is copied. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    memcpy(&name, type + python_type_slot_offset(api, TYPE_NAME), sizeof(name));
    if (strcmp(name, "PermissionError") != 0)
        return;
    memcpy(&before, &generic, sizeof(generic));
    memcpy(&after, &ours, sizeof(ours));
    place = (void **)(type + python_type_slot_offset(api, TYPE_ALLOC));
    __atomic_compare_exchange_n(place, &before, after, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void denial_of_call_expect(void)
{
    for (int i = 0; i < SERVED_MAX && served[i]; i++)
        take_over(served[i]);
}

void denial_of_call_made_by_name(const python_object *instance)
{
    if (making.instance == instance)
        making.instance = NULL;
}

bool denial_of_call_finish(python_object *instance)
{
    const bool is_ours = instance && making.instance == instance;
    char event[REFUSED_EVENT_SIZE];

    making.instance = NULL;
    if (!is_ours)
        return false;
    struct answer *answer = work_memory_take();
    if (answer && boundary_refusal_details(answer, event))
        denial_describe(&making.runtime->api, instance, event, strlen(event), answer);
    work_memory_return(answer);
    return true;
}
