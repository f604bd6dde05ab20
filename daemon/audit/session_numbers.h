/* Numbers of sessions: one that no other session has or had, also if a daemon before this one was
 * killed or its disk was full.
 *
 * Those below what is reserved on disk never come back. They are reserved ahead of need, by the
 * audit thread; where it cannot write in time, numbers jump so far ahead that nobody meets them. No
 * lock: the loop gives numbers out, the audit thread says what is reserved. */
#ifndef WARDER_DAEMON_AUDIT_SESSION_NUMBERS_H
#define WARDER_DAEMON_AUDIT_SESSION_NUMBERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    RESERVED_SESSIONS = 1024, /* numbers that are reserved at a time, half of them ahead of need */
};

struct session_numbers {
    uint64_t next;             /* the loop's */
    bool jumped;               /* the loop's: numbers are given beyond `reserved`, far away */
    _Atomic uint64_t reserved; /* those below are on disk as such */
    _Atomic uint64_t wanted;   /* what the thread is to write as the highest; 0: nothing */
};

/* `next` is the first number; nothing is reserved beyond those below `reserved`. */
void session_numbers_init(struct session_numbers *numbers, uint64_t next, uint64_t reserved);

/* Loop: the next number. `*wants` is set if the thread has something to write that it did not have.
 */
uint64_t session_numbers_take(struct session_numbers *numbers, bool *wants);

/* Loop: numbers up to `highest` are taken. */
void session_numbers_skip(struct session_numbers *numbers, uint64_t highest);

/* Audit thread: what was wanted is on disk. */
void session_numbers_reserved(struct session_numbers *numbers, uint64_t wanted);

#endif
