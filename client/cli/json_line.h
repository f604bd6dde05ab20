/* JSON for programs, on lines that a terminal can show too. */
#ifndef WARDER_CLIENT_CLI_JSON_LINE_H
#define WARDER_CLIENT_CLI_JSON_LINE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/message.h"

/* Prints JSON and a newline. Whatever is no printable ASCII becomes \uNNNN: names are chosen by
 * programs, and controls of Latin-1 or of the direction of text play with terminals. */
void json_line_print(FILE *out, const char *json, size_t length);

/* The same of an object, which is freed. */
void json_line_print_object(FILE *out, json_t *object);

/* An entry of the record. NULL if it cannot be read. */
json_t *json_line_read(const Warder__V1__LogEntry *entry);

/* The text under a key; "" where there is none. */
const char *json_line_text(const json_t *object, const char *key);

/* A field of a message as a text. */
json_t *json_line_field(const ProtobufCBinaryData *field);

/* Nanoseconds since 1970 as in the record: 2026-01-31T12:00:00.000000000Z. */
json_t *json_line_time(uint64_t time);

#endif
