/* Writes and removals of one session could overtake each other in libuv's pool of threads, so there
 * is one queue, worked off by one request at a time. */
#define _GNU_SOURCE
#include "daemon/session/kept_session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/audit/audit_log.h"
#include "daemon/session/identity.h"
#include "daemon/session/session.h"

struct errand {
    struct errand *next;
    uint64_t number;
    unsigned char *bytes; /* NULL: remove */
    size_t size;
    bool adds; /* to what is there */
    int error; /* why it was not written; 0: it was */
};

struct errands {
    struct server *server;
    struct loop_task starting; /* for loops that are not the first one */
    uv_work_t work;
    struct errand *first;
    struct errand **end;
    struct errand *current;
    char directory[PATH_MAX]; /* set by the first errand, before a worker reads it; then constant */
    bool busy;
};

static void on_starting(struct loop_task *task);

static struct errands errands = {.end = &errands.first, .starting = {.run = on_starting}};

/* Beside the session socket, which is in the runtime directory. */
bool kept_sessions_directory(const char *session_socket, char *directory, size_t size)
{
    const char *slash = strrchr(session_socket, '/');
    const int length =
        snprintf(directory, size, "%.*s/sessions", slash ? (int)(slash - session_socket) : 1,
                 slash ? session_socket : ".");
    return length > 0 && (size_t)length < size;
}

static bool path_of(const char *directory, uint64_t number, char *path, size_t size)
{
    const int length = snprintf(path, size, "%s/%" PRIx64, directory, number);
    return length > 0 && (size_t)length < size;
}

/* 0 or an errno. */
static int write_file(const char *path, const struct errand *errand)
{
    const int file = open(
        path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | (errand->adds ? O_APPEND : O_CREAT | O_TRUNC),
        S_IRUSR | S_IWUSR);
    const ssize_t written = file < 0 ? -1 : write(file, errand->bytes, errand->size);
    const int error = written < 0 ? errno : ENOSPC;
    if (file >= 0)
        close(file);
    if (written == (ssize_t)errand->size)
        return 0;
    unlink(path); /* half a session is none: the daemon's restart ends it */
    return error;
}

static void run_errand(uv_work_t *work)
{
    char path[PATH_MAX + 32];

    (void)work;
    if (!path_of(errands.directory, errands.current->number, path, sizeof(path)))
        return;
    if (errands.current->bytes)
        errands.current->error = write_file(path, errands.current);
    else
        unlink(path);
}

static void start_next(void);

void kept_session_lost(struct server *server, uint64_t number, const char *why)
{
    struct session *session = session_find(server, number);
    char text[256];

    if (!session || server->stopping)
        return;
    session->resumable = false;
    snprintf(text, sizeof(text), "the session ends with this daemon, for it cannot be kept: %s",
             why);
    const uid_t uid = session->account->uid;
    audit_log_add(server->audit,
                  audit_item_notice(AUDIT_DAEMON, number, uid, session->facts.identity.pid, text),
                  uid, false);
}

static void on_errand_done(uv_work_t *work, int status)
{
    struct server *server = work->data;

    (void)status;
    loops_enter(server);
    if (errands.current->error)
        kept_session_lost(server, errands.current->number, strerror(errands.current->error));
    if (errands.current->bytes)
        explicit_bzero(errands.current->bytes, errands.current->size);
    free(errands.current->bytes);
    free(errands.current);
    errands.current = NULL;
    errands.busy = false;
    start_next();
    loops_leave(server);
}

static void on_starting(struct loop_task *task)
{
    (void)task;
    start_next();
}

static void start_next(void)
{
    struct loop *first = &errands.server->loops.items[0];

    if (loops_here(errands.server) != first) {
        loops_post(first, &errands.starting);
        return;
    }
    if (errands.busy || !errands.first)
        return;
    errands.current = errands.first;
    errands.first = errands.current->next;
    if (!errands.first)
        errands.end = &errands.first;
    errands.busy = true;
    errands.work.data = errands.server;
    uv_queue_work(first->uv, &errands.work, run_errand, on_errand_done);
}

static bool know_directory(const struct server *server)
{
    if (errands.directory[0])
        return true;
    if (kept_sessions_directory(server->configuration->session_socket, errands.directory,
                                sizeof(errands.directory)))
        return true;
    errands.directory[0] = '\0';
    return false;
}

