/* Events as JSON, for the record: arguments under the catalogue's names, operations with their
 * attributes, secrets as their length.
 *
 *     text            "id"; with bytes that are no UTF-8: {"text": "caf\\xe9"}
 *     bytes           {"bytes": "ab\\x00"}, both written as in a Python bytes literal
 *     int             7; beyond 64 bits {"int": "0x..."}, two's complement, highest byte first
 *     float           1.5; not finite: {"float": "nan"}
 *     none, bool      null, true
 *     list, map       [...], {...}; a map whose keys are not all text without NUL, or that has
 *                     one of the words used here as a key: {"map": [[key, value], ...]}
 *     other objects   {"object": "PosixPath"}; {"unknown": true}: not even its type is known
 *     marked values   {"value": ..., "cut": true, "subclass": true, "opaque": true}
 *     long values     {"value": ..., "cut": true, "length": N}: the first part of N
 *     secrets         {"secret": "text", "length": 12}: kind, and bytes or elements
 *
 * An operation has its attributes under their names; of a path, NAME.resolved is the form with
 * links resolved, where it is another one, or {"unknown": true}; NAME.nameless is true of a host
 * that no lookup gave. */
#ifndef WARDER_DAEMON_AUDIT_EVENT_JSON_H
#define WARDER_DAEMON_AUDIT_EVENT_JSON_H

#include <jansson.h>

#include "policies/engine/event.h"

enum {
    RECORD_TEXT_MAX = 4096, /* bytes of a text that are kept: PATH_MAX */
    RECORD_BYTES_MAX = 256, /* of a bytes object */
    RECORD_ITEMS_MAX = 256, /* elements of a list, pairs of a map */
};

/* New references; NULL on lack of memory. `event` is as redaction_mask_event has made it: passwords
 * on command lines are shown as they stand. */
json_t *event_arguments_json(const struct event *event);
json_t *event_operations_json(const struct event *event);

/* A text that may hold any bytes. */
json_t *text_json(const char *bytes, size_t length);

#endif
