/* The named semaphores of this process, by their addresses: those that sem_open gave out and
 * sem_close has not taken back.
 *
 * _multiprocessing.SemLock takes the address of one as a number, and has libc count up and down
 * there; another takes the same address, and ends what is mapped there when it goes. Who
 * waits there is not asked: so it is counted here who is at work at a semaphore.
 *
 * Any thread may call these. */
#ifndef WARDER_CLIENT_HOOK_KNOWN_SEMAPHORES_H
#define WARDER_CLIENT_HOOK_KNOWN_SEMAPHORES_H

#include <stdbool.h>

/* One that has been opened. */
struct known_semaphore;

/* Keeps what is said of others from what a fork leaves of it. Once. */
void known_semaphores_begin(void);

/* libc has opened it, once more. False: there is no memory, or there is no room for more than some
 * millions, and it is not known. */
bool known_semaphores_add(const void *semaphore);

/* What libc may do with one that is closed. */
enum semaphore_close {
    SEMAPHORE_UNKNOWN, /* it has not been opened, or has been closed as often */
    SEMAPHORE_IN_USE,  /* nothing: what is at work there counts on it. It stays mapped */
    SEMAPHORE_CLOSES,
};

/* Before libc closes it: from then on it is known once less. */
enum semaphore_close known_semaphores_remove(const void *semaphore);

/* Around each call of libc's that is at work there, between which it stays mapped. NULL: it is not
 * known, and nothing is to be called. Leaves errno alone. */
struct known_semaphore *known_semaphores_enter(const void *semaphore);
void known_semaphore_leave(struct known_semaphore *known);

/* True if the code at an address is of an object whose semaphores are numbers of a program's: the
 * module _multiprocessing. False for the interpreter's own code, whose locks are semaphores too,
 * after two comparisons. */
bool known_semaphores_are_asked_by(const void *code);

#endif
