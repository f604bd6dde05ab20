/* JSON values as compact text, in memory that is used again for the next one.
 *
 * The text is what json_dumps makes with JSON_COMPACT; that guards against values that hold
 * themselves, by a table of addresses that it fills for each, and makes its text in small pieces.
 * What the record is made of holds nothing twice. */
#ifndef WARDER_DAEMON_AUDIT_JSON_TEXT_H
#define WARDER_DAEMON_AUDIT_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct json_text {
    char *bytes; /* terminated once something was written */
    size_t length;
    size_t capacity;
    bool failed; /* memory was short */
};

/* Zeroed is initialised. */
void json_text_deinit(struct json_text *text);

/* The text of a value, valid until the next call; NULL on lack of memory. The value must not hold
 * itself. */
const char *json_text_of(struct json_text *text, const json_t *json);

#endif
