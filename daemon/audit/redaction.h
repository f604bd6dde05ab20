/* Passwords on command lines, kept out of the record.
 *
 * The catalogue says which arguments are secret as a whole; a command line is not, but may hold
 * one (daemon/audit/secret_pattern.h). It is recorded as its length. A pattern is no proof: what it
 * misses is recorded. */
#ifndef WARDER_DAEMON_AUDIT_REDACTION_H
#define WARDER_DAEMON_AUDIT_REDACTION_H

#include <stdbool.h>

#include "policies/engine/event.h"

/* Owns what masked values point at. */
struct redaction {
    void **memory;
    uint32_t count;
};

void redaction_init(struct redaction *redaction);

/* A copy of a text, or of a list of texts, with secrets masked, in `*masked`, valid until deinit.
 * False if there is nothing to mask, or the value is neither. What there is no memory to mask
 * becomes an object that says nothing. */
bool redaction_mask_command(struct redaction *redaction, const struct value *value,
                            struct value *masked);

/* The event as the record may show it: whatever shows a value of it (arguments, operations, the
 * summary) shows this one. Valid until deinit, and as long as `event`. False on lack of memory:
 * nothing of it may be shown. */
bool redaction_mask_event(struct redaction *redaction, const struct event *event,
                          struct event *masked);

void redaction_deinit(struct redaction *redaction);

/* False if the record may have the event as it came: it has nothing that is masked, or that the
 * catalogue or the record knows as secret. */
bool redaction_is_needed(const struct event *event);

#endif
