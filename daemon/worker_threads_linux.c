/* As many threads as are needed are made first, all at once, and have gone again before it
 * makes its own: a thread that is joined still counts against the limits until the kernel has let
 * go of it. */
#define _GNU_SOURCE
#include "daemon/worker_threads.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "daemon/configuration.h"

enum {
    STACK_SIZE = 8 * 1024 * 1024, /* at least what libuv gives each of its threads */
    NAP_MILLISECONDS = 1,
    GOING_MILLISECONDS = 2000, /* for threads that are over to be gone */
};

struct trial {
    uv_sem_t go;
    uv_sem_t there;
    uv_thread_t threads[THREADS_NEEDED + CONFIGURATION_LOOPS_MAX];
    int wanted;
    int made;
    pid_t numbers[THREADS_NEEDED +
                  CONFIGURATION_LOOPS_MAX]; /* the kernel's, of those that are there */
    atomic_int numbered;
};

static void be_there(void *context)
{
    struct trial *trial = context;

    trial->numbers[atomic_fetch_add(&trial->numbered, 1)] = gettid();
    uv_sem_post(&trial->there);
    uv_sem_wait(&trial->go);
}

static bool is_gone(pid_t thread)
{
    return syscall(SYS_tgkill, getpid(), thread, 0) < 0 && errno == ESRCH;
}

static void wait_until_gone(const struct trial *trial)
{
    int waited = 0;

    for (int i = 0; i < trial->made; i++)
        for (; !is_gone(trial->numbers[i]) && waited < GOING_MILLISECONDS;
             waited += NAP_MILLISECONDS)
            nanosleep(&(struct timespec){.tv_nsec = NAP_MILLISECONDS * 1000000L}, NULL);
}

/* Makes as many as will be; what it has made is in the trial, and waits. */
static int make_threads(struct trial *trial)
{
    const uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE,
                                         .stack_size = STACK_SIZE};
    int error = 0;

    while (error == 0 && trial->made < trial->wanted) {
        error = uv_thread_create_ex(&trial->threads[trial->made], &options, be_there, trial);
        trial->made += error == 0;
    }
    return error;
}

/* Whether that many threads can be made, all at a time. */
static int try_threads(int wanted)
{
    struct trial trial = {.wanted = wanted};
    int error = uv_sem_init(&trial.go, 0);

    if (error < 0)
        return error;
    error = uv_sem_init(&trial.there, 0);
    if (error < 0) {
        uv_sem_destroy(&trial.go);
        return error;
    }
    error = make_threads(&trial);
    for (int i = 0; i < trial.made; i++)
        uv_sem_wait(&trial.there);
    for (int i = 0; i < trial.made; i++)
        uv_sem_post(&trial.go);
    for (int i = 0; i < trial.made; i++)
        uv_thread_join(&trial.threads[i]);
    wait_until_gone(&trial);
    uv_sem_destroy(&trial.go);
    uv_sem_destroy(&trial.there);
    return error;
}

static void do_nothing(uv_work_t *work)
{
    (void)work;
}

static void free_work(uv_work_t *work, int status)
{
    (void)status;
    free(work);
}

int worker_threads_start(uv_loop_t *loop, int others)
{
    char count[16];

    snprintf(count, sizeof(count), "%d", WORKER_THREADS);
    if (setenv("UV_THREADPOOL_SIZE", count, 1) < 0)
        return UV_ENOMEM;
    int error = try_threads(THREADS_NEEDED + others);
    uv_work_t *work = error == 0 ? malloc(sizeof(*work)) : NULL;
    if (!work)
        return error < 0 ? error : UV_ENOMEM;
    error = uv_queue_work(loop, work, do_nothing, free_work);
    if (error < 0)
        free(work);
    return error;
}
