/* What one user was turned away for, of late: each reason has a record of its own, and what else
 * comes of it within a second is counted in one more, so that nobody floods the record and nothing
 * hides behind trifles. Inside (loops.h). */
#ifndef WARDER_DAEMON_SESSION_REFUSALS_H
#define WARDER_DAEMON_SESSION_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REFUSAL_MILLISECONDS = 1000,
    REFUSAL_REASONS_MAX = 16, /* told apart at a time; others are counted together */
    REFUSAL_TEXT_MAX = 200,
};

struct refusal {
    uint64_t until; /* server_now(): what is like it is counted before that */
    uint64_t more;  /* so many times, and not recorded yet */
    char reason[REFUSAL_TEXT_MAX];
};

struct refusals {
    struct refusal items[REFUSAL_REASONS_MAX];
    size_t count;
    struct refusal others;
};

/* True if this one is to be recorded by itself; else it has been counted. */
bool refusals_add(struct refusals *refusals, const char *reason, uint64_t now);

/* What was counted and is to be recorded now: the words for it in `text`, and how many times. False
 * if there is no more. To be called until then; `*waiting` then says whether some has yet to wait.
 */
bool refusals_take(struct refusals *refusals, uint64_t now, char *text, size_t size,
                   uint64_t *count, bool *waiting);

/* A reason with the socket that the connection came to, where it came to one by itself (`state` is
 * an enum connection_state); in `text`. */
const char *refusal_at_socket(int state, const char *reason, char *text, size_t size);

#endif
