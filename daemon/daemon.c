#define _GNU_SOURCE
#include "daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/admin/admin.h"
#include "daemon/audit/audit_log.h"
#include "daemon/generation.h"
#include "daemon/service/service.h"
#include "daemon/session/connection.h"
#include "daemon/session/kept_session.h"
#include "daemon/session/server.h"
#include "daemon/session/subject_process.h"
#include "daemon/store/policy_store.h"
#include "daemon/store/state_directory.h"
#include "daemon/store/state_lock.h"
#include "daemon/worker_threads.h"
#include "policies/language/diagnostics.h"

enum {
    EXIT_FAILED = 2,          /* as the command's: usage or failure */
    TEMPORARY_MEGABYTES = 64, /* of memory for a record in no file: 100,000 decisions */
};

/* What this daemon has made for a socket, and so removes. */
struct made_socket {
    bool socket;
    bool directory;
};

struct daemon {
    uv_loop_t loop;
    const struct options *options;
    struct configuration configuration; /* the options', and where passed sockets are */
    struct directory_owner owner;       /* who it is, once it has become the user */
    struct administrators administrators;
    uid_t starter;  /* who it is before that */
    int state_lock; /* -1: the state directory is not ours */
    struct policy_store *store;
    struct server server;
    struct admin *admin;
    struct connection *control; /* of the owner of a private daemon; held */
    struct listener *sessions;
    struct listener *administration;
    struct made_socket made_sessions;
    struct made_socket made_administration;
    int socket_directory; /* of a private daemon; -1: none */
    uv_signal_t terminate;
    uv_signal_t interrupt;
    uv_check_t control_check;
    uv_async_t written; /* the audit thread has something on disk */
    bool stopping;
};

__attribute__((format(printf, 1, 2))) static bool say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("warderd: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return false;
}

/* ----------------------------------------------------------------------------------------- opening
 */

/* Users of whole hosts need more descriptors than a shell gives. With fewer than the least there
 * are none left for them beside the daemon's own (server.c, DESCRIPTORS_SPARE). */
static bool raise_descriptor_limit(void)
{
    enum { DESCRIPTORS_LEAST = 128 };
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return true;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max >= DESCRIPTORS_LEAST)
        return true;
    return say(
        "%llu files may be open at a time, and the daemon needs %d: raise the limit (`ulimit "
        "-Hn`, LimitNOFILE= of systemd)",
        (unsigned long long)limit.rlim_max, DESCRIPTORS_LEAST);
}

/* True if there is something at the path that is no socket: it is somebody's, and stays. */
static bool is_something_else(const char *path)
{
    struct stat status;

    if (lstat(path, &status) < 0 || S_ISSOCK(status.st_mode))
        return false;
    say("%s: cannot be listened on: there is a file which is no socket", path);
    return true;
}

/* A listening socket of our own. One that nobody answers on any more is taken over; a living daemon
 * is left alone. */
static int listen_at(const char *path, mode_t mode)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path)) {
        say("%s: the path is longer than a socket's may be (%zu bytes)", path,
            sizeof(address.sun_path) - 1);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (is_something_else(path))
        return -1;
    const int probe = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    const bool alive = connect(probe, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(probe);
    if (alive) {
        say("%s: another daemon answers there", path);
        return -1;
    }
    unlink(path);
    const int end = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The socket is made with its mode: in a directory of the daemon's user, root trusts no name
     * for long enough to change it afterwards. */
    const mode_t before = umask(~mode & 0777);
    const bool bound = end >= 0 && bind(end, (struct sockaddr *)&address, sizeof(address)) == 0;
    umask(before);
    if (!bound || listen(end, SOMAXCONN) < 0) {
        say("%s: cannot be listened on: %s", path, strerror(errno));
        if (end >= 0)
            close(end);
        return -1;
    }
    return end;
}

/* Where a socket that was passed to us listens: what is kept beside it goes there. */
static void take_path(int socket, char *path, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNSPEC};
    socklen_t length = sizeof(address);

    if (getsockname(socket, (struct sockaddr *)&address, &length) == 0 &&
        address.sun_family == AF_UNIX && address.sun_path[0] == '/')
        snprintf(path, size, "%.*s", (int)sizeof(address.sun_path), address.sun_path);
}

