#define _GNU_SOURCE
#include "client/floor/floor_seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

bool seccomp_is_there(void)
{
    const uint32_t action = SECCOMP_RET_ERRNO;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int seccomp_take(const ProtobufCBinaryData *program, bool all_threads)
{
    const size_t count = program->len / sizeof(struct sock_filter);

    if (count == 0 || count > BPF_MAXINSNS || program->len % sizeof(struct sock_filter) != 0)
        return -EBADMSG;
    /* The kernel copies it from wherever it lies. */
    const struct sock_fprog filter = {.len = (unsigned short)count,
                                      .filter = (void *)program->data};
    const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                all_threads ? SECCOMP_FILTER_FLAG_TSYNC : 0, &filter);
    if (result > 0) /* the thread that has filters of its own */
        return -ESRCH;
    return result < 0 ? -errno : 0;
}
