#define _GNU_SOURCE
#include "client/hook/work_memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "client/hook/own_pages.h"

enum {
    KEPT = 16, /* blocks; each thread in the hook has two or three */
};

static unsigned char *_Atomic kept;
static _Atomic uint32_t taken; /* a bit for each */

static unsigned char *map(size_t size)
{
    const int error = errno;
    void *memory = own_pages_map(size);

    errno = error;
    return memory;
}

static unsigned char *kept_blocks(void)
{
    unsigned char *blocks = atomic_load_explicit(&kept, memory_order_acquire);
    unsigned char *none = NULL;

    if (blocks)
        return blocks;
    blocks = map((size_t)KEPT * WORK_MEMORY_SIZE);
    if (!blocks || atomic_compare_exchange_strong(&kept, &none, blocks))
        return blocks;
    munmap(blocks, (size_t)KEPT * WORK_MEMORY_SIZE);
    return none;
}

void *work_memory_take(void)
{
    unsigned char *blocks = kept_blocks();
    uint32_t now = atomic_load(&taken);

    while (blocks && now != (UINT32_C(1) << KEPT) - 1) {
        const unsigned number = (unsigned)__builtin_ctz(~now);
        if (atomic_compare_exchange_weak(&taken, &now, now | UINT32_C(1) << number))
            return blocks + (size_t)number * WORK_MEMORY_SIZE;
    }
    return map(WORK_MEMORY_SIZE);
}

void work_memory_return(void *block)
{
    unsigned char *blocks = atomic_load_explicit(&kept, memory_order_acquire);
    const size_t offset = (size_t)((uintptr_t)block - (uintptr_t)blocks);

    if (!block)
        return;
    if (blocks && offset < (size_t)KEPT * WORK_MEMORY_SIZE) {
        atomic_fetch_and(&taken, ~(UINT32_C(1) << offset / WORK_MEMORY_SIZE));
        return;
    }
    const int error = errno;
    munmap(block, WORK_MEMORY_SIZE);
    errno = error;
}
