#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <libsmartcols/libsmartcols.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/cli/admin_client.h"
#include "client/cli/command.h"
#include "client/cli/diagnostic_json.h"
#include "client/cli/json_line.h"
#include "client/cli/policy_file.h"
#include "client/cli/private_daemon.h"
#include "proto/host_paths.h"

enum {
    FILES_MAX = 256, /* of one `apply` */
};

/* What `apply`, `list`, `show` and `remove` have in common. */
struct store_options {
    const char *socket;
    const char *state_directory; /* NULL: a daemon's that lives */
    bool json;
    Warder__V1__Tier tier;
};

static const char apply_help[] =
    "usage: warder apply [--vendor] [--json] FILE...\n"
    "\n"
    "Checks policies, stores them on this host and puts them in force: at the next event of\n"
    "every interpreter. A policy replaces the one of its name. If anything is wrong with one,\n"
    "nothing is changed. `-` is standard input. Files of tests, NAME.test.warder, are passed "
    "over.\n"
    "\n"
    "  --vendor             store as shipped with a package, not as this host's own\n"
    "  --json               say what was done as JSON: what the checker says as `warder check "
    "--json`\n"
    "                       does, then done, generation, unchanged; or error and kind: policy,\n"
    "                       not-found, forbidden, failure\n"
    "  --state-dir DIR      of a host whose daemon does not live, where it has its state\n"
    "  --admin-socket PATH  of another daemon than the host's\n"
    "\n"
    "examples:\n"
    "  sudo warder apply media.warder\n"
    "  sudo warder apply /etc/warder/policies/*.warder\n"
    "\n"
    "exit status: 0 applied, 1 the policies do not compile, 2 wrong usage or failure\n";

static const char list_help[] =
    "usage: warder list [--json]\n"
    "\n"
    "Lists the policies of this host: tier, name, mode, whom they govern, rules, revision, when\n"
    "(by this machine's clock and zone) and by whom they were changed.\n"
    "\n"
    "  --json               one JSON object a line\n"
    "  --state-dir DIR      of a host whose daemon does not live, where it has its state\n"
    "  --admin-socket PATH  of another daemon than the host's\n"
    "\n"
    "examples:\n"
    "  sudo warder list\n"
    "  sudo warder list --json | jq -r .name\n"
    "\n"
    "exit status: 0 listed, 2 wrong usage or failure\n";

static const char show_help[] =
    "usage: warder show [--json] NAME\n"
    "\n"
    "Prints the text of a policy. NAME may have its tier before it: vendor/untrusted.\n"
    "\n"
    "  --json               with everything that `list` says about it\n"
    "  --state-dir DIR      of a host whose daemon does not live, where it has its state\n"
    "  --admin-socket PATH  of another daemon than the host's\n"
    "\n"
    "examples:\n"
    "  sudo warder show media-plugins\n"
    "  sudo warder show media-plugins > media.warder\n"
    "\n"
    "exit status: 0 shown, 1 there is no such policy, 2 wrong usage or failure\n";

static const char remove_help[] =
    "usage: warder remove [--json] NAME\n"
    "\n"
    "Removes a policy; of two in both tiers the local one, where NAME says no tier. What it said\n"
    "stays in the store as an old revision.\n"
    "\n"
    "  --json               say what was done as JSON: what the checker says as `warder check "
    "--json`\n"
    "                       does, then done, generation, unchanged; or error and kind: policy,\n"
    "                       not-found, forbidden, failure\n"
    "  --state-dir DIR      of a host whose daemon does not live, where it has its state\n"
    "  --admin-socket PATH  of another daemon than the host's\n"
    "\n"
    "examples:\n"
    "  sudo warder remove media-plugins\n"
    "  sudo warder remove --state-dir " HOST_STATE_DIRECTORY " local/media-plugins\n"
    "                       where it does not compile any more, and so no daemon starts\n"
    "\n"
    "exit status: 0 removed, 1 there is no such policy, 2 wrong usage or failure\n";