/* Takes the bytes over. */
static void add_errand(struct server *server, const struct errand *wanted)
{
    struct errand *errand = calloc(1, sizeof(*errand));

    if (!errand || !know_directory(server)) {
        free(wanted->bytes);
        free(errand);
        return;
    }
    *errand = *wanted;
    *errands.end = errand;
    errands.end = &errand->next;
    errands.server = server;
    start_next();
}

static void pack_errand(struct server *server, uint64_t number, const Warder__V1__KeptSession *kept,
                        bool adds)
{
    const size_t size = warder__v1__kept_session__get_packed_size(kept);
    unsigned char *bytes = size <= KEPT_SESSION_SIZE_MAX ? malloc(size) : NULL;

    if (!bytes) {
        kept_session_lost(server, number,
                          size > KEPT_SESSION_SIZE_MAX ? "it is under too much" : "out of memory");
        if (adds)
            kept_session_remove(server, number); /* half a session is none */
        return;
    }
    warder__v1__kept_session__pack(kept, bytes);
    const struct errand errand = {.number = number, .bytes = bytes, .size = size, .adds = adds};
    add_errand(server, &errand);
}

void kept_session_write(struct server *server, const Warder__V1__KeptSession *kept)
{
    pack_errand(server, kept->session, kept, false);
}

void kept_session_add(struct server *server, uint64_t number, const Warder__V1__KeptSession *more)
{
    pack_errand(server, number, more, true);
}

void kept_session_remove(struct server *server, uint64_t number)
{
    const struct errand errand = {.number = number};
    add_errand(server, &errand);
}

static const Warder__V1__KeptSession *read_file(const char *path, struct arena *arena)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return NULL;
    unsigned char *bytes = arena_alloc(arena, KEPT_SESSION_SIZE_MAX);
    const ssize_t size = bytes ? read(file, bytes, KEPT_SESSION_SIZE_MAX) : -1;
    close(file);
    if (size <= 0)
        return NULL;
    return (const Warder__V1__KeptSession *)message_decode(&warder__v1__kept_session__descriptor,
                                                           arena, bytes, (size_t)size);
}

const Warder__V1__KeptSession *kept_session_read(const char *session_socket, uint64_t number,
                                                 struct arena *arena)
{
    char directory[PATH_MAX];
    char path[PATH_MAX + 32];

    if (!kept_sessions_directory(session_socket, directory, sizeof(directory)) ||
        !path_of(directory, number, path, sizeof(path)))
        return NULL;
    const Warder__V1__KeptSession *kept = read_file(path, arena);
    return kept && kept->session == number && kept->key.len == 16 ? kept : NULL;
}

/* True if the process of a kept session is still the same one. */
static bool is_alive(const Warder__V1__KeptSession *kept)
{
    uint64_t start_time;
    return identity_start_time(kept->pid, &start_time) && start_time == kept->start_time;
}

int kept_sessions_clean(const char *session_socket, kept_session_seen *seen, void *context,
                        uint64_t *highest)
{
    char directory[PATH_MAX];
    char path[PATH_MAX + 300];
    const struct dirent *entry;
    struct arena arena;

    *highest = 0;
    if (!kept_sessions_directory(session_socket, directory, sizeof(directory)))
        return -ENAMETOOLONG;
    if (mkdir(directory, S_IRWXU) < 0 && errno != EEXIST)
        return -errno;
    DIR *list = opendir(directory);
    if (!list)
        return -errno;
    const size_t size = KEPT_SESSION_SIZE_MAX + (size_t)MESSAGE_ARENA_SIZE;
    void *memory = malloc(size);
    arena_init(&arena, memory, memory ? size : 0);
    while ((entry = readdir(list))) {
        if (entry->d_name[0] == '.')
            continue;
        arena_reset(&arena);
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        const Warder__V1__KeptSession *kept = read_file(path, &arena);
        if (!kept || !is_alive(kept)) {
            unlink(path);
            continue;
        }
        if (kept->session > *highest)
            *highest = kept->session;
        seen(context, kept);
    }
    free(memory);
    closedir(list);
    return 0;
}
