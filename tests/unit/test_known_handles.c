#include "tests/unit/unit_test.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/hook/known_semaphores.h"
#include "client/hook/known_threads.h"

static void *waits(void *argument)
{
    sem_wait(argument);
    return argument;
}

static void *ends_at_once(void *argument)
{
    return argument;
}

static pthread_t made(const pthread_attr_t *attributes, void *(*function)(void *), void *argument)
{
    pthread_t thread = 0;
    assert_int_equal(known_threads_create(pthread_create, &thread, attributes, function, argument),
                     0);
    return thread;
}

/* Until a detached thread has ended, which nobody can wait for. */
static bool is_forgotten(pthread_t thread)
{
    for (int i = 0; i < 5000 && known_threads_find(thread); i++)
        usleep(1000);
    return !known_threads_find(thread);
}

static void thread_is_known_from_the_start_until_it_has_been_joined(void **state)
{
    (void)state;
    sem_t go;
    sem_init(&go, 0, 0);
    const pthread_t thread = made(NULL, waits, &go);
    struct known_thread *known = known_threads_find(thread);
    void *result;

    assert_non_null(known);
    sem_post(&go);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &go);
    assert_ptr_equal(known_threads_find(thread), known);
    known_thread_joined(known, thread);
    assert_null(known_threads_find(thread));
    known_thread_joined(known, thread); /* twice does no harm */
    sem_destroy(&go);
}

static void detached_thread_is_known_until_it_ends(void **state)
{
    (void)state;
    sem_t go;
    sem_init(&go, 0, 0);
    const pthread_t thread = made(NULL, waits, &go);

    known_thread_detached(known_threads_find(thread), thread);
    assert_int_equal(pthread_detach(thread), 0);
    assert_non_null(known_threads_find(thread));
    sem_post(&go);
    assert_true(is_forgotten(thread));

    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    assert_true(is_forgotten(made(&detached, ends_at_once, NULL)));
    pthread_attr_destroy(&detached);
}

static void thread_that_ended_first_is_forgotten_when_it_is_detached(void **state)
{
    (void)state;
    const pthread_t thread = made(NULL, ends_at_once, NULL);

    usleep(50 * 1000);
    struct known_thread *known = known_threads_find(thread);
    assert_non_null(known);
    known_thread_detached(known, thread);
    assert_true(is_forgotten(thread));
    pthread_detach(thread);
}

static void *leaves_early(void *argument)
{
    (void)argument;
    pthread_exit(NULL);
}

static void thread_that_leaves_by_pthread_exit_is_seen_to_end(void **state)
{
    (void)state;
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    assert_true(is_forgotten(made(&detached, leaves_early, NULL)));
    pthread_attr_destroy(&detached);
}

static void numbers_are_no_threads(void **state)
{
    (void)state;
    static char memory[4096];

    assert_null(known_threads_find((pthread_t)(uintptr_t)memory));
    assert_null(known_threads_find(1)); /* nor is what marks a place that is taken */
}

static int nothing_is_made(pthread_t *thread, const pthread_attr_t *attributes,
                           void *(*function)(void *), void *argument)
{
    (void)attributes;
    (void)function;
    (void)argument;
    *thread = 1;
    return EAGAIN;
}

static void thread_that_could_not_be_made_is_unknown(void **state)
{
    (void)state;
    pthread_t thread = 0;

    for (int i = 0; i < 40000; i++) /* more than there are places */
        assert_int_equal(known_threads_create(nothing_is_made, &thread, NULL, ends_at_once, NULL),
                         EAGAIN);
    const pthread_t one = made(NULL, ends_at_once, NULL);
    assert_non_null(known_threads_find(one));
    pthread_join(one, NULL);
    known_thread_joined(known_threads_find(one), one);
}

static void child_knows_the_thread_that_forked_alone(void **state)
{
    (void)state;
    sem_t go;
    sem_init(&go, 0, 0);
    known_threads_begin();
    const pthread_t other = made(NULL, waits, &go);

    assert_non_null(known_threads_find(pthread_self()));
    const pid_t child = fork();
    if (child == 0)
        _exit(known_threads_find(pthread_self()) && !known_threads_find(other) ? 0 : 1);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_non_null(known_threads_find(other));
    sem_post(&go);
    pthread_join(other, NULL);
    known_thread_joined(known_threads_find(other), other);
    sem_destroy(&go);
}

static bool is_known(const sem_t *semaphore)
{
    struct known_semaphore *known = known_semaphores_enter(semaphore);

    if (known)
        known_semaphore_leave(known);
    return known != NULL;
}

