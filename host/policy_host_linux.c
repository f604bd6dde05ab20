#define _GNU_SOURCE
#include "host/policy_host.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

enum {
    GROUPS_MAX = 256,         /* of one user; more are not looked at */
    LOOKUP_BUFFER = 64 * 1024 /* for getpwnam_r and its like: a group with many members */
};

/* Names that lead to whoever asks: here to the checker, and nobody means that. */
static bool leads_to_asker(const char *path)
{
    static const char *const names[] = {"/proc/self", "/proc/thread-self", "/dev/fd",
                                        "/dev/stdin", "/dev/stdout",       "/dev/stderr"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const size_t length = strlen(names[i]);
        if (strncmp(path, names[i], length) == 0 && (!path[length] || path[length] == '/'))
            return true;
    }
    return false;
}

bool policy_host_resolve(void *context, const char *path, char *resolved, size_t size)
{
    char prefix[PATH_MAX];
    char real[PATH_MAX];
    size_t length = strlen(path);

    (void)context;
    if (length >= sizeof(prefix) || leads_to_asker(path))
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

/* Whom a file is asked about: one user, or anyone but root. */
struct asked {
    const char *name; /* NULL: anyone */
    uid_t user;
    gid_t groups[GROUPS_MAX];
    int group_count;
};

/* A user whom the host does not know has what everybody has. */
static void find_asked(struct asked *asked, const char *name)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char *buffer = malloc(LOOKUP_BUFFER);

    *asked = (struct asked){.name = name, .user = (uid_t)-1};
    if (buffer && getpwnam_r(name, &entry, buffer, LOOKUP_BUFFER, &found) == 0 && found) {
        asked->user = entry.pw_uid;
        asked->group_count = GROUPS_MAX;
        if (getgrouplist(name, entry.pw_gid, asked->groups, &asked->group_count) < 0)
            asked->group_count = GROUPS_MAX;
    }
    free(buffer);
}

static bool in_group(const struct asked *asked, gid_t group)
{
    for (int i = 0; i < asked->group_count; i++)
        if (asked->groups[i] == group)
            return true;
    return false;
}

static void name_user(uid_t user, char *who, size_t size)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char *buffer = malloc(LOOKUP_BUFFER);

    if (buffer && getpwuid_r(user, &entry, buffer, LOOKUP_BUFFER, &found) == 0 && found)
        (void)snprintf(who, size, "user %s", entry.pw_name);
    else
        (void)snprintf(who, size, "user %lu", (unsigned long)user);
    free(buffer);
}

static void name_group(gid_t group, char *who, size_t size)
{
    struct group entry;
    struct group *found = NULL;
    char *buffer = malloc(LOOKUP_BUFFER);

    if (buffer && getgrgid_r(group, &entry, buffer, LOOKUP_BUFFER, &found) == 0 && found)
        (void)snprintf(who, size, "group %s", entry.gr_name);
    else
        (void)snprintf(who, size, "group %lu", (unsigned long)group);
    free(buffer);
}

/* True if they can change what the file or directory holds; `who` says by what right. */
static bool can_change(const struct asked *asked, const struct stat *status, char *who, size_t size)
{
    const bool owns = asked->name ? status->st_uid == asked->user : status->st_uid != 0;
    const bool shares = (status->st_mode & S_IWGRP) &&
                        (asked->name ? in_group(asked, status->st_gid) : status->st_gid != 0);

    if (asked->name && asked->user == 0)
        return false; /* root can write everything, and nothing is to be said of that */
    if (!owns && !shares && !(status->st_mode & S_IWOTH))
        return false;
    if (asked->name)
        (void)snprintf(who, size, "user %s", asked->name);
    else if (owns)
        name_user(status->st_uid, who, size);
    else if (shares)
        name_group(status->st_gid, who, size);
    else
        (void)snprintf(who, size, "everybody");
    return true;
}

/* In a directory with the sticky bit only owners replace what is there: theirs, or all of it if the
 * directory is theirs. */
