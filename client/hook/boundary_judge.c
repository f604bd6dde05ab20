/* The verdict is a denial until an authentic answer says otherwise. */
#include "client/hook/boundary.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/hook/boundary_continuation.h"
#include "client/hook/boundary_preload.h"
#include "client/hook/boundary_refusal.h"
#include "client/hook/fatal.h"
#include "client/hook/known_semaphores.h"
#include "client/hook/known_threads.h"
#include "client/hook/process_resolver.h"
#include "client/hook/session_terms.h"
#include "client/hook/spawn_actions.h"
#include "policies/catalogue/catalogue.h"
#include "policies/engine/event_map.h"

/* Before anything is decided by them. */
static void check_terms(void)
{
    const char *broken = session_terms_broken();

    if (broken)
        hook_session_end_process(broken);
}

bool boundary_concerns(void)
{
    check_terms();
    return hook_session_is_live();
}

bool boundary_guards(enum operation_class operation_class)
{
    check_terms();
    return (hook_session_guarded() >> operation_class) & 1;
}

bool boundary_holds(enum operation_class operation_class)
{
    check_terms();
    return (hook_session_held() >> operation_class) & 1;
}

bool boundary_holds_anything(void)
{
    check_terms();
    return hook_session_held() != 0;
}

bool boundary_holds_memory(void)
{
    return boundary_holds(CLASS_NATIVE) || boundary_holds(CLASS_FFI);
}

bool boundary_flatly_denies(enum operation_class operation_class)
{
    check_terms();
    return (hook_session_flat() >> operation_class) & 1;
}

static bool standing;

void boundary_begin(void)
{
    standing = true;
    known_threads_begin();
    known_semaphores_begin();
    boundary_preload_begin();
    session_terms_begin();
    /* Asks the loader, whose lock may be taken for good in a child that asks first. */
    if (boundary_holds(CLASS_EXEC) || boundary_holds(CLASS_WRITE))
        (void)spawn_actions_are_known();
}

bool boundary_stands(void)
{
    return standing;
}

struct question *boundary_borrow(void)
{
    int64_t left = hook_session_bound();
    bool turn = false;
    struct question *question;

    hook_session_check_process();
    while (!(question = hook_session_borrow(turn))) {
        if (left <= 0)
            return NULL;
        turn = hook_session_wait(&left, turn);
    }
    return question;
}

void boundary_return(struct question *question)
{
    if (question)
        hook_session_return(question);
}

void boundary_deny(const char *event, const char *why, struct answer *answer)
{
    memset(answer, 0, sizeof(*answer));
    answer->event = event;
    answer->outcome = WARDER__V1__OUTCOME__OUTCOME_DENY;
    answer->unanswered = true;
    snprintf(answer->message, sizeof(answer->message), "%s", why);
    snprintf(answer->text, sizeof(answer->text), "warder: %s denied: %s", event, why);
}

bool boundary_map(struct event *event, const char *name, struct arena *arena)
{
    struct process_resolver resolver = {
        .api = NULL,
        .starts_program = true,
        .socket = event->argument_count > 0 && event->arguments[0].kind == VALUE_INT
                      ? (int)event->arguments[0].integer
                      : 0,
    };
    const struct event_resolver table = process_resolver_table(&resolver);
    const struct event_entry *entry = catalogue_find(name, strlen(name));

    event->name = name;
    event->name_length = (uint32_t)strlen(name);
    event->number = entry ? entry->number : EVENT_UNKNOWN;
    return entry && event_map(event, &table, arena);
}

bool boundary_judge(struct question *question, const char *event, const struct value *arguments,
                    uint32_t argument_count, struct answer *answer)
{
    struct event judged = {.arguments = arguments, .argument_count = argument_count};

    boundary_deny(event, "every connection to the policy daemon is in use", answer);
    if (!question)
        return false;
    if (!boundary_map(&judged, event, &question->memory.arena)) {
        boundary_deny(event, "its arguments are too large to be judged", answer);
        return false;
    }
    hook_session_ask(question, &judged, answer);
    return answer->outcome == WARDER__V1__OUTCOME__OUTCOME_ALLOW;
}

void boundary_refuse(const struct answer *answer)
{
    if (answer->unanswered)
        hook_session_count_unanswered();
    boundary_refusal_keep(answer);
    if (answer->outcome == WARDER__V1__OUTCOME__OUTCOME_KILL)
        hook_session_end_process(answer->text);
    errno = EACCES;
}
