#define _GNU_SOURCE
#include "client/hook/boundary_memory.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>

#include "client/hook/own_pages.h"
#include "client/hook/raw_syscall.h"
#include "proto/packet.h"

enum {
    MEMORIES = 4, /* as many as there are connections */
    /* The kernel takes at most 6 MiB of argv and environment (three quarters of _STK_LIM). */
    TEXTS_SIZE = 8 * 1024 * 1024,
    EXCHANGE_SIZE = 3 * 1024 * 1024, /* as a question's arena */
    WAIT_NS = 1000 * 1000,           /* between looks while all are taken */
};

struct place {
    /* A thread, in the lower half, and the process that it is of, or shares the memory with: taken
     * in one step. The kernel zeroes the lower half when the child of a vfork leaves this memory
     * (see the header). */
    _Atomic uint64_t holder;
    unsigned char *_Atomic bytes;
    struct boundary_memory memory;
};

static struct place places[MEMORIES];

static bool map(struct place *place)
{
    if (place->bytes)
        return true;
    void *bytes = own_pages_map(TEXTS_SIZE + EXCHANGE_SIZE + PACKET_SIZE_MAX);
    if (!bytes)
        return false;
    place->bytes = bytes;
    return true;
}

/* What a thread has that stayed behind in the parent of a fork is free in the child. */
static bool is_free(uint64_t holder)
{
    return (uint32_t)holder == 0 || (pid_t)(holder >> 32) != hook_session_process_number();
}

/* The half that has the thread. */
static void *thread_of(struct place *place)
{
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the lower half stands first");
    return &place->holder;
}

enum taking {
    TAKING_DONE,
    TAKING_NOT_FREE,
    TAKING_NO_MEMORY, /* it was free, and cannot be made */
};

static enum taking take(struct place *place, enum session_process process)
{
    uint64_t holder = atomic_load(&place->holder);
    const uint64_t self =
        (uint64_t)hook_session_process_number() << 32 | (uint32_t)raw_syscall(SYS_gettid, 0);

    if (!is_free(holder) || (process == PROCESS_BESIDE && !place->bytes) ||
        !atomic_compare_exchange_strong(&place->holder, &holder, self))
        return TAKING_NOT_FREE;
    if (process == PROCESS_BESIDE)
        raw_syscall(SYS_set_tid_address, thread_of(place));
    if (map(place))
        return TAKING_DONE;
    atomic_store(&place->holder, 0);
    return TAKING_NO_MEMORY;
}

static bool is_any_mapped(void)
{
    for (size_t i = 0; i < MEMORIES; i++)
        if (places[i].bytes)
            return true;
    return false;
}

struct boundary_memory *boundary_memory_take(void)
{
    const int64_t deadline = monotonic_now() + hook_session_bound();
    const enum session_process process = hook_session_process();

    for (;;) {
        bool is_out_of_memory = false;
        for (size_t i = 0; i < MEMORIES; i++) {
            struct place *place = &places[i];
            const enum taking taking = take(place, process);
            is_out_of_memory = is_out_of_memory || taking == TAKING_NO_MEMORY;
            if (taking != TAKING_DONE)
                continue;
            struct boundary_memory *memory = &place->memory;
            unsigned char *bytes = place->bytes;
            arena_init(&memory->texts, bytes, TEXTS_SIZE);
            arena_init(&memory->exchange.arena, bytes + TEXTS_SIZE, EXCHANGE_SIZE);
            memory->exchange.packet = bytes + TEXTS_SIZE + EXCHANGE_SIZE;
            memory->process = process;
            return memory;
        }
        /* Nobody gives back what nobody has: under a low limit there may be none at all. */
        if ((is_out_of_memory && !is_any_mapped()) || monotonic_now() >= deadline)
            return NULL;
        const struct timespec wait = {.tv_nsec = WAIT_NS};
        raw_syscall(SYS_nanosleep, &wait, NULL);
    }
}

void boundary_memory_return(struct boundary_memory *memory)
{
    struct place *place = (struct place *)(void *)((char *)memory - offsetof(struct place, memory));

    /* The word is somebody else's from here on: the kernel must leave it alone. */
    if (memory->process == PROCESS_BESIDE)
        raw_syscall(SYS_set_tid_address, NULL);
    atomic_store(&place->holder, 0);
}

bool boundary_memory_prepare(void)
{
    bool any = false;

    for (size_t i = 0; i < MEMORIES; i++) {
        if (!is_free(atomic_load(&places[i].holder)))
            continue;
        any = map(&places[i]);
        break;
    }
    return any || is_any_mapped(); /* its child waits until somebody gives one back */
}
