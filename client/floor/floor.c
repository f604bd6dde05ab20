/* Landlock first: a filter may refuse the calls that it is taken by. */
#define _GNU_SOURCE
#include "client/floor/floor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "client/floor/floor_capabilities.h"
#include "client/floor/floor_seccomp.h"
#include "client/floor/kernel_landlock.h"
#include "policies/engine/vocabulary.h"

static uint32_t bit(enum operation_class operation_class)
{
    return UINT32_C(1) << operation_class;
}

/* The filter of a stage: the interpreter's has all that the other has. */
static const ProtobufCBinaryData *filter_of(const Warder__V1__Floor *floor, enum floor_stage stage)
{
    return stage == FLOOR_INTERPRETER && floor->interpreter_filter.len > 0
               ? &floor->interpreter_filter
               : &floor->base_filter;
}

/* Classes that the interpreter's filter holds, or holds its part of. */
static uint32_t filtered_classes(const Warder__V1__Floor *floor, const struct floor_terms *terms)
{
    if (terms->stage != FLOOR_INTERPRETER || (floor->interpreter_filter.len == 0 && !terms->early))
        return 0;
    return floor->classes &
           (bit(CLASS_FORK) | bit(CLASS_EXEC) | bit(CLASS_CONNECT) | bit(CLASS_BIND));
}

/* Everything but what only an attempt can tell. */
static void foresee(const Warder__V1__Floor *floor, const struct floor_terms *terms,
                    struct landlock_plan *plan, struct floor_taken *taken)
{
    const uint32_t files = floor->classes & (bit(CLASS_READ) | bit(CLASS_WRITE));
    const uint32_t by_landlock = terms->early ? files : landlock_classes(floor);
    uint32_t filtered = filtered_classes(floor, terms);

    *taken = (struct floor_taken){.classes = 0};
    if (!seccomp_is_there()) {
        missing_words_add(&taken->missing, "system calls: the kernel has no seccomp filters");
        filtered = 0;
    }
    if (terms->threads) {
        *plan = (struct landlock_plan){.held = 0};
        missing_words_add(&taken->missing,
                          "files, ports of TCP, signals and powers of root: threads were running "
                          "already, which Landlock does not reach");
    } else {
        landlock_plan_make(plan, floor, terms->stage, terms->landlock_abi, &taken->missing);
        taken->landlock_abi = (uint32_t)terms->landlock_abi;
    }
    /* Files are Landlock's alone; of ports and of programs that are named, both hold a part. */
    const uint32_t both = by_landlock & ~files;
    taken->classes = (filtered & ~by_landlock) | (files & plan->held) |
                     (both & plan->held & (filtered | bit(CLASS_EXEC)));
}

void floor_foresee(const Warder__V1__Floor *floor, const struct floor_terms *terms,
                   struct floor_taken *taken)
{
    struct landlock_plan plan;
    foresee(floor, terms, &plan, taken);
}

static bool fail(struct floor_failure *failure, const char *what, int error)
{
    const char *why = error == -EBADMSG ? "it is damaged" : strerror(-error);
    snprintf(failure->text, sizeof(failure->text), "%s of its floor cannot be taken: %s", what,
             why);
    return false;
}

/* A process can be in so many domains; those that it is in already are its parents'. */
static bool take_landlock(const Warder__V1__Floor *floor, const struct landlock_plan *plan,
                          struct floor_taken *taken, struct floor_failure *failure)
{
    if (!landlock_plan_is_needed(plan))
        return true;
    const int error = landlock_plan_take(plan, floor, &taken->absent);
    if (error == 0)
        return true;
    if (error != -E2BIG)
        return fail(failure, "the Landlock domain", error);
    taken->classes &= ~landlock_classes(floor);
    taken->landlock_abi = 0;
    missing_words_add(&taken->missing,
                      "files, ports of TCP and signals beyond what this process inherits: it is in "
                      "16 Landlock domains already, as many as the kernel stacks");
    return true;
}

static bool take_filter(const Warder__V1__Floor *floor, const struct floor_terms *terms,
                        struct floor_failure *failure)
{
    const ProtobufCBinaryData *filter = filter_of(floor, terms->stage);
    const int error = filter->len > 0 ? seccomp_take(filter, terms->threads) : 0;
    return error == 0 || fail(failure, "the filter of system calls", error);
}

/* A thread's are its own: of a process that has others already, none are dropped, for code that is
 * kept from them in this one would find them in the next. */
static bool drop_capabilities(const Warder__V1__Floor *floor, const struct floor_terms *terms,
                              struct floor_failure *failure)
{
    const bool writes_held = floor->classes & bit(CLASS_WRITE);
    const int error = terms->threads ? 0 : floor_drop_capabilities(writes_held);
    return error == 0 || fail(failure, "the part that takes powers of root away", error);
}

bool floor_take(const Warder__V1__Floor *floor, const struct floor_terms *terms,
                struct floor_taken *taken, struct floor_failure *failure)
{
    struct landlock_plan plan;

    foresee(floor, terms, &plan, taken);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
        return fail(failure, "no_new_privs", -errno);
    return take_landlock(floor, &plan, taken, failure) &&
           (!seccomp_is_there() || take_filter(floor, terms, failure)) &&
           drop_capabilities(floor, terms, failure);
}

bool floor_is_enough(const Warder__V1__Floor *floor, const struct floor_taken *taken,
                     struct floor_failure *failure)
{
    const uint32_t lacking = floor->required & floor->classes & ~taken->classes;
    size_t length = 0;

    if (!lacking)
        return true;
    failure->text[0] = '\0';
    for (enum operation_class class = CLASS_NONE; class < CLASS_COUNT; class ++)
        if (lacking & bit(class) && length < sizeof(failure->text))
            length += (size_t)snprintf(failure->text + length, sizeof(failure->text) - length,
                                       "%s`%s`", length ? ", " : "", vocabulary_class_name(class));
    if (length < sizeof(failure->text))
        length += (size_t)snprintf(failure->text + length, sizeof(failure->text) - length,
                                   ": its policy requires that the kernel holds this, and it "
                                   "cannot");
    for (size_t i = 0; i < taken->missing.count && length < sizeof(failure->text); i++)
        length += (size_t)snprintf(failure->text + length, sizeof(failure->text) - length, "%s %s",
                                   i ? ";" : ". Missing:", taken->missing.texts[i]);
    return false;
}

int floor_keep_signals_inside(void)
{
    const struct landlock_plan plan = {.scopes = LANDLOCK_SCOPE_SIGNALS};
    const Warder__V1__Floor nothing = WARDER__V1__FLOOR__INIT;
    unsigned absent;

    if (landlock_kernel_abi() < LANDLOCK_ABI_SCOPES)
        return -ENOSYS;
    /* Root needs no no_new_privs for it, and keeps its set-id programs. */
    int error = landlock_plan_take(&plan, &nothing, &absent);
    if (error != -EPERM)
        return error;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
        return -errno;
    return landlock_plan_take(&plan, &nothing, &absent);
}
