/* Who executes says so and then waits for those who are lowering a limit; who lowers one says so
 * and then looks whether somebody executes: one of the two sees the other. */
#define _GNU_SOURCE
#include "client/hook/boundary_preload.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "client/hook/own_file.h"
#include "client/hook/raw_syscall.h"

enum {
    WAITS_MAX = 200, /* of a millisecond: setting a limit takes less than one */
};

/* Some three times what has been mapped when this object is, the first after the program and the
 * loader: 10 MiB of addresses and 3.6 of data in Debian 12's Python, which has its library in it.
 * Without this object that starts with 16 and 4, so a limit in between would let it. */
static const struct need {
    int resource;
    rlim_t least;
} needs[] = {
    {RLIMIT_AS, (rlim_t)32 * 1024 * 1024},
    {RLIMIT_DATA, (rlim_t)16 * 1024 * 1024},
    {RLIMIT_NOFILE, 4}, /* beside the three standard ones */
};

static _Atomic unsigned executing;
static _Atomic unsigned lowering;

static bool is_too_low(int resource, rlim_t limit)
{
    for (size_t i = 0; i < sizeof(needs) / sizeof(*needs); i++)
        if (needs[i].resource == resource)
            return limit < needs[i].least;
    return false;
}

static const char *low_limit(void)
{
    struct rlimit limit;

    for (size_t i = 0; i < sizeof(needs) / sizeof(*needs); i++) {
        if (raw_failed(raw_syscall(SYS_prlimit64, 0, needs[i].resource, NULL, &limit)) ||
            limit.rlim_cur >= needs[i].least)
            continue;
        switch (needs[i].resource) {
        case RLIMIT_AS:
            return "the limit of address space (RLIMIT_AS) is too low to load Warder's hook, and "
                   "the program would start without it; it takes 32 MiB";
        case RLIMIT_DATA:
            return "the limit of data (RLIMIT_DATA) is too low to load Warder's hook, and the "
                   "program would start without it; it takes 16 MiB";
        default:
            return "the limit of open files (RLIMIT_NOFILE) is too low to load Warder's hook, and "
                   "the program would start without it; it takes 4";
        }
    }
    return NULL;
}

/* The kernel compares the new effective ids with the old real ones, and tells the loader. */
static bool ids_are_one(long call)
{
    unsigned real;
    unsigned effective;
    unsigned saved;

    return !raw_failed(raw_syscall(call, &real, &effective, &saved)) && real == effective;
}

const char *boundary_preload_hindered(void)
{
    if (!own_file_is_there())
        return "the file that Warder's hook was loaded from is gone, replaced or unreadable, and "
               "the program would start without it";
    if (!ids_are_one(SYS_getresuid) || !ids_are_one(SYS_getresgid))
        return "its real and effective user or group are not the same: the loader preloads "
               "nothing then, and the program would start without Warder's hook";
    return low_limit();
}

bool boundary_preload_hold(void)
{
    const struct timespec pause = {.tv_nsec = 1000000};

    atomic_fetch_add(&executing, 1);
    for (int i = 0; atomic_load(&lowering) > 0; i++) {
        if (i == WAITS_MAX) {
            atomic_fetch_sub(&executing, 1);
            return false;
        }
        raw_syscall(SYS_nanosleep, &pause, NULL);
    }
    return true;
}

void boundary_preload_release(void)
{
    atomic_fetch_sub(&executing, 1);
}

bool boundary_preload_may_lower(int resource, const struct rlimit *limit)
{
    if (!limit || !is_too_low(resource, limit->rlim_cur))
        return true;
    atomic_fetch_add(&lowering, 1);
    if (atomic_load(&executing) == 0)
        return true;
    atomic_fetch_sub(&lowering, 1);
    return false;
}

void boundary_preload_lowered(int resource, const struct rlimit *limit)
{
    if (limit && is_too_low(resource, limit->rlim_cur))
        atomic_fetch_sub(&lowering, 1);
}

static void become_child(void)
{
    executing = 0;
    lowering = 0;
}

void boundary_preload_begin(void)
{
    pthread_atfork(NULL, NULL, become_child);
}
