#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/command.h"
#include "client/cli/policy_file.h"
#include "client/cli/replace_file.h"
#include "policies/language/format.h"

static const char help[] =
    "usage: warder fmt [--check] FILE...\n"
    "       warder fmt [--check] --stdin\n"
    "\n"
    "Brings policy files and test files into their one canonical form: indentation, columns, line\n"
    "ends. Comments stay, and so does everything that a file says. Names the files it changed.\n"
    "A file with errors is left alone, and the errors are said.\n"
    "\n"
    "  --check  change nothing; name the files that are not in that form\n"
    "  --stdin  format standard input to standard output; `-` is the same\n"
    "\n"
    "examples:\n"
    "  warder fmt media.warder media.test.warder\n"
    "  warder fmt --check /etc/warder/policies/*.warder\n"
    "  warder fmt - <media.warder | diff media.warder -\n"
    "\n"
    "exit status: 0 done, 1 a file has errors, or --check named one, 2 wrong usage or failure\n";

/* What is asked, and how it goes. */
struct formatting {
    bool check;
    int status; /* the worst so far */
    struct diagnostics *diagnostics;
};

static void worsen(struct formatting *formatting, int status)
{
    if (status > formatting->status)
        formatting->status = status;
}

static bool print(const char *text)
{
    if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
        return true;
    complain("fmt: standard output cannot be written");
    return false;
}

/* `found` is NULL for standard input. */
static int put(const struct formatting *formatting, const struct policy_file *file,
               const struct found_file *found, const char *formatted)
{
    const size_t length = strlen(formatted);
    const bool same = length == file->length && memcmp(formatted, file->text, length) == 0;

    if (formatting->check) {
        if (!same)
            printf("%s\n", file->path);
        return same ? EXIT_DONE : EXIT_NO;
    }
    if (!found)
        return print(formatted) ? EXIT_DONE : EXIT_USAGE;
    if (same)
        return EXIT_DONE;
    if (!found_file_replace(found, formatted, length))
        return EXIT_USAGE;
    printf("%s\n", file->path);
    return EXIT_DONE;
}

static void format_one(struct formatting *formatting, const char *path)
{
    const bool standard = strcmp(path, "-") == 0;
    struct found_file *found = NULL;
    struct policy_file file;

    if (!standard && !formatting->check) {
        found = found_file_new(path);
        if (!found) {
            worsen(formatting, EXIT_USAGE);
            return;
        }
    }
    if (!policy_file_read(&file, path)) {
        worsen(formatting, EXIT_USAGE);
    } else {
        const struct policy_text text = policy_file_text(&file);
        char *formatted = policy_format(&text, formatting->diagnostics);
        worsen(formatting, formatted ? put(formatting, &file, found, formatted) : EXIT_NO);
        free(formatted);
        policy_file_deinit(&file);
    }
    found_file_free(found);
}

static int format_files(char **paths, size_t count, bool check)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    struct formatting formatting = {check, EXIT_DONE, diagnostics};

    if (!diagnostics) {
        complain("fmt: out of memory");
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < count; i++)
        format_one(&formatting, paths[i]);
    if (diagnostics_error_count(diagnostics) > 0) {
        char *report = diagnostics_render(diagnostics, "files with errors are left alone.",
                                          wants_colour(STDERR_FILENO));
        if (report)
            fputs(report, stderr);
        free(report);
    }
    return formatting.status;
}

int command_fmt(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"check", no_argument, NULL, 'c'},
                                            {"stdin", no_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    static char dash[] = "-";
    char *standard[] = {dash};
    bool check = false;
    bool from_standard = false;
    int option;

    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        switch (option) {
        case 'h':
            fputs(help, stdout);
            return EXIT_DONE;
        case 'c':
            check = true;
            break;
        case 's':
            from_standard = true;
            break;
        default:
            complain_option("fmt", argv, option);
            return EXIT_USAGE;
        }
    }
    if (from_standard && optind < argc) {
        complain("fmt: --stdin formats standard input alone; name no files beside it");
        return EXIT_USAGE;
    }
    if (from_standard)
        return format_files(standard, 1, check);
    if (optind == argc) {
        complain("fmt: name the files to format; `warder fmt --help` shows how");
        return EXIT_USAGE;
    }
    return format_files(argv + optind, (size_t)(argc - optind), check);
}
