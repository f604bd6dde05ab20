/* What stood in the environment when this process came under policy: who started it put it there,
 * and no code of the interpreter had run. It passes on to the programs that are started as it was,
 * whatever its name is (boundary_environment.h).
 *
 * Entries are kept by a keyed hash of 64 bits each, in memory that is read-only once it is filled.
 */
#ifndef WARDER_CLIENT_HOOK_FIRST_ENVIRONMENT_H
#define WARDER_CLIENT_HOOK_FIRST_ENVIRONMENT_H

#include <stdbool.h>

enum {
    FIRST_ENVIRONMENT_MAX = 4096, /* entries; what stands behind them is not known */
};

/* Notes an environment, ended by NULL. The first call counts; where memory is short, nothing is
 * known. */
void first_environment_note(char *const *environment);

/* True of "NAME=VALUE" if it stood there so. Async-signal-safe. */
bool first_environment_has(const char *entry);

#endif
