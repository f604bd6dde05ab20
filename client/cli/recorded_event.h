/* A row of the record as something that can be judged again.
 *
 * What the record keeps by its length alone (secrets), what it masks in command lines, and what it
 * cuts is not known any more: such a value is marked, so that a condition on it is unknown. */
#ifndef WARDER_CLIENT_CLI_RECORDED_EVENT_H
#define WARDER_CLIENT_CLI_RECORDED_EVENT_H

#include <jansson.h>
#include <stdbool.h>

#include "policies/engine/event.h"
#include "policies/engine/subject.h"
#include "policies/language/storage.h"

enum { RECORDED_LOST_MAX = 16 };

struct recorded_event {
    struct subject subject;
    struct event event;
    /* Arguments and attributes of which something is lost: `argument env`, `exec argv`. Those past
     * the array's end are not named. */
    const char *lost[RECORDED_LOST_MAX];
    size_t lost_count;
};

/* `row` as audit_query gives it. What it fills in lives in the storage. False if the row is no
 * decision, or holds none that can be read, or on lack of memory. */
bool recorded_event_read(const json_t *row, struct storage *storage, struct recorded_event *out);

#endif
