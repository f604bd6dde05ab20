#define _GNU_SOURCE
#include "daemon/session/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5; younger than the C library of Debian 12 */
#endif

enum {
    PROC_TEXT_MAX = 4096,      /* of the files below /proc that are read */
    LOOKUP_BUFFER = 64 * 1024, /* for getpwuid_r and getgrgid_r: a group with many members */
};

static bool read_text(const char *path, char *text, size_t size)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    const ssize_t length = read(file, text, size - 1);
    close(file);
    if (length < 0)
        return false;
    text[length] = '\0';
    return true;
}

/* Field `number` of /proc/PID/stat, counted as proc(5) does; `rest` is the parenthesis that closes
 * the second. */
static bool stat_number(const char *rest, int number, uint64_t *value)
{
    char *end;

    for (int at = 2; rest && at < number; at++)
        rest = strchr(rest + 1, ' ');
    if (!rest)
        return false;
    *value = strtoull(rest, &end, 10);
    return end != rest;
}

/* The name, field 2, may hold anything, but ends with the last ')'. */
static bool read_stat(pid_t pid, pid_t *parent, uint64_t *start_time)
{
    char path[64];
    char text[PROC_TEXT_MAX];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (!read_text(path, text, sizeof(text)))
        return false;
    const char *rest = strrchr(text, ')');
    uint64_t parent_pid;
    if (!rest || !stat_number(rest, 4, &parent_pid) || !stat_number(rest, 22, start_time))
        return false;
    *parent = (pid_t)parent_pid;
    return true;
}

bool identity_start_time(pid_t pid, uint64_t *start_time)
{
    pid_t parent;
    return read_stat(pid, &parent, start_time);
}

bool identity_parent(pid_t pid, pid_t *parent)
{
    uint64_t start_time;
    return read_stat(pid, parent, &start_time);
}

bool identity_of_peer(int socket, struct identity *identity)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    *identity = (struct identity){.pidfd = -1};
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return false;
    int pidfd;
    socklen_t pidfd_size = sizeof(pidfd);
    if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &pidfd_size) == 0) {
        identity->pidfd = pidfd;
        fcntl(pidfd, F_SETFD, FD_CLOEXEC);
    } else if (!identity_of_sender(peer.pid, peer.uid, peer.gid, identity)) {
        return false;
    }
    identity->pid = peer.pid;
    identity->uid = peer.uid;
    identity->gid = peer.gid;
    return true;
}

bool identity_of_sender(pid_t pid, uid_t uid, gid_t gid, struct identity *identity)
{
    uint64_t before;
    uint64_t after;
    pid_t parent;

    *identity = (struct identity){.pid = pid, .uid = uid, .gid = gid, .pidfd = -1};
    /* The number may pass to another process: the same start time before and after says that it did
     * not while the pidfd was taken. */
    if (!read_stat(pid, &parent, &before))
        return false;
    identity->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (identity->pidfd < 0 && errno != ENOSYS)
        return false;
    if (read_stat(pid, &parent, &after) && before == after)
        return true;
    identity_deinit(identity);
    return false;
}

void identity_deinit(struct identity *identity)
{
    if (identity->pidfd >= 0)
        close(identity->pidfd);
    identity->pidfd = -1;
}

/* ----------------------------------------------------------------------------------------- facts
 */

static char *number_text(uint64_t number)
{
    char *text = NULL;
    return asprintf(&text, "%" PRIu64, number) < 0 ? NULL : text;
}

static bool learn_user(const struct identity *identity, struct identity_facts *facts, char *buffer)
{
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwuid_r(identity->uid, &entry, buffer, LOOKUP_BUFFER, &found) == ERANGE)
        return false;
    facts->user = found ? strdup(found->pw_name) : number_text(identity->uid);
    facts->home = found && found->pw_dir[0] == '/' ? strdup(found->pw_dir) : NULL;
    return facts->user != NULL;
}

/* The groups of the peer itself where the kernel tells; else those that the user's entry has. */
static int group_numbers(const struct identity *identity, int socket, const char *user,
                         gid_t *numbers)
{
    socklen_t size = IDENTITY_GROUPS_MAX * sizeof(gid_t);
    int count = IDENTITY_GROUPS_MAX;

    if (socket >= 0 && getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, numbers, &size) == 0) {
        count = (int)(size / sizeof(gid_t));
        if (count == IDENTITY_GROUPS_MAX)
            return -1;
        numbers[count++] = identity->gid;
        return count;
    }
    if (socket >= 0 && errno == ERANGE)
        return -1; /* the user's entry may name fewer than the process has */
    return getgrouplist(user, identity->gid, numbers, &count) < 0 ? -1 : count;
}

