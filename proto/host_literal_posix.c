#define _GNU_SOURCE
#include "proto/host_literal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool host_literal_resolve(void *context, const char *path, char *resolved, size_t size)
{
    char prefix[PATH_MAX];
    char real[PATH_MAX];
    size_t length = strlen(path);

    (void)context;
    if (length >= sizeof(prefix))
        return false;
    memcpy(prefix, path, length + 1);
    while (!realpath(prefix, real)) {
        if (errno != ENOENT && errno != ENOTDIR)
            return false;
        char *slash = strrchr(prefix, '/');
        if (!slash || slash == prefix)
            return false;
        *slash = '\0';
    }
    const char *rest = path + strlen(prefix);
    const bool root = strcmp(real, "/") == 0;
    const int written = snprintf(resolved, size, "%s%s", root && *rest ? "" : real, rest);
    return written > 0 && (size_t)written < size && strcmp(resolved, path) != 0;
}
