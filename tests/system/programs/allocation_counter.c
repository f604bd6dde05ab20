/* Preloaded before the hook: counts what the hook allocates, and nobody else.
 *
 * An allocation is the hook's if the call comes from its code. `allocations_of_hook` says how many there were; a
 * test program calls it through ctypes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

unsigned allocations_of_hook(void);

static const char *code_begin;
static const char *code_end;
static atomic_uint allocations;

static int find_hook(struct dl_phdr_info *object, size_t size, void *context)
{
    (void)size;
    (void)context;
    if (!strstr(object->dlpi_name, "libwarder.so"))
        return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
            continue;
        code_begin = (const char *)object->dlpi_addr + part->p_vaddr;
        code_end = code_begin + part->p_memsz;
    }
    return 1;
}

__attribute__((constructor)) static void find(void)
{
    dl_iterate_phdr(find_hook, NULL);
}

static void count(const void *caller)
{
    if ((const char *)caller >= code_begin && (const char *)caller < code_end)
        atomic_fetch_add(&allocations, 1);
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t number, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_calloc(number, size);
}

__attribute__((visibility("default"))) void *realloc(void *memory, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_realloc(memory, size);
}

/* UINT_MAX where there is no hook. */
__attribute__((visibility("default"))) unsigned allocations_of_hook(void)
{
    return code_begin ? atomic_load(&allocations) : (unsigned)-1;
}
