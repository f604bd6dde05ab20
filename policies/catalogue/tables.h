/* What generate.py writes and catalogue.c reads. Nobody else includes this. */
#ifndef WARDER_POLICIES_CATALOGUE_TABLES_H
#define WARDER_POLICIES_CATALOGUE_TABLES_H

#include <stdint.h>

#include "policies/catalogue/catalogue.h"
#include "policies/catalogue/mapping.h"

/* By number: element 0 is no event. */
extern const struct event_entry catalogue_events[];
extern const uint16_t catalogue_last_number;
extern const char catalogue_argument_names[][ARGUMENT_NAME_SIZE];

/* The rules of event N: from catalogue_rule_starts[N], up to where those of N + 1 start. */
extern const struct mapping_rule catalogue_all_rules[];
extern const uint16_t catalogue_rule_starts[];
extern const char catalogue_literals[][MAPPING_LITERAL_SIZE];

/* Names by hash: event numbers, 0 where a slot is free. A name stands in the slot of its hash or,
 * where that was taken, in one of the next catalogue_probe_count - 1. generate.py chooses the seed
 * so that they are few. */
extern const uint16_t catalogue_slots[];
extern const uint32_t catalogue_slot_mask;
extern const uint32_t catalogue_probe_count;
extern const uint32_t catalogue_seed;
extern const uint32_t catalogue_longest_name; /* bytes */

#endif
