/* This host, as a policy is checked against it: where paths lead, who can write files, which
 * interpreters are installed. These are what struct compile_options asks for; `context` is not
 * used.
 *
 * Looks at the file system and the user database each time; keeps nothing. Any thread. */
#ifndef WARDER_HOST_POLICY_HOST_H
#define WARDER_HOST_POLICY_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/language/compile.h"

/* What a literal of a policy leads to: links resolved as far as the path exists, the rest as it
 * stands. False if it leads to itself or cannot be told. */
bool policy_host_resolve(void *context, const char *path, char *resolved, size_t size);

/* Who besides root can put something else at the path: by the file itself, or by a directory above
 * it. Owners count whatever the mode says, for they can change it. `users` narrows it to those
 * (none: anyone); one that the host does not know can write nothing but what everybody can. */
bool policy_host_look(void *context, const char *path, const char *const *users, size_t user_count,
                      struct file_facts *facts);

/* The interpreters in the directories of `path` (as $PATH) and in the system's own, by their names:
 * bit N for python3.N. 0 if there are none. */
uint32_t policy_host_pythons(const char *path);

#endif
