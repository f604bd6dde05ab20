/* The file that this object was loaded from. A program that is started loads it anew, by the name
 * that this process had it by; where it is not there any more the loader says so and starts the
 * program all the same, without Warder.
 *
 * Noted once, before the program's code runs; only read from then on, in any thread and in the
 * child of a vfork. */
#ifndef WARDER_CLIENT_HOOK_OWN_FILE_H
#define WARDER_CLIENT_HOOK_OWN_FILE_H

#include <stdbool.h>

#include "policies/engine/event.h"

/* Only the first call looks. */
void own_file_note(void);

/* Its path, links resolved, where this process's user could change the file or put another in its
 * place; NULL if he could not, or it is not known. */
const char *own_file_in_reach(void);

/* True if an operation of the event does (policies/engine/hook_file.h). */
bool own_file_is_changed_by(const struct event *event);

/* True if a name, or a descriptor where it is NULL, is of the file, and the user could change that.
 * `follow` false: a link in the last component is taken as itself. */
bool own_file_is_at(int directory, const char *name, bool follow);

/* True unless the file is known to be gone from its name, to be another one, written into or not to
 * be readable: what the loader of a program that is started by this process now finds. Opens
 * nothing. */
bool own_file_is_there(void);

#endif
