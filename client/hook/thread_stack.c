#include "client/hook/thread_stack.h"

#include <stddef.h>
#include <stdint.h>

#include "client/hook/real_libc.h"

enum { ROOM = 1 << 20 };

static bool is_callers_memory(const struct real_libc *libc, const pthread_attr_t *attributes)
{
    void *lowest;
    size_t size;

    /* No stack ends at address 0: none was given. */
    return libc->pthread_attr_getstack(attributes, &lowest, &size) == 0 &&
           (uintptr_t)lowest + size != 0;
}

bool thread_stack_guard(const pthread_attr_t *attributes, pthread_attr_t *guarded)
{
    const struct real_libc *libc = real_libc();
    size_t room;
    size_t size;

    if (!libc->pthread_attr_getguardsize || !libc->pthread_attr_setguardsize ||
        !libc->pthread_attr_getstack || !libc->pthread_attr_getstacksize ||
        !libc->pthread_attr_setstacksize)
        return false;
    if (libc->pthread_attr_getguardsize(attributes, &room) != 0 || room >= ROOM ||
        is_callers_memory(libc, attributes) ||
        libc->pthread_attr_getstacksize(attributes, &size) != 0 || size > SIZE_MAX - ROOM)
        return false;
    *guarded = *attributes; /* a plain structure, in every libc */
    return libc->pthread_attr_setstacksize(guarded, size + ROOM) == 0 &&
           libc->pthread_attr_setguardsize(guarded, ROOM) == 0;
}
