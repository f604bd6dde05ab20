#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/cli/admin_client.h"
#include "client/cli/command.h"
#include "client/cli/json_line.h"
#include "client/cli/policy_file.h"
#include "client/cli/private_daemon.h"
#include "client/cli/recorded_decision.h"
#include "client/cli/why_text.h"

static const char help[] =
    "usage: warder why [--json] [--policy FILE|NAME]... DECISION-ID\n"
    "\n"
    "Explains a decision of the record: who asked for what, which rule decided and how it was\n"
    "written then, what fired besides, what nearly held and for want of what; and whether today's\n"
    "policies would answer otherwise. A denial ends with the id of its decision.\n"
    "\n"
    "Root and members of the group `warder` may ask about every decision; anyone about those of\n"
    "their own processes, and is told what was recorded and the rule that decided.\n"
    "\n"
    "  --policy FILE|NAME   a policy that the session had of its own (`warder run --policy "
    "FILE`):\n"
    "                       the daemon does not keep those; those that come with Warder are\n"
    "                       found by themselves\n"
    "  --json               as one JSON object; a failure as one with error and kind\n"
    "  --state-dir DIR      of a directory that `warder run --state-dir` kept\n"
    "  --admin-socket PATH  of another daemon than the host's\n"
    "\n"
    "examples:\n"
    "  sudo warder why 7f3a-12\n"
    "  sudo warder why --json 7f3a-12 | jq .today_differs\n"
    "  warder run --policy my.warder --state-dir kept -- python3 x.py\n"
    "  warder why --state-dir kept --policy my.warder 1-4\n"
    "\n"
    "exit status: 0 explained, 1 there is no such decision, 2 wrong usage or failure\n";

enum {
    FILES_MAX = 64,
    SESSION_DIGITS_MAX = 16,
    /* A denial is on its way to the record for a second at most; a daemon that is asked by somebody
     * who does not administer it does not hurry that. */
    AGAIN_MILLISECONDS = 400,
    AGAIN_MAX = 3,
};

struct why_options {
    const char *socket;
    const char *state_directory;
    const char *paths[FILES_MAX];
    size_t path_count;
    bool json;
    char session[SESSION_DIGITS_MAX + 1];
    uint64_t number;
};

/* `7f3a-12`, also as a denial ends: `[decision 7f3a-12]`. */
static bool parse_id(struct why_options *why, const char *given)
{
    static const char word[] = "decision ";
    const char *text = given;
    char *end = NULL;

    text += *text == '[';
    text += strncmp(text, word, strlen(word)) == 0 ? strlen(word) : 0;
    const size_t length = strspn(text, "0123456789abcdefABCDEF");
    const char *rest = text + length;
    errno = 0;
    if (*rest == '-' && isdigit((unsigned char)rest[1]))
        why->number = strtoull(rest + 1, &end, 10);
    if (length > 0 && length <= SESSION_DIGITS_MAX && strspn(text, "0") < length && end &&
        errno == 0 && why->number > 0 && (*end == '\0' || strcmp(end, "]") == 0)) {
        memcpy(why->session, text, length);
        why->session[length] = '\0';
        return true;
    }
    if (length > 0 && (*rest == '\0' || strcmp(rest, "-") == 0))
        complain("why: `%s` is not the whole id of a decision: a session's number is followed by "
                 "`-` and the decision's, as in %.*s-12; `warder log --session %.*s` lists them",
                 given, (int)length, text, (int)length, text);
    else
        complain("why: `%s` is no decision's id: a denial ends with one, such as 7f3a-12, and "
                 "`warder log` has them in its last column",
                 given);
    return false;
}

/* -1: go on. */
static int parse(struct why_options *why, int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"policy", required_argument, NULL, 'p'},
                                            {"state-dir", required_argument, NULL, 'D'},
                                            {"admin-socket", required_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    int option;

    *why = (struct why_options){.socket = NULL};
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_DONE;
        }
        if (option == 'j') {
            why->json = true;
            complaints_in_json(true);
        } else if (option == 'D')
            why->state_directory = optarg;
        else if (option == 's')
            why->socket = optarg;
        else if (option != 'p') {
            complain_option("why", argv, option);
            return EXIT_USAGE;
        } else if (why->path_count == FILES_MAX) {
            complain("why: at most %d files can be given with --policy", FILES_MAX);
            return EXIT_USAGE;
        } else {
            why->paths[why->path_count++] = optarg;
        }
    }
    if (argc - optind != 1) {
        complain("why: name one decision, such as 7f3a-12; `warder why --help` shows how");
        return EXIT_USAGE;
    }
    return parse_id(why, argv[optind]) ? -1 : EXIT_USAGE;
}

