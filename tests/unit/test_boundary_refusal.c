#include "tests/unit/unit_test.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/hook/boundary_refusal.h"

static void keep(const char *text)
{
    static struct answer answer = {.event = "libc.execve",
                                   .operation = "exec",
                                   .policy = "local/p",
                                   .rule = "r",
                                   .message = "Not here",
                                   .decision_id = "7f3a-12"};

    snprintf(answer.text, sizeof(answer.text), "%s", text);
    boundary_refusal_keep(&answer);
}

static void a_sentence_is_said_once(void **state)
{
    (void)state;
    assert_null(boundary_refusal_take());
    keep("no");
    assert_string_equal(boundary_refusal_take(), "no");
    assert_null(boundary_refusal_take());
}

static void an_event_ends_it(void **state)
{
    (void)state;
    keep("no");
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

    keep("mine");
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
        keep("the child's");
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
        keep("the child's");
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_null(boundary_refusal_take());
}

static void the_rest_is_told_once_after_the_sentence(void **state)
{
    (void)state;
    struct answer answer = {0};
    char event[REFUSED_EVENT_SIZE];

    keep("no");
    assert_false(boundary_refusal_was_taken());
    assert_false(boundary_refusal_details(&answer, event));
    assert_string_equal(boundary_refusal_take(), "no");
    assert_true(boundary_refusal_was_taken());
    assert_true(boundary_refusal_details(&answer, event));
    assert_string_equal(event, "libc.execve");
    assert_string_equal(answer.operation, "exec");
    assert_string_equal(answer.policy, "local/p");
    assert_string_equal(answer.rule, "r");
    assert_string_equal(answer.message, "Not here");
    assert_string_equal(answer.decision_id, "7f3a-12");
    assert_string_equal(answer.text, "no");
    assert_false(boundary_refusal_was_taken());
    assert_false(boundary_refusal_details(&answer, event));
}

static void an_event_ends_that_too(void **state)
{
    (void)state;
    keep("no");
    assert_string_equal(boundary_refusal_take(), "no");
    boundary_refusal_forget();
    assert_false(boundary_refusal_was_taken());
}

static void *keep_theirs(void *data)
{
    (void)data;
    keep("theirs");
    return NULL;
}

/* More than there are places for: the oldest are others' by then. */
static void what_another_thread_took_the_place_of_is_not_told(void **state)
{
    (void)state;
    struct answer answer = {0};
    char event[REFUSED_EVENT_SIZE];

    keep("no");
    assert_string_equal(boundary_refusal_take(), "no");
    for (int i = 0; i < 16; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, keep_theirs, NULL), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    assert_false(boundary_refusal_details(&answer, event));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sentence_is_said_once),
        cmocka_unit_test(an_event_ends_it),
        cmocka_unit_test(it_is_the_threads_own),
        cmocka_unit_test(the_child_of_a_fork_tells_its_parent),
        cmocka_unit_test(a_child_with_code_of_its_own_speaks_for_itself),
        cmocka_unit_test(the_rest_is_told_once_after_the_sentence),
        cmocka_unit_test(an_event_ends_that_too),
        cmocka_unit_test(what_another_thread_took_the_place_of_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
