#define _GNU_SOURCE
#include "client/cli/program_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* False if there is none; the path may be relative. */
static bool find(const char *name, char *path, size_t size)
{
    const char *next = getenv("PATH");

    if (strchr(name, '/'))
        return (size_t)snprintf(path, size, "%s", name) < size;
    if (!next)
        next = "/bin:/usr/bin"; /* execvp(3) */
    for (;;) {
        const size_t length = strcspn(next, ":");
        const int written =
            snprintf(path, size, "%.*s%s%s", (int)length, next, length > 0 ? "/" : "", name);
        struct stat status;
        if (written > 0 && (size_t)written < size && stat(path, &status) == 0 &&
            S_ISREG(status.st_mode) && access(path, X_OK) == 0)
            return true;
        if (next[length] == '\0')
            return false;
        next += length + 1;
    }
}

/* A script's bits count for nothing (execve(2)). */
static bool is_script(const char *path)
{
    char start[2] = "";
    FILE *file = fopen(path, "re");
    const bool read = file && fread(start, 1, sizeof(start), file) == sizeof(start);

    if (file)
        fclose(file);
    return read && start[0] == '#' && start[1] == '!';
}

bool program_file_gains_privilege(const char *name)
{
    char path[PATH_MAX];
    struct stat status;

    if (!find(name, path, sizeof(path)) || stat(path, &status) < 0)
        return false;
    const bool user = status.st_mode & S_ISUID && status.st_uid != getuid();
    const bool group =
        (status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && status.st_gid != getgid();
    const bool capable = getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
    return (user || group || capable) && !is_script(path);
}
