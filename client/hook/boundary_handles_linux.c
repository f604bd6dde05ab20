/* Stand before the functions of libc that take a handle of its own, of a thread or of a semaphore,
 * where Python code can put any number in its place.
 *
 * libc reads and changes what stands at such an address. Where a policy could deny `native` or
 * `ffi`, a handle that libc has not given out is no handle: the calls answer as for one that is not
 * valid. (An interpreter that has _multiprocessing built in asks for its own locks and for a
 * program's numbers from one place: there semaphores are not told apart.) */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <time.h>

#include "client/hook/boundary.h"
#include "client/hook/known_semaphores.h"
#include "client/hook/known_threads.h"
#include "client/hook/real_libc.h"
#include "client/hook/thread_stack.h"

#define EXPORTED __attribute__((visibility("default")))

/* ---------------------------------------------------------------------------------------- threads
 */

EXPORTED int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                            void *(*function)(void *), void *argument)
{
    pthread_attr_t guarded;

    if (!boundary_concerns())
        return real_libc()->pthread_create(thread, attributes, function, argument);
    if (attributes && boundary_holds_memory() && thread_stack_guard(attributes, &guarded))
        attributes = &guarded;
    return known_threads_create(real_libc()->pthread_create, thread, attributes, function,
                                argument);
}

/* A number where a thread should be. */
static bool is_forged(pthread_t thread, const struct known_thread *known)
{
    return !known && boundary_holds_memory() && !pthread_equal(thread, pthread_self());
}

EXPORTED int pthread_join(pthread_t thread, void **result)
{
    struct known_thread *known = known_threads_find(thread);
    if (is_forged(thread, known))
        return ESRCH;
    const int error = real_libc()->pthread_join(thread, result);
    if (error == 0)
        known_thread_joined(known, thread);
    return error;
}

EXPORTED int pthread_detach(pthread_t thread)
{
    struct known_thread *known = known_threads_find(thread);
    if (is_forged(thread, known))
        return ESRCH;
    const int error = real_libc()->pthread_detach(thread);
    if (error == 0)
        known_thread_detached(known, thread);
    return error;
}

EXPORTED int pthread_kill(pthread_t thread, int number)
{
    return is_forged(thread, known_threads_find(thread))
               ? ESRCH
               : real_libc()->pthread_kill(thread, number);
}

EXPORTED int pthread_getcpuclockid(pthread_t thread, clockid_t *clock)
{
    return is_forged(thread, known_threads_find(thread))
               ? ESRCH
               : real_libc()->pthread_getcpuclockid(thread, clock);
}

/* ------------------------------------------------------------------------------------- semaphores
 */

/* What nobody knows would be refused later: the error has a name here. */
static sem_t *give_back(sem_t *semaphore, const char *name, int flags)
{
    real_libc()->sem_close(semaphore);
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        real_libc()->sem_unlink(name);
    errno = EMFILE;
    return SEM_FAILED;
}

EXPORTED sem_t *sem_open(const char *name, int flags, ...)
{
    va_list arguments;

    va_start(arguments, flags);
    const unsigned mode = flags & O_CREAT ? va_arg(arguments, unsigned) : 0;
    const unsigned value = flags & O_CREAT ? va_arg(arguments, unsigned) : 0;
    va_end(arguments);
    sem_t *semaphore = real_libc()->sem_open(name, flags, mode, value);
    return semaphore == SEM_FAILED || known_semaphores_add(semaphore)
               ? semaphore
               : give_back(semaphore, name, flags);
}

static int refuse(void)
{
    errno = EINVAL;
    return -1;
}

/* True where a caller's semaphores are numbers. */
static bool are_numbers(const void *caller)
{
    return known_semaphores_are_asked_by(caller) && boundary_holds_memory();
}

#define CALLER __builtin_return_address(0)

/* One that another thread waits for stays mapped: libc does not ask, and that thread counts there
 * once more when it has waited. */
EXPORTED int sem_close(sem_t *semaphore)
{
    switch (known_semaphores_remove(semaphore)) {
    case SEMAPHORE_IN_USE:
        return 0;
    case SEMAPHORE_UNKNOWN:
        /* Also one that libc is just opening for another thread. */
        if (are_numbers(CALLER))
            return refuse();
        break;
    case SEMAPHORE_CLOSES:
        break;
    }
    return real_libc()->sem_close(semaphore);
}

/* Work at a semaphore; nothing is counted where the caller can name no other than its own. */
struct work {
    struct known_semaphore *known;
};

/* False if it is a number where a semaphore should be. The interpreter's locks come this way too.
 */
static bool begin(struct work *work, const sem_t *semaphore, const void *caller)
{
    *work = (struct work){.known = NULL};
    if (!are_numbers(caller))
        return true;
    work->known = known_semaphores_enter(semaphore);
    return work->known != NULL;
}

static int end(const struct work *work, int result)
{
    if (work->known)
        known_semaphore_leave(work->known);
    return result;
}

EXPORTED int sem_wait(sem_t *semaphore)
{
    struct work work;
    return begin(&work, semaphore, CALLER) ? end(&work, real_libc()->sem_wait(semaphore))
                                           : refuse();
}

EXPORTED int sem_trywait(sem_t *semaphore)
{
    struct work work;
    return begin(&work, semaphore, CALLER) ? end(&work, real_libc()->sem_trywait(semaphore))
                                           : refuse();
}

EXPORTED int sem_timedwait(sem_t *semaphore, const struct timespec *until)
{
    struct work work;
    return begin(&work, semaphore, CALLER)
               ? end(&work, real_libc()->sem_timedwait(semaphore, until))
               : refuse();
}

EXPORTED int sem_post(sem_t *semaphore)
{
    struct work work;
    return begin(&work, semaphore, CALLER) ? end(&work, real_libc()->sem_post(semaphore))
                                           : refuse();
}

/* No lock of the interpreter's asks for that. */
EXPORTED int sem_getvalue(sem_t *semaphore, int *value)
{
    struct work work;
    return begin(&work, semaphore, CALLER) ? end(&work, real_libc()->sem_getvalue(semaphore, value))
                                           : refuse();
}
