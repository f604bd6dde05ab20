/* The file that the hook was loaded from, which no session that a policy holds may change or take
 * out of its place: the loader passes over a preload that it does not find, and starts the program
 * without it. It is a rule that nobody has to write, and that no policy can except. */
#ifndef WARDER_POLICIES_ENGINE_HOOK_FILE_H
#define WARDER_POLICIES_ENGINE_HOOK_FILE_H

#include "policies/engine/event.h"

enum {
    HOOK_FILE_UNCHANGED = -1,
};

/* For a person who meets a denial. */
#define HOOK_FILE_MESSAGE                                                                          \
    "the hook was loaded from there, and where it is missing or changed programs start without it"

/* The first operation of the event that changes the file at `path` (absolute, links resolved),
 * moves, replaces or removes it, or does that, or shuts it to others, to a directory above it. A
 * path that is not known could be one of these, but for one that is opened or newly made.
 * HOOK_FILE_UNCHANGED if none does. */
int hook_file_changed_by(const char *path, const struct event *event);

#endif
