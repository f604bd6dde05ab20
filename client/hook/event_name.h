/* Comparing names of events, terminated. Every event that is looked at is compared with a dozen
 * names, and is none of them: the first character tells most, without a call. */
#ifndef WARDER_CLIENT_HOOK_EVENT_NAME_H
#define WARDER_CLIENT_HOOK_EVENT_NAME_H

#include <stdbool.h>
#include <string.h>

static inline bool event_name_is(const char *name, const char *other)
{
    return name[0] == other[0] && strcmp(name, other) == 0;
}

#endif
