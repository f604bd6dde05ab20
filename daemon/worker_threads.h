/* The threads of libuv's pool, made while a start can still fail with words.
 *
 * libuv makes them at the first work that it is given, which is somebody's first Hello, and aborts
 * the process where it cannot. */
#ifndef WARDER_DAEMON_WORKER_THREADS_H
#define WARDER_DAEMON_WORKER_THREADS_H

#include <uv.h>

enum {
    WORKER_THREADS = 4,                  /* of libuv's pool, whatever the environment asks for */
    THREADS_NEEDED = WORKER_THREADS + 1, /* with the record's, which is made later */
};

/* Makes them, of the process and not of the loop: an empty piece of work goes through it. Before
 * anything else is given to the pool, once in a process. 0, or libuv's error (below 0): then there
 * are none, because THREADS_NEEDED, and `others` that somebody else will make
 * (CONFIGURATION_LOOPS_MAX at most), cannot be made, and nothing may be given to the pool. */
int worker_threads_start(uv_loop_t *loop, int others);

#endif
