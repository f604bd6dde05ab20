/* A library that forks in several threads at once. */
#include <pthread.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    THREADS_MAX = 16,
};

__attribute__((visibility("default"))) int fork_in_threads(int threads, int rounds);

/* How many children did not end well. */
static void *fork_often(void *rounds)
{
    intptr_t failed = 0;

    for (intptr_t i = 0; i < (intptr_t)rounds; i++) {
        int status = 0;
        const pid_t child = fork();
        if (child == 0)
            _exit(0);
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            failed++;
    }
    return (void *)failed;
}

int fork_in_threads(int threads, int rounds)
{
    pthread_t made[THREADS_MAX];
    int failed = 0;

    for (int i = 0; i < threads; i++)
        if (pthread_create(&made[i], NULL, fork_often, (void *)(intptr_t)rounds) != 0)
            return -1;
    for (int i = 0; i < threads; i++) {
        void *result;
        pthread_join(made[i], &result);
        failed += (int)(intptr_t)result;
    }
    return failed;
}
