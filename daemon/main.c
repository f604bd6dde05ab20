#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/options.h"
#include "proto/standard_streams.h"

int main(int argc, char **argv)
{
    struct options options;

    if (!standard_streams_fill(true))
        return 2;
    switch (options_parse(&options, argc, argv)) {
    case OPTIONS_DONE:
        if (fflush(stdout) == 0)
            return EXIT_SUCCESS;
        fprintf(stderr, "warderd: standard output: %s\n", strerror(errno));
        return 2;
    case OPTIONS_WRONG:
        return 2;
    default:
        return daemon_run(&options);
    }
}
