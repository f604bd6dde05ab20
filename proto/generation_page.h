/* The generation page: a word that tells every session on the host, without a system call, whether
 * what it was handed is still in force.
 *
 * The daemon has it mapped for writing, and nobody else can: it is sealed before it is handed out.
 * Its word is the epoch, which is another one with every generation that comes into force. Beside
 * it stands a robust lock that the daemon's loop thread holds for its life, so that the kernel
 * itself marks the page when the daemon ends, however it ends (robust futexes, set_robust_list(2)):
 * a session whose daemon is gone does not go on by a policy that may be replaced meanwhile. */
#ifndef WARDER_PROTO_GENERATION_PAGE_H
#define WARDER_PROTO_GENERATION_PAGE_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    GENERATION_PAGE_SIZE = 4096,
    GENERATION_PAGE_LOCK_SIZE = 64, /* a pthread_mutex_t, whose first word is its futex */
};

struct generation_page {
    union {
        _Atomic uint32_t owner; /* the thread that lives; FUTEX_OWNER_DIED: it does not */
        _Alignas(8) unsigned char lock[GENERATION_PAGE_LOCK_SIZE];
    };
    _Atomic uint64_t epoch; /* 0: nothing is in force */
};

/* What the page says: an epoch, or 0 where nothing may go by it any more. */
static inline uint64_t generation_page_epoch(const struct generation_page *page)
{
    const uint64_t epoch = atomic_load_explicit(&page->epoch, memory_order_acquire);
    const uint32_t owner = atomic_load_explicit(&page->owner, memory_order_relaxed);
    return owner == 0 || (owner & FUTEX_OWNER_DIED) ? 0 : epoch;
}

/* A page whose lock the calling thread holds from now on, and the descriptor to hand out, sealed
 * and close-on-exec. NULL on failure. The epoch is 0. */
struct generation_page *generation_page_new(int *descriptor);

/* Says that nothing is in force any more; the mapping and the descriptor go. */
void generation_page_free(struct generation_page *page, int descriptor);

/* Maps a page for reading; it stays mapped for the life of the process. NULL if the file is not
 * sealed as it should be. The descriptor stays the caller's. */
const struct generation_page *generation_page_map(int descriptor);

#endif
