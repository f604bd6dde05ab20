#include "client/hook/boundary_continuation.h"

#include <string.h>

#include "client/hook/boundary.h"
#include "client/hook/daemon_connection.h"
#include "policies/catalogue/catalogue.h"
#include "policies/engine/vocabulary.h"
#include "proto/siphash.h"

/* From the event of subprocess.Popen to its exec there is nothing that waits. */
#define CONTINUATION_NS INT64_C(10000000000)

/* In the part of a thread's storage that every object may have a little of. */
struct continuation {
    uint64_t decision; /* 0: none is noted */
    int64_t until;
    unsigned char digest[SIPHASH_TAG_SIZE]; /* of an exec */
    uint8_t operation_class;
    bool known;  /* the digest stands for all there is to the operation */
    bool forked; /* the fork on the way is over, or under way */
};

static _Thread_local struct continuation noted __attribute__((tls_model("initial-exec")));

static bool add_value(struct siphash *hash, const struct value *value)
{
    if (value->marks)
        return false;
    const uint32_t head[2] = {value->kind, value->count};
    siphash_update(hash, head, sizeof(head));
    switch ((enum value_kind)value->kind) {
    case VALUE_NONE:
        return true;
    case VALUE_BOOL:
        siphash_update(hash, value->truth ? "1" : "0", 1);
        return true;
    case VALUE_TEXT:
    case VALUE_BYTES:
        siphash_update(hash, value->bytes, value->count);
        return true;
    case VALUE_LIST:
    case VALUE_MAP: {
        const size_t count = (size_t)value->count * (value->kind == VALUE_MAP ? 2 : 1);
        for (size_t i = 0; i < count; i++)
            if (!add_value(hash, &value->items[i]))
                return false;
        return true;
    }
    default:
        return false;
    }
}

/* All that a rule can ask of an exec. False if it is not known throughout. */
static bool digest_of(const struct operation *operation, unsigned char *digest)
{
    struct siphash hash;

    hook_session_digest(&hash);
    for (uint32_t i = 0; i < operation->attribute_count; i++) {
        const struct attribute *attribute = &operation->attributes[i];
        const uint32_t name = attribute->name;
        siphash_update(&hash, &name, sizeof(name));
        if (!add_value(&hash, &attribute->value) || !add_value(&hash, &attribute->resolved))
            return false;
    }
    siphash_final(&hash, digest);
    return true;
}

/* The class that the boundary will see of an event, whether its operation was left to it or not. */
static enum operation_class class_of(const struct event *event)
{
    const struct event_entry *entry = catalogue_event(event->number);

    if (event->operation_count == 1)
        return event->operations[0].operation_class;
    return event->operation_count == 0 && entry && entry->classes == 1U << CLASS_EXEC ? CLASS_EXEC
                                                                                      : CLASS_NONE;
}

void boundary_continuation_note(const struct event *event, const struct answer *answer)
{
    const enum operation_class operation_class = class_of(event);

    if (operation_class != CLASS_EXEC && operation_class != CLASS_FORK)
        return;
    noted = (struct continuation){.decision = 0};
    if (answer->outcome != WARDER__V1__OUTCOME__OUTCOME_ALLOW)
        return;
    noted.operation_class = (uint8_t)operation_class;
    /* Names that the rule lets through come with the answer at the boundary. */
    noted.known = operation_class == CLASS_EXEC && event->operation_count == 1 &&
                  !answer->environment[0] && digest_of(&event->operations[0], noted.digest);
    noted.until = monotonic_now() + CONTINUATION_NS;
    noted.decision = answer->decision;
}

void boundary_continuation_leave(struct event *event)
{
    bool uncertain = false;

    if (event->operation_count != 1 || event->operations[0].operation_class != CLASS_EXEC ||
        !boundary_stands() || !boundary_holds(CLASS_EXEC) || boundary_flatly_denies(CLASS_EXEC))
        return;
    for (uint32_t i = 0; i < event->operations[0].attribute_count; i++) {
        const struct attribute *attribute = &event->operations[0].attributes[i];
        uncertain |= value_is_marked_throughout(&attribute->value) ||
                     value_is_marked_throughout(&attribute->resolved);
    }
    if (uncertain)
        event->operation_count = 0;
}

static uint64_t decision_of(enum operation_class operation_class)
{
    if (noted.decision == 0 || noted.operation_class != operation_class ||
        monotonic_now() > noted.until)
        return 0;
    return noted.decision;
}

bool boundary_continuation_covers(const struct event *event, uint64_t *continues)
{
    unsigned char digest[SIPHASH_TAG_SIZE];

    *continues = decision_of(CLASS_EXEC);
    const bool covered = *continues && noted.known && event->operation_count == 1 &&
                         event->operations[0].operation_class == CLASS_EXEC &&
                         digest_of(&event->operations[0], digest) &&
                         siphash_compare(digest, noted.digest) == 0;
    noted.decision = 0;
    return covered;
}

uint64_t boundary_continuation_fork(bool *decided)
{
    const uint64_t fork = decision_of(CLASS_FORK);
    const uint64_t exec = noted.forked ? 0 : decision_of(CLASS_EXEC);

    *decided = fork != 0;
    if (fork)
        noted.decision = 0;
    else
        noted.forked = true;
    return fork ? fork : exec;
}

void boundary_continuation_end(void)
{
    noted.decision = 0;
}
