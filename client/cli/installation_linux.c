#define _GNU_SOURCE
#include "client/cli/installation.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first of some paths, relative to the directory of this program, that is there. */
static char *find_beside(const char *const *candidates)
{
    char program[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

    if (length <= 0)
        return NULL;
    program[length] = '\0';
    *strrchr(program, '/') = '\0';
    for (; *candidates; candidates++) {
        char *path = NULL;
        if (asprintf(&path, "%s/%s", program, *candidates) < 0)
            return NULL;
        char *real = realpath(path, NULL);
        free(path);
        if (real)
            return real;
    }
    return NULL;
}

char *installed_daemon(void)
{
    static const char *const candidates[] = {"warderd", "../sbin/warderd", NULL};
    return find_beside(candidates);
}

char *installed_hook(void)
{
    static const char *const candidates[] = {"../lib/libwarder.so", "../lib/warder/libwarder.so",
                                             "../" WARDER_LIBRARY_DIRECTORY "/libwarder.so", NULL};
    return find_beside(candidates);
}

char *installed_policy_directory(void)
{
    static const char *const candidates[] = {"../share/warder/policies", NULL};
    return find_beside(candidates);
}
