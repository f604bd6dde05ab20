#define _GNU_SOURCE
#include "client/hook/process_resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/hook/argument_reader.h"
#include "client/hook/name_lookup.h"
#include "client/hook/proc_mounts.h"
#include "client/hook/process_environment.h"
#include "client/hook/work_memory.h"
#include "policies/engine/path_text.h"

enum {
    LINKS_MAX = 40, /* as the kernel follows in one path (MAXSYMLINKS, path_resolution(7)) */

    /* An entry of /proc/thread-self/fd takes 24 bytes: some ten thousand descriptors are looked
     * through, which takes milliseconds. */
    DESCRIPTOR_ROUNDS_MAX = 256,
};

/* --------------------------------------------------------------------------------------- root */

/* Linux 6.8; a number that is never given again. */
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U
#endif

/* A mount namespace has mounts, and numbers of mounts, of its own: that of the root tells one from
 * another, with no look at /proc, which costs six times as much. Before Linux 5.8 there is no such
 * number, and a namespace whose root is the same directory is not noticed. */
struct root {
    uint64_t mount;
    uint64_t inode;
    uint32_t major;
    uint32_t minor;
    bool known;
};

static struct root noted_root;

static struct root current_root(void)
{
    struct statx status;
    struct root root = {.known = false};

    if (statx(AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID | STATX_MNT_ID_UNIQUE, &status) < 0)
        return root;
    root.inode = status.stx_ino;
    root.major = status.stx_dev_major;
    root.minor = status.stx_dev_minor;
    if (status.stx_mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE))
        root.mount = status.stx_mnt_id;
    root.known = true;
    return root;
}

void process_resolver_note_root(void)
{
    if (!noted_root.known)
        noted_root = current_root();
}

bool process_resolver_names_stand(void)
{
    const struct root now = current_root();

    return now.known && noted_root.known && now.mount == noted_root.mount &&
           now.inode == noted_root.inode && now.major == noted_root.major &&
           now.minor == noted_root.minor;
}

static bool names_stand(struct process_resolver *resolver)
{
    if (resolver->root_stands == 0)
        resolver->root_stands = process_resolver_names_stand() ? 1 : -1;
    return resolver->root_stands > 0;
}

/* -------------------------------------------------------------------------------------- paths */

/* A walk through a path: what is resolved so far, and what is left to walk. The rest is kept at the
 * end of its buffer, so that a link's target can be put before it. */
struct walk {
    char resolved[PATH_MAX];
    size_t length;               /* of resolved; 0 stands for the root */
    char rest[2 * PATH_MAX + 1]; /* terminated */
    size_t at;                   /* where the rest begins */
    char target[PATH_MAX];       /* of the last link */
    int links;
    bool
        *settled; /* NULL, or whether no directory on the way so far can be changed by the caller */
};

/* Puts text before the rest; false if it does not fit. */
static bool walk_prepend(struct walk *walk, const char *text, size_t length)
{
    if (length + 1 > walk->at)
        return false;
    walk->rest[--walk->at] = '/';
    walk->at -= length;
    memcpy(walk->rest + walk->at, text, length);
    return true;
}

static bool walk_append(struct walk *walk, const char *part, size_t length)
{
    if (walk->length + 1 + length >= sizeof(walk->resolved))
        return false;
    walk->resolved[walk->length++] = '/';
    memcpy(walk->resolved + walk->length, part, length);
    walk->length += length;
    walk->resolved[walk->length] = '\0';
    return true;
}

static void walk_up(struct walk *walk)
{
    while (walk->length > 0 && walk->resolved[--walk->length] != '/')
        ;
    walk->resolved[walk->length] = '\0';
}

/* The next component; NULL at the end. `*last` if nothing but separators follows. */
static const char *walk_next(struct walk *walk, size_t *length, bool *last)
{
    const size_t end = sizeof(walk->rest) - 1;

    while (walk->at < end && walk->rest[walk->at] == '/')
        walk->at++;
    if (walk->at == end)
        return NULL;
    const char *part = walk->rest + walk->at;
    const char *slash = memchr(part, '/', end - walk->at);
    *length = slash ? (size_t)(slash - part) : end - walk->at;
    walk->at += *length;
    size_t next = walk->at;
    while (next < end && walk->rest[next] == '/')
        next++;
    *last = next == end;
    return part;
}