static bool has_group(const struct identity_facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->group_count; i++)
        if (strcmp(facts->groups[i], name) == 0)
            return true;
    return false;
}

static bool learn_groups(const struct identity *identity, int socket, struct identity_facts *facts,
                         char *buffer)
{
    gid_t numbers[IDENTITY_GROUPS_MAX];
    const int count = group_numbers(identity, socket, facts->user, numbers);

    if (count < 0)
        return false;
    facts->group_count = 0;
    facts->groups = calloc((size_t)count + 1, sizeof(*facts->groups));
    if (!facts->groups)
        return false;
    for (int i = 0; i < count; i++) {
        struct group entry;
        struct group *found = NULL;
        /* Known by its number alone, it would be another group to the policies that name it. */
        if (getgrgid_r(numbers[i], &entry, buffer, LOOKUP_BUFFER, &found) == ERANGE)
            return false;
        char *name = found ? strdup(found->gr_name) : number_text(numbers[i]);
        if (!name)
            return false;
        if (has_group(facts, name))
            free(name);
        else
            facts->groups[facts->group_count++] = name;
    }
    return true;
}

static bool ends_with(const char *part, size_t length, const char *end)
{
    const size_t size = strlen(end);
    return length > size && memcmp(part + length - size, end, size) == 0;
}

char *identity_unit(const char *cgroup)
{
    static const char *const kinds[] = {".service", ".scope", ".socket", ".mount"};
    const char *part = cgroup;

    for (;;) {
        part += strspn(part, "/");
        const size_t length = strcspn(part, "/");
        for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
            if (ends_with(part, length, kinds[i]))
                return strndup(part, length);
        if (!ends_with(part, length, ".slice"))
            return NULL;
        part += length;
    }
}

/* Lines are HIERARCHY:CONTROLLERS:PATH; "0::" is cgroup v2, "name=systemd" what systemd uses where
 * there is v1 (cgroups(7)). */
static void learn_cgroup(const struct identity *identity, struct identity_facts *facts)
{
    char path[64];
    char text[PROC_TEXT_MAX];
    char *rest = text;
    char *line;

    snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)identity->pid);
    if (!read_text(path, text, sizeof(text)))
        return;
    while ((line = strsep(&rest, "\n"))) {
        const char *place = strchr(line, ':');
        const char *name = place ? strchr(place + 1, ':') : NULL;
        const bool unified = strncmp(line, "0::", 3) == 0;
        if (!name || (!unified && !strstr(line, ":name=systemd:")))
            continue;
        if (unified && facts->cgroup)
            continue;
        free(facts->cgroup);
        facts->cgroup = strdup(name + 1);
    }
    if (facts->cgroup)
        facts->unit = identity_unit(facts->cgroup);
}

/* The chain ends early where a parent has ended meanwhile: then its children are init's. */
static bool learn_ancestors(pid_t pid, struct identity_facts *facts)
{
    size_t room = 0;
    pid_t parent;

    while (pid > 1 && identity_parent(pid, &parent) && parent > 0) {
        if (facts->ancestor_count == IDENTITY_ANCESTORS_MAX)
            return false;
        if (facts->ancestor_count == room) {
            room += 16; /* more than most have */
            pid_t *grown = realloc(facts->ancestors, room * sizeof(*grown));
            if (!grown)
                return false;
            facts->ancestors = grown;
        }
        facts->ancestors[facts->ancestor_count++] = parent;
        pid = parent;
    }
    return true;
}

bool identity_learn(const struct identity *identity, int socket, struct identity_facts *facts)
{
    char *buffer = malloc(LOOKUP_BUFFER);
    pid_t parent;

    *facts = (struct identity_facts){.user = NULL};
    const bool learned = buffer && learn_user(identity, facts, buffer) &&
                         learn_groups(identity, socket, facts, buffer) &&
                         learn_ancestors(identity->pid, facts);
    free(buffer);
    if (!learned) {
        identity_facts_deinit(facts);
        return false;
    }
    learn_cgroup(identity, facts);
    if (!read_stat(identity->pid, &parent, &facts->start_time))
        facts->start_time = 0;
    return true;
}

void identity_facts_deinit(struct identity_facts *facts)
{
    for (size_t i = 0; i < facts->group_count; i++)
        free(facts->groups[i]);
    free(facts->groups);
    free(facts->ancestors);
    free(facts->user);
    free(facts->home);
    free(facts->cgroup);
    free(facts->unit);
    *facts = (struct identity_facts){.user = NULL};
}
