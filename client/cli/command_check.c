#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/cli/command.h"
#include "client/cli/diagnostic_json.h"
#include "client/cli/json_line.h"
#include "client/cli/policy_file.h"
#include "client/cli/ring_table.h"
#include "host/policy_host.h"
#include "policies/catalogue/catalogue.h"

static const char help[] =
    "usage: warder check [--rings] [--json] [--vendor FILE]... FILE...\n"
    "\n"
    "Checks policy files, all together, and says everything that is wrong with them: each place,\n"
    "what is wrong, and what to write instead. Warns of what is right and rarely meant. Notes say\n"
    "what a path stands for on this host besides itself. Nothing is stored and nothing changes.\n"
    "\n"
    "`-` is standard input. A file NAME.test.warder is checked for its form; `warder test` runs "
    "it.\n"
    "Files count as this host's own (tier local). The policies that come with Warder are known, "
    "so\n"
    "that overrides of theirs find what they name.\n"
    "\n"
    "  --vendor FILE        check FILE as a shipped policy (tier vendor) together with the "
    "others,\n"
    "                       in place of those that come with Warder\n"
    "  --rings              then, of each rule and default: which ring holds it (1 the audit "
    "hook,\n"
    "                       2 the C boundary, 3 the kernel by a floor), and what the kernel does\n"
    "                       not hold of it\n"
    "  --json               one JSON object a line for each error, warning and note, in order:\n"
    "                       code, severity, file, line, column, end_line, end_column, message,\n"
    "                       label, second (another place, or null), remarks (kind help or note,\n"
    "                       text); then one with the sums: errors, warnings, notes, files, unread\n"
    "\n"
    "examples:\n"
    "  warder check media.warder\n"
    "  warder check /etc/warder/policies/*.warder\n"
    "  warder check --json media.warder | jq -r 'select(.severity == \"error\") | .message'\n"
    "\n"
    "exit status: 0 no error (there may be warnings), 1 there are errors, 2 wrong usage, or a "
    "file\n"
    "that cannot be read; the others are checked all the same\n";

enum { SECONDS_OF_A_DAY = 24 * 60 * 60 };

/* What is checked, in the order of the command line. */
struct file {
    const char *path;
    bool vendor;
    bool shipped; /* nobody asked about it: it is there for what the others say of it */
    struct policy_file read;
};

struct check {
    bool json;
    bool rings;
    struct file *files;
    size_t count;
    size_t named; /* on the command line; those that come with Warder follow */
    size_t unread;
    struct policy_block *block; /* owned; NULL after an error */
    struct source_map *map;     /* owned */
};

static bool add_file(struct check *check, const char *path, bool vendor, bool shipped)
{
    struct file *grown = realloc(check->files, (check->count + 1) * sizeof(*grown));

    if (!grown)
        return false;
    check->files = grown;
    check->files[check->count++] =
        (struct file){.path = path, .vendor = vendor, .shipped = shipped};
    return true;
}

static struct policy_text text_of(const struct file *file)
{
    struct policy_text text = policy_file_text(&file->read);

    if (file->vendor)
        text.tier = TIER_VENDOR;
    text.quiet = file->shipped;
    return text;
}

/* Policies are one generation; test files stand by themselves. */
static bool check_texts(struct check *check, struct diagnostics *diagnostics)
{
    const struct compile_options options = {.resolve = policy_host_resolve,
                                            .look = policy_host_look,
                                            .pythons = policy_host_pythons(getenv("PATH")),
                                            .platforms = PLATFORM_LINUX,
                                            .notes = true,
                                            .map = check->map,
                                            .today = (int32_t)(time(NULL) / SECONDS_OF_A_DAY)};
    struct policy_text *texts = calloc(check->count + 1, sizeof(*texts));
    size_t policies = 0;

    if (!texts)
        return false;
    for (size_t i = 0; i < check->count; i++)
        if (check->files[i].read.text)
            diagnostics_mention(diagnostics, check->files[i].read.path);
    for (size_t i = 0; i < check->count; i++) {
        if (!check->files[i].read.text)
            continue;
        const struct policy_text text = text_of(&check->files[i]);
        if (policy_file_is_test(check->files[i].path))
            policy_test_parse(&text, diagnostics);
        else
            texts[policies++] = text;
    }
    check->block = policy_compile(texts, policies, &options, diagnostics);
    free(texts);
    return true;
}

