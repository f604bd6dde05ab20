/* The command line of warderd. */
#ifndef WARDER_DAEMON_OPTIONS_H
#define WARDER_DAEMON_OPTIONS_H

#include <stdbool.h>

#include "daemon/configuration.h"

struct options {
    struct configuration configuration;
    bool foreground; /* messages to standard error alone; the service manager's way */
    int control;     /* descriptor of the owner's connection: a private daemon; -1: none */
    bool reading;    /* a private daemon shows a record that was kept, and writes nothing */
    bool mending;    /* a private daemon changes a host's store while no other daemon does */
    bool temporary;  /* a private daemon keeps its state in memory, and in no file */
};

enum options_result {
    OPTIONS_RUN,
    OPTIONS_DONE, /* --help, --version: exit 0 */
    OPTIONS_WRONG,
};

/* Says what is wrong on standard error. */
enum options_result options_parse(struct options *options, int argc, char **argv);

#endif
