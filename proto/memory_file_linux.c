#define _GNU_SOURCE
#include "proto/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SEALS = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL,
    NOT_EXECUTABLE = 0x8, /* linux/memfd.h: MFD_NOEXEC_SEAL, Linux 6.3; a floor lets no other be */
};

static int make_file(void)
{
    const int file =
        memfd_create("warder-message", MFD_CLOEXEC | MFD_ALLOW_SEALING | NOT_EXECUTABLE);

    return file >= 0 || errno != EINVAL
               ? file
               : memfd_create("warder-message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

int memory_file_new(const void *bytes, size_t size)
{
    const int file = make_file();
    if (file < 0)
        return -errno;
    for (size_t done = 0; done < size;) {
        const ssize_t written = write(file, (const char *)bytes + done, size - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            const int error = written < 0 ? -errno : -EIO;
            close(file);
            return error;
        }
        done += (size_t)written;
    }
    if (fcntl(file, F_ADD_SEALS, SEALS) < 0) {
        const int error = -errno;
        close(file);
        return error;
    }
    return file;
}

static bool is_sealed(int descriptor)
{
    const int seals = fcntl(descriptor, F_GET_SEALS);
    return seals >= 0 && (seals & SEALS) == SEALS;
}

const void *memory_file_map(int descriptor, size_t size)
{
    if (size == 0 || !is_sealed(descriptor) || lseek(descriptor, 0, SEEK_END) != (off_t)size)
        return NULL;
    /* Private, because kernels before 6.7 map no sealed file shared; nothing can write to it, so
     * its pages are shared all the same. */
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    return bytes == MAP_FAILED ? NULL : bytes;
}

void memory_file_unmap(const void *bytes, size_t size)
{
    if (bytes)
        munmap((void *)bytes, size);
}

int memory_file_read(int descriptor, void *buffer, size_t size, size_t *length)
{
    if (!is_sealed(descriptor))
        return -EPERM;
    /* The seals hold, so the size is what it is now. */
    const off_t end = lseek(descriptor, 0, SEEK_END);
    if (end < 0)
        return -errno;
    if (end == 0 || (size_t)end > size)
        return -EMSGSIZE;
    for (size_t done = 0; done < (size_t)end;) {
        const ssize_t got =
            pread(descriptor, (char *)buffer + done, (size_t)end - done, (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        done += (size_t)got;
    }
    *length = (size_t)end;
    return 0;
}
