/* Whether policies let a program signal a process that is none of its own, such as the private
 * daemon that judges it. */
#ifndef WARDER_CLIENT_CLI_DAEMON_SIGNAL_H
#define WARDER_CLIENT_CLI_DAEMON_SIGNAL_H

#include <stdbool.h>

#include "policies/engine/policy_block.h"

/* False if any of them denies it, or could. */
bool daemon_signal_is_allowed(const struct policy_block *block);

#endif
