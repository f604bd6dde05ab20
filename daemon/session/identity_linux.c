#define _GNU_SOURCE
#include "daemon/session/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
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

/* All of a file. False with errno set; EFBIG if it does not fit: a part may be as good as a lie. */
static bool read_text(const char *path, char *text, size_t size)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t some = 1;

    if (file < 0)
        return false;
    while (length < size - 1 && (some = read(file, text + length, size - 1 - length)) > 0)
        length += (size_t)some;
    const int error = errno;
    close(file);
    text[length] = '\0';
    errno = some < 0 ? error : EFBIG;
    return some == 0;
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

struct process_state {
    pid_t parent;
    uint64_t start_time;
    bool is_over; /* nothing of it is left but its number */
};

/* The name, field 2, may hold anything, but ends with the last ')'. */
static bool read_stat(pid_t pid, struct process_state *state)
{
    char path[64];
    char text[PROC_TEXT_MAX];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (!read_text(path, text, sizeof(text)))
        return false;
    const char *rest = strrchr(text, ')');
    uint64_t parent;
    uint64_t threads;
    if (!rest || !stat_number(rest, 4, &parent) || !stat_number(rest, 20, &threads) ||
        !stat_number(rest, 22, &state->start_time)) {
        errno = EPROTO;
        return false;
    }
    state->parent = (pid_t)parent;
    /* Field 3 is its first thread's, which may have ended before the others. */
    state->is_over = threads <= 1 && (rest[2] == 'Z' || rest[2] == 'X');
    return true;
}

bool identity_start_time(pid_t pid, uint64_t *start_time)
{
    struct process_state state;
    const bool read = read_stat(pid, &state);

    *start_time = read ? state.start_time : 0;
    return read;
}

bool identity_parent(pid_t pid, pid_t *parent)
{
    struct process_state state;

    if (!read_stat(pid, &state))
        return false;
    *parent = state.parent;
    if (state.is_over)
        errno = ESRCH;
    return !state.is_over;
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
    struct process_state before;
    struct process_state after;

    *identity = (struct identity){.pid = pid, .uid = uid, .gid = gid, .pidfd = -1};
    /* The number may pass to another process: the same start time before and after says that it did
     * not while the pidfd was taken. */
    if (!read_stat(pid, &before))
        return false;
    identity->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (identity->pidfd < 0 && errno != ENOSYS)
        return false;
    if (read_stat(pid, &after) && before.start_time == after.start_time)
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

/* Says why not. Always false, to be returned. */
__attribute__((format(printf, 2, 3))) static bool failed(struct identity_facts *facts,
                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(facts->error, sizeof(facts->error), format, arguments);
    va_end(arguments);
    return false;
}

static bool no_memory(struct identity_facts *facts)
{
    return failed(facts, "out of memory");
}

/* A user is unknown if the directory says so (0, and no entry). One that cannot be asked has not:
 * under a number instead of the name, policies that select the name would not apply. */
static bool learn_user(const struct identity *identity, struct identity_facts *facts, char *buffer)
{
    struct passwd entry;
    struct passwd *found = NULL;
    const int error = getpwuid_r(identity->uid, &entry, buffer, LOOKUP_BUFFER, &found);

    if (error != 0)
        return failed(facts, "the user %u of this process cannot be looked up: %s",
                      (unsigned)identity->uid, strerror(error));
    const bool has_home = found && found->pw_dir[0] == '/';
    facts->user = found ? strdup(found->pw_name) : number_text(identity->uid);
    facts->home = has_home ? strdup(found->pw_dir) : NULL;
    return (facts->user && (facts->home || !has_home)) || no_memory(facts);
}

/* The line `Groups:` of /proc/PID/status, which has them all (proc(5)). */
static int groups_of_process(const struct identity *identity, gid_t *numbers, char *buffer)
{
    char path[64];
    int count = 0;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)identity->pid);
    if (!read_text(path, buffer, LOOKUP_BUFFER))
        return -1;
    const char *at = strstr(buffer, "\nGroups:");
    if (!at) {
        errno = EPROTO;
        return -1;
    }
    at += strlen("\nGroups:");
    for (;;) {
        char *end;
        at += strspn(at, " \t");
        const unsigned long number = strtoul(at, &end, 10);
        if (end == at)
            break;
        if (count == IDENTITY_GROUPS_MAX - 1) {
            errno = ERANGE;
            return -1;
        }
        numbers[count++] = (gid_t)number;
        at = end;
    }
    numbers[count++] = identity->gid;
    return count;
}

void identity_peer_groups(int socket, struct peer_groups *groups)
{
    socklen_t size = sizeof(groups->numbers);

    groups->count = 0;
    groups->error = getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups->numbers, &size) == 0
                        ? 0
                        : errno; /* ERANGE: more than there is room for */
    if (groups->error == 0)
        groups->count = (int)(size / sizeof(gid_t));
}

/* All groups of the process: of the peer, or by its number. -1 with errno set if the kernel does
 * not tell, or they are too many. */
