#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/admin_client.h"
#include "client/cli/command.h"
#include "client/cli/daemon_signal.h"
#include "client/cli/daemon_wait.h"
#include "client/cli/installation.h"
#include "client/cli/json_line.h"
#include "client/cli/log_line.h"
#include "client/cli/policy_file.h"
#include "client/cli/private_daemon.h"
#include "client/cli/program_file.h"
#include "client/cli/run.h"
#include "proto/host_paths.h"

enum {
    POLICIES_MAX = 64,
    LABELS_MAX = 64,
    LAUNCH_MILLISECONDS = 15000, /* the daemon compiles what was given, and may have to start */
};

static const char help[] =
    "usage: warder run [--policy FILE|NAME]... [--label K=V]... [--observe] [--record]\n"
    "                  [--state-dir DIR] -- PROGRAM [ARGUMENT]...\n"
    "\n"
    "Runs a program with every Python interpreter in it under policy. With a daemon on the\n"
    "host, the host's policies govern and what is named here narrows them; without one, a\n"
    "private daemon holds what is named here, for this run alone.\n"
    "\n"
    "What the policies put on a floor the kernel holds: a part from before the program starts, "
    "the\n"
    "rest from before an interpreter's own code runs. Set-user-ID programs lose their power "
    "there.\n"
    "\n"
    "  --policy FILE|NAME   a policy file (a path, or a name that ends in .warder), or the\n"
    "                       name of a policy that the host has or that comes with Warder\n"
    "  --label K=V          a label that policies may select on\n"
    "  --observe            the policies named here deny nothing; what they would have denied\n"
    "                       is recorded: a private daemon's is printed at the end, the host's\n"
    "                       is shown to administrators by `warder log --denied`\n"
    "  --record             record every decision; a private daemon's record is printed at the\n"
    "                       end, unless --state-dir keeps it\n"
    "  --state-dir DIR      keep a private daemon's record: `warder log --state-dir DIR`; not\n"
    "                       with a daemon on the host, which keeps its own\n"
    "  --socket PATH        session socket of another daemon than the host's\n"
    "\n"
    "examples:\n"
    "  warder run --policy no-process -- python3 script.py\n"
    "  warder run --policy untrusted --record -- python3 -m pytest\n"
    "  warder run --policy ./mine.warder --observe -- ./start-notebook.sh\n"
    "\n"
    "exit status: the program's; 125 if Warder failed, its record included, 126 if the program "
    "cannot be started,\n"
    "127 if there is none of that name\n";

struct request {
    const char *policies[POLICIES_MAX];
    size_t policy_count;
    char *labels[LABELS_MAX];
    size_t label_count;
    const char *socket;
    const char *state_directory; /* as given; NULL: temporary */
    bool observe;
    bool record;
    char **program;
};

/* ---------------------------------------------------------------------------------------- options
 */

/* Two of one name would leave it to chance which of them a policy sees. */
static bool take_label(struct request *request, char *argument)
{
    const size_t length = strcspn(argument, "=");

    if (length == 0 || argument[length] == '\0') {
        complain("run: a label is NAME=VALUE, not `%s`", argument);
        return false;
    }
    for (size_t i = 0; i < request->label_count; i++) {
        if (strncmp(request->labels[i], argument, length + 1) != 0)
            continue;
        complain("run: the label `%.*s` is given twice", (int)length, argument);
        return false;
    }
    if (request->label_count == LABELS_MAX) {
        complain("run: there are more than %d labels", LABELS_MAX);
        return false;
    }
    request->labels[request->label_count++] = argument;
    return true;
}

static bool take_option(struct request *request, int option, char *argument)
{
    switch (option) {
    case 'p':
        if (request->policy_count == POLICIES_MAX) {
            complain("run: there are more than %d policies", POLICIES_MAX);
            return false;
        }
        request->policies[request->policy_count++] = argument;
        return true;
    case 'l':
        return take_label(request, argument);
    case 'o':
        request->observe = true;
        return true;
    case 'r':
        request->record = true;
        return true;
    case 's':
        request->socket = argument;
        return true;
    case 'D':
        request->state_directory = argument;
        return true;
    default:
        return false;
    }
}

