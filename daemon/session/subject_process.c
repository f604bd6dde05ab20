#include "daemon/session/subject_process.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/session/connection.h"
#include "daemon/session/session.h"

enum {
    HEARD_MILLISECONDS = 2000, /* what a process said last is read for so long at most */
};

static void release_memory(struct subject_process *process)
{
    if (--process->references == 0)
        free(process);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct subject_process *process = handle->data;
    struct server *server = process->server;

    loops_enter(server);
    close(process->pidfd);
    release_memory(process);
    loops_leave(server);
}

static bool has_connections(const struct subject_process *process)
{
    for (const struct session *at = process->sessions; at; at = at->next_of_process) {
        if (at->connections)
            return true;
    }
    return false;
}

/* What it said last, the line of a denial for one, may still be to be read, by another loop or in a
 * later turn: then it ends by the clock. */
static void note_exit(struct subject_process *process)
{
    struct server *server = process->server;

    if (!has_connections(process)) {
        subject_process_end(process);
        return;
    }
    uv_poll_stop(&process->exit_watch);
    process->exited = server_now();
    server->exited_count++;
    server_start_tick(server);
}

/* Something was said that has not been read yet. */
static bool is_to_be_heard(const struct subject_process *process)
{
    for (const struct session *session = process->sessions; session;
         session = session->next_of_process)
        for (const struct connection *at = session->connections; at; at = at->next_of_session) {
            struct pollfd ready = {.fd = at->socket, .events = POLLIN};
            if (poll(&ready, 1, 0) > 0)
                return true;
        }
    return false;
}

bool subject_process_end_exited(struct server *server, uint64_t heard_until)
{
    struct subject_process *process;
    struct subject_process *next;

    if (server->exited_count == 0)
        return false;
    HASH_ITER(hh, server->processes, process, next)
    {
        if (process->exited && process->exited <= heard_until &&
            (process->exited + HEARD_MILLISECONDS <= heard_until || !is_to_be_heard(process)))
            subject_process_end(process);
    }
    return server->exited_count > 0;
}

static void on_exit_watch(uv_poll_t *handle, int status, int events)
{
    (void)status;
    struct subject_process *process = handle->data;
    struct server *server = process->server;

    (void)events;
    loops_enter(server);
    note_exit(process); /* a pidfd is readable once its process has ended */
    loops_leave(server);
}

static void watch_exit(struct subject_process *process, struct identity *identity)
{
    if (identity->pidfd < 0 ||
        uv_poll_init(process->server->loop, &process->exit_watch, identity->pidfd) < 0)
        return;
    process->pidfd = identity->pidfd;
    identity->pidfd = -1;
    process->references++;
    process->exit_watch.data = process;
    uv_poll_start(&process->exit_watch, UV_READABLE, on_exit_watch);
}

struct subject_process *subject_process_find(const struct server *server, pid_t pid)
{
    struct subject_process *process = NULL;
    HASH_FIND(hh, server->processes, &pid, sizeof(pid), process);
    return process;
}

static struct subject_process *subject_process_new(struct server *server, struct identity *identity,
                                                   uint64_t start_time,
                                                   struct user_account *account)
{
    if (!user_account_charge(&server->accounts, account, CHARGE_PROCESS, 1))
        return NULL;
    struct subject_process *process = calloc(1, sizeof(*process));
    if (!process) {
        user_account_return(&server->accounts, account, CHARGE_PROCESS, 1);
        return NULL;
    }
    *process = (struct subject_process){
        .server = server,
        .pid = identity->pid,
        .start_time = start_time,
        .account = account,
        .references = 1,
        .pidfd = -1,
        .known = true,
    };
    HASH_ADD(hh, server->processes, pid, sizeof(process->pid), process);
    watch_exit(process, identity);
    return process;
}

struct subject_process *subject_process_hold(struct server *server, struct identity *identity,
                                             uint64_t start_time, struct user_account *account)
{
    struct subject_process *process = subject_process_find(server, identity->pid);

    if (process && process->start_time != start_time) {
        subject_process_end(process); /* the number is another's now */
        process = NULL;
    }
    if (!process)
        process = subject_process_new(server, identity, start_time, account);
    if (!process)
        return NULL;
    identity_deinit(identity); /* one pidfd is enough */
    process->holders++;
    process->references++;
    return process;
}

void subject_process_release(struct subject_process *process)
{
    if (!process)
        return;
    if (--process->holders == 0 && process->pidfd < 0)
        subject_process_end(process);
    /* Being known is one reference, and holding it another: the end gave up the first alone. */
    release_memory(process); // NOLINT(clang-analyzer-unix.Malloc)
}

void subject_process_remember(struct server *server, pid_t pid, uid_t uid, uint64_t start_time)
{
    struct user_account *account = user_account_of(&server->accounts, uid);
    struct identity identity;
    uint64_t found;

    if (!account || !identity_of_sender(pid, uid, (gid_t)-1, &identity))
        return;
    if (identity_start_time(pid, &found) && found == start_time)
        subject_process_release(subject_process_hold(server, &identity, start_time, account));
    identity_deinit(&identity);
}

void subject_process_add_session(struct subject_process *process, struct session *session)
{
    session->next_of_process = process->sessions;
    process->sessions = session;
}

void subject_process_drop_session(struct subject_process *process, struct session *session)
{
    for (struct session **at = &process->sessions; *at; at = &(*at)->next_of_process) {
        if (*at == session) {
            *at = session->next_of_process;
            return;
        }
    }
}

void subject_process_end(struct subject_process *process)
{
    struct server *server = process->server;

    if (!process->known)
        return; /* it is ending already */
    process->known = false;
    if (process->exited)
        server->exited_count--;
    HASH_DEL(server->processes, process);
    while (process->sessions)
        session_end(process->sessions);
    wish_list_release(&process->wishes);
    origin_release(process->origin);
    process->origin = NULL;
    user_account_return(&server->accounts, process->account, CHARGE_PROCESS, 1);
    if (process->pidfd >= 0) {
        uv_poll_stop(&process->exit_watch);
        uv_close((uv_handle_t *)&process->exit_watch, on_watch_closed);
    }
    release_memory(process); /* the table's share, which has outlasted those of its sessions */
}
