/* Root follows no link here and trusts no name in a directory of somebody else: files change hands
 * only inside a directory that nobody but root could have put them in, and through its descriptor.
 */
#define _GNU_SOURCE
#include "daemon/store/state_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store/state_lock.h"

typedef bool is_ours_function(const char *name);

static bool is_state_file(const char *name)
{
    static const char *const databases[] = {"policy.db", "audit.db"};
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; i < sizeof(databases) / sizeof(*databases); i++) {
        const size_t length = strlen(databases[i]);
        if (strncmp(name, databases[i], length) != 0)
            continue;
        for (size_t j = 0; j < sizeof(endings) / sizeof(*endings); j++)
            if (strcmp(name + length, endings[j]) == 0)
                return true;
    }
    return strcmp(name, STATE_LOCK_FILE) == 0;
}

static bool is_session_file(const char *name)
{
    return name[0] && strspn(name, "0123456789abcdef") == strlen(name);
}

static bool say(char *error, size_t size, const char *path, const char *what)
{
    const char *advice = "";

    if (errno == EACCES || errno == EPERM)
        advice = geteuid() == 0 ? ""
                                : "; start the daemon as root, or give it directories of its own "
                                  "(--state-dir, --socket)";
    else if (errno == ENOENT)
        advice = "; make the directory that it is to be in first";
    snprintf(error, size, "%s: %s: %s%s", path, what, strerror(errno), advice);
    return false;
}

/* The first entry that is not the daemon's own; "" if there is none. With `owner`, those that are
 * become its. */
static bool go_through(int directory, is_ours_function *is_ours,
                       const struct directory_owner *owner, char *foreign, size_t size)
{
    const struct dirent *entry;
    const int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = again < 0 ? NULL : fdopendir(again);
    bool done = list != NULL;

    if (!list && again >= 0)
        close(again);
    foreign[0] = '\0';
    while (done && !foreign[0] && (entry = readdir(list))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (!is_ours(entry->d_name))
            snprintf(foreign, size, "%s", entry->d_name);
        else if (owner)
            done = fchownat(directory, entry->d_name, owner->uid, owner->gid,
                            AT_SYMLINK_NOFOLLOW) == 0;
    }
    if (list)
        closedir(list);
    return done;
}

/* A directory of root's, of which others can neither read nor write, and all that is in it. */
static bool hand_over(int directory, const char *path, is_ours_function *is_ours,
                      const struct directory_owner *owner, char *error, size_t size)
{
    char foreign[NAME_MAX + 1];

    if (!go_through(directory, is_ours, NULL, foreign, sizeof(foreign)))
        return say(error, size, path, "cannot be read");
    if (foreign[0]) {
        snprintf(error, size,
                 "%s: is root's, and holds `%s`, which is not the daemon's: give it to `%s` by "
                 "hand (chown), or name another directory",
                 path, foreign, owner->name);
        return false;
    }
    if (!go_through(directory, is_ours, owner, foreign, sizeof(foreign)) ||
        fchown(directory, owner->uid, owner->gid) < 0)
        return say(error, size, path, "cannot be given to the daemon's user");
    return true;
}

static bool is_fit(const char *path, const struct stat *status, const struct directory_owner *owner,
                   char *error, size_t size)
{
    if (status->st_mode & (S_IWGRP | S_IWOTH)) {
        snprintf(error, size,
                 "%s: others may write there (mode %04o), and what is there would be believed: "
                 "`chmod go-w` it, or name another directory (--state-dir)",
                 path, (unsigned)status->st_mode & 07777U);
        return false;
    }
    if (status->st_uid == owner->uid || (status->st_uid == 0 && !owner->name[0]))
        return true;
    snprintf(error, size,
             "%s: belongs to uid %u, and the daemon is uid %u: give it to that user (chown), or "
             "name another directory (--state-dir)",
             path, (unsigned)status->st_uid, (unsigned)owner->uid);
    return false;
}

static bool becomes_another(const struct directory_owner *owner)
{
    return owner->name[0] && geteuid() == 0 && owner->uid != 0;
}

/* Opens it, and gives it to its owner if it is root's alone. */
static int open_own(const char *path, is_ours_function *is_ours,
                    const struct directory_owner *owner, struct stat *status, char *error,
                    size_t size)
{
    /* The last part may be a link in a directory of root's, where an administrator put it. */
    const int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0 || fstat(directory, status) < 0) {
        say(error, size, path, "cannot be opened");
        if (directory >= 0)
            close(directory);
        return -1;
    }
    const bool private = (status->st_mode & (S_IRWXG | S_IRWXO)) == 0;
    if (!becomes_another(owner) || status->st_uid != 0 || !private)
        return directory;
    if (hand_over(directory, path, is_ours, owner, error, size)) {
        status->st_uid = owner->uid;
        return directory;
    }
    close(directory);
    return -1;
}

bool state_directory_prepare(const char *path, const struct directory_owner *owner, char *error,
                             size_t size)
{
    struct stat status;

    if (mkdir(path, S_IRWXU) < 0 && errno != EEXIST)
        return say(error, size, path, "cannot be made");
    const int directory = open_own(path, is_state_file, owner, &status, error, size);
    if (directory < 0)
        return false;
    close(directory);
    return is_fit(path, &status, owner, error, size);
}

bool session_directory_prepare(const char *path, const struct directory_owner *owner, char *error,
                               size_t size)
{
    char parent[PATH_MAX];
    struct stat status;
    const char *slash = strrchr(path, '/');

    snprintf(parent, sizeof(parent), "%.*s", slash > path ? (int)(slash - path) : 1,
             slash ? path : ".");
    if (!becomes_another(owner) || stat(parent, &status) < 0 || status.st_uid != 0)
        return true; /* the daemon makes it itself */
    if (mkdir(path, S_IRWXU) < 0 && errno != EEXIST)
        return say(error, size, path, "cannot be made");
    const int directory = open_own(path, is_session_file, owner, &status, error, size);
    if (directory >= 0)
        close(directory);
    return directory >= 0;
}