static void name_directory(const char *path, char *directory, size_t size)
{
    const char *slash = strrchr(path, '/');

    snprintf(directory, size, "%.*s", (int)(slash ? slash - path : 0), path);
}

/* Who may put something else in the socket's place would be taken for the daemon, or leave every
 * interpreter without one. Where the sticky bit is set nobody else may. */
static bool is_fit_for_socket(const struct daemon *daemon, const char *directory)
{
    struct stat status;

    if (daemon->options->control >= 0 || stat(directory, &status) < 0)
        return true; /* a private daemon's is made for it; what is not there cannot be listened in
                      */
    const bool own_group = status.st_gid == 0 || status.st_gid == getegid() ||
                           (daemon->owner.name[0] && status.st_gid == daemon->owner.gid);
    const bool written = status.st_mode & S_IWOTH || (status.st_mode & S_IWGRP && !own_group);
    if (!written || status.st_mode & S_ISVTX)
        return true;
    return say("%s: others may write there (mode %04o), and could put a socket of theirs in the "
               "place of the daemon's: `chmod go-w` it, or name another directory (--socket, "
               "--admin-socket)",
               directory, (unsigned)status.st_mode & 07777U);
}

/* Interpreters of every user come through the directory of the socket; what is inside is the
 * daemon's. One that is made is the daemon's user's, who removes the sockets from it. */
static bool make_socket_directory(const struct daemon *daemon, const char *path, bool *made)
{
    char directory[CONFIGURATION_PATH_MAX];

    name_directory(path, directory, sizeof(directory));
    if (!directory[0])
        return true;
    *made = mkdir(directory, 0755) == 0;
    if (!*made && errno != EEXIST)
        return say("%s: cannot be made: %s", directory, strerror(errno));
    if (!*made)
        return is_fit_for_socket(daemon, directory);
    if (!daemon->owner.name[0] || lchown(directory, daemon->owner.uid, daemon->owner.gid) == 0)
        return true;
    return say("%s: cannot be given to `%s`: %s", directory, daemon->owner.name, strerror(errno));
}

static bool open_listener(struct daemon *daemon, const char *name, char *path, mode_t mode,
                          enum connection_state state, struct listener **listener,
                          struct made_socket *made)
{
    int end = service_take_socket(name);

    if (end >= 0) {
        take_path(end, path, CONFIGURATION_PATH_MAX);
    } else if (make_socket_directory(daemon, path, &made->directory)) {
        end = listen_at(path, mode);
        made->socket = end >= 0;
    }
    if (end < 0)
        return false;
    *listener = server_listen(&daemon->server, end, (int)state);
    return *listener || say("out of memory");
}