static int group_numbers(const struct identity *identity, const struct peer_groups *groups,
                         gid_t *numbers, char *buffer)
{
    if (!groups || groups->error == ENOPROTOOPT)
        return groups_of_process(identity, numbers, buffer);
    errno = groups->count == IDENTITY_GROUPS_MAX ? ERANGE : groups->error;
    if (errno != 0)
        return -1;
    memcpy(numbers, groups->numbers, (size_t)groups->count * sizeof(*numbers));
    numbers[groups->count] = identity->gid;
    return groups->count + 1;
}

static bool has_group(const struct identity_facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->group_count; i++)
        if (strcmp(facts->groups[i], name) == 0)
            return true;
    return false;
}

static bool learn_groups(const struct identity *identity, const struct peer_groups *groups,
                         struct identity_facts *facts, char *buffer)
{
    gid_t numbers[IDENTITY_GROUPS_MAX];
    const int count = group_numbers(identity, groups, numbers, buffer);

    if (count < 0 && errno == ERANGE)
        return failed(facts, "this process has more groups than %d", IDENTITY_GROUPS_MAX);
    if (count < 0)
        return failed(facts, "the groups of this process cannot be read: %s", strerror(errno));
    facts->group_count = 0;
    facts->groups = calloc((size_t)count + 1, sizeof(*facts->groups));
    if (!facts->groups)
        return no_memory(facts);
    for (int i = 0; i < count; i++) {
        struct group entry;
        struct group *found = NULL;
        /* Known by its number alone, it would be another group to the policies that name it. */
        const int error = getgrgid_r(numbers[i], &entry, buffer, LOOKUP_BUFFER, &found);
        if (error != 0)
            return failed(facts, "the group %u of this process cannot be looked up: %s",
                          (unsigned)numbers[i], strerror(error));
        char *name = found ? strdup(found->gr_name) : number_text(numbers[i]);
        if (!name)
            return no_memory(facts);
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
static bool learn_cgroup(const struct identity *identity, struct identity_facts *facts,
                         char *buffer)
{
    char path[64];
    char *rest = buffer;
    char *line;

    snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)identity->pid);
    if (!read_text(path, buffer, LOOKUP_BUFFER)) {
        if (errno == ENOENT && access("/proc/self/cgroup", F_OK) < 0)
            return true; /* a kernel without them */
        return failed(facts, "the unit of this process cannot be read: %s: %s", path,
                      strerror(errno));
    }
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
        if (!facts->cgroup)
            return no_memory(facts);
    }
    if (!facts->cgroup)
        return true;
    errno = 0;
    facts->unit = identity_unit(facts->cgroup);
    return facts->unit || errno != ENOMEM || no_memory(facts);
}

static bool is_gone(int error)
{
    return error == ENOENT || error == ESRCH;
}

/* One walk up. False with errno set. */
static bool walk_up(pid_t pid, struct identity_facts *facts)
{
    size_t room = facts->ancestor_count;
    pid_t parent;

    facts->ancestor_count = 0;
    while (pid > 1) {
        if (!identity_parent(pid, &parent))
            return false;
        if (parent <= 0)
            return true;
        if (facts->ancestor_count == IDENTITY_ANCESTORS_MAX) {
            errno = ERANGE;
            return false;
        }
        if (facts->ancestor_count >= room) {
            room = facts->ancestor_count + 16; /* more than most have */
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

/* A parent that ends meanwhile leaves its children to another process: the way up is another one,
 * and is walked again. */
static bool learn_ancestors(pid_t pid, struct identity_facts *facts)
{
    enum { WALKS_MAX = 16 };

    for (int walk = 0; walk < WALKS_MAX; walk++) {
        if (walk_up(pid, facts))
            return true;
        if (errno == ERANGE)
            return failed(facts, "more than %d processes stand above this one",
                          IDENTITY_ANCESTORS_MAX);
        if (!is_gone(errno))
            break;
    }
    return failed(facts, "the processes above this one cannot be read: %s", strerror(errno));
}

static bool learn_start(pid_t pid, struct identity_facts *facts)
{
    return identity_start_time(pid, &facts->start_time) ||
           failed(facts, "/proc/%d/stat cannot be read: %s", (int)pid, strerror(errno));
}

bool identity_learn(const struct identity *identity, const struct peer_groups *groups,
                    struct identity_facts *facts)
{
    char *buffer = malloc(LOOKUP_BUFFER);
    char error[sizeof(facts->error)];

    *facts = (struct identity_facts){.user = NULL};
    if (!buffer)
        return no_memory(facts);
    const bool learned =
        learn_user(identity, facts, buffer) && learn_groups(identity, groups, facts, buffer) &&
        learn_start(identity->pid, facts) && learn_ancestors(identity->pid, facts) &&
        learn_cgroup(identity, facts, buffer);
    free(buffer);
    if (!learned) {
        memcpy(error, facts->error, sizeof(error));
        identity_facts_deinit(facts);
        memcpy(facts->error, error, sizeof(error));
    }
    return learned;
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
