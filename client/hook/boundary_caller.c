#include "client/hook/boundary_caller.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "client/hook/elf_symbols.h"

enum { PLACES = 64 }; /* a power of two; CPython has a few such calls */

/* Places in the interpreter's code, or in such a module's, from which was called: each once, 0 is
 * free. Objects of CPython's are never unloaded; and where one was, and another library has come to
 * lie, its calls are taken for Python's, which is the strict answer. */
static _Atomic uintptr_t known[PLACES];

/* Where this object's code is, as the linker has it. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char etext[] __attribute__((visibility("hidden")));
/* NOLINTEND(bugprone-reserved-identifier) */

/* What this object receives from the daemon comes by the same names: each question of an event. */
static bool is_own(const void *address)
{
    return (uintptr_t)address >= (uintptr_t)__ehdr_start && (uintptr_t)address < (uintptr_t)etext;
}

static size_t first_place(uintptr_t address)
{
    return (size_t)((address >> 2) ^ (address >> 12)) % PLACES;
}

static bool is_known(uintptr_t address)
{
    for (size_t i = 0; i < PLACES; i++) {
        const uintptr_t there =
            atomic_load_explicit(&known[(first_place(address) + i) % PLACES], memory_order_relaxed);
        if (there == address || there == 0)
            return there == address;
    }
    return false;
}

static void keep(uintptr_t address)
{
    for (size_t i = 0; i < PLACES; i++) {
        uintptr_t there = 0;
        if (atomic_compare_exchange_strong(&known[(first_place(address) + i) % PLACES], &there,
                                           address) ||
            there == address)
            return;
    }
}

bool boundary_is_asked_by_python(const void *address, const char *initializer)
{
    struct elf_object object;

    if (is_own(address))
        return false;
    if (is_known((uintptr_t)address))
        return true;
    const bool asks = !elf_find_holder((uintptr_t)address, &object) ||
                      elf_symbol(&object, "PySys_AddAuditHook") || elf_symbol(&object, initializer);
    if (asks)
        keep((uintptr_t)address);
    return asks;
}