static bool open_sockets(struct daemon *daemon)
{
    struct configuration *configuration = &daemon->configuration;

    if (!open_listener(daemon, "session", configuration->session_socket, 0666, STATE_NEW,
                       &daemon->sessions, &daemon->made_sessions))
        return false;
    if (daemon->options->control >= 0) {
        char directory[CONFIGURATION_PATH_MAX];
        name_directory(configuration->session_socket, directory, sizeof(directory));
        /* It was made for this socket alone. */
        daemon->socket_directory = open(directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return true;
    }
    return open_listener(daemon, "admin", configuration->admin_socket, 0666, STATE_ADMIN,
                         &daemon->administration, &daemon->made_administration);
}

static void on_written(void *context)
{
    struct daemon *daemon = context;
    uv_async_send(&daemon->written);
}

/* The generation that a kept record's store ended with, for questions about it (`why`), which read
 * its texts themselves: a store that does not compile any more, or is none, hides no record. */
static uint64_t kept_generation(const char *directory)
{
    struct stored_policies stored = {.count = 0};
    char error[640];

    if (!policy_store_is_there(directory))
        return 0;
    if (!policy_store_read(directory, 0, &stored, error, sizeof(error)))
        say("%s", error);
    const uint64_t number = stored.generation;
    stored_policies_deinit(&stored);
    return number;
}

/* No part of what is stored is put in force without the rest: others may rest on it. */
static bool say_way_back(const struct daemon *daemon, const struct diagnostics *diagnostics)
{
    const char *directory = daemon->configuration.state_directory;
    char *report =
        diagnostics ? diagnostics_render(diagnostics, "no daemon starts with them", false) : NULL;

    say("the stored policies do not compile with this version:\n%s",
        report ? report : "out of memory");
    free(report);
    return say("%s: to mend what is stored there needs no daemon: `warder show --state-dir %s "
               "TIER/NAME` prints a text, `warder apply --state-dir %s FILE` replaces it with one "
               "that compiles, `warder remove --state-dir %s TIER/NAME` removes it",
               directory, directory, directory, directory);
}

/* Puts in force what is stored; where it does not compile, a daemon that is there to mend it goes
 * on without. */
static bool open_policies(struct daemon *daemon)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    struct stored_policies stored = {.count = 0};
    char error[640];

    if (daemon->store && !policy_store_load(daemon->store, &stored, error, sizeof(error)))
        return say("%s", error);
    daemon->server.generation = generation_new(&stored, diagnostics);
    if (daemon->server.generation)
        return true;
    if (!daemon->options->mending)
        return say_way_back(daemon, diagnostics);
    if (!policy_store_load(daemon->store, &stored, error, sizeof(error)))
        return say("%s", error);
    daemon->server.generation = generation_idle(&stored);
    return daemon->server.generation || say("out of memory");
}

static bool open_state(struct daemon *daemon)
{
    const struct configuration *configuration = &daemon->configuration;
    char error[640];

    if (!daemon->options->temporary && !daemon->options->reading) {
        daemon->state_lock = state_lock_take(configuration->state_directory, error, sizeof(error));
        if (daemon->state_lock < 0 && daemon->options->mending)
            return say("%s; one that lives is asked without --state-dir", error);
        if (daemon->state_lock < 0)
            return say("%s", error);
    }
    if (!daemon->options->reading) {
        daemon->store = policy_store_open(configuration->state_directory, error, sizeof(error));
        if (!daemon->store)
            return say("%s", error);
    }
    if (!open_policies(daemon))
        return false;
    if (daemon->options->reading)
        daemon->server.generation->number = kept_generation(configuration->state_directory);
    const struct audit_log_options options = {
        .directory = configuration->state_directory,
        .reading = daemon->options->reading,
        .megabytes = configuration->record_megabytes,
        .queue_megabytes_per_user = configuration->queue_megabytes_per_user,
        .written = on_written,
        .context = daemon,
    };
    daemon->server.audit = audit_log_start(&options, error, sizeof(error));
    return daemon->server.audit || say("%s", error);
}

/* The owner of a private daemon has its connection already. */
static bool take_control(struct daemon *daemon)
{
    struct server *server = &daemon->server;
    struct user_account *account = user_account_of(&server->accounts, daemon->starter);

    if (!account || !user_account_charge(&server->accounts, account, CHARGE_CONNECTION, 1))
        return say("out of memory");
    const struct connection_options options = {
        .state = STATE_CONTROL, .account = account, .pid = getppid()};
    daemon->control = connection_new(server, daemon->options->control, &options);
    if (!daemon->control)
        return say("out of memory");
    connection_hold(daemon->control);
    return true;
}

/* Of a host's state directory that is mended without its daemon: what is written there stays the
 * daemon's user's. One that is nobody's by name is judged as it is. */
static void take_user_of_state(struct daemon *daemon)
{
    struct configuration *configuration = &daemon->configuration;
    struct stat status;

    if (geteuid() != 0 || stat(configuration->state_directory, &status) < 0 || status.st_uid == 0)
        return;
    service_name_user(status.st_uid, configuration->user, sizeof(configuration->user));
}

