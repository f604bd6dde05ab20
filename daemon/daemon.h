/* The daemon as a whole: what is opened in which order, and how it ends.
 *
 * Everything is opened, and root given up, before the first untrusted byte is read. */
#ifndef WARDER_DAEMON_DAEMON_H
#define WARDER_DAEMON_DAEMON_H

#include "daemon/options.h"

/* Runs until it is told to stop. The program's exit status. */
int daemon_run(const struct options *options);

#endif