/* Of `apply`; those of the others begin behind the tiers, which a NAME says. */
static const struct option apply_options[] = {{"vendor", no_argument, NULL, 'v'},
                                              {"local", no_argument, NULL, 'l'},
                                              {"help", no_argument, NULL, 'h'},
                                              {"json", no_argument, NULL, 'j'},
                                              {"admin-socket", required_argument, NULL, 's'},
                                              {"state-dir", required_argument, NULL, 'D'},
                                              {NULL, 0, NULL, 0}};
static const struct option *const other_options = apply_options + 2;

/* -1: go on. */
static int parse(struct store_options *store, int argc, char **argv, const struct option *options,
                 const char *help)
{
    int option;

    *store = (struct store_options){.tier = WARDER__V1__TIER__TIER_LOCAL};
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_DONE;
        }
        if (option == 'j') {
            store->json = true;
            complaints_in_json(true);
        } else if (option == 's')
            store->socket = optarg;
        else if (option == 'D')
            store->state_directory = optarg;
        else if (option == 'v')
            store->tier = WARDER__V1__TIER__TIER_VENDOR;
        else if (option != 'l') {
            complain_option(argv[0], argv, option);
            return EXIT_USAGE;
        }
    }
    return -1;
}

/* Who is asked: the daemon that lives, or one that is started to look after a directory. */
struct asked {
    struct daemon_client *client;
    struct private_daemon own;
    bool is_own;
};

/* Where a daemon has its state, or is to have it (`fresh`). False after a complaint. */
static bool find_state(const char *given, bool fresh, char *directory)
{
    char path[PATH_MAX];

    if (!realpath(given, directory)) {
        complain("%s: %s", given, strerror(errno));
        return false;
    }
    const bool fits = snprintf(path, sizeof(path), "%s/policy.db", directory) < (int)sizeof(path);
    if (fits && (access(path, F_OK) == 0 || (errno == ENOENT && fresh)))
        return true;
    if (fits && errno == ENOENT)
        complain("%s: no daemon has kept policies there: there is no policy.db", directory);
    else
        complain("%s: cannot be read: %s", path, strerror(fits ? errno : ENAMETOOLONG));
    return false;
}

/* Puts the request; false after a complaint, and there is nothing to finish. */
static bool ask(struct asked *asked, const struct store_options *store,
                Warder__V1__AdminRequest *request)
{
    const bool applies = request->body_case == WARDER__V1__ADMIN_REQUEST__BODY_APPLY;
    char directory[PATH_MAX];

    *asked = (struct asked){.is_own = store->state_directory != NULL};
    if (asked->is_own && find_state(store->state_directory, applies, directory) &&
        private_daemon_start_mending(&asked->own, directory))
        asked->client = asked->own.client;
    else if (!asked->is_own)
        asked->client = admin_connect(store->socket, "; or work on its --state-dir without one");
    return asked->client && admin_request(asked->client, request);
}

/* NULL after a complaint, of which one of our own daemon's is the first. */
static const Warder__V1__AdminReply *next_reply(struct asked *asked)
{
    bool lost;

    return asked->is_own ? admin_reply_or_end(asked->client, true, &lost)
                         : admin_reply(asked->client);
}

/* The exit status of all. */
static int finish(struct asked *asked, int status)
{
    if (!asked->is_own)
        daemon_client_free(asked->client);
    if (!asked->is_own || !asked->client || private_daemon_stop(&asked->own))
        return status;
    if (complains_in_json()) /* the daemon itself has said it to people */
        complain("the state directory cannot be used: standard error says why");
    return EXIT_USAGE;
}

static int print_done(const struct store_options *store, const Warder__V1__Done *done)
{
    if (store->json) {
        diagnostics_print_json_received(stdout, done->diagnostics, done->n_diagnostics);
        json_line_print_object(
            stdout, json_pack("{s:o, s:I, s:b}", "done", json_line_field(&done->text), "generation",
                              (json_int_t)done->generation, "unchanged", (int)done->unchanged));
    } else
        printf("%.*s\n", (int)done->text.len, field_bytes(&done->text));
    return EXIT_DONE;
}