/* Whose everything is once the daemon serves. */
static bool find_owner(struct daemon *daemon)
{
    const char *user = daemon->configuration.user;

    if (daemon->options->mending)
        take_user_of_state(daemon);
    /* A private one is its owner's alone: nobody's groups are looked up, which takes a while. */
    daemon->administrators = daemon->server.is_private
                                 ? (struct administrators){.group = (gid_t)-1, .owner = geteuid()}
                                 : administrators_find();
    daemon->owner = (struct directory_owner){.name = user, .uid = geteuid(), .gid = getegid()};
    if (!user[0])
        return true;
    const int error = service_find_user(user, &daemon->owner.uid, &daemon->owner.gid);
    return error == 0 || say("cannot become user `%s`: %s", user,
                             error == -ENOENT ? "there is none of that name" : strerror(-error));
}

static bool prepare_state(const struct daemon *daemon)
{
    char error[CONFIGURATION_PATH_MAX + 512];

    return daemon->options->temporary || daemon->options->reading ||
           state_directory_prepare(daemon->configuration.state_directory, &daemon->owner, error,
                                   sizeof(error)) ||
           say("%s", error);
}

static bool prepare_sessions(const struct daemon *daemon)
{
    char directory[CONFIGURATION_PATH_MAX + 16];
    char error[CONFIGURATION_PATH_MAX + 512];

    if (daemon->server.is_private)
        return true;
    if (!kept_sessions_directory(daemon->configuration.session_socket, directory,
                                 sizeof(directory)))
        return say("%s: the path is too long", daemon->configuration.session_socket);
    return session_directory_prepare(directory, &daemon->owner, error, sizeof(error)) ||
           say("%s", error);
}

/* What is opened from here on is opened as the user. */
static bool give_up_root(const struct daemon *daemon)
{
    const char *user = daemon->owner.name;

    if (!user[0])
        return true;
    const int error = service_become(user);
    if (error < 0)
        return say("cannot become user `%s`: %s", user, strerror(-error));
    prctl(PR_SET_DUMPABLE, 0); /* the kernel may have set it anew */
    return true;
}

/* As the user, and before there is a thread. A private daemon's peers are its own user's. */
static bool start_sweeper(struct server *server)
{
    if (server->is_private)
        return true;
    return sweeper_start(&server->sweeper) ||
           say("the process that closes connections cannot be made: %s: raise the limits of the "
               "daemon's user (`ulimit -u`, LimitNPROC= and TasksMax= of systemd)",
               strerror(errno));
}

/* As the user, whose limits count. */
static bool make_threads(struct daemon *daemon)
{
    const int others = (int)daemon->configuration.loop_threads - 1;
    const int error = worker_threads_start(&daemon->loop, others);

    return error == 0 ||
           say("%d threads cannot be made, and the daemon needs them: %s: raise the limits of its "
               "user's processes (`ulimit -u`, LimitNPROC= and TasksMax= of systemd), and of its "
               "memory (`ulimit -v`, LimitAS= of systemd)",
               THREADS_NEEDED + others, uv_strerror(error));
}

/* It is under policy, though it has not come back yet. */
static void remember_subject(void *context, const Warder__V1__KeptSession *kept)
{
    subject_process_remember(context, kept->pid, kept->uid, kept->start_time);
}

static bool open_server(struct daemon *daemon)
{
    struct server *server = &daemon->server;
    uint64_t highest = 0;

    server->loop = &daemon->loop;
    server->configuration = &daemon->configuration;
    server->is_private = daemon->options->control >= 0;
    server->sweeper.socket = -1;
    if (!server_init(server))
        return say("out of memory");
    if (!find_owner(daemon) || !prepare_state(daemon) || !open_sockets(daemon) ||
        !prepare_sessions(daemon) || !give_up_root(daemon) || !start_sweeper(server) ||
        !make_threads(daemon) || !open_state(daemon))
        return false;
    if (!server->is_private) {
        const int error = kept_sessions_clean(server->configuration->session_socket,
                                              remember_subject, server, &highest);
        if (error < 0)
            return say("the directory for live sessions cannot be used: %s", strerror(-error));
        audit_log_skip_sessions(server->audit, highest);
    }
    daemon->admin = admin_new(server, daemon->store, &daemon->administrators);
    if (!daemon->admin)
        return say("out of memory");
    if (server->is_private && !take_control(daemon))
        return false;
    const int error = loops_start(server);
    return error == 0 ||
           say("%u loop threads cannot be made: %s", server->loops.count, uv_strerror(error));
}