static bool is_same_file(const struct statx *a, const struct statx *b)
{
    return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
           a->stx_dev_minor == b->stx_dev_minor && a->stx_mnt_id == b->stx_mnt_id;
}

/* Another mount of procfs has such links too. */
static bool is_below_proc(char *link)
{
    return strncmp(link, "/proc/", 6) == 0 ||
           (proc_mounts_elsewhere() && proc_mounts_has_link(link));
}

/* A link below /proc leads to the thing itself (a root, a directory, an open file), and its text is
 * what that is called where its process has its mounts: in another namespace, the name of something
 * else here. False if so. Devices, pipes and what has been removed have no other name to be told
 * from. */
static bool text_leads_there(char *link, const char *target)
{
    enum { WANTED = STATX_TYPE | STATX_INO | STATX_NLINK | STATX_MNT_ID };
    struct statx there;
    struct statx named;

    if (target[0] != '/' || !is_below_proc(link) ||
        statx(AT_FDCWD, link, AT_NO_AUTOMOUNT, WANTED, &there) < 0 || there.stx_nlink == 0 ||
        (!S_ISREG(there.stx_mode) && !S_ISDIR(there.stx_mode)))
        return true;
    return statx(AT_FDCWD, target, AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW, WANTED, &named) == 0 &&
           is_same_file(&there, &named);
}

/* What it cannot write it may still be the owner of. */
static bool can_change(const char *path)
{
    uid_t real;
    uid_t effective;
    uid_t saved;
    struct statx status;

    if (getresuid(&real, &effective, &saved) < 0 || real == 0 || effective == 0 || saved == 0 ||
        faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 ||
        statx(AT_FDCWD, path, 0, STATX_UID, &status) < 0)
        return true;
    return status.stx_uid == real || status.stx_uid == effective || status.stx_uid == saved;
}

/* One component that is a name: appended, and replaced by its target if it is a link. `*missing`
 * once a part does not exist: what follows stands as it is. */
static bool walk_step(struct walk *walk, const char *part, size_t length, bool follow,
                      bool *missing)
{
    char *target = walk->target;

    if (walk->settled && *walk->settled)
        *walk->settled = !can_change(walk->length > 0 ? walk->resolved : "/");
    if (!walk_append(walk, part, length))
        return false;
    if (*missing || !follow)
        return true;
    const ssize_t size = readlink(walk->resolved, target, sizeof(walk->target));
    if (size < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            *missing = true;
        else if (errno != EINVAL) /* EINVAL: it exists and is no link */
            return false;
        return true;
    }
    if (size == 0 || (size_t)size == sizeof(walk->target) || ++walk->links > LINKS_MAX)
        return false;
    target[size] = '\0';
    if (!text_leads_there(walk->resolved, target))
        return false;
    if (target[0] == '/')
        walk->length = 0;
    else
        walk_up(walk);
    return walk_prepend(walk, target, (size_t)size);
}

/* Linux 5.6; the header is older than that on some machines that this is built on. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
struct how_to_open {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
};

enum {
    WITHOUT_LINKS = 0x04, /* RESOLVE_NO_SYMLINKS */
};

/* True if no link is on the way, as far as the path exists: then it leads where its text says. The
 * kernel says ELOOP of the first link that it meets, and that something is missing, or is no
 * directory, only where it has met none before it. So a path with a separator behind it asks about
 * a file without opening it: there is nothing to close. */
static bool has_no_links(const char *path, bool follow)
{
    const struct how_to_open how = {
        .flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW),
        .resolve = WITHOUT_LINKS,
    };
    const long opened = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

    if (opened >= 0) {
        close((int)opened);
        return true;
    }
    /* A parent of what is no directory is looked for on the way: it may be one in a moment. */
    return (errno == ENOENT || errno == ENOTDIR) && !strstr(path, "/..");
}

_Static_assert(sizeof(struct walk) <= WORK_MEMORY_SIZE, "a walk has a block");