/* A request that is answered by one word. */
static int ask_once(const struct store_options *store, Warder__V1__AdminRequest *request)
{
    struct asked asked;
    int status = EXIT_USAGE;
    const Warder__V1__AdminReply *reply = ask(&asked, store, request) ? next_reply(&asked) : NULL;

    if (reply && reply->body_case == WARDER__V1__ADMIN_REPLY__BODY_FAILED)
        status = admin_failed(reply->failed);
    else if (reply && reply->body_case == WARDER__V1__ADMIN_REPLY__BODY_DONE)
        status = print_done(store, reply->done);
    else if (reply)
        complain("the daemon's answer is not understood");
    return finish(&asked, status);
}

/* ----------------------------------------------------------------------------------------- apply
 */

static int send_files(const struct store_options *store, const struct policy_file *files,
                      size_t count)
{
    Warder__V1__AdminRequest request = WARDER__V1__ADMIN_REQUEST__INIT;
    Warder__V1__Apply apply = WARDER__V1__APPLY__INIT;
    Warder__V1__PolicyText texts[FILES_MAX];
    Warder__V1__PolicyText *pointers[FILES_MAX];

    for (size_t i = 0; i < count; i++) {
        warder__v1__policy_text__init(&texts[i]);
        texts[i].file = text_field(files[i].path);
        texts[i].text = bytes_field(files[i].text, files[i].length);
        pointers[i] = &texts[i];
    }
    apply.texts = pointers;
    apply.n_texts = count;
    apply.tier = store->tier;
    apply.apart = store->json;
    request.body_case = WARDER__V1__ADMIN_REQUEST__BODY_APPLY;
    request.apply = &apply;
    return ask_once(store, &request);
}

/* What lies beside the policies, and is none. */
static void say_passed_over(size_t tests, const char *first)
{
    if (tests == 1)
        (void)fprintf(stderr, "warder: apply: passed over %s: tests are not stored\n", first);
    else if (tests > 1)
        (void)fprintf(stderr,
                      "warder: apply: passed over %zu files of tests, %s the first: tests are not "
                      "stored\n",
                      tests, first);
}

int command_apply(int argc, char **argv)
{
    struct policy_file files[FILES_MAX];
    struct store_options store;
    size_t count = 0;
    int status = parse(&store, argc, argv, apply_options, apply_help);

    if (status >= 0)
        return status;
    if (optind == argc || argc - optind > FILES_MAX) {
        complain("apply: name the files to apply, %d at most; `warder apply --help` shows how",
                 FILES_MAX);
        return EXIT_USAGE;
    }
    const char *first_test = NULL;
    size_t tests = 0;
    for (int i = optind; i < argc; i++) {
        if (policy_file_is_test(argv[i])) {
            first_test = first_test ? first_test : argv[i];
            tests++;
            continue;
        }
        if (!policy_file_read(&files[count], argv[i])) {
            status = EXIT_USAGE;
            break;
        }
        count++;
    }
    if (status < 0 && count == 0) {
        complain("apply: %s is a file of tests, and those are not stored: `warder test` runs them",
                 first_test);
        status = EXIT_USAGE;
    }
    if (status < 0) {
        say_passed_over(tests, first_test);
        status = send_files(&store, files, count);
    }
    for (size_t i = 0; i < count; i++)
        policy_file_deinit(&files[i]);
    return status;
}

/* ------------------------------------------------------------------------------------------ list
 */

static const char *tier_text(Warder__V1__Tier tier)
{
    return tier == WARDER__V1__TIER__TIER_VENDOR ? "vendor" : "local";
}

static void time_text(uint64_t time, char *text, size_t size)
{
    const time_t seconds = (time_t)(time / 1000000000U);
    struct tm parts;

    localtime_r(&seconds, &parts);
    strftime(text, size, "%Y-%m-%d %H:%M:%S", &parts);
}

static json_t *entry_json(const Warder__V1__PolicyEntry *entry)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:b, s:i, s:I, s:o, s:o, s:o*}", "tier",
                     tier_text(entry->tier), "name", json_line_field(&entry->name), "title",
                     json_line_field(&entry->title), "mode", json_line_field(&entry->mode),
                     "selects", entry->selects, "rules", (int)entry->rules, "revision",
                     (json_int_t)entry->revision, "time", json_line_time(entry->time), "who",
                     json_line_field(&entry->who), "problem",
                     entry->problem.len > 0 ? json_line_field(&entry->problem) : NULL);
}