/* ----------------------------------------------------------------------------------------- closing
 */

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* What a start that failed has opened, or a daemon that served: nothing keeps the loop any more. */
static void stop(struct daemon *daemon)
{
    if (daemon->stopping)
        return;
    daemon->stopping = true;
    service_notify("STOPPING=1");
    listener_close(daemon->sessions);
    listener_close(daemon->administration);
    if (daemon->server.loops.count > 0) /* it is a server already */
        server_stop(&daemon->server);
    /* Whoever signals twice (`timeout`, an impatient hand) loses no record by it: the handlers stay
     * until everything is written. */
    uv_unref((uv_handle_t *)&daemon->terminate);
    uv_unref((uv_handle_t *)&daemon->interrupt);
    close_handle((uv_handle_t *)&daemon->control_check);
    /* `written` stays until the audit thread has ended: the loop is left by uv_stop. */
    uv_unref((uv_handle_t *)&daemon->written);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct daemon *daemon = signal->data;

    (void)number;
    loops_enter(&daemon->server);
    stop(daemon);
    loops_leave(&daemon->server);
}

static void on_records_written(uv_async_t *async)
{
    struct daemon *daemon = async->data;

    loops_enter(&daemon->server);
    if (!daemon->stopping)
        admin_records_written(daemon->admin);
    loops_leave(&daemon->server);
}

/* A private daemon lives as long as its owner's connection. */
static void on_control_check(uv_check_t *check)
{
    struct daemon *daemon = check->data;

    loops_enter(&daemon->server);
    if (daemon->control->state == STATE_CLOSED) {
        uv_check_stop(check);
        stop(daemon);
    }
    loops_leave(&daemon->server);
}

/* Whoever made it may have been killed. The program that runs under this daemon can have put
 * something else in its place: what goes is in the directory that was there first, and so is its
 * name only while it leads there. */
static void remove_socket_directory(const struct daemon *daemon)
{
    const char *socket = daemon->configuration.session_socket;
    const char *slash = strrchr(socket, '/');
    char directory[CONFIGURATION_PATH_MAX];
    struct stat made;
    struct stat there;

    if (daemon->socket_directory < 0)
        return;
    if (daemon->made_sessions.socket && slash)
        unlinkat(daemon->socket_directory, slash + 1, 0);
    name_directory(daemon->configuration.session_socket, directory, sizeof(directory));
    if (fstat(daemon->socket_directory, &made) == 0 && lstat(directory, &there) == 0 &&
        made.st_ino == there.st_ino && made.st_dev == there.st_dev)
        rmdir(directory); /* of an empty one alone */
    close(daemon->socket_directory);
}

/* Directories go if they are empty, and their parent is one that the daemon may change. */
static void remove_socket(const struct made_socket *made, const char *path)
{
    char directory[CONFIGURATION_PATH_MAX];

    if (made->socket)
        unlink(path);
    name_directory(path, directory, sizeof(directory));
    if (made->directory)
        rmdir(directory);
}

/* Sessions that go on without a daemon are kept for the next one: it stays then. */
static void remove_kept_directory(const char *session_socket)
{
    char directory[CONFIGURATION_PATH_MAX + 16];

    if (kept_sessions_directory(session_socket, directory, sizeof(directory)))
        rmdir(directory);
}

/* Behind everything else: from here on there is nothing that a signal could cut short. */
static void close_signals(struct daemon *daemon)
{
    close_handle((uv_handle_t *)&daemon->terminate);
    close_handle((uv_handle_t *)&daemon->interrupt);
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
}

