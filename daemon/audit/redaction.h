/* Passwords on command lines, kept out of the record.
 *
 * The catalogue says which arguments are secret as a whole; a command line is not, but may hold
 * one:
 * `--password=...`, `--token ...`, `PGPASSWORD=... psql`, `https://user:pass@host`. What follows
 * such a name is recorded as its length. A pattern is no proof: what it misses is recorded. */
#ifndef WARDER_DAEMON_AUDIT_REDACTION_H
#define WARDER_DAEMON_AUDIT_REDACTION_H

#include <stdbool.h>

#include "policies/engine/value.h"

/* Owns what a masked value points at. */
struct redaction {
    struct value *items;
    char **texts;
    uint32_t count;
};

void redaction_init(struct redaction *redaction);

/* A copy of a text, or of a list of texts, with secrets masked, in `*masked`, valid until deinit.
 * False if there is nothing to mask, or the value is neither. */
bool redaction_mask_command(struct redaction *redaction, const struct value *value,
                            struct value *masked);

void redaction_deinit(struct redaction *redaction);

#endif