/* -1: go on. */
static int parse(struct request *request, int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"policy", required_argument, NULL, 'p'},
                                            {"label", required_argument, NULL, 'l'},
                                            {"observe", no_argument, NULL, 'o'},
                                            {"record", no_argument, NULL, 'r'},
                                            {"socket", required_argument, NULL, 's'},
                                            {"state-dir", required_argument, NULL, 'D'},
                                            {NULL, 0, NULL, 0}};
    int option;

    *request = (struct request){.policy_count = 0};
    while ((option = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_DONE;
        }
        if (option == '?' || option == ':')
            complain_option("run", argv, option);
        if (!take_option(request, option, optarg))
            return EXIT_RUN_FAILED;
    }
    if (optind == argc) {
        complain("run: name the program to run: warder run --policy no-process -- python3 x.py");
        return EXIT_RUN_FAILED;
    }
    request->program = argv + optind;
    return -1;
}

/* --------------------------------------------------------------------------------------- policies
 */

/* What is asked of the daemon. */
struct ask {
    struct policy_file files[POLICIES_MAX];
    size_t file_count;
    Warder__V1__PolicyText texts[POLICIES_MAX];
    Warder__V1__PolicyText *text_pointers[POLICIES_MAX];
    ProtobufCBinaryData names[POLICIES_MAX];
    size_t name_count;
    bool observes;       /* of the files' policies one does */
    bool denies_signals; /* the files do, of one to a process that is none of the program's own */
    Warder__V1__Label labels[LABELS_MAX];
    Warder__V1__Label *label_pointers[LABELS_MAX];
};

static void ask_deinit(struct ask *ask)
{
    for (size_t i = 0; i < ask->file_count; i++)
        policy_file_deinit(&ask->files[i]);
}

/* A path, standard input, or NAME.warder. `local/NAME` and `vendor/NAME` are names with their tier,
 * unless such a file is there. */
static bool is_file(const char *policy)
{
    const size_t length = strlen(policy);
    const bool tiered = strncmp(policy, "local/", 6) == 0 || strncmp(policy, "vendor/", 7) == 0;

    if (tiered && access(policy, F_OK) < 0)
        return false;
    return strchr(policy, '/') || strcmp(policy, "-") == 0 ||
           (length > 7 && strcmp(policy + length - 7, ".warder") == 0);
}

/* One that was named before is there already. */
static bool add_file(struct ask *ask, const char *path)
{
    for (size_t i = 0; i < ask->file_count; i++)
        if (strcmp(ask->files[i].path, path) == 0)
            return true;
    if (!policy_file_read(&ask->files[ask->file_count], path))
        return false;
    ask->file_count++;
    return true;
}

static void tell_shipped(void)
{
    fputs("warder: these come with Warder: ", stderr);
    print_shipped_policies();
    fputc('\n', stderr);
}

/* A private daemon has no policies of its own: names are those that come with Warder. */
static bool add_name(struct ask *ask, const char *name, bool private)
{
    if (!private) {
        for (size_t i = 0; i < ask->name_count; i++)
            if (ask->names[i].len == strlen(name) &&
                memcmp(ask->names[i].data, name, ask->names[i].len) == 0)
                return true;
        ask->names[ask->name_count++] = text_field(name);
        return true;
    }
    char *path = shipped_policy_path(name);
    if (!path) {
        complain("there is no daemon on this host and no policy named `%s` comes with Warder; a "
                 "file is named by a path, such as ./%s.warder",
                 name, name);
        tell_shipped();
        return false;
    }
    const bool added = add_file(ask, path);
    free(path);
    return added;
}

/* A line for each warning that tells of something the run will not have, whatever the author knows:
 * an override. The others are for `warder check`. */