static void print_json(const struct check *check, const struct diagnostics *diagnostics)
{
    diagnostics_print_json(stdout, diagnostics);
    json_line_print_object(stdout,
                           json_pack("{s:I, s:I, s:I, s:I, s:I}", "errors",
                                     (json_int_t)diagnostics_error_count(diagnostics), "warnings",
                                     (json_int_t)diagnostics_warning_count(diagnostics), "notes",
                                     (json_int_t)diagnostics_note_count(diagnostics), "files",
                                     (json_int_t)(check->named - check->unread), "unread",
                                     (json_int_t)check->unread));
}

static void print_text(const struct diagnostics *diagnostics)
{
    char *report = diagnostics_render(diagnostics, NULL, wants_colour(STDOUT_FILENO));

    if (report)
        fputs(report, stdout);
    free(report);
}

/* Of the policies that were asked about. */
static void print_rings(const struct check *check)
{
    for (uint32_t policy = 0; policy < policy_block_policy_count(check->block); policy++) {
        struct source_excerpt excerpt;
        bool asked = false;
        if (!source_map_policy(check->map, policy, &excerpt))
            continue;
        for (size_t i = 0; i < check->named && !asked; i++)
            asked =
                check->files[i].read.path && strcmp(check->files[i].read.path, excerpt.file) == 0;
        if (asked)
            ring_table_print(stdout, check->block, policy, check->json);
    }
}

static enum exit_status run(struct check *check)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();

    for (size_t i = 0; i < check->count; i++)
        if (!policy_file_read(&check->files[i].read, check->files[i].path))
            check->unread += i < check->named;
    check->map = source_map_new();
    if (!diagnostics || !check->map || !check_texts(check, diagnostics)) {
        complain("check: out of memory");
        return EXIT_USAGE;
    }
    if (check->json)
        print_json(check, diagnostics);
    else
        print_text(diagnostics);
    if (check->rings && check->block)
        print_rings(check);
    if (check->unread > 0)
        return EXIT_USAGE;
    return diagnostics_error_count(diagnostics) > 0 ? EXIT_NO : EXIT_DONE;
}

/* EXIT_NO to go on. */
static enum exit_status parse(struct check *check, int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"rings", no_argument, NULL, 'r'},
                                            {"vendor", required_argument, NULL, 'v'},
                                            {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, ":hjv:", options, NULL)) != -1) {
        switch (option) {
        case 'h':
            fputs(help, stdout);
            return EXIT_DONE;
        case 'j':
            check->json = true;
            break;
        case 'r':
            check->rings = true;
            break;
        case 'v':
            if (!add_file(check, optarg, true, false))
                return EXIT_USAGE;
            break;
        default:
            complain_option("check", argv, option);
            return EXIT_USAGE;
        }
    }
    for (; optind < argc; optind++)
        if (!add_file(check, argv[optind], false, false))
            return EXIT_USAGE;
    if (check->count == 0) {
        complain("check: name the files to check; `warder check --help` shows how");
        return EXIT_USAGE;
    }
    check->named = check->count;
    return EXIT_NO;
}

int command_check(int argc, char **argv)
{
    struct check check = {.json = false};
    enum exit_status status = parse(&check, argc, argv);
    char **shipped = NULL;
    bool vendor = false;

    for (size_t i = 0; i < check.count; i++)
        vendor |= check.files[i].vendor;
    if (status == EXIT_NO) {
        shipped = vendor ? NULL : shipped_policy_paths();
        for (char **path = shipped; path && *path; path++)
            (void)add_file(&check, *path, true, true);
        status = run(&check);
    }
    for (size_t i = 0; i < check.count; i++)
        policy_file_deinit(&check.files[i].read);
    for (char **path = shipped; path && *path; path++)
        free(*path);
    free(shipped);
    free(check.files);
    policy_block_free(check.block);
    source_map_free(check.map);
    return (int)status;
}
