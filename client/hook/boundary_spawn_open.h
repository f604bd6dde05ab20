/* The files that posix_spawn opens in its child: no audit event has them.
 *
 * Each is judged as the event `open` that Python's own open would be, before there is a child. */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_SPAWN_OPEN_H
#define WARDER_CLIENT_HOOK_BOUNDARY_SPAWN_OPEN_H

#include <spawn.h>

/* 0, or the errno that the call is to return; what was denied is kept for strerror(). */
int boundary_spawn_judge_opens(const posix_spawn_file_actions_t *actions);

#endif