static void warn_of_lacks(const struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < diagnostics_kept(diagnostics); i++) {
        const struct diagnostic_view view = diagnostics_view(diagnostics, i);
        if (strcmp(view.code, "W012") == 0)
            complain("%s:%" PRIu32 ":%" PRIu32 ": warning[%s]: %s", view.place.file,
                     view.place.line, view.place.column, view.code, view.message);
    }
}

/* Says what is wrong with the files before anything is started. */
static bool check_files(struct ask *ask)
{
    const struct compile_options options = {.session = true};
    struct policy_text texts[POLICIES_MAX];
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();

    if (!diagnostics)
        return false;
    for (size_t i = 0; i < ask->file_count; i++)
        texts[i] = policy_file_text(&ask->files[i]);
    struct policy_block *block = policy_compile(texts, ask->file_count, &options, diagnostics);
    const bool good = block != NULL;
    const uint32_t policies = good ? policy_block_policy_count(block) : 0;
    for (uint32_t i = 0; i < policies; i++)
        ask->observes |= policy_observes(block, i);
    ask->denies_signals = good && !daemon_signal_is_allowed(block);
    policy_block_free(block);
    if (good)
        warn_of_lacks(diagnostics);
    char *report =
        good ? NULL
             : diagnostics_render(diagnostics, "nothing was run", wants_colour(STDERR_FILENO));
    if (report)
        fputs(report, stderr);
    free(report);
    return good;
}

static void add_text(struct ask *ask, size_t i)
{
    warder__v1__policy_text__init(&ask->texts[i]);
    ask->texts[i].file = text_field(ask->files[i].path);
    ask->texts[i].text = bytes_field(ask->files[i].text, ask->files[i].length);
    ask->text_pointers[i] = &ask->texts[i];
}

/* A name that the host has no policy of means the one that comes with Warder, if there is one: it
 * only narrows. */
static bool take_shipped(struct ask *ask, const char *name)
{
    char *path = shipped_policy_path(name);
    bool added = false;

    for (size_t i = 0; path && !added && i < ask->name_count; i++) {
        if (ask->names[i].len != strlen(name) ||
            memcmp(ask->names[i].data, name, ask->names[i].len) != 0)
            continue;
        if (!add_file(ask, path))
            break;
        ask->names[i] = ask->names[--ask->name_count];
        add_text(ask, ask->file_count - 1);
        added = true;
    }
    free(path);
    return added;
}

static bool gather(struct ask *ask, const struct request *request, bool private)
{
    *ask = (struct ask){.file_count = 0};
    for (size_t i = 0; i < request->policy_count; i++) {
        const char *policy = request->policies[i];
        if (!(is_file(policy) ? add_file(ask, policy) : add_name(ask, policy, private)))
            return false;
    }
    for (size_t i = 0; i < ask->file_count; i++)
        add_text(ask, i);
    for (size_t i = 0; i < request->label_count; i++) {
        char *equals = strchr(request->labels[i], '=');
        warder__v1__label__init(&ask->labels[i]);
        ask->labels[i].name =
            bytes_field(request->labels[i], (size_t)(equals - request->labels[i]));
        ask->labels[i].value = text_field(equals + 1);
        ask->label_pointers[i] = &ask->labels[i];
    }
    return check_files(ask);
}

/* ----------------------------------------------------------------------------------------- launch
 */

struct launched {
    int door;
    pid_t daemon;             /* a private one; 0: the host's */
    Warder__V1__Floor *floor; /* owned; NULL: none */
    char token[65];
    char socket[PATH_MAX];
};

/* A copy: the next message from the daemon takes the place of this one. */
static bool copy_floor(const Warder__V1__Floor *floor, struct launched *launched)
{
    if (!floor)
        return true;
    const size_t size = warder__v1__floor__get_packed_size(floor);
    uint8_t *packed = malloc(size + 1);
    if (packed) {
        warder__v1__floor__pack(floor, packed);
        launched->floor = warder__v1__floor__unpack(NULL, size, packed);
    }
    free(packed);
    return launched->floor != NULL;
}

