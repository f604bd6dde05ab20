/* A lock of an open file description: unlike a process's, it does not go when some other descriptor
 * of the same file is closed. */
#define _GNU_SOURCE
#include "daemon/store/state_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say_holder(int file, const char *directory, char *error, size_t size)
{
    char text[32] = "";
    const ssize_t length = pread(file, text, sizeof(text) - 1, 0);
    const long pid = length > 0 ? strtol(text, NULL, 10) : 0;

    if (pid > 0)
        snprintf(error, size,
                 "%s: another daemon, with pid %ld, keeps its state here; stop it first, or give "
                 "this one a directory of its own (--state-dir)",
                 directory, pid);
    else /* it has the lock, and has not written its number yet */
        snprintf(error, size,
                 "%s: another daemon is starting here; stop it first, or give this one a directory "
                 "of its own (--state-dir)",
                 directory);
}

/* For the message of who comes next; the lock holds without it. */
static void write_pid(int file)
{
    char text[32];
    const int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

    (void)!pwrite(file, text, (size_t)length, 0);
}

/* A daemon's lock is one for writing. Who may only read the file can have one that is not. */
static bool is_read(int file, pid_t *pid)
{
    struct flock found = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const int error = errno;
    const bool read = fcntl(file, F_GETLK, &found) == 0 && found.l_type == F_RDLCK;

    *pid = found.l_pid;
    errno = error;
    return read && found.l_pid > 0;
}

int state_lock_take(const char *directory, char *error, size_t size)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[4200];
    pid_t pid;

    if (snprintf(path, sizeof(path), "%s/" STATE_LOCK_FILE, directory) >= (int)sizeof(path)) {
        snprintf(error, size, "%s: the path is too long", directory);
        return -1;
    }
    const int file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) {
        snprintf(error, size, "%s: cannot be opened: %s", path, strerror(errno));
        return -1;
    }
    if (fcntl(file, F_OFD_SETLK, &whole) == 0) {
        /* What a daemon before us wrote is no longer true. */
        if (ftruncate(file, 0) == 0)
            write_pid(file);
        return file;
    }
    if ((errno == EAGAIN || errno == EACCES) && is_read(file, &pid))
        snprintf(
            error, size,
            "%s: process %ld has a lock on it, and is no daemon: end it, or give this daemon a "
            "directory of its own (--state-dir)",
            path, (long)pid);
    else if (errno == EAGAIN || errno == EACCES)
        say_holder(file, directory, error, size);
    else
        snprintf(error, size, "%s: cannot be locked: %s", path, strerror(errno));
    close(file);
    return -1;
}
