#include "tests/unit/unit_test.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/hook/boundary_refusal.h"

static void a_sentence_is_said_once(void **state)
{
    (void)state;
    assert_null(boundary_refusal_take());
    boundary_refusal_keep("no");
    assert_string_equal(boundary_refusal_take(), "no");
    assert_null(boundary_refusal_take());
}

static void an_event_ends_it(void **state)
{
    (void)state;
    boundary_refusal_keep("no");
    boundary_refusal_forget();
    assert_null(boundary_refusal_take());
    boundary_refusal_forget();
}

static void *look(void *data)
{
    (void)data;
    return (void *)(uintptr_t)boundary_refusal_take();
}

static void it_is_the_threads_own(void **state)
{
    (void)state;
    pthread_t thread;
    void *seen = NULL;

    boundary_refusal_keep("mine");
    assert_int_equal(pthread_create(&thread, NULL, look, NULL), 0);
    assert_int_equal(pthread_join(thread, &seen), 0);
    assert_null(seen);
    assert_string_equal(boundary_refusal_take(), "mine");
}

static void the_child_of_a_fork_tells_its_parent(void **state)
{
    (void)state;
    int status;

    boundary_refusal_expect();
    const pid_t child = fork();
    if (child == 0) {
        boundary_refusal_keep("the child's");
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_string_equal(boundary_refusal_take(), "the child's");
}

static void a_child_with_code_of_its_own_speaks_for_itself(void **state)
{
    (void)state;
    int status;

    boundary_refusal_expect();
    const pid_t child = fork();
    if (child == 0) {
        boundary_refusal_forget(); /* it has raised an event */
        boundary_refusal_keep("the child's");
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_null(boundary_refusal_take());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sentence_is_said_once),
        cmocka_unit_test(an_event_ends_it),
        cmocka_unit_test(it_is_the_threads_own),
        cmocka_unit_test(the_child_of_a_fork_tells_its_parent),
        cmocka_unit_test(a_child_with_code_of_its_own_speaks_for_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
