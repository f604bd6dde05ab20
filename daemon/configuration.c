#include "daemon/configuration.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/host_paths.h"

_Static_assert(sizeof(((struct sockaddr_un *)NULL)->sun_path) == 108, "the words below say 107");
_Static_assert(CONFIGURATION_PATH_MAX == 4096, "the words below say 4095");

const char *configuration_path_problem(const char *path, bool is_socket)
{
    if (!path[0])
        return "wants an absolute path, and this one is empty";
    if (path[0] != '/')
        return "wants an absolute path";
    if (is_socket && strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return "wants a path of at most 107 bytes, as a socket's is";
    if (strlen(path) >= CONFIGURATION_PATH_MAX)
        return "wants a path of at most 4095 bytes";
    return NULL;
}

const char *configuration_owner_problem(int file)
{
    struct stat status;

    /* A device is root's, and what has no name is whoever's it is that opened it. */
    if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode) || status.st_nlink == 0)
        return NULL;
    if (status.st_uid != 0 && status.st_uid != geteuid())
        return "belongs to another user than root and the daemon's, and what is there would be "
               "believed: give it to root (chown)";
    const bool group = status.st_gid != 0 && status.st_gid != getegid();
    if (status.st_mode & S_IWOTH || (group && status.st_mode & S_IWGRP))
        return "others may write to it, and what is there would be believed: `chmod go-w` it";
    return NULL;
}

void configuration_defaults(struct configuration *configuration)
{
    *configuration = (struct configuration){
        .state_directory = HOST_STATE_DIRECTORY,
        .session_socket = HOST_SESSION_SOCKET,
        .admin_socket = HOST_ADMIN_SOCKET,
        .settle_in_process = true,
        .loop_threads = 1,
        .record_megabytes = 1024,
        /* A session has at most four connections, and a user hardly more interpreters than the
         * processes that systemd lets a login have (TasksMax=33% of pid_max 32768, rounded down).
         */
        .sessions_per_user = 4096,
        .connections_per_user = 4 * 4096,
        .unfinished_per_user = 256,
        /* A Hello has a few KiB: 64 MiB are 16 KiB for each session that there may be. */
        .megabytes_per_user = 64,
        /* 60,000 records of 500 bytes: what the writer does in a second (limits.md). */
        .queue_megabytes_per_user = 32,
        .verdict_milliseconds = 2000, /* design, "The way of an event" */
    };
}
