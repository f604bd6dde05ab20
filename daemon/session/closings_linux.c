#define _GNU_SOURCE
#include "daemon/session/closings.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/packet_socket.h"

enum { STACK_SIZE = 64 * 1024 };

struct closings {
    atomic_uint waiting; /* that are not closed yet, the one that is being closed among them */
    bool runs;           /* its thread; this and the rest under the lock */
    bool released;       /* the thread frees it */
    int *descriptors;
    size_t count;
    size_t capacity;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all users' lists: held for moments */
static atomic_uint waiting_all;

struct closings *closings_new(void)
{
    return calloc(1, sizeof(struct closings));
}

static void free_closings(struct closings *closings)
{
    free(closings->descriptors);
    free(closings);
}

void closings_release(struct closings *closings)
{
    pthread_mutex_lock(&lock);
    const bool runs = closings->runs;
    closings->released = true;
    pthread_mutex_unlock(&lock);
    if (!runs)
        free_closings(closings);
}

static void *close_all(void *context)
{
    struct closings *closings = context;

    pthread_mutex_lock(&lock);
    while (closings->count > 0) {
        const int descriptor = closings->descriptors[--closings->count];
        pthread_mutex_unlock(&lock);
        close(descriptor);
        pthread_mutex_lock(&lock);
        atomic_fetch_sub(&closings->waiting, 1);
        atomic_fetch_sub(&waiting_all, 1);
    }
    closings->runs = false;
    const bool released = closings->released;
    pthread_mutex_unlock(&lock);
    if (released)
        free_closings(closings);
    return NULL;
}

/* Signals are the first loop's. */
static bool start_thread(struct closings *closings)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    sigset_t before;

    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&thread, &attributes, close_all, closings);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error == 0;
}

static bool make_room(struct closings *closings)
{
    const size_t wanted = closings->capacity > 0 ? 2 * closings->capacity : 8;

    if (closings->count < closings->capacity)
        return true;
    int *grown = realloc(closings->descriptors, wanted * sizeof(*grown));
    if (!grown)
        return false;
    closings->descriptors = grown;
    closings->capacity = wanted;
    return true;
}

size_t closings_count(const struct closings *closings)
{
    return atomic_load_explicit(&closings->waiting, memory_order_relaxed);
}

size_t closings_count_all(void)
{
    return atomic_load_explicit(&waiting_all, memory_order_relaxed);
}

bool closings_are_full(const struct closings *closings)
{
    return closings_count(closings) >= CLOSINGS_MAX;
}

void closings_add(struct closings *closings, int descriptor)
{
    pthread_mutex_lock(&lock);
    const bool taken = make_room(closings);
    if (taken) {
        closings->descriptors[closings->count++] = descriptor;
        atomic_fetch_add(&closings->waiting, 1);
        atomic_fetch_add(&waiting_all, 1);
        closings->runs = closings->runs || start_thread(closings);
    }
    pthread_mutex_unlock(&lock);
    if (!taken)
        close(descriptor);
}

void closings_retry(struct closings *closings)
{
    pthread_mutex_lock(&lock);
    closings->runs = closings->runs || (closings->count > 0 && start_thread(closings));
    pthread_mutex_unlock(&lock);
}

void closings_add_received(struct closings *closings, struct packet_received *received)
{
    for (int i = 0; i < received->descriptor_count; i++)
        if (received->descriptors[i] >= 0)
            closings_add(closings, received->descriptors[i]);
    received->descriptor_count = 0;
}
