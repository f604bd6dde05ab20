/* The new content is written beside the file, under a name of its own, and takes its place when it
 * is whole and has everything else that the file had. */
#define _GNU_SOURCE
#include "client/cli/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/command.h"
#include "policies/ownership.h"

struct found_file {
    char *shown; /* as the person named it */
    char *path;  /* links followed */
    struct stat status;
};

void found_file_free(struct found_file *file)
{
    if (!file)
        return;
    free(file->shown);
    free(file->path);
    free(file);
}

/* False after a complaint. */
static bool find(struct found_file *file, const char *path)
{
    file->shown = strdup(path);
    file->path = realpath(path, NULL);
    if (!file->shown || !file->path || stat(file->path, &file->status) < 0) {
        complain("%s: cannot be read: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISREG(file->status.st_mode)) {
        complain("%s: is not a file; `-` formats standard input", path);
        return false;
    }
    if (file->status.st_nlink > 1) {
        complain("%s: has other names (hard links), which would keep what it says now; copy it to "
                 "a file of its own first",
                 path);
        return false;
    }
    return true;
}

struct found_file *found_file_new(const char *path)
{
    struct found_file *file = calloc(1, sizeof(*file));

    if (!file)
        complain("%s: cannot be read: %s", path, strerror(ENOMEM));
    else if (find(file, path))
        return file;
    found_file_free(file);
    return NULL;
}

static bool is_as_found(const struct found_file *file)
{
    const struct stat *then = &file->status;
    struct stat now;

    return lstat(file->path, &now) == 0 && now.st_dev == then->st_dev &&
           now.st_ino == then->st_ino && now.st_size == then->st_size &&
           now.st_mtim.tv_sec == then->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == then->st_mtim.tv_nsec;
}

static bool write_all(int descriptor, const char *text, size_t length)
{
    while (length > 0) {
        const ssize_t written = write(descriptor, text, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        text += written;
        length -= (size_t)written;
    }
    return true;
}

/* The owner before the mode: changing the owner takes bits of the mode away. */
static bool fill(const struct found_file *file, int descriptor, const char *text, size_t length)
{
    const struct stat *status = &file->status;
    struct stat own;

    if (fstat(descriptor, &own) < 0)
        return false;
    if ((own.st_uid != status->st_uid || own.st_gid != status->st_gid) &&
        fchown(descriptor, status->st_uid, status->st_gid) < 0)
        return false;
    return fchmod(descriptor, status->st_mode & 07777) == 0 &&
           write_all(descriptor, text, length) && fsync(descriptor) == 0;
}

bool found_file_replace(const struct found_file *file, const char *text, size_t length)
{
    CLEANUP(free) char *beside = NULL;

    if (asprintf(&beside, "%s.XXXXXX", file->path) < 0) {
        beside = NULL;
        complain("%s: cannot be written: %s", file->shown, strerror(ENOMEM));
        return false;
    }
    const int descriptor = mkostemp(beside, O_CLOEXEC);
    if (descriptor < 0) {
        complain("%s: cannot be written: %s", file->shown, strerror(errno));
        return false;
    }
    bool done = fill(file, descriptor, text, length);
    if (!done)
        complain("%s: cannot be written with the owner and mode that it has: %s", file->shown,
                 strerror(errno));
    if (close(descriptor) < 0 && done) {
        complain("%s: cannot be written: %s", file->shown, strerror(errno));
        done = false;
    }
    if (done && !is_as_found(file)) {
        complain("%s: was changed meanwhile, and is left alone", file->shown);
        done = false;
    }
    if (done && rename(beside, file->path) < 0) {
        complain("%s: cannot be written: %s", file->shown, strerror(errno));
        done = false;
    }
    if (!done)
        (void)unlink(beside);
    return done;
}
