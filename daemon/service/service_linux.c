#define _GNU_SOURCE
#include "daemon/service/service.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    FIRST_PASSED = 3, /* SD_LISTEN_FDS_START */
    PASSED_MAX = 16,
};

/* LISTEN_FDS counts the sockets, LISTEN_FDNAMES names them, LISTEN_PID says whom they are for. */
int service_take_socket(const char *name)
{
    static bool taken[PASSED_MAX];
    const char *pid = getenv("LISTEN_PID");
    const char *count_text = getenv("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");

    if (!pid || !count_text || !names || strtol(pid, NULL, 10) != getpid())
        return -1;
    const long count = strtol(count_text, NULL, 10);
    for (long i = 0; i < count && i < PASSED_MAX && *names; i++) {
        const size_t length = strcspn(names, ":");
        if (!taken[i] && length == strlen(name) && memcmp(names, name, length) == 0) {
            const int descriptor = FIRST_PASSED + (int)i;
            taken[i] = true;
            fcntl(descriptor, F_SETFD, FD_CLOEXEC);
            return descriptor;
        }
        names += length;
        names += *names == ':';
    }
    return -1;
}

void service_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(address.sun_path))
        return;
    memcpy(address.sun_path, path, strlen(path));
    if (path[0] == '@')
        address.sun_path[0] = '\0'; /* an abstract name */
    const int end = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (end < 0)
        return;
    const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    /* A manager that does not listen is no reason to stop. */
    (void)!sendto(end, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
    close(end);
}

int service_find_user(const char *user, uid_t *uid, gid_t *gid)
{
    errno = 0;
    const struct passwd *entry = getpwnam(user);
    if (!entry)
        return errno ? -errno : -ENOENT;
    *uid = entry->pw_uid;
    *gid = entry->pw_gid;
    return 0;
}

void service_name_user(uid_t uid, char *name, size_t size)
{
    const struct passwd *entry = getpwuid(uid);
    const bool fits = entry && strlen(entry->pw_name) < size;

    snprintf(name, size, "%s", fits ? entry->pw_name : "");
}

int service_become(const char *user)
{
    uid_t uid = (uid_t)-1;
    gid_t gid = (gid_t)-1;
    const int error = service_find_user(user, &uid, &gid);

    if (error < 0)
        return error;
    if (geteuid() == uid)
        return 0;
    if (initgroups(user, gid) < 0 || setgid(gid) < 0 || setuid(uid) < 0)
        return -errno;
    return setuid(0) == 0 ? -EPERM : 0; /* it must not come back */
}