static void launched_deinit(struct launched *launched)
{
    if (launched->floor)
        warder__v1__floor__free_unpacked(launched->floor, NULL);
    launched->floor = NULL;
}

static bool take_launched(const Warder__V1__Launched *reply, int door, struct launched *launched)
{
    if (door < 0 || reply->run_token.len * 2 >= sizeof(launched->token) ||
        reply->session_socket.len >= sizeof(launched->socket))
        return false;
    launched->door = door;
    for (size_t i = 0; i < reply->run_token.len; i++)
        snprintf(launched->token + 2 * i, 3, "%02x", reply->run_token.data[i]);
    memcpy(launched->socket, reply->session_socket.data, reply->session_socket.len);
    launched->socket[reply->session_socket.len] = '\0';
    return copy_floor(reply->floor, launched);
}

/* The daemon refuses. True if what it misses is taken from elsewhere: then it is asked anew. */
static bool is_mended(const Warder__V1__Refused *refused, struct ask *ask)
{
    char name[NAME_MAX + 1];
    const int length = (int)refused->missing_policy.len;

    if (length > 0 && (size_t)length < sizeof(name)) {
        snprintf(name, sizeof(name), "%.*s", length, field_bytes(&refused->missing_policy));
        if (take_shipped(ask, name))
            return true;
    }
    complain("%.*s", (int)refused->reason.len, field_bytes(&refused->reason));
    if (length > 0) /* only administrators may list the host's */
        tell_shipped();
    return false;
}

enum launch_result {
    LAUNCH_DONE,
    LAUNCH_FAILED, /* and said */
    LAUNCH_AGAIN,  /* the daemon has closed the connection; on another it is worth a try */
};

static enum launch_result launch(struct daemon_client *client, struct ask *ask,
                                 const struct request *request, struct launched *launched)
{
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Launch launch_message = WARDER__V1__LAUNCH__INIT;
    Warder__V1__Wishes wishes = WARDER__V1__WISHES__INIT;
    int door;

    wishes.policy_names = ask->names;
    wishes.n_policy_names = ask->name_count;
    wishes.policy_texts = ask->text_pointers;
    wishes.n_policy_texts = ask->file_count;
    wishes.labels = ask->label_pointers;
    wishes.n_labels = request->label_count;
    wishes.observe = request->observe;
    wishes.record = request->record;
    launch_message.protocol = 1;
    launch_message.wishes = &wishes;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_LAUNCH;
    message.launch = &launch_message;
    const int error = daemon_client_send(client, &message);
    const Warder__V1__DaemonMessage *reply =
        error < 0 ? NULL : daemon_wait_receive(client, LAUNCH_MILLISECONDS, &door);
    if (!reply) {
        complain("the policy daemon does not answer: %s", strerror(error < 0 ? -error : errno));
        return LAUNCH_FAILED;
    }
    if (reply->body_case == WARDER__V1__DAEMON_MESSAGE__BODY_LAUNCHED &&
        take_launched(reply->launched, door, launched))
        return LAUNCH_DONE;
    if (reply->body_case == WARDER__V1__DAEMON_MESSAGE__BODY_REFUSED)
        return is_mended(reply->refused, ask) ? LAUNCH_AGAIN : LAUNCH_FAILED;
    complain("the policy daemon speaks another version");
    return LAUNCH_FAILED;
}

static bool is_would_deny(const Warder__V1__LogEntry *entry)
{
    json_t *row = json_line_read(entry);
    const bool would = !row || strcmp(json_line_text(row, "verdict"), "would-deny") == 0;

    json_decref(row);
    return would;
}

