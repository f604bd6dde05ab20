#include "client/hook/real_libc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "client/hook/elf_symbols.h"

static struct real_libc table;
static _Atomic bool filled;

void *boundary_real_syscall;

/* Every thread that finds it empty fills in the same. */
const struct real_libc *real_libc(void)
{
    struct elf_object object;

    if (atomic_load_explicit(&filled, memory_order_acquire))
        return &table;
#define FIND(name, type)                                                                           \
    if (elf_find_definer(#name, &object)) {                                                        \
        void *address = elf_symbol(&object, #name);                                                \
        memcpy(&table.name, &address, sizeof(table.name));                                         \
    }
    REAL_LIBC(FIND)
#undef FIND
    memcpy(&boundary_real_syscall, &table.syscall, sizeof(boundary_real_syscall));
    atomic_store_explicit(&filled, true, memory_order_release);
    return &table;
}