/* `walk` is not set yet, but for `settled`. */
static bool walk_path(struct walk *walk, const char *path, bool follow)
{
    const char *part;
    size_t length;
    bool last;

    walk->resolved[0] = '\0';
    walk->length = 0;
    walk->at = sizeof(walk->rest) - 1;
    walk->rest[walk->at] = '\0';
    walk->links = 0;
    if (path[0] != '/' || !walk_prepend(walk, path, strlen(path)))
        return false;
    /* Then there is nothing to ask on the way. */
    const bool straight =
        !walk->settled && has_no_links(follow ? walk->rest + walk->at : path, follow);
    bool missing = straight;
    while ((part = walk_next(walk, &length, &last))) {
        if (length == 1 && part[0] == '.')
            continue;
        if (length == 2 && part[0] == '.' && part[1] == '.') {
            walk_up(walk);
            missing = straight;
        } else if (!walk_step(walk, part, length, follow || !last, &missing)) {
            return false;
        }
    }
    if (walk->length == 0)
        walk->resolved[walk->length++] = '/';
    return true;
}

bool process_resolve_path(const char *path, bool follow, char *buffer, size_t size)
{
    struct walk *walk = work_memory_take();

    if (!walk)
        return false;
    walk->settled = NULL;
    bool known = walk_path(walk, path, follow) && walk->length < size;
    if (known) {
        memcpy(buffer, walk->resolved, walk->length);
        buffer[walk->length] = '\0';
        known = !proc_mounts_elsewhere() || proc_mounts_rename(buffer, size, follow);
    }
    work_memory_return(walk);
    return known;
}

bool process_path_is_settled(const char *path)
{
    struct walk *walk = work_memory_take();
    bool settled = true;

    if (!walk)
        return false;
    walk->settled = &settled;
    const bool known = walk_path(walk, path, true);
    work_memory_return(walk);
    return known && settled;
}

bool process_file_is_settled(const char *path)
{
    return process_path_is_settled(path) && !can_change(path);
}

static bool resolve(void *context, const char *path, bool follow, char *buffer, size_t size)
{
    return names_stand(context) && process_resolve_path(path, follow, buffer, size);
}

static bool caller_directory(void *context, char *buffer, size_t size)
{
    /* A directory outside the process's root is "(unreachable)/...". */
    return names_stand(context) && getcwd(buffer, size) && buffer[0] == '/';
}

/* A thread can have a table of descriptors of its own (unshare(2), CLONE_FILES), and no event tells
 * of it: /proc/self is the first thread's. Linux 3.17; without it no descriptor is known. */
#define DESCRIPTORS "/proc/thread-self/fd"

static enum resolver_answer descriptor_path(void *context, int64_t descriptor, char *buffer,
                                            size_t size)
{
    char link[sizeof(DESCRIPTORS) + 12];

    if (descriptor < 0 || descriptor > INT_MAX || !names_stand(context))
        return ANSWER_UNKNOWN;
    snprintf(link, sizeof(link), DESCRIPTORS "/%d", (int)descriptor);
    const ssize_t length = readlink(link, buffer, size);
    if (length <= 0 || (size_t)length >= size)
        return ANSWER_UNKNOWN;
    buffer[length] = '\0';
    if (!text_leads_there(link, buffer))
        return ANSWER_UNKNOWN;
    /* pipe:[1], socket:[1], anon_inode:...; a memory file has a slash before its name. */
    return buffer[0] != '/' || strncmp(buffer, "/memfd:", 7) == 0 ? ANSWER_NONE : ANSWER_KNOWN;
}

