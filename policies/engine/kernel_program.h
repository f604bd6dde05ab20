/* Settings of the machine that name a program which the kernel starts by itself, as root and below
 * no process of a session: for a core file, a module, a device, an empty control group. Whoever may
 * write one has that program started, whatever his policy and its floor say of programs. So nobody
 * changes one in a session whose policies could deny `exec`. It is a rule that nobody has to write,
 * and that no policy can except. */
#ifndef WARDER_POLICIES_ENGINE_KERNEL_PROGRAM_H
#define WARDER_POLICIES_ENGINE_KERNEL_PROGRAM_H

#include <stddef.h>

#include "policies/engine/event.h"

enum {
    KERNEL_PROGRAM_NONE = -1,
};

/* For a person who meets a denial. */
#define KERNEL_PROGRAM_MESSAGE                                                                     \
    "the kernel starts the program that is named there, and no policy would hold it"

/* The first operation of the event that changes such a setting, KERNEL_PROGRAM_NONE if none does.
 * Only a path that is known counts: nearly every program opens something whose name an event cannot
 * tell. */
int kernel_program_changed_by(const struct event *event);

enum kernel_file_system {
    KERNEL_FILES_PROC,
    KERNEL_FILES_SYS,
    KERNEL_FILES_CGROUP, /* version 1: the second starts nothing */
    KERNEL_FILES_BINFMT,
};

/* The same by what a file is on, wherever that is mounted: what such a setting is called that has
 * this last component, NULL if none has. */
const char *kernel_program_setting(enum kernel_file_system on, const char *last);

#endif
