/* What the checker said of policies, as messages. */
#ifndef WARDER_DAEMON_ADMIN_DIAGNOSTIC_MESSAGE_H
#define WARDER_DAEMON_ADMIN_DIAGNOSTIC_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "policies/engine/arena.h"
#include "policies/language/diagnostics.h"
#include "proto/message.h"

/* All that is kept, in the order in which it is shown, in the arena; texts stay the diagnostics'.
 * False, and nothing to send, where the arena is too small. */
bool diagnostic_messages(const struct diagnostics *diagnostics, struct arena *arena, size_t *count,
                         Warder__V1__Diagnostic ***messages);

#endif
