/* An event as a person reads it: `exec "id"`, `write "/etc/passwd"`, `event "sys._current_frames"`.
 *
 * What comes out is valid UTF-8 without control characters, whatever went in: it is shown in
 * terminals and logs. */
#ifndef WARDER_POLICIES_ENGINE_EVENT_TEXT_H
#define WARDER_POLICIES_ENGINE_EVENT_TEXT_H

#include <stddef.h>

#include "policies/engine/event.h"

enum {
    EVENT_TEXT_MAX = 320, /* bytes that event_text needs, terminator included */
};

/* Writes the operation (its class, its main attribute as the caller gave it, or that it could not
 * be read, and the port where it has one) or, where the event is no operation, the event's name.
 * `size` is at least EVENT_TEXT_MAX. Returns the length. */
size_t event_text(const struct event *event, uint32_t operation, char *buffer, size_t size);

/* Writes bytes so that they can be shown: control characters, bytes that are no UTF-8, and
 * characters that nobody sees or that reorder text become \xNN; what does not fit is cut before a
 * whole character and ends with "...". `size` is at least 8. Returns the length. */
size_t printable_text(const char *bytes, size_t length, char *buffer, size_t size);

/* The same in quotes, as a policy writes a string: a quote or backslash within it has a backslash
 * in front, so that a text cannot end itself. `size` is at least 10. */
size_t quoted_text(const char *bytes, size_t length, char *buffer, size_t size);

/* The same as one column of a line: in quotes if it could be taken for several. */
size_t column_text(const char *bytes, size_t length, char *buffer, size_t size);

#endif
