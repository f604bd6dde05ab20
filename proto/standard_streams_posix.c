#define _GNU_SOURCE
#include "proto/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

bool standard_streams_fill(bool inherited)
{
    int file;

    /* The lowest number that is free, each time: once it is beyond the streams, all are there. */
    do
        file = open("/dev/null", O_RDWR | (inherited ? 0 : O_CLOEXEC));
    while (file >= 0 && file <= STDERR_FILENO);
    if (file < 0)
        return false;
    close(file);
    return true;
}
