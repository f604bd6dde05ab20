#define _GNU_SOURCE
#include "client/hook/own_pages.h"

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    CALL_MSEAL = 462, /* on every architecture that has it */
};

static void seal(uintptr_t start, uintptr_t end)
{
    if (start < end)
        syscall(CALL_MSEAL, start, end - start, 0L);
}

static bool holds(const struct dl_phdr_info *info, uintptr_t address)
{
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && address - (info->dlpi_addr + part->p_vaddr) < part->p_memsz)
            return true;
    }
    return false;
}

/* What is done with each part of this object: from `start` to `end`, in whole pages as `mask` says.
 */
typedef void part_work(const ElfW(Phdr) * part, uintptr_t start, uintptr_t end, uintptr_t mask);

static int visit_if_own(struct dl_phdr_info *info, size_t size, void *data)
{
    const uintptr_t mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
    part_work *const *work = data;

    (void)size;
    if (!holds(info, (uintptr_t)visit_if_own))
        return 0;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        const uintptr_t start = info->dlpi_addr + part->p_vaddr;
        (*work)(part, start, start + part->p_memsz, mask);
    }
    return 1;
}

static void seal_part(const ElfW(Phdr) * part, uintptr_t start, uintptr_t end, uintptr_t mask)
{
    if (part->p_type == PT_LOAD && !(part->p_flags & PF_W))
        seal(start & ~mask, (end + mask) & ~mask);
    else if (part->p_type == PT_GNU_RELRO) /* whole pages, as the loader protects them */
        seal(start & ~mask, end & ~mask);
}

static void leave_out_part(const ElfW(Phdr) * part, uintptr_t start, uintptr_t end, uintptr_t mask)
{
    const uintptr_t first = start & ~mask;

    if (part->p_type == PT_LOAD && (part->p_flags & PF_W))
        (void)madvise((void *)first, ((end + mask) & ~mask) - first, MADV_DONTDUMP);
}

void own_pages_leave_out(void)
{
    part_work *work = leave_out_part;
    dl_iterate_phdr(visit_if_own, &work);
}

void *own_pages_map(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (pages == MAP_FAILED)
        return NULL;
    (void)madvise(pages, size, MADV_DONTDUMP);
    return pages;
}

void own_pages_seal(void)
{
    part_work *work = seal_part;
    dl_iterate_phdr(visit_if_own, &work);
}

void own_pages_keep(void *pages)
{
    if (mprotect(pages, OWN_PAGES_SIZE, PROT_READ) == 0)
        seal((uintptr_t)pages, (uintptr_t)pages + OWN_PAGES_SIZE);
}
