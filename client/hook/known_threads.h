/* The threads of this process, by libc's handle of each (pthread_t).
 *
 * libc takes such a handle at its word: it is the address of a structure, and what stands there is
 * read and changed. CPython hands on any number (time.pthread_getcpuclockid, signal.pthread_kill,
 * joining and detaching by number from 3.13 on), so somebody has to know which of them are threads:
 * those that were made by pthread_create since this process came under policy, and the one that it
 * came under policy in. A handle is known for as long as libc keeps its structure: until the thread
 * has been joined, or has been detached and has ended.
 *
 * Any thread may call these; a signal handler known_threads_find alone. */
#ifndef WARDER_CLIENT_HOOK_KNOWN_THREADS_H
#define WARDER_CLIENT_HOOK_KNOWN_THREADS_H

#include <pthread.h>
#include <stdbool.h>

/* One that is known, or is about to be. */
struct known_thread;

/* The calling thread, which nobody has made here. Once. */
void known_threads_begin(void);

/* pthread_create's: `create` is libc's. Returns what that returns. */
int known_threads_create(int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                                       void *),
                         pthread_t *thread, const pthread_attr_t *attributes,
                         void *(*function)(void *), void *argument);

/* NULL if it is not known. */
struct known_thread *known_threads_find(pthread_t thread);

/* It has been joined, or detached. Takes NULL too. */
void known_thread_joined(struct known_thread *known, pthread_t thread);
void known_thread_detached(struct known_thread *known, pthread_t thread);

#endif
