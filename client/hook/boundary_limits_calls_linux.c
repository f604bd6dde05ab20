/* Stand before the functions of libc that set limits of processes.
 *
 * With a limit of another process a subject reaches into the moment in which the loader brings this
 * object into a program (boundary_preload.h); where a policy could deny programs, native code or
 * `ffi`, nobody sets one. A floor refuses it in the kernel. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "client/hook/boundary.h"
#include "client/hook/boundary_preload.h"
#include "client/hook/real_libc.h"

#define EXPORTED __attribute__((visibility("default")))

/* On 64-bit machines they are the same. */
_Static_assert(sizeof(struct rlimit) == sizeof(struct rlimit64), "limits have 64 bits");

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit);
int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit);
int prlimit(pid_t process, enum __rlimit_resource resource, const struct rlimit *limit,
            struct rlimit *before);
int prlimit64(pid_t process, enum __rlimit_resource resource, const struct rlimit64 *limit,
              struct rlimit64 *before);

static int set_own(int resource, const struct rlimit *limit, struct rlimit *before)
{
    const struct rlimit copy = limit ? *limit : (struct rlimit){0};
    const struct rlimit *set = limit ? &copy : NULL;

    if (!boundary_concerns() || hook_session_process() == PROCESS_BESIDE)
        return real_libc()->prlimit(0, resource, set, before);
    if (!boundary_preload_may_lower(resource, set)) {
        errno = EPERM;
        return -1;
    }
    const int result = real_libc()->prlimit(0, resource, set, before);
    boundary_preload_lowered(resource, set);
    return result;
}

static int set_of(pid_t process, int resource, const struct rlimit *limit, struct rlimit *before)
{
    if (process == 0 || process == getpid())
        return set_own(resource, limit, before);
    if (limit && (boundary_holds(CLASS_EXEC) || boundary_holds_memory())) {
        errno = EPERM;
        return -1;
    }
    return real_libc()->prlimit(process, resource, limit, before);
}

EXPORTED int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    return set_own((int)resource, limit, NULL);
}

EXPORTED int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
    return set_own((int)resource, (const struct rlimit *)limit, NULL);
}

EXPORTED int prlimit(pid_t process, enum __rlimit_resource resource, const struct rlimit *limit,
                     struct rlimit *before)
{
    return set_of(process, (int)resource, limit, before);
}

EXPORTED int prlimit64(pid_t process, enum __rlimit_resource resource, const struct rlimit64 *limit,
                       struct rlimit64 *before)
{
    return set_of(process, (int)resource, (const struct rlimit *)limit, (struct rlimit *)before);
}
