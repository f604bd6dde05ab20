#define _GNU_SOURCE
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/host_paths.h"

static const char help[] =
    "usage: warderd [--foreground] [--config FILE] [--state-dir DIR] [--socket PATH]\n"
    "               [--admin-socket PATH] [--record denied|all]\n"
    "\n"
    "Judges the audit events of this host's Python interpreters by its policies.\n"
    "\n"
    "  --foreground        stay in the foreground (warderd always does: this is how a service\n"
    "                      manager wants it; the option says that you know)\n"
    "  --config FILE       settings, TOML (default " HOST_CONFIGURATION ", if it is there)\n"
    "  --state-dir DIR     where policy.db and audit.db are (default " HOST_STATE_DIRECTORY ")\n"
    "  --socket PATH       where interpreters connect (default " HOST_SESSION_SOCKET ")\n"
    "  --admin-socket PATH where `warder` connects (default: admin.sock beside the other)\n"
    "  --record denied|all what goes into the record: denials and `log` rules, or every decision\n"
    "  --version           print the version\n"
    "\n"
    "Ends on SIGTERM or SIGINT, with everything written. Does not start where a stored policy "
    "does\n"
    "not compile: `warder show`, `apply` and `remove` mend the store with --state-dir then, "
    "without\n"
    "a daemon.\n"
    "\n"
    "examples:\n"
    "  warderd --foreground\n"
    "  warderd --foreground --state-dir /tmp/w --socket /tmp/w/session.sock --record all\n";

enum option_code {
    OPTION_FOREGROUND = 256,
    OPTION_CONFIG,
    OPTION_STATE_DIR,
    OPTION_SOCKET,
    OPTION_ADMIN_SOCKET,
    OPTION_RECORD,
    OPTION_PRIVATE, /* DESCRIPTOR: for `warder run` alone, and so not in the help */
    OPTION_TEMPORARY,
    OPTION_READING,
    OPTION_MENDING,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"foreground", no_argument, NULL, OPTION_FOREGROUND},
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"state-dir", required_argument, NULL, OPTION_STATE_DIR},
    {"socket", required_argument, NULL, OPTION_SOCKET},
    {"admin-socket", required_argument, NULL, OPTION_ADMIN_SOCKET},
    {"record", required_argument, NULL, OPTION_RECORD},
    {"private", required_argument, NULL, OPTION_PRIVATE},
    {"temporary", no_argument, NULL, OPTION_TEMPORARY},
    {"reading", no_argument, NULL, OPTION_READING},
    {"mending", no_argument, NULL, OPTION_MENDING},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static bool set_path(char *out, const char *path, const char *option, bool is_socket)
{
    const char *problem = configuration_path_problem(path, is_socket);

    if (problem) {
        fprintf(stderr, "warderd: %s %s: `%.100s%s`\n", option, problem, path,
                strlen(path) > 100 ? "..." : "");
        return false;
    }
    memcpy(out, path, strlen(path) + 1);
    return true;
}

/* Beside the session socket, unless somebody says otherwise. */
static void place_admin_socket(struct configuration *configuration)
{
    const char *slash = strrchr(configuration->session_socket, '/');
    const int directory = slash ? (int)(slash - configuration->session_socket) : 0;
    snprintf(configuration->admin_socket, sizeof(configuration->admin_socket), "%.*s/admin.sock",
             directory, configuration->session_socket);
}

static bool apply(struct options *options, int option, const char *argument)
{
    struct configuration *configuration = &options->configuration;

    switch (option) {
    case OPTION_FOREGROUND:
        options->foreground = true;
        return true;
    case OPTION_STATE_DIR:
        return set_path(configuration->state_directory, argument, "--state-dir", false);
    case OPTION_SOCKET:
        return set_path(configuration->session_socket, argument, "--socket", true);
    case OPTION_ADMIN_SOCKET:
        return set_path(configuration->admin_socket, argument, "--admin-socket", true);
    case OPTION_RECORD:
        configuration->record_all = strcmp(argument, "all") == 0;
        if (configuration->record_all || strcmp(argument, "denied") == 0)
            return true;
        fprintf(stderr, "warderd: --record is `denied` or `all`, not `%s`\n", argument);
        return false;
    case OPTION_PRIVATE:
        options->control = (int)strtol(argument, NULL, 10);
        return options->control > 2;
    case OPTION_READING:
        options->reading = true;
        return true;
    case OPTION_MENDING:
        options->mending = true;
        return true;
    case OPTION_TEMPORARY:
        options->temporary = true;
        return true;
    default:
        return true;
    }
}

/* The file comes before the rest of the command line, wherever it stands there. */
static bool read_file(struct options *options, int argc, char **argv)
{
    const char *file = NULL;
    char error[512];
    int option;

    optind = 1;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == OPTION_CONFIG)
            file = optarg;
        if (option == OPTION_PRIVATE) /* asks nobody but its owner */
            return true;
    }
    if (!file && access(HOST_CONFIGURATION, F_OK) < 0)
        return true;
    if (configuration_read(&options->configuration, file ? file : HOST_CONFIGURATION, error,
                           sizeof(error)))
        return true;
    fprintf(stderr, "warderd: %s\n", error);
    return false;
}

enum options_result options_parse(struct options *options, int argc, char **argv)
{
    int option;

    *options = (struct options){.control = -1};
    configuration_defaults(&options->configuration);
    char *admin_socket = options->configuration.admin_socket;
    *admin_socket = '\0'; /* beside the other, where neither names one */
    if (!read_file(options, argc, argv))
        return OPTIONS_WRONG;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            fputs(help, stdout);
            return OPTIONS_DONE;
        }
        if (option == OPTION_VERSION) {
            puts("warderd " WARDER_VERSION);
            return OPTIONS_DONE;
        }
        if (option == '?' || option == ':') {
            fprintf(stderr, "warderd: %s `%s`; try `warderd --help`\n",
                    option == ':' ? "something must follow" : "there is no option",
                    argv[optind - 1]);
            return OPTIONS_WRONG;
        }
        if (!apply(options, option, optarg))
            return OPTIONS_WRONG;
    }
    if (optind < argc) {
        fprintf(stderr, "warderd: what is `%s`? try `warderd --help`\n", argv[optind]);
        return OPTIONS_WRONG;
    }
    if (options->control < 0 && (options->reading || options->mending || options->temporary)) {
        fputs("warderd: --reading, --mending and --temporary are for `warder` alone\n", stderr);
        return OPTIONS_WRONG;
    }
    if (options->control >= 0)
        *admin_socket = '\0';
    else if (!*admin_socket)
        place_admin_socket(&options->configuration);
    if (strcmp(options->configuration.session_socket, admin_socket) == 0) {
        fprintf(stderr,
                "warderd: %s: is to be both the session socket and the administration socket: give "
                "--socket and --admin-socket (socket and admin_socket of the configuration "
                "file) each a path of its own\n",
                admin_socket);
        return OPTIONS_WRONG;
    }
    return OPTIONS_RUN;
}
