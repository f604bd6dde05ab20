#include "client/hook/real_libc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "client/hook/elf_symbols.h"
#include "client/hook/own_pages.h"

/* Once it is filled in, nothing writes to it any more (own_pages.h). */
static union {
    struct {
        struct real_libc table;
        _Atomic bool taken; /* a thread fills it in */
        _Atomic bool filled;
    };
    unsigned char pages[OWN_PAGES_SIZE];
} kept_calls __attribute__((aligned(OWN_PAGES_SIZE)));

void *boundary_real_syscall;

static void find_all(struct real_libc *table)
{
#define NAME(name, type) #name,
    static const char *const names[] = {REAL_LIBC(NAME)};
#undef NAME
    void *addresses[sizeof(names) / sizeof(*names)];

    _Static_assert(sizeof(addresses) == sizeof(*table), "a pointer for each name");
    elf_next_each(names, sizeof(names) / sizeof(*names), addresses);
    memcpy(table, addresses, sizeof(*table));
}

/* Every thread that finds it empty looks for the same; one writes it down, and the others wait for
 * the length of a copy. */
const struct real_libc *real_libc(void)
{
    struct real_libc found = {0};

    if (atomic_load_explicit(&kept_calls.filled, memory_order_acquire))
        return &kept_calls.table;
    find_all(&found);
    if (atomic_exchange(&kept_calls.taken, true)) {
        while (!atomic_load_explicit(&kept_calls.filled, memory_order_acquire))
            ;
        return &kept_calls.table;
    }
    kept_calls.table = found;
    memcpy(&boundary_real_syscall, &found.syscall, sizeof(boundary_real_syscall));
    atomic_store_explicit(&kept_calls.filled, true, memory_order_release);
    own_pages_keep(kept_calls.pages);
    return &kept_calls.table;
}
