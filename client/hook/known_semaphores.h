/* The named semaphores of this process, by their addresses: those that sem_open gave out and
 * sem_close has not taken back.
 *
 * _multiprocessing.SemLock takes the address of one as a number, and has libc count up and down
 * there. Any thread may call these. */
#ifndef WARDER_CLIENT_HOOK_KNOWN_SEMAPHORES_H
#define WARDER_CLIENT_HOOK_KNOWN_SEMAPHORES_H

#include <stdbool.h>

/* It has been opened, once more. Past some thousands nothing is added. */
void known_semaphores_add(const void *semaphore);
void known_semaphores_remove(const void *semaphore);
bool known_semaphores_have(const void *semaphore);

/* True if the code at an address is of an object whose semaphores are numbers of a program's: the
 * module _multiprocessing. False for the interpreter's own code, whose locks are semaphores too,
 * after two comparisons. */
bool known_semaphores_are_asked_by(const void *code);

#endif
