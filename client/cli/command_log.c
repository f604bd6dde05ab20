#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/admin_client.h"
#include "client/cli/command.h"
#include "client/cli/json_line.h"
#include "client/cli/log_line.h"
#include "client/cli/private_daemon.h"
#include "policies/catalogue/catalogue.h"
#include "policies/language/suggest.h"

static const char help[] =
    "usage: warder log [--denied] [--json] [-n N] [--follow] [--session ID] [--event NAME]\n"
    "\n"
    "Prints the record: what was decided, for whom, by which rule. The columns, two spaces apart,\n"
    "`-` where there is nothing: time (of this machine's zone), verdict or kind, what was asked "
    "for\n"
    "(xN: N times), event, policy and rule, user and process, calling line, decision or session. "
    "On\n"
    "a terminal a heading names them, and the zone.\n"
    "\n"
    "  --denied             denials, kills and would-be denials alone\n"
    "  -n N                 the last N; 0 for all (default: 50, or all with --json)\n"
    "  --follow, -f         go on with what comes, also when the daemon is restarted; with -n 0\n"
    "                       what comes alone\n"
    "  --session ID         of one session: the part of a decision's id before the `-`; with a\n"
    "                       decision's whole id, of that decision alone\n"
    "  --event NAME         decisions about one event, or about those that a glob fits: 'os.*'\n"
    "  --json               one JSON object a line, with arguments and subject; times are UTC\n"
    "  --state-dir DIR      of a directory that `warder run --state-dir` kept\n"
    "  --admin-socket PATH  of another daemon than the host's\n"
    "\n"
    "examples:\n"
    "  sudo warder log --denied -n 20\n"
    "  sudo warder log --follow\n"
    "  sudo warder log --json --event subprocess.Popen | jq .arguments\n"
    "\n"
    "exit status: 0 done, 1 the record has nothing of that session, 2 wrong usage or failure\n";

struct log_options {
    const char *socket;
    const char *state_directory;
    const char *event; /* "" for all */
    char session[17];  /* in hexadecimal; "" for all */
    uint64_t decision; /* of the session; 0 for all */
    unsigned last;
    bool last_given;
    bool denied;
    bool follow;
    bool new_alone; /* of what is followed */
    bool json;
};

/* What of the record has been printed. */
struct log_position {
    uint64_t last; /* the highest id; 0: nothing */
    bool lost;     /* the daemon went away before it came to the end */
};

static bool parse_count(const char *text, unsigned *count)
{
    char *end;
    const unsigned long value = strtoul(text, &end, 10);

    if (*end || end == text || value > UINT_MAX) {
        complain("log: -n wants a number, not `%s`", text);
        return false;
    }
    *count = (unsigned)value;
    return true;
}

/* 7f3a, or 7f3a-12 of one decision. */
static bool parse_session(const char *text, struct log_options *log)
{
    const size_t length = strspn(text, "0123456789abcdefABCDEF");
    const char *rest = text + length;
    char *end = NULL;

    errno = 0;
    if (*rest == '-' && rest[1] >= '0' && rest[1] <= '9')
        log->decision = strtoull(rest + 1, &end, 10);
    if (length == 0 || length >= sizeof(log->session) || strspn(text, "0") == length || errno ||
        (end ? *end != '\0' || log->decision == 0 : *rest != '\0')) {
        complain("log: --session wants the id of a session, such as 7f3a, or of a decision, such "
                 "as 7f3a-12, not `%s`; both are in the last column of `warder log`",
                 text);
        return false;
    }
    memcpy(log->session, text, length);
    return true;
}

