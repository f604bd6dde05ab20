/* An explanation for programs. */
#ifndef WARDER_CLIENT_CLI_EXPLANATION_JSON_H
#define WARDER_CLIENT_CLI_EXPLANATION_JSON_H

#include <jansson.h>

#include "client/cli/hearing.h"

/* A new reference; NULL on lack of memory:
 *
 *     verdict (allow, deny, kill, would-deny), event, summary, by, would_by, overridden, unknown,
 *     fired, defaults, overrides, near_misses
 *
 * What cites a rule has policy ("local/ci"), rule ("git", "default-exec"), operation (which of the
 * event's, from 0), class, and file, line and text of its statement. A near miss has misses (how
 * many predicates would have to turn) and predicate: text, line, wanted, answer, value, resolved.
 */
json_t *explanation_json(const struct hearing *hearing);

#endif
