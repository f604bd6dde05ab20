#define _GNU_SOURCE
#include "client/hook/known_semaphores.h"

#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "client/hook/elf_symbols.h"

enum {
    PLACES = 8192,     /* of the table, a power of two */
    OPENED_MAX = 4096, /* at once */
    OBJECTS_KEPT = 8,  /* that have been seen to call */
    REMOVED = 1,       /* no semaphore is there */
    TRIES = 1000,      /* for the lock: each lets another thread run */
};

struct opened {
    _Atomic uintptr_t address; /* 0: never used */
    unsigned count;            /* with the lock held */
};

static struct {
    _Atomic bool locked;
    struct opened places[PLACES];
    size_t count;
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

/* A child that was forked meanwhile may find it held for good: it then goes without. */
static bool lock(_Atomic bool *locked)
{
    for (int i = 0; i < TRIES; i++) {
        if (!atomic_exchange_explicit(locked, true, memory_order_acquire))
            return true;
        sched_yield();
    }
    return false;
}

static void unlock(_Atomic bool *locked)
{
    atomic_store_explicit(locked, false, memory_order_release);
}

/* Where an address stands, or where it would; NULL if it stands nowhere and there is no room. */
static struct opened *place_of(uintptr_t address, bool adding)
{
    struct opened *free_place = NULL;
    size_t at = (address >> 5) * UINT64_C(0x9E3779B97F4A7C15) >> 40;

    for (size_t i = 0; i < PLACES; i++, at++) {
        struct opened *place = &table.places[at % PLACES];
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
    struct opened *place = place_of(address, table.count < OPENED_MAX);
    if (place && atomic_load(&place->address) == address) {
        place->count++;
    } else if (place) {
        place->count = 1;
        table.count++;
        atomic_store_explicit(&place->address, address, memory_order_release);
    }
    unlock(&table.locked);
}

void known_semaphores_remove(const void *semaphore)
{
    if (!lock(&table.locked))
        return;
    struct opened *place = place_of((uintptr_t)semaphore, false);
    if (place && --place->count == 0) {
        table.count--;
        atomic_store_explicit(&place->address, REMOVED, memory_order_release);
    }
    unlock(&table.locked);
}

bool known_semaphores_have(const void *semaphore)
{
    return place_of((uintptr_t)semaphore, false) != NULL;
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
