/* A row of the record as one line for a person. */
#ifndef WARDER_CLIENT_CLI_LOG_LINE_H
#define WARDER_CLIENT_CLI_LOG_LINE_H

#include <stdbool.h>
#include <stdio.h>

#include "proto/message.h"

/* Prints
 *
 *     2026-11-22 15:04:05.123  denied      exec "id"  subprocess.Popen  local/p.no-exec  root 1234
 *
 * with the calling line (t.py:3) and the decision (7f3a-12) behind it: the same columns always,
 * two spaces apart, `-` where there is nothing. */
void log_line_print(FILE *out, const Warder__V1__LogEntry *entry, bool colour);

/* The columns' names, and the zone of the times: for people. */
void log_heading_print(FILE *out);

#endif
