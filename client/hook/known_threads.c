/* A place is free, taken by a thread that is being made, or a thread's. The maker and the thread
 * both write down which, whichever comes first, in place of the ticket by which it was taken: no
 * two are the same, so who comes late changes nothing. A place is given back once, by whoever takes
 * the handle out of it; a handle that libc gives out again stands in another place by then. */
#define _GNU_SOURCE
#include "client/hook/known_threads.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    THREADS_MAX = 32768, /* more than these are not known; the kernel's own bound is often less */
    DETACHED = 1,
    ENDED = 2,
};

enum { FREE = 0 };

struct known_thread {
    _Atomic uintptr_t handle; /* an odd one is a ticket: handles are aligned */
    _Atomic unsigned state;
    uintptr_t ticket;
    void *(*function)(void *);
    void *argument;
};

static struct {
    struct known_thread threads[THREADS_MAX];
    _Atomic size_t used; /* places that have ever been */
    _Atomic size_t next; /* where to look for a free one first */
    _Atomic uintptr_t tickets;
} table;

/* Where the destructors of a thread's own variables are registered (the C++ runtime uses it; in
 * glibc from 2.18 on): they run however the thread ends. */
extern int __cxa_thread_atexit_impl(void (*destructor)(void *), void *object, void *dso);
extern void *__dso_handle __attribute__((visibility("hidden")));

static struct known_thread *take_place(uintptr_t *ticket)
{
    *ticket = 2 * atomic_fetch_add(&table.tickets, 1) + 1;
    const size_t first = atomic_load_explicit(&table.next, memory_order_relaxed);

    for (size_t i = 0; i < THREADS_MAX; i++) {
        const size_t place = (first + i) % THREADS_MAX;
        struct known_thread *known = &table.threads[place];
        uintptr_t handle = FREE;
        if (!atomic_compare_exchange_strong(&known->handle, &handle, *ticket))
            continue;
        size_t used = atomic_load(&table.used);
        while (used <= place && !atomic_compare_exchange_weak(&table.used, &used, place + 1))
            ;
        return known;
    }
    return NULL;
}

static void give_back(struct known_thread *known, uintptr_t handle)
{
    if (!atomic_compare_exchange_strong(&known->handle, &handle, FREE))
        return;
    /* Places near the beginning are taken again: few are looked through. */
    const size_t place = (size_t)(known - table.threads);
    if (place < atomic_load_explicit(&table.next, memory_order_relaxed))
        atomic_store_explicit(&table.next, place, memory_order_relaxed);
}

static void name_it(struct known_thread *known, uintptr_t ticket, pthread_t thread)
{
    atomic_compare_exchange_strong(&known->handle, &ticket, (uintptr_t)thread);
}

static void add_state(struct known_thread *known, pthread_t thread, unsigned bit)
{
    const unsigned before = atomic_fetch_or(&known->state, bit);

    if ((before | bit) == (DETACHED | ENDED) && before != (DETACHED | ENDED))
        give_back(known, (uintptr_t)thread);
}

static void on_end(void *argument)
{
    add_state(argument, pthread_self(), ENDED);
}

static void *run(void *argument)
{
    struct known_thread *known = argument;
    void *(*function)(void *) = known->function;
    void *passed = known->argument;

    name_it(known, known->ticket, pthread_self());
    if (__cxa_thread_atexit_impl(on_end, known, &__dso_handle) != 0)
        give_back(known, (uintptr_t)pthread_self()); /* its end would go unseen */
    return function(passed);
}

int known_threads_create(int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                                       void *),
                         pthread_t *thread, const pthread_attr_t *attributes,
                         void *(*function)(void *), void *argument)
{
    uintptr_t ticket;
    struct known_thread *known = take_place(&ticket);
    int detached = PTHREAD_CREATE_JOINABLE;

    if (!known)
        return create(thread, attributes, function, argument);
    if (attributes)
        pthread_attr_getdetachstate(attributes, &detached);
    known->ticket = ticket;
    known->function = function;
    known->argument = argument;
    atomic_store(&known->state, detached == PTHREAD_CREATE_DETACHED ? DETACHED : 0);
    const int error = create(thread, attributes, run, known);
    if (error)
        give_back(known, ticket);
    else
        name_it(known, ticket, *thread);
    return error;
}

struct known_thread *known_threads_find(pthread_t thread)
{
    const size_t used = atomic_load(&table.used);

    for (size_t i = 0; i < used; i++)
        if (atomic_load_explicit(&table.threads[i].handle, memory_order_acquire) ==
            (uintptr_t)thread)
            return &table.threads[i];
    return NULL;
}

void known_thread_joined(struct known_thread *known, pthread_t thread)
{
    if (known)
        give_back(known, (uintptr_t)thread);
}

void known_thread_detached(struct known_thread *known, pthread_t thread)
{
    if (known)
        add_state(known, thread, DETACHED);
}

/* In a child, the thread that forked is the only one. */
static void forget_others(void)
{
    const uintptr_t own = (uintptr_t)pthread_self();
    const size_t used = atomic_load(&table.used);

    for (size_t i = 0; i < used; i++)
        if (atomic_load(&table.threads[i].handle) != own)
            atomic_store(&table.threads[i].handle, FREE);
    atomic_store(&table.next, 0);
}

void known_threads_begin(void)
{
    uintptr_t ticket;
    struct known_thread *known = take_place(&ticket);

    if (known)
        name_it(known, ticket, pthread_self());
    pthread_atfork(NULL, NULL, forget_others);
}