/* An entry of a directory as getdents64(2) writes it. */
struct directory_entry {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

/* Adds the directories among the descriptors that a buffer of entries names; false if there are too
 * many. */
static bool add_directories(const char *entries, size_t size, int own, int *descriptors, int max,
                            int *count)
{
    struct statx status; /* fstat() is GLIBC_2.33's */

    for (size_t at = 0; at < size;) {
        const struct directory_entry *entry = (const void *)(entries + at);
        at += entry->length;
        if (entry->name[0] == '.')
            continue;
        const int descriptor = (int)strtol(entry->name, NULL, 10);
        if (descriptor == own || statx(descriptor, "", AT_EMPTY_PATH, STATX_TYPE, &status) < 0 ||
            !S_ISDIR(status.stx_mode))
            continue;
        if (*count == max)
            return false;
        descriptors[(*count)++] = descriptor;
    }
    return true;
}

static int open_directories(void *context, int *descriptors, int max)
{
    _Alignas(struct directory_entry) char entries[1024];
    int count = 0;
    long size = -1;
    int rounds = 0;

    if (!names_stand(context))
        return -1;
    const int own = open(DESCRIPTORS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own < 0)
        return -1;
    while (rounds++ < DESCRIPTOR_ROUNDS_MAX &&
           (size = syscall(SYS_getdents64, own, entries, sizeof(entries))) > 0)
        if (!add_directories(entries, (size_t)size, own, descriptors, max, &count)) {
            size = -1;
            break;
        }
    close(own);
    return size == 0 ? count : -1;
}

static bool executable(void *context, const char *path)
{
    struct statx status;

    (void)context;
    return statx(AT_FDCWD, path, 0, STATX_TYPE, &status) == 0 && S_ISREG(status.stx_mode) &&
           access(path, X_OK) == 0;
}

/* -------------------------------------------------------------------------------- environment */

static enum resolver_answer variable(void *context, const char *name, char *buffer, size_t size)
{
    bool known;

    (void)context;
    const char *value = process_environment_get(name, &known);
    if (!known)
        return ANSWER_UNKNOWN;
    if (!value)
        return ANSWER_NONE;
    if (strlen(value) >= size)
        return ANSWER_UNKNOWN;
    memcpy(buffer, value, strlen(value) + 1);
    return ANSWER_KNOWN;
}

/* One try, as far as the list stands still. */
static bool read_variables(struct environment_walk *walk, struct arena *arena, struct value *map)
{
    const char *entry;
    size_t length;
    size_t count = 0;
    size_t bytes = 0;

    *map = (struct value){.kind = VALUE_MAP};
    environment_walk_begin(walk);
    while (environment_walk_next(walk, &length))
        count++;
    if (count > VALUE_ITEMS_MAX) {
        count = VALUE_ITEMS_MAX;
        map->marks |= VALUE_CUT;
    }
    struct value *items = arena_zalloc(arena, 2 * count, sizeof(*items));
    if (!items)
        return false;
    size_t pairs = 0;
    walk->at = 0;
    for (size_t i = 0; i < count && (entry = environment_walk_next(walk, &length)); i++) {
        const char *equals = memchr(entry, '=', length);
        if (!equals) /* execve passes what it is given */
            continue;
        if (length > VALUE_BYTES_MAX || bytes + length > VALUE_TOTAL_BYTES_MAX / 2) {
            map->marks |= VALUE_CUT;
            continue;
        }
        bytes += length;
        const char *copy = arena_copy(arena, entry, length);
        if (!copy)
            return false;
        items[2 * pairs] = value_text(copy, (size_t)(equals - entry));
        items[2 * pairs + 1] =
            value_text(copy + (equals - entry) + 1, length - (size_t)(equals - entry) - 1);
        pairs++;
    }
    map->count = (uint32_t)pairs;
    map->items = items;
    return true;
}

static bool environment(void *context, struct arena *arena, struct value *map)
{
    const size_t mark = arena->used;
    struct environment_walk walk;

    (void)context;
    for (int i = 0; i < ENVIRONMENT_TRIES; i++) {
        if (!read_variables(&walk, arena, map))
            return false;
        if (environment_walk_holds(&walk))
            return true;
        arena->used = mark;
    }
    *map = value_unknown();
    return true;
}

/* ------------------------------------------------------------------------ sockets, processes */

static python_object *argument(struct process_resolver *resolver, unsigned index)
{
    if (!resolver->api || !resolver->args ||
        (python_size)index >= resolver->api->PyTuple_Size(resolver->args))
        return NULL;
    return resolver->api->PyTuple_GetItem(resolver->args, index);
}

/* -1: it is no socket. */
static int descriptor_family(int descriptor)
{
    int family;
    socklen_t size = sizeof(family);

    return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0 ? -1 : family;
}

static int socket_family(void *context, unsigned index)
{
    struct process_resolver *resolver = context;
    python_object *object = argument(resolver, index);

    if (!resolver->api)
        return index == 0 && resolver->socket > 0 ? descriptor_family(resolver->socket) : -1;
    if (!object)
        return -1;
    const struct socket_fields fields = argument_socket_fields(resolver->api, object);
    const int family = descriptor_family(fields.descriptor);
    /* Another thread can put another socket in the descriptor's place before the call, but CPython
     * has read the address by the object's family: it is known where both agree. */
    return fields.descriptor >= 0 && family == fields.family ? family : -1;
}

/* Has it an address of its own? Of a family other than these it has none that counts here. */
static bool is_bound(int descriptor)
{
    union {
        struct sockaddr any;
        struct sockaddr_in inet;
        struct sockaddr_in6 inet6;
    } own = {.any.sa_family = AF_UNSPEC};
    socklen_t size = sizeof(own);

    if (getsockname(descriptor, &own.any, &size) < 0)
        return true;
    if (own.any.sa_family == AF_INET)
        return own.inet.sin_addr.s_addr != INADDR_ANY;
    return own.any.sa_family != AF_INET6 || !IN6_IS_ADDR_UNSPECIFIED(&own.inet6.sin6_addr);
}

static bool socket_is_tied(void *context, unsigned index)
{
    struct process_resolver *resolver = context;
    python_object *object = argument(resolver, index);
    char device[IFNAMSIZ];
    socklen_t size = sizeof(device);
    int interface = 0;
    socklen_t interface_size = sizeof(interface);

    if (!object)
        return true;
    const int descriptor = argument_socket_fields(resolver->api, object).descriptor;
    if (descriptor < 0 || is_bound(descriptor) ||
        getsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, device, &size) < 0 || size > 0)
        return true;
    /* Of IPv6's sockets alone, streams do not have it. */
    return getsockopt(descriptor, IPPROTO_IP, IP_UNICAST_IF, &interface, &interface_size) == 0 &&
           interface != 0;
}

