#include "policies/catalogue/catalogue.h"

#include <string.h>

#include "policies/catalogue/tables.h"

/* FNV-1a, 32 bits, from a chosen seed. generate.py has the same lines: the two must agree. */
static uint32_t hash(const char *name, size_t length)
{
    uint32_t value = catalogue_seed;
    for (size_t i = 0; i < length; i++) {
        value ^= (unsigned char)name[i];
        value *= UINT32_C(16777619);
    }
    return value ^ (value >> 15);
}

uint16_t catalogue_event_count(void)
{
    return catalogue_last_number;
}

const struct event_entry *catalogue_event(uint16_t number)
{
    if (number == 0 || number > catalogue_last_number)
        return NULL;
    return &catalogue_events[number];
}

const char *catalogue_argument_name(const struct event_entry *entry, uint8_t argument)
{
    return catalogue_argument_names[entry->first_argument + argument];
}

const char *catalogue_literal(const struct mapping_attribute *attribute)
{
    return catalogue_literals[attribute->operands[0]];
}

const struct mapping_rule *catalogue_rules(uint16_t number, size_t *count)
{
    *count = 0;
    if (number == 0 || number > catalogue_last_number)
        return NULL;
    const uint16_t start = catalogue_rule_starts[number];
    *count = (size_t)(catalogue_rule_starts[number + 1] - start);
    return &catalogue_all_rules[start];
}

const struct event_entry *catalogue_find(const char *name, size_t length)
{
    if (length == 0 || length > catalogue_longest_name)
        return NULL;

    uint32_t slot = hash(name, length);
    for (uint32_t i = 0; i < catalogue_probe_count; i++, slot++) {
        const uint16_t number = catalogue_slots[slot & catalogue_slot_mask];
        if (number == 0)
            return NULL;
        const struct event_entry *entry = &catalogue_events[number];
        if (strlen(entry->name) == length && memcmp(entry->name, name, length) == 0)
            return entry;
    }
    return NULL;
}