/* What the run left in a private daemon's record: all of it, or what would have been denied. */
static void print_record(struct daemon_client *client, bool whole)
{
    Warder__V1__AdminRequest admin = WARDER__V1__ADMIN_REQUEST__INIT;
    Warder__V1__ReadLog log = WARDER__V1__READ_LOG__INIT;
    const Warder__V1__AdminReply *reply;
    bool headed = !isatty(STDERR_FILENO);

    log.denied = !whole;
    admin.body_case = WARDER__V1__ADMIN_REQUEST__BODY_LOG;
    admin.log = &log;
    if (!admin_request(client, &admin))
        return;
    while ((reply = admin_reply(client)) &&
           reply->body_case == WARDER__V1__ADMIN_REPLY__BODY_ENTRY) {
        if (!whole && !is_would_deny(reply->entry))
            continue; /* the program has been told */
        if (!headed)
            log_heading_print(stderr);
        headed = true;
        log_line_print(stderr, reply->entry, wants_colour(STDERR_FILENO));
    }
}

/* The private daemon of the run that this process belongs to; NULL after a complaint if it is gone.
 * One beside it would know nothing of what this process is under. */
static struct daemon_client *find_outer(const char *number)
{
    const char *path = getenv("WARDER_SOCKET");
    CLEANUP(daemon_client_free)
    struct daemon_client *client = path ? daemon_client_connect(path) : NULL;

    if (client && daemon_client_peer(client) == (pid_t)strtol(number, NULL, 10))
        return TAKE(client);
    complain("the daemon of the run that this program belongs to does not answer, and a run of its "
             "own would drop what that run is under");
    return NULL;
}

/* The number of that daemon; NULL if this process belongs to no such run. */
static const char *outer_daemon(const struct request *request)
{
    return request->socket ? NULL : getenv("WARDER_DAEMON");
}

/* The host's daemon, or that of a run around this one; NULL with `*private` set if there is none.
 */
static struct daemon_client *find_daemon(const struct request *request, bool *private)
{
    const char *path = request->socket ? request->socket : HOST_SESSION_SOCKET;
    struct daemon_client *client = daemon_client_connect(path);

    *private = !client && !request->socket && errno == ENOENT;
    if (*private && outer_daemon(request)) {
        *private = false;
        return find_outer(outer_daemon(request));
    }
    if (!client && !*private)
        complain("the policy daemon at %s does not answer: %s; `warder status` says more", path,
                 strerror(errno));
    return client;
}

/* `private`: what was asked of a private daemon; NULL at the host's. */
static int run_launched(struct daemon_client *client, const struct request *request,
                        const struct launched *launched, const struct ask *private)
{
    char *hook = installed_hook();

    if (!hook) {
        complain("libwarder.so is not beside this program: the installation is not complete");
        return EXIT_RUN_FAILED;
    }
    struct run_plan plan = {
        .program = request->program,
        .hook = hook,
        .door = launched->door,
        .daemon = launched->daemon,
        .session_socket = launched->socket,
        .token = launched->token,
        .client = client,
        /* Whoever records wants to see what the program does. A private daemon without a policy has
         * been refused. */
        .wants_policy = !private && !request->record,
        .adopts = !private,
        .floor = launched->floor,
        .keeps_signals_inside = private && private->denies_signals && !request->observe,
    };
    const int status = run_program(&plan);
    free(hook);
    return status;
}

/* Each time round one name fewer is the host's to know. */
static int run_at_host(struct daemon_client *client, const struct request *request, struct ask *ask)
{
    struct launched launched = {.door = -1};
    enum launch_result result;
    bool private = false;
    const char *outer = outer_daemon(request);

    /* The host's has no number that a program of its could put another in the place of. */
    if (outer && daemon_client_peer(client) == (pid_t)strtol(outer, NULL, 10))
        launched.daemon = daemon_client_peer(client);

    while ((result = launch(client, ask, request, &launched)) == LAUNCH_AGAIN) {
        daemon_client_free(client);
        client = find_daemon(request, &private);
        if (!client && private)
            complain("the policy daemon is gone");
        if (!client)
            return EXIT_RUN_FAILED;
    }
    const int status =
        result == LAUNCH_DONE ? run_launched(client, request, &launched, NULL) : EXIT_RUN_FAILED;
    if (result == LAUNCH_DONE && request->observe)
        complain("what would have been denied is in the record of the daemon that judged: "
                 "`warder log --denied` shows it to an administrator");
    launched_deinit(&launched);
    daemon_client_free(client);
    return status;
}

