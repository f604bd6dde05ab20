/* What the checker has to say, for programs. */
#ifndef WARDER_CLIENT_CLI_DIAGNOSTIC_JSON_H
#define WARDER_CLIENT_CLI_DIAGNOSTIC_JSON_H

#include <stdio.h>

#include "policies/language/diagnostics.h"

/* One JSON object a line for each error, warning and note, in the order in which they are shown:
 * `warder check --help` has their members. */
void diagnostics_print_json(FILE *out, const struct diagnostics *diagnostics);

#endif