static bool can_replace(const struct asked *asked, const struct stat *directory,
                        const struct stat *inside, char *who, size_t size)
{
    if (inside && (directory->st_mode & S_ISVTX)) {
        const struct stat owned = {.st_uid = directory->st_uid, .st_mode = S_IFDIR};
        return can_change(asked, &owned, who, size);
    }
    return can_change(asked, directory, who, size);
}

/* From the path up to the root: the first place that they can change. */
static bool find_writer(const struct asked *asked, const char *path, struct file_facts *facts)
{
    char place[PATH_MAX];
    struct stat status;
    struct stat inside;
    bool has_inside = false;

    (void)snprintf(place, sizeof(place), "%s", path);
    for (;;) {
        const bool is_root = place[0] == '\0';
        const bool exists = lstat(is_root ? "/" : place, &status) == 0;
        if (exists && !S_ISLNK(status.st_mode)) {
            const bool found = S_ISDIR(status.st_mode) && strcmp(place, path) != 0
                                   ? can_replace(asked, &status, has_inside ? &inside : NULL,
                                                 facts->who, sizeof(facts->who))
                                   : can_change(asked, &status, facts->who, sizeof(facts->who));
            if (found) {
                const size_t length = strlen(place);
                if (length >= sizeof(facts->what))
                    (void)snprintf(facts->what, sizeof(facts->what), "it");
                else
                    memcpy(facts->what, is_root ? "/" : place, is_root ? 2 : length + 1);
                return true;
            }
        } else if (!exists && errno != ENOENT && errno != ENOTDIR) {
            return false;
        }
        if (is_root)
            return false;
        inside = status;
        has_inside = exists;
        char *slash = strrchr(place, '/');
        if (!slash)
            return false;
        *slash = '\0';
    }
}

bool policy_host_look(void *context, const char *path, const char *const *users, size_t user_count,
                      struct file_facts *facts)
{
    char resolved[PATH_MAX];
    struct stat status;
    struct asked asked = {.name = NULL};

    *facts = (struct file_facts){.set_id = false};
    if (policy_host_resolve(context, path, resolved, sizeof(resolved)))
        path = resolved;
    if (strlen(path) >= PATH_MAX)
        return false;
    facts->set_id = stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
                    ((status.st_mode & (S_ISUID | S_ISGID)) != 0 ||
                     getxattr(path, "security.capability", NULL, 0) > 0);
    if (user_count == 0) {
        (void)find_writer(&asked, path, facts);
        return true;
    }
    for (size_t i = 0; i < user_count; i++) {
        find_asked(&asked, users[i]);
        if (find_writer(&asked, path, facts))
            break;
    }
    return true;
}

static uint32_t pythons_in(const char *directory)
{
    static const char front[] = "python3.";
    uint32_t pythons = 0;
    DIR *open = opendir(directory);

    if (!open)
        return 0;
    for (const struct dirent *entry = readdir(open); entry; entry = readdir(open)) {
        char *end;
        if (strncmp(entry->d_name, front, strlen(front)) != 0)
            continue;
        const char *digits = entry->d_name + strlen(front);
        const unsigned long minor = strtoul(digits, &end, 10);
        if (*digits >= '0' && *digits <= '9' && *end == '\0' && minor < 32)
            pythons |= UINT32_C(1) << minor;
    }
    (void)closedir(open);
    return pythons;
}

uint32_t policy_host_pythons(const char *path)
{
    static const char *const system_own[] = {"/usr/bin", "/usr/local/bin"};
    uint32_t pythons = 0;
    char directory[PATH_MAX];

    for (size_t i = 0; i < sizeof(system_own) / sizeof(*system_own); i++)
        pythons |= pythons_in(system_own[i]);
    while (path && *path) {
        const size_t length = strcspn(path, ":");
        if (length > 0 && length < sizeof(directory)) {
            memcpy(directory, path, length);
            directory[length] = '\0';
            pythons |= pythons_in(directory);
        }
        path += length + (path[length] == ':');
    }
    return pythons;
}