/* -1: go on. */
static int parse(struct log_options *log, int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"denied", no_argument, NULL, 'd'},
                                            {"follow", no_argument, NULL, 'f'},
                                            {"session", required_argument, NULL, 'S'},
                                            {"event", required_argument, NULL, 'E'},
                                            {"state-dir", required_argument, NULL, 'D'},
                                            {"admin-socket", required_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    const char *session = NULL;
    int option;

    *log = (struct log_options){.event = "", .last = 50};
    while ((option = getopt_long(argc, argv, ":hfn:", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_DONE;
        }
        if (option == 'j')
            log->json = true;
        else if (option == 'd')
            log->denied = true;
        else if (option == 'f')
            log->follow = true;
        else if (option == 'S')
            session = optarg;
        else if (option == 'E')
            log->event = optarg;
        else if (option == 'D')
            log->state_directory = optarg;
        else if (option == 's')
            log->socket = optarg;
        else if (option != 'n') {
            complain_option("log", argv, option);
            return EXIT_USAGE;
        } else if (!parse_count(optarg, &log->last))
            return EXIT_USAGE;
        log->last_given |= option == 'n';
    }
    log->new_alone = log->follow && log->last_given && log->last == 0;
    if (log->follow && log->state_directory) {
        complain("log: --follow is for a daemon that lives, and nobody adds to the record of a run "
                 "that is over (--state-dir): leave one of the two out");
        return EXIT_USAGE;
    }
    if (log->json && !log->last_given)
        log->last = 0;
    if (session && !parse_session(session, log))
        return EXIT_USAGE;
    if (optind == argc)
        return -1;
    complain("log: what is `%s`? `warder log --help`", argv[optind]);
    return EXIT_USAGE;
}

static void print_entry(const struct log_options *log, const Warder__V1__LogEntry *entry,
                        bool first)
{
    if (first && !log->json && isatty(STDOUT_FILENO))
        log_heading_print(stdout);
    if (log->json)
        json_line_print(stdout, field_bytes(&entry->json), entry->json.len);
    else
        log_line_print(stdout, entry, wants_colour(STDOUT_FILENO));
    if (log->follow)
        fflush(stdout);
}

static int ask_for_log(const struct log_options *log, struct daemon_client *client,
                       const struct log_position *position)
{
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__AdminRequest request = WARDER__V1__ADMIN_REQUEST__INIT;
    Warder__V1__ReadLog read_log = WARDER__V1__READ_LOG__INIT;

    read_log.denied = log->denied;
    read_log.last = log->last;
    read_log.follow = log->follow;
    read_log.session = text_field(log->session);
    read_log.decision = log->decision;
    read_log.event = text_field(log->event);
    read_log.after = position->last;
    request.body_case = WARDER__V1__ADMIN_REQUEST__BODY_LOG;
    request.log = &read_log;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_ADMIN;
    message.admin = &request;
    return daemon_client_send(client, &message);
}

/* From where `position` is, to the end; that of a daemon that went away is no failure yet. */
static int print_from(const struct log_options *log, struct daemon_client *client,
                      struct log_position *position)
{
    position->lost = ask_for_log(log, client, position) < 0;
    while (!position->lost) {
        const Warder__V1__AdminReply *reply =
            admin_reply_or_end(client, log->follow, &position->lost);
        if (!reply)
            break;
        if (reply->body_case == WARDER__V1__ADMIN_REPLY__BODY_FAILED)
            return admin_failed(reply->failed);
        if (reply->body_case != WARDER__V1__ADMIN_REPLY__BODY_ENTRY)
            return EXIT_DONE;
        print_entry(log, reply->entry, position->last == 0);
        if (reply->entry->id > position->last)
            position->last = reply->entry->id;
    }
    return EXIT_USAGE;
}

/* Whoever asks for one session or decision has made a mistake if there is none. */
static int complain_of_none(const struct log_options *log)
{
    const char *what = log->denied ? "no denial" : "nothing";

    if (log->decision > 0)
        complain("the record has %s of decision %s-%" PRIu64, what, log->session, log->decision);
    else
        complain("the record has %s of session %s", what, log->session);
    return EXIT_NO;
}

static bool is_of_catalogue(const char *pattern)
{
    for (uint16_t i = 1; i <= catalogue_event_count(); i++)
        if (fnmatch(pattern, catalogue_event(i)->name, 0) == 0)
            return true;
    return false;
}

/* A program can raise events of its own: a name that CPython does not know is no mistake for
 * certain. */
static void note_unknown_event(const char *event)
{
    struct suggestion suggestion;

    suggestion_init(&suggestion, event, strlen(event));
    for (uint16_t i = 1; i <= catalogue_event_count(); i++)
        suggestion_offer(&suggestion, catalogue_event(i)->name, strlen(catalogue_event(i)->name));
    if (suggestion.best)
        complain("log: the record has nothing of `%s`, and CPython raises no such event; did you "
                 "mean `%s`?",
                 event, suggestion.best);
    else
        complain("log: the record has nothing of `%s`, and CPython raises no such event", event);
}

static int print_log(const struct log_options *log, struct daemon_client *client)
{
    struct log_position position = {.last = 0};
    const int status = print_from(log, client, &position);

    if (position.lost)
        complain("the daemon closed the connection");
    if (status == EXIT_DONE && log->session[0] && position.last == 0)
        return complain_of_none(log);
    if (status == EXIT_DONE && log->event[0] && position.last == 0 && !is_of_catalogue(log->event))
        note_unknown_event(log->event);
    return status;
}

/* Moves `position` behind all that the record has. An exit status; EXIT_DONE also where the daemon
 * went away, which whoever follows finds out. */
static int skip_old(struct daemon_client *client, struct log_position *position)
{
    const struct log_options newest = {.event = "", .last = 1};
    struct log_position none = {.last = 0};

    none.lost = ask_for_log(&newest, client, &none) < 0;
    while (!none.lost) {
        const Warder__V1__AdminReply *reply = admin_reply_or_end(client, false, &none.lost);
        if (!reply)
            break;
        if (reply->body_case == WARDER__V1__ADMIN_REPLY__BODY_FAILED)
            return admin_failed(reply->failed);
        if (reply->body_case != WARDER__V1__ADMIN_REPLY__BODY_ENTRY)
            return EXIT_DONE;
        position->last = reply->entry->id;
    }
    return none.lost ? EXIT_DONE : EXIT_USAGE;
}

/* A daemon that is restarted, for an update or after a fault, takes its record up again, and
 * whoever follows that goes on where it was. */
static int follow_log(const struct log_options *log)
{
    struct log_position position = {.last = 0};
    CLEANUP(daemon_client_free)
    struct daemon_client *client = admin_connect(log->socket, ADMIN_RECORD_OF_A_RUN);
    int status = EXIT_USAGE;

    if (client && log->new_alone && (status = skip_old(client, &position)) != EXIT_DONE)
        return status;
    while (client) {
        const uint64_t before = position.last;
        const bool was_lost = position.lost;
        status = print_from(log, client, &position);
        if (!position.lost)
            break;
        if (!was_lost || position.last > before)
            complain("log: the daemon went away; going on when it is back (Ctrl-C ends this)");
        daemon_client_free(client);
        client = admin_connect_again(log->socket);
    }
    return client ? status : EXIT_USAGE;
}

int command_log(int argc, char **argv)
{
    struct log_options log;
    const int status = parse(&log, argc, argv);

    if (status >= 0)
        return status;
    if (log.state_directory) {
        struct private_daemon daemon;
        char directory[PATH_MAX];
        if (!realpath(log.state_directory, directory) || access(directory, R_OK | X_OK) < 0) {
            complain("%s: cannot be read: %s", log.state_directory, strerror(errno));
            return EXIT_USAGE;
        }
        if (!private_daemon_start_reading(&daemon, directory))
            return EXIT_USAGE;
        const int printed = print_log(&log, daemon.client);
        private_daemon_stop(&daemon);
        return printed;
    }
    if (log.follow)
        return follow_log(&log);
    CLEANUP(daemon_client_free)
    struct daemon_client *client = admin_connect(log.socket, ADMIN_RECORD_OF_A_RUN);
    return client ? print_log(&log, client) : EXIT_USAGE;
}