static int close_all(struct daemon *daemon)
{
    const struct configuration *configuration = &daemon->configuration;
    struct sweeper sweeper = daemon->server.sweeper;
    char error[512] = "";
    int status = EXIT_SUCCESS;

    loops_join(&daemon->server);
    uv_run(&daemon->loop, UV_RUN_DEFAULT); /* what they have left to the first one */
    if (daemon->server.audit && !audit_log_stop(daemon->server.audit, error, sizeof(error))) {
        say("not everything could be recorded: %s", error);
        status = EXIT_FAILED;
    }
    close_handle((uv_handle_t *)&daemon->written);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
    if (!daemon->server.is_private) {
        remove_socket(&daemon->made_administration, configuration->admin_socket);
        if (daemon->admin) /* it has served: before that it may be another daemon's */
            remove_kept_directory(configuration->session_socket);
        remove_socket(&daemon->made_sessions, configuration->session_socket);
    }
    admin_free(daemon->admin);
    if (daemon->control)
        connection_release(daemon->control);
    server_deinit(&daemon->server);
    policy_store_free(daemon->store);
    remove_socket_directory(daemon);
    if (daemon->state_lock >= 0)
        close(daemon->state_lock);
    sweeper_stop(&sweeper);
    close_signals(daemon);
    uv_loop_close(&daemon->loop);
    return status;
}

/* --------------------------------------------------------------------------------------- running
 */

/* That it starts, or that it ends in good order: a start without an end before it is one after a
 * crash. */
static void record_life(struct daemon *daemon, const char *what)
{
    char text[256];

    if (daemon->options->mending) /* the record is of a daemon that does not live */
        return;
    snprintf(text, sizeof(text), "warderd %s %s, generation %" PRIu64, WARDER_VERSION, what,
             daemon->server.generation->number);
    audit_log_add(daemon->server.audit, audit_item_notice(AUDIT_DAEMON, 0, -1, getpid(), text),
                  AUDIT_NOBODY, false);
}

static bool open_loop(struct daemon *daemon)
{
    if (uv_loop_init(&daemon->loop) < 0 ||
        uv_async_init(&daemon->loop, &daemon->written, on_records_written) < 0 ||
        uv_signal_init(&daemon->loop, &daemon->terminate) < 0 ||
        uv_check_init(&daemon->loop, &daemon->control_check) < 0 ||
        uv_signal_init(&daemon->loop, &daemon->interrupt) < 0)
        return say("the event loop cannot be made");
    daemon->written.data = daemon;
    daemon->control_check.data = daemon;
    daemon->terminate.data = daemon;
    daemon->interrupt.data = daemon;
    uv_signal_start(&daemon->terminate, on_signal, SIGTERM);
    uv_signal_start(&daemon->interrupt, on_signal, SIGINT);
    return true;
}

int daemon_run(const struct options *options)
{
    static struct daemon daemon = {.socket_directory = -1}; /* one in a process */

    daemon.state_lock = -1;
    daemon.options = options;
    daemon.configuration = options->configuration;
    daemon.starter = geteuid();
    if (options->temporary) { /* in no file: the program that it is for could write it */
        daemon.configuration.state_directory[0] = '\0';
        daemon.configuration.record_megabytes = TEMPORARY_MEGABYTES;
    }
    if (options->mending)
        daemon.configuration.record_megabytes = 0; /* the bound is the host's daemon's to keep */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a bound on files is a full disk: said, and waited for */
    if (!raise_descriptor_limit())
        return EXIT_FAILED;
    /* Keys are in its memory: no core files, and no other process of its user looks inside. */
    prctl(PR_SET_DUMPABLE, 0);
    if (!open_loop(&daemon))
        return EXIT_FAILED;
    if (!open_server(&daemon)) {
        loops_enter(&daemon.server); /* some of them may run already */
        stop(&daemon);
        loops_leave(&daemon.server);
        close_all(&daemon);
        return EXIT_FAILED;
    }
    record_life(&daemon, "started");
    if (daemon.control)
        uv_check_start(&daemon.control_check, on_control_check);
    service_notify("READY=1");
    if (!daemon.server.is_private)
        say("ready: generation %" PRIu64 ", policies: %" PRIu32 ", interpreters at %s",
            daemon.server.generation->number,
            policy_block_policy_count(daemon.server.generation->block),
            daemon.configuration.session_socket);
    uv_run(&daemon.loop, UV_RUN_DEFAULT);
    loops_join(&daemon.server);
    record_life(&daemon, "stopped");
    return close_all(&daemon);
}
