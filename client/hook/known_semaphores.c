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
#include "client/hook/own_pages.h"

enum {
    PLACES = 8192,    /* of the first level, a power of two */
    LEVELS = 5,       /* each has room for eight times as many as the one before */
    PROBES = 64,      /* places at which a semaphore can stand in each */
    OBJECTS_KEPT = 8, /* that have been seen to call */
    REMOVED = 1,      /* no semaphore is there */
    TRIES = 2000,     /* for the lock: each lets another thread run, */
    QUICK = 1000,     /* and those after so many wait a millisecond */
};

struct known_semaphore {
    _Atomic uintptr_t address; /* 0: never used */
    unsigned count;            /* how often it is open, with the lock held */
    _Atomic unsigned inside;   /* calls that are at work there */
};

static struct known_semaphore first_level[PLACES];

/* A level is mapped when those before it have no room, and stays. */
static struct {
    _Atomic bool locked;
    struct known_semaphore *_Atomic levels[LEVELS]; /* NULL but for the first: not yet */
    _Atomic unsigned inside;                        /* calls, at all of them */
} table = {.levels = {first_level}};

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
    static const struct timespec millisecond = {.tv_nsec = 1000000};

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

static size_t places_of(size_t level)
{
    return (size_t)PLACES << 3 * level;
}

/* Where an address stands in a level; where it could, if `free_place`, goes there, unless something
 * does already. NULL: it stands nowhere. */
static struct known_semaphore *find_in(size_t level, uintptr_t address,
                                       struct known_semaphore **free_place)
{
    struct known_semaphore *places =
        atomic_load_explicit(&table.levels[level], memory_order_acquire);
    const size_t first = (address >> 5) * UINT64_C(0x9E3779B97F4A7C15) >> 32;

    for (size_t i = 0; places && i < PROBES; i++) {
        struct known_semaphore *place = &places[(first + i) % places_of(level)];
        const uintptr_t there = atomic_load_explicit(&place->address, memory_order_acquire);
        if (there == address && there > REMOVED)
            return place;
        if (there <= REMOVED && free_place && !*free_place)
            *free_place = place;
        if (there == 0)
            break;
    }
    return NULL;
}

static struct known_semaphore *find(uintptr_t address, struct known_semaphore **free_place)
{
    struct known_semaphore *place = NULL;

    for (size_t level = 0; level < LEVELS && !place; level++)
        place = find_in(level, address, free_place);
    return place;
}

/* A place in a level that is mapped now; NULL if there is no memory, or no level left. */
static struct known_semaphore *place_in_new_level(uintptr_t address)
{
    struct known_semaphore *place = NULL;
    size_t level = 0;

    while (level < LEVELS && atomic_load(&table.levels[level]))
        level++;
    if (level == LEVELS)
        return NULL;
    atomic_store_explicit(&table.levels[level],
                          own_pages_map(places_of(level) * sizeof(struct known_semaphore)),
                          memory_order_release);
    (void)find_in(level, address, &place);
    return place;
}

bool known_semaphores_add(const void *semaphore)
{
    const uintptr_t address = (uintptr_t)semaphore;
    struct known_semaphore *free_place = NULL;

    if (!lock(&table.locked))
        return false;
    struct known_semaphore *known = find(address, &free_place);
    if (!known && !free_place)
        free_place = place_in_new_level(address);
    if (known) {
        known->count++;
    } else if (free_place) {
        free_place->count = 1;
        atomic_store_explicit(&free_place->address, address, memory_order_release);
    }
    unlock(&table.locked);
    return known || free_place;
}

enum semaphore_close known_semaphores_remove(const void *semaphore)
{
    enum semaphore_close answer = SEMAPHORE_CLOSES;

    if (!lock(&table.locked))
        return SEMAPHORE_IN_USE;
    struct known_semaphore *place = find((uintptr_t)semaphore, NULL);
    if (!place) {
        answer = SEMAPHORE_UNKNOWN;
    } else if (place->count > 1) {
        place->count--;
    } else {
        atomic_store(&place->address, REMOVED);
        if (atomic_load(&place->inside) > 0)
            answer = SEMAPHORE_IN_USE;
    }
    unlock(&table.locked);
    return answer;
}

struct known_semaphore *known_semaphores_enter(const void *semaphore)
{
    struct known_semaphore *place = find((uintptr_t)semaphore, NULL);

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
    for (size_t level = 0; level < LEVELS; level++) {
        struct known_semaphore *places = atomic_load(&table.levels[level]);
        for (size_t i = 0; places && i < places_of(level); i++)
            if (atomic_load_explicit(&places[i].inside, memory_order_relaxed) > 0)
                atomic_store_explicit(&places[i].inside, 0, memory_order_relaxed);
    }
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
