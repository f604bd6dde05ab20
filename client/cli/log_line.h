/* A row of the record as one line for a person. */
#ifndef WARDER_CLIENT_CLI_LOG_LINE_H
#define WARDER_CLIENT_CLI_LOG_LINE_H

#include <stdbool.h>
#include <stdio.h>

#include "proto/message.h"

/* Prints
 *
 *     2026-11-22 15:04:05.123  denied  exec "id"  local/no-process.no-exec  root 1234  t.py:3
 * 7f3a-12
 */
void log_line_print(FILE *out, const Warder__V1__LogEntry *entry, bool colour);

#endif