/* The texts of policies that the session had of its own. */
struct own_files {
    struct policy_file items[FILES_MAX];
    size_t count;
};

static void own_files_deinit(struct own_files *own)
{
    for (size_t i = 0; i < own->count; i++)
        policy_file_deinit(&own->items[i]);
}

/* A name that is no file here is that of a policy that comes with Warder, as `warder run` has it.
 */
static bool own_files_read(struct own_files *own, const struct why_options *why)
{
    for (size_t i = 0; i < why->path_count; i++) {
        const char *given = why->paths[i];
        const bool is_path = strcmp(given, "-") == 0 || access(given, F_OK) == 0;
        char *shipped = is_path ? NULL : shipped_policy_path(given);
        const bool read = policy_file_read(&own->items[own->count], shipped ? shipped : given);
        free(shipped);
        if (!read)
            return false;
        own->count++;
    }
    return true;
}

static bool has_text(const struct own_files *own, const struct policy_file *file)
{
    for (size_t i = 0; i < own->count; i++)
        if (own->items[i].length == file->length &&
            memcmp(own->items[i].text, file->text, file->length) == 0)
            return true;
    return false;
}

/* Adds those of the session's texts that come with Warder, and that nobody has named. */
static void add_shipped(struct own_files *own, const struct recorded_decision *decision)
{
    char **paths = recorded_decision_has_own(decision) ? shipped_policy_paths() : NULL;

    for (char **path = paths; path && *path; path++) {
        struct policy_file *file = &own->items[own->count];
        if (own->count < FILES_MAX && policy_file_read(file, *path)) {
            if (recorded_decision_knows(decision, file) && !has_text(own, file))
                own->count++;
            else
                policy_file_deinit(file);
        }
        free(*path);
    }
    free(paths);
}

static int print(const struct why_options *why, struct recorded_decision *decision,
                 struct own_files *own)
{
    complaints_in_json(false); /* these stand beside an answer */
    for (size_t i = 0; i < own->count; i++)
        if (!recorded_decision_knows(decision, &own->items[i]))
            complain("%s: is not a text that the session had: it has been changed since, or is "
                     "another policy; what follows is by what it says now",
                     own->items[i].path);
    add_shipped(own, decision);
    if (!recorded_decision_rehear(decision, own->items, own->count))
        return EXIT_USAGE;
    if (why->json)
        json_line_print_object(stdout, why_json(decision));
    else
        why_print(stdout, decision, wants_colour(STDOUT_FILENO));
    return EXIT_DONE;
}

static int ask(const struct why_options *why, struct daemon_client *client, struct own_files *own)
{
    const struct timespec moment = {.tv_nsec = AGAIN_MILLISECONDS * 1000000L};
    struct recorded_decision decision;
    char error[512] = "";

    enum decision_answer answer =
        recorded_decision_ask(&decision, client, why->session, why->number, error, sizeof(error));
    for (int i = 0; answer == DECISION_NOT_FOUND && i < AGAIN_MAX && geteuid() != 0; i++) {
        recorded_decision_deinit(&decision);
        nanosleep(&moment, NULL);
        answer = recorded_decision_ask(&decision, client, why->session, why->number, error,
                                       sizeof(error));
    }
    int status = EXIT_USAGE;
    if (answer == DECISION_TOLD) {
        status = print(why, &decision, own);
    } else if (answer == DECISION_NOT_FOUND) {
        complain_of("not-found", "%s", error);
        status = EXIT_NO;
    }
    recorded_decision_deinit(&decision);
    return status;
}

static int ask_kept(const struct why_options *why, struct own_files *own)
{
    struct private_daemon daemon;
    char directory[PATH_MAX];

    if (!realpath(why->state_directory, directory) || access(directory, R_OK | X_OK) < 0) {
        complain("%s: cannot be read: %s", why->state_directory, strerror(errno));
        return EXIT_USAGE;
    }
    if (!private_daemon_start_reading(&daemon, directory))
        return EXIT_USAGE;
    const int status = ask(why, daemon.client, own);
    private_daemon_stop(&daemon);
    return status;
}

int command_why(int argc, char **argv)
{
    struct why_options why;
    int status = parse(&why, argc, argv);

    if (status >= 0)
        return status;
    struct own_files own = {.count = 0};
    const bool read = own_files_read(&own, &why);
    status = EXIT_USAGE;
    if (read && why.state_directory) {
        status = ask_kept(&why, &own);
    } else if (read) {
        CLEANUP(daemon_client_free)
        struct daemon_client *client = admin_connect(why.socket, ADMIN_RECORD_OF_A_RUN);
        status = client ? ask(&why, client, &own) : EXIT_USAGE;
    }
    own_files_deinit(&own);
    return status;
}
