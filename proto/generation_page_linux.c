#define _GNU_SOURCE
#include "proto/generation_page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Linux 5.1; glibc has had the name since 2.29. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

enum {
    SEALS = F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL,
};

const struct generation_page *generation_page_map(int descriptor)
{
    const int seals = fcntl(descriptor, F_GET_SEALS);

    if (seals < 0 || (seals & SEALS) != SEALS ||
        lseek(descriptor, 0, SEEK_END) != GENERATION_PAGE_SIZE)
        return NULL;
    void *page = mmap(NULL, GENERATION_PAGE_SIZE, PROT_READ, MAP_SHARED, descriptor, 0);
    return page == MAP_FAILED ? NULL : page;
}