static void semaphore_is_known_while_it_is_open(void **state)
{
    (void)state;
    static sem_t semaphores[3];

    assert_false(is_known(&semaphores[0]));
    assert_true(known_semaphores_add(&semaphores[0]));
    assert_true(known_semaphores_add(&semaphores[0])); /* the same name, opened again */
    assert_true(known_semaphores_add(&semaphores[1]));
    assert_int_equal(known_semaphores_remove(&semaphores[0]), SEMAPHORE_CLOSES);
    assert_true(is_known(&semaphores[0]));
    assert_int_equal(known_semaphores_remove(&semaphores[0]), SEMAPHORE_CLOSES);
    assert_false(is_known(&semaphores[0]));
    assert_int_equal(known_semaphores_remove(&semaphores[0]), SEMAPHORE_UNKNOWN);
    assert_true(is_known(&semaphores[1]));
    assert_false(is_known(&semaphores[2]));
    assert_int_equal(known_semaphores_remove(&semaphores[1]), SEMAPHORE_CLOSES);
    /* What an empty place holds, and one that was given up, is no semaphore's address. */
    assert_null(known_semaphores_enter(NULL));
    assert_null(
        known_semaphores_enter((const void *)(uintptr_t)1)); // NOLINT(performance-no-int-to-ptr)
}

static void semaphore_that_is_in_use_does_not_close(void **state)
{
    (void)state;
    static sem_t semaphore;

    assert_true(known_semaphores_add(&semaphore));
    assert_true(known_semaphores_add(&semaphore));
    struct known_semaphore *first = known_semaphores_enter(&semaphore);
    struct known_semaphore *second = known_semaphores_enter(&semaphore);
    assert_non_null(first);
    assert_non_null(second);
    /* Opened twice, libc keeps it anyway. */
    assert_int_equal(known_semaphores_remove(&semaphore), SEMAPHORE_CLOSES);
    known_semaphore_leave(first);
    assert_int_equal(known_semaphores_remove(&semaphore), SEMAPHORE_IN_USE);
    assert_false(is_known(&semaphore));
    known_semaphore_leave(second);

    assert_true(known_semaphores_add(&semaphore));
    assert_int_equal(known_semaphores_remove(&semaphore), SEMAPHORE_CLOSES);
}

static void child_does_not_wait_for_those_that_were_at_work(void **state)
{
    (void)state;
    static sem_t semaphore;

    known_semaphores_begin();
    assert_true(known_semaphores_add(&semaphore));
    struct known_semaphore *known = known_semaphores_enter(&semaphore);
    const pid_t child = fork();
    if (child == 0)
        _exit(known_semaphores_remove(&semaphore) == SEMAPHORE_CLOSES ? 0 : 1);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    known_semaphore_leave(known);
    assert_int_equal(known_semaphores_remove(&semaphore), SEMAPHORE_CLOSES);
}

static void all_of_many_semaphores_are_known(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    static sem_t semaphores[MANY];

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < MANY; i++)
            assert_true(known_semaphores_add(&semaphores[i]));
        for (size_t i = 0; i < MANY; i++)
            assert_true(is_known(&semaphores[i]));
        for (size_t i = 0; i < MANY; i++)
            assert_int_equal(known_semaphores_remove(&semaphores[i]), SEMAPHORE_CLOSES);
        for (size_t i = 0; i < MANY; i++)
            assert_false(is_known(&semaphores[i]));
    }
}

static void semaphore_is_unknown_where_there_is_no_memory(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    print_message("ThreadSanitizer needs memory of its own for each address that is looked at\n");
    skip();
#endif
    enum { MANY = 2000000 };
    const pid_t child = fork();

    if (child == 0) {
        const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
        size_t added = 0;
        setrlimit(RLIMIT_AS, &none);
        while (added < MANY && known_semaphores_add((const void *)(4096 * (added + 1))))
            added++;
        _exit(added > 4096 && added < MANY ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void code_that_is_not_of_the_module_is_not_asked(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_false(known_semaphores_are_asked_by((const void *)(uintptr_t)made));
        assert_false(known_semaphores_are_asked_by((const void *)(uintptr_t)getpid));
    }
    assert_true(known_semaphores_are_asked_by((const void *)(uintptr_t)16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thread_is_known_from_the_start_until_it_has_been_joined),
        cmocka_unit_test(detached_thread_is_known_until_it_ends),
        cmocka_unit_test(thread_that_ended_first_is_forgotten_when_it_is_detached),
        cmocka_unit_test(thread_that_leaves_by_pthread_exit_is_seen_to_end),
        cmocka_unit_test(numbers_are_no_threads),
        cmocka_unit_test(thread_that_could_not_be_made_is_unknown),
        cmocka_unit_test(child_knows_the_thread_that_forked_alone),
        cmocka_unit_test(semaphore_is_known_while_it_is_open),
        cmocka_unit_test(all_of_many_semaphores_are_known),
        cmocka_unit_test(semaphore_is_unknown_where_there_is_no_memory),
        cmocka_unit_test(semaphore_that_is_in_use_does_not_close),
        cmocka_unit_test(child_does_not_wait_for_those_that_were_at_work),
        cmocka_unit_test(code_that_is_not_of_the_module_is_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