static bool code_filename(void *context, unsigned index, char *buffer, size_t size)
{
    struct process_resolver *resolver = context;
    python_object *object = argument(resolver, index);
    void *memory = object ? work_memory_take() : NULL;
    struct arena arena;
    struct value filename;

    if (!memory)
        return false;
    arena_init(&arena, memory, WORK_MEMORY_SIZE);
    const bool known = argument_code_filename(resolver->api, object, &arena, &filename) &&
                       !filename.marks && filename.count < size;
    if (known) {
        memcpy(buffer, filename.bytes, filename.count);
        buffer[filename.count] = '\0';
    }
    work_memory_return(memory);
    return known;
}

static enum process_relation relation(void *context, int64_t pid)
{
    siginfo_t info;

    (void)context;
    if (pid == 0 || pid == -(int64_t)getpgrp())
        return PROCESS_GROUP;
    if (pid < 0 || pid > INT_MAX)
        return PROCESS_OTHER;
    if (pid == getpid())
        return PROCESS_SELF;
    /* Asks whether it is a child without reaping it. */
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
        return PROCESS_CHILD;
    return PROCESS_OTHER;
}

static bool host_names(void *context, const struct address *address, struct arena *arena,
                       struct value *names)
{
    (void)context;
    return name_lookup_names(address, arena, names);
}

struct event_resolver process_resolver_table(struct process_resolver *resolver)
{
    struct event_resolver table = {
        .context = resolver,
        .python_minor = resolver->api ? resolver->api->minor : 0,
        .caller_directory = caller_directory,
        .descriptor_path = descriptor_path,
        .open_directories = open_directories,
        .resolve = resolve,
        .variable = variable,
        .environment = environment,
        .socket_family = socket_family,
        .socket_is_tied = socket_is_tied,
        .code_filename = code_filename,
        .relation = relation,
        .host_names = host_names,
    };

    if (resolver->starts_program && names_stand(resolver))
        table.executable = executable;
    return table;
}

enum resolver_answer process_descriptor_name(int descriptor, char *buffer, size_t size)
{
    struct process_resolver resolver = {.api = NULL};
    return descriptor_path(&resolver, descriptor, buffer, size);
}

bool process_descriptor_path(int descriptor, char *buffer, size_t size)
{
    return process_descriptor_name(descriptor, buffer, size) == ANSWER_KNOWN;
}
