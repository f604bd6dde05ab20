#define _GNU_SOURCE
#include "client/hook/session_floor.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct {
    bool asked; /* a policy has a floor */
    struct floor_taken taken;
} own;

/* The directory of a process's threads has two links and one for each thread. Where it cannot be
 * seen, the kernel is asked for what it grants to a process of one thread alone, and does nothing
 * then (unshare(2)). */
static bool is_single_threaded(void)
{
    struct statx status;

    if (statx(AT_FDCWD, "/proc/self/task", 0, STATX_NLINK, &status) == 0)
        return status.stx_nlink == 3;
    return unshare(CLONE_THREAD) == 0;
}

static bool fail(struct session_failure *failure, const struct floor_failure *why)
{
    snprintf(failure->text, sizeof(failure->text), "%s", why->text);
    return false;
}

bool session_floor_take(const Warder__V1__Floor *floor, Warder__V1__HookRoute route,
                        struct session_failure *failure)
{
    struct floor_failure why;

    if (route == WARDER__V1__HOOK_ROUTE__HOOK_ROUTE_FORK || !floor || !floor->classes)
        return true;
    own.asked = true;
    if (route == WARDER__V1__HOOK_ROUTE__HOOK_ROUTE_ATTACH) {
        own.taken = (struct floor_taken){.classes = 0};
        missing_words_add(&own.taken.missing,
                          "everything: the program was running already when it called attach()");
        return floor_is_enough(floor, &own.taken, &why) || fail(failure, &why);
    }
    const struct floor_terms terms = {.stage = FLOOR_INTERPRETER,
                                      .landlock_abi = landlock_kernel_abi(),
                                      .threads = !is_single_threaded()};
    return (floor_take(floor, &terms, &own.taken, &why) &&
            floor_is_enough(floor, &own.taken, &why)) ||
           fail(failure, &why);
}

bool session_floor_tell(Warder__V1__FloorTaken *message,
                        ProtobufCBinaryData words[MISSING_WORDS_MAX])
{
    warder__v1__floor_taken__init(message);
    message->classes = own.taken.classes;
    message->landlock_abi = own.taken.landlock_abi;
    message->missing = words;
    message->n_missing = own.taken.missing.count;
    for (size_t i = 0; i < own.taken.missing.count; i++)
        words[i] = text_field(own.taken.missing.texts[i]);
    return own.asked;
}