static void set_cell(struct libscols_line *line, size_t column, const char *bytes, size_t length)
{
    char *text = strndup(bytes, length);
    if (text)
        scols_line_set_data(line, column, text); /* copies */
    free(text);
}

/* `uid 1000`, as the store has it, by the user's name if there is one of that number now. */
static void set_user_cell(struct libscols_line *line, size_t column, const ProtobufCBinaryData *who)
{
    static const char prefix[] = "uid ";
    char text[128];
    char *end = text;

    snprintf(text, sizeof(text), "%.*s", who->len < sizeof(text) ? (int)who->len : 0,
             field_bytes(who));
    const bool numbered = strncmp(text, prefix, strlen(prefix)) == 0;
    const unsigned long uid = numbered ? strtoul(text + strlen(prefix), &end, 10) : 0;
    const struct passwd *user =
        end > text + strlen(prefix) && uid < UINT32_MAX ? getpwuid((uid_t)uid) : NULL;
    if (!user) {
        set_cell(line, column, field_bytes(who), who->len);
        return;
    }
    char *named = NULL;
    if (asprintf(&named, "%s%s", user->pw_name, end) < 0)
        return;
    set_cell(line, column, named, strlen(named));
    free(named);
}

static void add_row(struct libscols_table *table, const Warder__V1__PolicyEntry *entry)
{
    struct libscols_line *line = scols_table_new_line(table, NULL);
    char text[64];

    if (!line)
        return;
    const char *tier = tier_text(entry->tier);
    const bool is_read = entry->mode.len > 0; /* else it is of a store that does not compile */
    const char *whom = !is_read ? "-" : entry->selects ? "those it selects" : "who names it";
    set_cell(line, 0, tier, strlen(tier));
    set_cell(line, 1, field_bytes(&entry->name), entry->name.len);
    set_cell(line, 2, is_read ? field_bytes(&entry->mode) : "-", is_read ? entry->mode.len : 1);
    set_cell(line, 3, whom, strlen(whom));
    snprintf(text, sizeof(text), "%" PRIu32, entry->rules);
    set_cell(line, 4, is_read ? text : "-", is_read ? strlen(text) : 1);
    snprintf(text, sizeof(text), "%" PRIu64, entry->revision);
    set_cell(line, 5, text, strlen(text));
    time_text(entry->time, text, sizeof(text));
    set_cell(line, 6, text, strlen(text));
    set_user_cell(line, 7, &entry->who);
    if (entry->problem.len == 0) {
        set_cell(line, 8, field_bytes(&entry->title), entry->title.len);
        return;
    }
    char problem[640];
    snprintf(problem, sizeof(problem), "does not compile: %.*s", (int)entry->problem.len,
             field_bytes(&entry->problem));
    set_cell(line, 8, problem, strlen(problem));
}

static struct libscols_table *new_table(void)
{
    static const char *const columns[] = {"TIER",     "NAME",    "MODE", "GOVERNS", "RULES",
                                          "REVISION", "CHANGED", "BY",   "TITLE"};
    struct libscols_table *table = scols_new_table();

    for (size_t i = 0; table && i < sizeof(columns) / sizeof(*columns); i++)
        scols_table_new_column(table, columns[i], 0,
                               i == 4 || i == 5 ? SCOLS_FL_RIGHT
                               : i == 8         ? SCOLS_FL_TRUNC
                                                : 0);
    return table;
}

