/* Every event of the catalogue as CPython raises it, and what it is then: at least one example for
 * each event, and as many as it takes to see every row of event-operations.tsv. The process is the
 * one of event_map_fixture.h. */
#ifndef WARDER_TESTS_UNIT_EVENT_EXAMPLES_H
#define WARDER_TESTS_UNIT_EVENT_EXAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "policies/engine/value.h"

struct event_example {
    const char *event;
    const char *expected; /* as operations_text writes it */
    const struct value *arguments;
    uint32_t argument_count;
    int socket_family; /* 0: the usual */
};

extern const struct event_example event_examples[];
extern const size_t event_example_count;

#endif
