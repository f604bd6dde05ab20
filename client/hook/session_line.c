/* Threads share four connections, and wait for one in the order in which they came. */
#define _GNU_SOURCE
#include "client/hook/session_parts.h"

#include <errno.h>
#include <time.h>

enum {
    TURN_NS = 250 * 1000 * 1000, /* to get CPython's lock in, when it is a thread's turn */
};

/* One that nobody has; NULL if there is none. */
static struct question *idle_question(void)
{
    /* The first ones are connected; a later one only after it was opened. */
    for (int i = 0; i < QUESTION_COUNT; i++) {
        struct question *question = &session.questions[i];
        if (!question->busy && (i == 0 || question->connection.socket >= 0))
            return question;
    }
    return NULL;
}

static int idle_count(void)
{
    int count = 0;
    for (int i = 0; i < QUESTION_COUNT; i++)
        count +=
            !session.questions[i].busy && (i == 0 || session.questions[i].connection.socket >= 0);
    return count;
}

/* Keeps idle questions for those whose turn it is. A turn that nobody takes up, because CPython has
 * ended the thread, is over after a while. */
static void give_turns(void)
{
    if (session.turns > 0 && monotonic_now() - session.turn_given > TURN_NS)
        session.turns = 0;
    while (session.first && session.turns < idle_count()) {
        struct waiter *waiter = session.first;
        session.first = waiter->next;
        if (!session.first)
            session.last = NULL;
        waiter->has_turn = true;
        session.turns++;
        session.turn_given = monotonic_now();
        pthread_cond_signal(&waiter->called);
    }
}

struct question *hook_session_borrow(bool has_turn)
{
    struct question *found = NULL;

    pthread_mutex_lock(&session.lock);
    if (session.first || session.turns > 0)
        give_turns();
    const bool own = has_turn && session.turns > 0;
    if (own || idle_count() > session.turns)
        found = idle_question();
    if (own)
        session.turns--;
    if (found && session_give_memory(found))
        found->busy = true;
    else
        found = NULL;
    if (!found)
        session.crowded = true;
    pthread_mutex_unlock(&session.lock);
    if (found)
        arena_reset(&found->memory.arena);
    return found;
}

/* Into the line: at its front where the thread has had its turn, and lost it. */
static void line_up(struct waiter *waiter, bool first)
{
    if (first) {
        waiter->next = session.first;
        session.first = waiter;
        if (!session.last)
            session.last = waiter;
    } else {
        if (session.last)
            session.last->next = waiter;
        else
            session.first = waiter;
        session.last = waiter;
    }
}

static void leave_line(const struct waiter *waiter)
{
    struct waiter *before = NULL;

    for (struct waiter *at = session.first; at; before = at, at = at->next) {
        if (at != waiter)
            continue;
        if (before)
            before->next = at->next;
        else
            session.first = at->next;
        if (session.last == at)
            session.last = before;
        return;
    }
}

bool hook_session_wait(int64_t *left, bool first)
{
    const int64_t step = 50000000; /* the wait's clock can be set: look again often */
    struct waiter waiter = {.called = PTHREAD_COND_INITIALIZER};
    struct timespec until;

    pthread_mutex_lock(&session.lock);
    line_up(&waiter, first);
    give_turns();
    while (!waiter.has_turn && *left > 0) {
        const int64_t began = monotonic_now();
        const bool all_busy = idle_count() == 0;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += *left < step ? *left : step;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&waiter.called, &session.lock, &until);
        give_turns();
        if (all_busy) /* else those before have not got CPython's lock yet: the program's doing */
            *left -= monotonic_now() - began;
    }
    if (!waiter.has_turn)
        leave_line(&waiter);
    pthread_mutex_unlock(&session.lock);
    pthread_cond_destroy(&waiter.called);
    return waiter.has_turn;
}

void session_give_back(struct question *question)
{
    question->busy = false;
    if (session.first)
        give_turns();
}

void hook_session_return(struct question *question)
{
    pthread_mutex_lock(&session.lock);
    session_give_back(question);
    pthread_mutex_unlock(&session.lock);
}
