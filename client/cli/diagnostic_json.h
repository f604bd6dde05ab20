/* What the checker has to say, for programs: one JSON object a line for each error, warning and
 * note, in the order in which they are shown; `warder check --help` has their members. */
#ifndef WARDER_CLIENT_CLI_DIAGNOSTIC_JSON_H
#define WARDER_CLIENT_CLI_DIAGNOSTIC_JSON_H

#include <stddef.h>
#include <stdio.h>

#include "policies/language/diagnostics.h"
#include "proto/message.h"

/* Of this process. */
void diagnostics_print_json(FILE *out, const struct diagnostics *diagnostics);

/* The daemon's. */
void diagnostics_print_json_received(FILE *out, Warder__V1__Diagnostic *const *diagnostics,
                                     size_t count);

#endif
