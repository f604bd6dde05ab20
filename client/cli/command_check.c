#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/command.h"
#include "client/cli/policy_file.h"

static const char help[] =
    "usage: warder check FILE...\n"
    "\n"
    "Checks policy files, all together, and says everything that is wrong with them.\n"
    "`-` is standard input. A file NAME.test.warder is checked for its form.\n"
    "\n"
    "examples:\n"
    "  warder check media.warder\n"
    "  warder check /etc/warder/policies/*.warder\n"
    "\n"
    "exit status: 0 nothing is wrong, 1 something is, 2 wrong usage or failure\n";

static bool is_test(const char *path)
{
    static const char suffix[] = ".test.warder";
    const size_t length = strlen(path);
    return length > strlen(suffix) && strcmp(path + length - strlen(suffix), suffix) == 0;
}

/* Policies are one generation; test files stand by themselves. */
static bool check(const struct policy_file *files, size_t count, struct diagnostics *diagnostics)
{
    const struct compile_options options = {.resolve = NULL};
    struct policy_text *texts = calloc(count + 1, sizeof(*texts));
    size_t policies = 0;

    if (!texts)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct policy_text text = policy_file_text(&files[i]);
        if (is_test(files[i].path))
            policy_test_parse(&text, diagnostics);
        else
            texts[policies++] = text;
    }
    policy_block_free(policy_compile(texts, policies, &options, diagnostics));
    free(texts);
    return diagnostics_error_count(diagnostics) == 0;
}

static int check_files(char **paths, size_t count)
{
    struct policy_file *files = calloc(count, sizeof(*files));
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    int status = files && diagnostics ? EXIT_DONE : EXIT_USAGE;
    size_t read = 0;

    while (status == EXIT_DONE && read < count) {
        if (policy_file_read(&files[read], paths[read]))
            read++;
        else
            status = EXIT_USAGE;
    }
    if (status == EXIT_DONE) {
        status = check(files, count, diagnostics) ? EXIT_DONE : EXIT_NO;
        char *report = diagnostics_render(diagnostics, NULL, wants_colour(STDOUT_FILENO));
        if (report)
            fputs(report, stdout);
        free(report);
    }
    for (size_t i = 0; i < read; i++)
        policy_file_deinit(&files[i]);
    free(files);
    return status;
}

int command_check(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_DONE;
        }
        complain_option("check", argv, option);
        return EXIT_USAGE;
    }
    if (optind == argc) {
        complain("check: name the files to check; `warder check --help` shows how");
        return EXIT_USAGE;
    }
    return check_files(argv + optind, (size_t)(argc - optind));
}
