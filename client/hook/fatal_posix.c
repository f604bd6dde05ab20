#define _GNU_SOURCE
#include "client/hook/fatal.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

noreturn void fatal_end(const char *line)
{
    fatal_end_because(line, "");
}

noreturn void fatal_end_because(const char *line, const char *why)
{
    const struct iovec parts[] = {
        {.iov_base = (void *)line, .iov_len = strlen(line)},
        {.iov_base = (void *)why, .iov_len = strlen(why)},
        {.iov_base = (void *)"\n", .iov_len = 1},
    };
    /* Nowhere to write to is no reason to stay. */
    if (writev(STDERR_FILENO, parts, sizeof(parts) / sizeof(*parts)) < 0)
        _exit(FATAL_EXIT_STATUS);
    _exit(FATAL_EXIT_STATUS);
}
