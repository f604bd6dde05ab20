/* system, popen and wordexp: libc's ways to the shell. The shell is started as any program is
 * (boundary_spawn.h), with argv as libc makes it; what libc does around it is done here. */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_SHELL_H
#define WARDER_CLIENT_HOOK_BOUNDARY_SHELL_H

#include <stdbool.h>
#include <stdio.h>
#include <wordexp.h>

/* -1 and errno where it was denied. */
int boundary_system(const char *command);

FILE *boundary_popen(const char *command, const char *mode);
/* True if the stream came from boundary_popen: it is closed, and `*status` is pclose's. */
bool boundary_pclose(FILE *stream, int *status);

/* In the child of a fork: what other threads of its parent were in the middle of is over. */
void boundary_shell_forked(void);

/* Words without a command start nothing. Those with one are libc's to expand, in a way that nobody
 * can see to: they are told for the record, and refused where a policy could deny an exec. */
int boundary_wordexp(const char *words, wordexp_t *expansion, int flags);

#endif
