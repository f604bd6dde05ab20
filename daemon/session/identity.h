/* Who is at the other end: what the kernel proves, and what can be learned from it.
 *
 * The proof (uid, gid, pid with a pidfd) is taken on the loop, from the socket. What rests on it
 * but needs the disk or a directory service (names, groups, the unit) is looked up by a worker
 * thread. The daemon does not read another user's /proc/PID/exe or cwd: those come as descriptors,
 * and are said. */
#ifndef WARDER_DAEMON_SESSION_IDENTITY_H
#define WARDER_DAEMON_SESSION_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    IDENTITY_GROUPS_MAX = 256,     /* a subject in more groups is refused rather than cut */
    IDENTITY_ANCESTORS_MAX = 1024, /* a subject further down the tree is refused, because what it
                                      inherits could not be found */
};

struct identity {
    pid_t pid;
    uid_t uid;
    gid_t gid;
    int pidfd; /* -1 where the kernel has none; owned */
};

/* Of the process that connected to, or made, the peer of this socket. */
bool identity_of_peer(int socket, struct identity *identity);

/* Of the process that sent a message: `pid`, `uid`, `gid` come with it (SCM_CREDENTIALS). False if
 * the process is gone, or its number is another's already. */
bool identity_of_sender(pid_t pid, uid_t uid, gid_t gid, struct identity *identity);

void identity_deinit(struct identity *identity);

/* The supplementary groups of a socket's peer, as the kernel tells them. */
struct peer_groups {
    int error; /* errno value: why there are none; ENOPROTOOPT, of kernels before 4.13 */
    int count;
    gid_t numbers[IDENTITY_GROUPS_MAX];
};

/* Does not block: for the loop, which alone closes the socket. */
void identity_peer_groups(int socket, struct peer_groups *groups);

/* The facts of a process. Texts are owned. */
struct identity_facts {
    char *user; /* name, or the number where it has none */
    char *home; /* NULL if unknown */
    char **groups;
    size_t group_count;
    char *cgroup;        /* path; NULL if unknown */
    char *unit;          /* systemd's; NULL if in none */
    uint64_t start_time; /* clock ticks after boot, field 22 of /proc/PID/stat */
    pid_t *ancestors;    /* parent, its parent, ... */
    size_t ancestor_count;
    char error[192]; /* why there are none: for a person */
};

/* Looks everything up. Blocks: for a worker thread. `groups` are those of the peer; NULL where the
 * peer is not the subject: then the kernel is asked by number. False, and `error` says why, if
 * anything cannot be told for certain: what is missing here, policies that speak of it would not
 * apply to. Also if there are more groups or ancestors than the bounds above. */
bool identity_learn(const struct identity *identity, const struct peer_groups *groups,
                    struct identity_facts *facts);
void identity_facts_deinit(struct identity_facts *facts);

/* The unit of systemd's that a cgroup's path is in, as the manager of the whole host set it up: the
 * first part that is no slice, NULL if that is no unit. What lies below may be delegated: a user's
 * own manager, and any service that has its subtree, can make parts of every name there. Owned by
 * the caller. */
char *identity_unit(const char *cgroup);

/* When a process started, in clock ticks after boot: with its number, it names a process for good.
 * False if there is no such process. */
bool identity_start_time(pid_t pid, uint64_t *start_time);

/* The process above `pid`; 0 above the first of all. False if there is no such process, it has
 * ended (and was not waited for), or it is not ours to see. Does not block. */
bool identity_parent(pid_t pid, pid_t *parent);

#endif