int command_list(int argc, char **argv)
{
    Warder__V1__AdminRequest request = WARDER__V1__ADMIN_REQUEST__INIT;
    Warder__V1__ListPolicies list = WARDER__V1__LIST_POLICIES__INIT;
    struct asked asked;
    struct store_options store;
    int status = parse(&store, argc, argv, other_options, list_help);

    if (status >= 0)
        return status;
    if (optind < argc) {
        complain("list: what is `%s`? `warder list --help`", argv[optind]);
        return EXIT_USAGE;
    }
    request.body_case = WARDER__V1__ADMIN_REQUEST__BODY_LIST;
    request.list = &list;
    if (!ask(&asked, &store, &request))
        return finish(&asked, EXIT_USAGE);
    struct libscols_table *table = store.json ? NULL : new_table();
    while (status < 0) {
        const Warder__V1__AdminReply *reply = next_reply(&asked);
        if (!reply)
            status = EXIT_USAGE;
        else if (reply->body_case == WARDER__V1__ADMIN_REPLY__BODY_FAILED)
            status = admin_failed(reply->failed);
        else if (reply->body_case != WARDER__V1__ADMIN_REPLY__BODY_POLICY)
            status = EXIT_DONE;
        else if (store.json)
            json_line_print_object(stdout, entry_json(reply->policy));
        else if (table)
            add_row(table, reply->policy);
    }
    if (table && status == EXIT_DONE) {
        if (scols_table_get_nlines(table) > 0)
            scols_print_table(table);
        else
            puts("no policies: every interpreter may do everything. `warder apply FILE` adds one");
    }
    if (table)
        scols_unref_table(table);
    return finish(&asked, status);
}

/* ---------------------------------------------------------------------------------- show, remove
 */

static int wants_one_name(int argc, const char *command)
{
    if (argc - optind == 1)
        return -1;
    complain("%s: name one policy; `warder list` shows all", command);
    return EXIT_USAGE;
}

static void print_policy(const struct store_options *store, const Warder__V1__PolicyEntry *entry)
{
    if (store->json) {
        json_t *object = entry_json(entry);
        json_object_set_new(object, "text", json_line_field(&entry->text));
        json_line_print_object(stdout, object);
        return;
    }
    fwrite(field_bytes(&entry->text), 1, entry->text.len, stdout);
    if (entry->text.len > 0 && entry->text.data[entry->text.len - 1] != '\n')
        putchar('\n');
}

int command_show(int argc, char **argv)
{
    Warder__V1__AdminRequest request = WARDER__V1__ADMIN_REQUEST__INIT;
    Warder__V1__ShowPolicy show = WARDER__V1__SHOW_POLICY__INIT;
    struct asked asked;
    struct store_options store;
    size_t shown = 0;
    int status = parse(&store, argc, argv, other_options, show_help);

    if (status < 0)
        status = wants_one_name(argc, "show");
    if (status >= 0)
        return status;
    show.name = text_field(argv[optind]);
    request.body_case = WARDER__V1__ADMIN_REQUEST__BODY_SHOW;
    request.show = &show;
    if (!ask(&asked, &store, &request))
        return finish(&asked, EXIT_USAGE);
    while (status < 0) {
        const Warder__V1__AdminReply *reply = next_reply(&asked);
        if (!reply)
            status = EXIT_USAGE;
        else if (reply->body_case == WARDER__V1__ADMIN_REPLY__BODY_FAILED)
            status = admin_failed(reply->failed);
        else if (reply->body_case != WARDER__V1__ADMIN_REPLY__BODY_POLICY)
            status = EXIT_DONE;
        else if (store.json || shown++ == 0)
            print_policy(&store, reply->policy);
        else /* two texts, one behind the other, would be no file that checks */
            complain("show: there is a policy of that name in another tier, too: `warder show "
                     "%s/%s` shows that",
                     tier_text(reply->policy->tier), argv[optind]);
    }
    return finish(&asked, status);
}

int command_remove(int argc, char **argv)
{
    Warder__V1__AdminRequest request = WARDER__V1__ADMIN_REQUEST__INIT;
    Warder__V1__RemovePolicy removal = WARDER__V1__REMOVE_POLICY__INIT;
    struct store_options store;
    int status = parse(&store, argc, argv, other_options, remove_help);

    if (status < 0)
        status = wants_one_name(argc, "remove");
    if (status >= 0)
        return status;
    removal.name = text_field(argv[optind]);
    removal.apart = store.json;
    request.body_case = WARDER__V1__ADMIN_REQUEST__BODY_REMOVE;
    request.remove = &removal;
    return ask_once(&store, &request);
}