/* Without a daemon's policies and without one of its own a run is under none at all: whoever says
 * `warder run` believes something else. To record is a purpose of its own. */
static bool guards_something(const struct request *request)
{
    if (request->policy_count > 0 || request->record)
        return true;
    complain("there is no daemon on this host and no policy was named: nothing would be denied. "
             "Name one, such as --policy no-process, or see with --record what the program does");
    return false;
}

/* Makes it if it is not there. False after a complaint. */
static bool make_state_directory(const char *path, char *real)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST) {
        complain("%s: cannot be made: %s", path, strerror(errno));
        return false;
    }
    if (realpath(path, real))
        return true;
    complain("%s: %s", path, strerror(errno));
    return false;
}

static int run_private(const struct request *request, struct ask *ask)
{
    struct private_daemon daemon;
    char directory[PATH_MAX];
    const char *kept = request->state_directory ? directory : NULL;
    struct launched launched = {.door = -1};
    int status = EXIT_RUN_FAILED;

    /* Its connection gives orders to the daemon: no process of this user may take it. */
    prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
    if (!guards_something(request) ||
        (kept && !make_state_directory(request->state_directory, directory)) ||
        !private_daemon_start(&daemon, kept, request->record))
        return EXIT_RUN_FAILED;
    launched.daemon = daemon.pid;
    if (launch(daemon.client, ask, request, &launched) == LAUNCH_DONE)
        status = run_launched(daemon.client, request, &launched, ask);
    const bool whole = request->record && !kept;
    if (status != EXIT_RUN_FAILED && (request->observe || ask->observes || whole))
        print_record(daemon.client, whole);
    launched_deinit(&launched);
    return private_daemon_stop(&daemon) ? status : EXIT_RUN_FAILED;
}

/* What an interpreter with more rights than its caller does would be judged by nobody. */
static bool can_come_under_policy(const char *program)
{
    if (!program_file_gains_privilege(program))
        return true;
    complain("%s: the program gets rights that you do not have (a set-user-ID or set-group-ID bit, "
             "or capabilities), and the loader preloads no hook into such a one: it is not run. "
             "Whoever has the rights can run it, without the bits",
             program);
    return false;
}

/* A daemon that is there keeps one record for all, and a directory that stayed empty would say that
 * nothing had been denied. A run in a run goes on: what starts it need not know where it is. */
static bool can_keep_record(const struct request *request)
{
    const bool nested = outer_daemon(request) != NULL;

    complain(
        "%s: would stay empty: --state-dir keeps the record of a daemon that is started for the "
        "run, and %s%s",
        request->state_directory,
        nested ? "the daemon of the run around this one keeps the record of both"
               : "there is one, which keeps its own (`warder log`, for an administrator)",
        nested ? "" : ": leave it out");
    return nested;
}

int command_run(int argc, char **argv)
{
    struct request request;
    bool private;
    int status = parse(&request, argc, argv);

    if (status >= 0)
        return status;
    if (!can_come_under_policy(request.program[0]))
        return EXIT_RUN_FAILED;
    CLEANUP(daemon_client_free) struct daemon_client *client = find_daemon(&request, &private);
    if (!client && !private)
        return EXIT_RUN_FAILED;
    if (client && request.state_directory && !can_keep_record(&request))
        return EXIT_RUN_FAILED;
    struct ask *ask = malloc(sizeof(*ask));
    if (!ask)
        return EXIT_RUN_FAILED;
    status = EXIT_RUN_FAILED;
    if (gather(ask, &request, private))
        status = private ? run_private(&request, ask) : run_at_host(TAKE(client), &request, ask);
    ask_deinit(ask);
    free(ask);
    if (status > 128 && status < 128 + NSIG)
        raise(status - 128); /* everything of ours is gone: now like the program */
    return status;
}
