/* A semaphore is taken out of the table before libc closes it, and who is at work there is counted
 * before it is looked up once more: either the one that closes it sees the other, and leaves it
 * mapped, or the other sees that it is gone. (At a place that has been given to another semaphore
 * meanwhile, or to the same again, one may be counted that is elsewhere: then a page stays mapped
 * that nobody needs.)
 *
 * libc counts how often a semaphore is open as well, and counts before it is added here and after
 * it is removed: as long as it stands here, libc has it mapped. */
#define _GNU_SOURCE
#include "client/hook/known_semaphores.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "client/hook/elf_symbols.h"

enum {
    PLACES = 8192,     /* of the table, a power of two */
    OPENED_MAX = 4096, /* at once */
    OBJECTS_KEPT = 8,  /* that have been seen to call */
    REMOVED = 1,       /* no semaphore is there */
    TRIES = 2000,      /* for the lock: each lets another thread run, */
    QUICK = 1000,      /* and those after so many wait a millisecond */
};

struct known_semaphore {
    _Atomic uintptr_t address; /* 0: never used */
    unsigned count;            /* how often it is open, with the lock held */
    _Atomic unsigned inside;   /* calls that are at work there */
};

static struct {
    _Atomic bool locked;
    struct known_semaphore places[PLACES];
    size_t count;
    _Atomic unsigned inside; /* calls, at all of them */
} table;

/* Loaded objects, in the order in which they were seen. What is beyond `count` is not filled in. */
static struct {
    _Atomic bool locked;
    _Atomic size_t count;
    struct {
        uintptr_t start;
        uintptr_t end;
        bool asks;
    } objects[OBJECTS_KEPT];
} callers;

/* False: it is held for good, by a thread that the fork which made this process has not copied. */
static bool lock(_Atomic bool *locked)
{
    static const struct timespec millisecond = {.tv_nsec = 1000 * 1000};

    for (int i = 0; i < TRIES; i++) {
        if (!atomic_exchange_explicit(locked, true, memory_order_acquire))
            return true;
        if (i < QUICK)
            sched_yield();
        else
            nanosleep(&millisecond, NULL);
    }
    return false;
}

static void unlock(_Atomic bool *locked)
{
    atomic_store_explicit(locked, false, memory_order_release);
}

/* Where an address stands, or where it would; NULL if it stands nowhere and there is no room. */
static struct known_semaphore *place_of(uintptr_t address, bool adding)
{
    struct known_semaphore *free_place = NULL;
    size_t at = (address >> 5) * UINT64_C(0x9E3779B97F4A7C15) >> 40;

    for (size_t i = 0; i < PLACES; i++, at++) {
        struct known_semaphore *place = &table.places[at % PLACES];
        const uintptr_t there = atomic_load_explicit(&place->address, memory_order_acquire);
        if (there == address)
            return place;
        if (there <= REMOVED && !free_place)
            free_place = place;
        if (there == 0)
            break;
    }
    return adding ? free_place : NULL;
}

void known_semaphores_add(const void *semaphore)
{
    const uintptr_t address = (uintptr_t)semaphore;

    if (!lock(&table.locked))
        return;
    struct known_semaphore *place = place_of(address, table.count < OPENED_MAX);
    if (place && atomic_load(&place->address) == address) {
        place->count++;
    } else if (place) {
        place->count = 1;
        table.count++;
        atomic_store_explicit(&place->address, address, memory_order_release);
    }
    unlock(&table.locked);
}

enum semaphore_close known_semaphores_remove(const void *semaphore)
{
    enum semaphore_close answer = SEMAPHORE_CLOSES;

    if (!lock(&table.locked))
        return SEMAPHORE_IN_USE;
    struct known_semaphore *place = place_of((uintptr_t)semaphore, false);
    if (!place) {
        answer = SEMAPHORE_UNKNOWN;
    } else if (place->count > 1) {
        place->count--;
    } else {
        atomic_store(&place->address, REMOVED);
        table.count--;
        if (atomic_load(&place->inside) > 0)
            answer = SEMAPHORE_IN_USE;
    }
    unlock(&table.locked);
    return answer;
}

struct known_semaphore *known_semaphores_enter(const void *semaphore)
{
    struct known_semaphore *place = place_of((uintptr_t)semaphore, false);

    if (!place)
        return NULL;
    atomic_fetch_add_explicit(&table.inside, 1, memory_order_relaxed);
    atomic_fetch_add(&place->inside, 1);
    if (atomic_load(&place->address) == (uintptr_t)semaphore)
        return place;
    known_semaphore_leave(place);
    return NULL;
}

void known_semaphore_leave(struct known_semaphore *known)
{
    atomic_fetch_sub(&known->inside, 1);
    atomic_fetch_sub_explicit(&table.inside, 1, memory_order_relaxed);
}

/* In a child, the thread that forked is the only one, and it is at work at none. */
static void forget_others(void)
{
    unlock(&table.locked);
    unlock(&callers.locked);
    if (atomic_load(&table.inside) == 0)
        return;
    for (size_t i = 0; i < PLACES; i++)
        atomic_store_explicit(&table.places[i].inside, 0, memory_order_relaxed);
    atomic_store(&table.inside, 0);
}

void known_semaphores_begin(void)
{
    pthread_atfork(NULL, NULL, forget_others);
}

/* Asks the loader, and keeps what it says while there is room. */
static bool look_up(uintptr_t address)
{
    struct elf_object object;

    if (!elf_find_holder(address, &object))
        return true; /* code of nobody's */
    /* An interpreter that has the module built in has all of its semaphores there. */
    const bool asks = elf_symbol(&object, "PyInit__multiprocessing") &&
                      !elf_symbol(&object, "PySys_AddAuditHook");
    if (lock(&callers.locked)) {
        const size_t count = atomic_load(&callers.count);
        if (count < OBJECTS_KEPT) {
            callers.objects[count].start = object.start;
            callers.objects[count].end = object.end;
            callers.objects[count].asks = asks;
            atomic_store_explicit(&callers.count, count + 1, memory_order_release);
        }
        unlock(&callers.locked);
    }
    return asks;
}

bool known_semaphores_are_asked_by(const void *code)
{
    const uintptr_t address = (uintptr_t)code;
    const size_t count = atomic_load_explicit(&callers.count, memory_order_acquire);

    for (size_t i = 0; i < count; i++)
        if (address >= callers.objects[i].start && address < callers.objects[i].end)
            return callers.objects[i].asks;
    return look_up(address);
}
