/* The daemon's side. By itself, so that what the hook is linked from asks for no more of libc than
 * it needs. */
#define _GNU_SOURCE
#include "proto/generation_page.h"

#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

/* Linux 5.1; glibc has had the name since 2.29. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

enum {
    SEALS = F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL,
};

_Static_assert(sizeof(pthread_mutex_t) <= GENERATION_PAGE_LOCK_SIZE, "the lock has its room");
_Static_assert(offsetof(pthread_mutex_t, __data.__lock) == 0, "the lock begins with its futex");
_Static_assert(sizeof(struct generation_page) <= GENERATION_PAGE_SIZE, "one page");

/* Takes the lock for good: the kernel lets go of it, with a mark, when the thread ends. */
static bool hold_lock(struct generation_page *page)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(void *)page->lock;
    pthread_mutexattr_t attributes;

    if (pthread_mutexattr_init(&attributes) != 0)
        return false;
    const bool held = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
                      pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
                      pthread_mutex_init(lock, &attributes) == 0 && pthread_mutex_lock(lock) == 0;
    pthread_mutexattr_destroy(&attributes);
    return held;
}

struct generation_page *generation_page_new(int *descriptor)
{
    const int file = memfd_create("warder-generation", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (file < 0)
        return NULL;
    struct generation_page *page = MAP_FAILED;
    if (ftruncate(file, GENERATION_PAGE_SIZE) == 0)
        page = mmap(NULL, GENERATION_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    /* Sealed once it is mapped: this mapping stays the only one that writes. */
    if (page == MAP_FAILED || fcntl(file, F_ADD_SEALS, SEALS) < 0 || !hold_lock(page)) {
        if (page != MAP_FAILED)
            munmap(page, GENERATION_PAGE_SIZE);
        close(file);
        return NULL;
    }
    *descriptor = file;
    return page;
}

void generation_page_free(struct generation_page *page, int descriptor)
{
    if (!page)
        return;
    page->epoch = 0;
    /* The thread's list of locks that it holds must not lead to memory that is gone. */
    pthread_mutex_unlock((pthread_mutex_t *)(void *)page->lock);
    munmap(page, GENERATION_PAGE_SIZE);
    close(descriptor);
}
