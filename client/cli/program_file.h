/* The file of a program that is to be run, before it is. */
#ifndef WARDER_CLIENT_CLI_PROGRAM_FILE_H
#define WARDER_CLIENT_CLI_PROGRAM_FILE_H

#include <stdbool.h>

/* True if the kernel would give the program more than its caller has: a set-user-ID or set-group-ID
 * file of somebody else's, or one with capabilities. The loader then preloads nothing into it, and
 * nobody but root can look whether it is an interpreter. `name` is found as execvp(3) finds it;
 * false where there is none. */
bool program_file_gains_privilege(const char *name);

#endif
