#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/command.h"
#include "client/cli/json_line.h"
#include "proto/standard_streams.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv); /* NULL: comes later */
    const char *summary;
} commands[] = {
    {"run", command_run, "run a program under policy"},
    {"check", command_check, "check policy files"},
    {"fmt", command_fmt, "bring policy files into their canonical form"},
    {"test", command_test, "run the tests of policies"},
    {"explain", command_explain, "say what policies answer to an event, and why"},
    {"apply", command_apply, "store policies on this host and put them in force"},
    {"list", command_list, "list the policies of this host"},
    {"show", command_show, "show a policy's text"},
    {"remove", command_remove, "remove a policy from this host"},
    {"log", command_log, "read the record"},
    {"why", command_why, "explain a recorded decision"},
    {"status", command_status, "say how the daemon is"},
    {"diff", NULL, NULL},
    {"history", NULL, NULL},
    {"rollback", NULL, NULL},
    {"mode", NULL, NULL},
    {"sessions", NULL, NULL},
    {"doctor", NULL, NULL},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(*commands) };

static void print_help(FILE *out)
{
    fputs("usage: warder COMMAND [OPTION]... [ARGUMENT]...\n"
          "\n"
          "Enforces this host's policy inside its Python interpreters.\n"
          "\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (commands[i].run)
            fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs("\n"
          "`warder COMMAND --help` says more, with examples.\n"
          "\n"
          "examples:\n"
          "  warder run --policy no-process -- python3 script.py\n"
          "  warder check my.warder && sudo warder apply my.warder\n"
          "  sudo warder log --denied -n 20\n"
          "\n"
          "exit status: 0 done, 1 the answer is no, 2 wrong usage or failure; `run` has the\n"
          "program's own, or 125 when Warder itself failed\n",
          out);
}

static bool in_json;

void complaints_in_json(bool on)
{
    in_json = on;
}

bool complains_in_json(void)
{
    return in_json;
}

__attribute__((format(printf, 2, 0))) static void complain_so(const char *kind, const char *format,
                                                              va_list arguments)
{
    char *text = NULL;
    const int length = vasprintf(&text, format, arguments);

    if (in_json) {
        json_line_print_object(
            stdout,
            json_pack("{s:o, s:s}", "error",
                      json_stringn_nocheck(length < 0 ? "" : text, length < 0 ? 0 : (size_t)length),
                      "kind", kind));
    } else {
        fputs("warder: ", stderr);
        /* What is quoted may be anybody's: a terminal takes no commands from it. */
        for (int i = 0; i < length; i++) {
            const unsigned char byte = (unsigned char)text[i];
            if ((byte < ' ' && byte != '\n') || byte == 0x7F)
                fprintf(stderr, "\\x%02x", byte);
            else
                fputc(byte, stderr);
        }
        fputc('\n', stderr);
    }
    if (length >= 0)
        free(text);
}

void complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    complain_so("failure", format, arguments);
    va_end(arguments);
}

void complain_of(const char *kind, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    complain_so(kind, format, arguments);
    va_end(arguments);
}

void complain_option(const char *command, char **argv, int answer)
{
    const char *word = argv[optind - 1];

    complain("%s: %s `%s`; `warder %s --help` shows what there is", command,
             answer == ':' ? "something must follow" : "there is no option", word, command);
}

bool wants_colour(int descriptor)
{
    const char *no = getenv("NO_COLOR"); /* no-color.org */
    return isatty(descriptor) && !(no && *no);
}

/* What could not be printed was not said: that is no success. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    complaints_in_json(false);
    complain("standard output cannot be written: %s", strerror(errno));
    return status == EXIT_DONE || status == EXIT_NO ? EXIT_USAGE : status;
}

static bool is_word_for_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

static void on_file_too_large(int number)
{
    (void)number;
}

/* A bound on files (`ulimit -f`) is a full disk: said, and not died of. By a handler, which an exec
 * takes back: a program that is run finds the signal as it was. */
static void outlive_file_bound(void)
{
    struct sigaction before;
    const struct sigaction outlived = {.sa_handler = on_file_too_large, .sa_flags = SA_RESTART};

    if (sigaction(SIGXFSZ, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
        sigaction(SIGXFSZ, &outlived, NULL);
}

int main(int argc, char **argv)
{
    static char help_option[] = "--help";

    if (!standard_streams_fill(false)) /* a program that is run finds them as they were */
        return EXIT_USAGE;
    outlive_file_bound();
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (is_word_for_help(argv[1])) {
        if (argc == 2) {
            print_help(stdout);
            return finish(EXIT_DONE);
        }
        /* `warder help run` is `warder run --help`. */
        argv[1] = argv[2];
        argv[2] = help_option;
        argc = 3;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("warder " WARDER_VERSION);
        return finish(EXIT_DONE);
    }
    opterr = 0; /* commands say themselves what is wrong */
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        if (commands[i].run)
            return finish(commands[i].run(argc - 1, argv + 1));
        complain("`%s` is not in this version yet; it comes with a later one", argv[1]);
        return EXIT_USAGE;
    }
    complain("there is no command `%s`; `warder --help` lists them", argv[1]);
    return EXIT_USAGE;
}
