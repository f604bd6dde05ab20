#include "client/hook/boundary_spawn_open.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "client/hook/boundary.h"
#include "client/hook/own_file.h"
#include "client/hook/spawn_actions.h"
#include "client/hook/work_memory.h"

/* path, mode, flags: as the catalogue has the event. */
enum { ARGUMENTS = 3 };

static int judge_open(const struct spawned_open *open)
{
    struct answer *answer = work_memory_take();
    if (!answer)
        return ENOMEM;
    struct question *question = boundary_borrow();
    const size_t length = strnlen(open->path, PATH_MAX);
    struct value arguments[ARGUMENTS] = {
        value_text(open->path, length),
        {.kind = VALUE_NONE},
        {.kind = VALUE_INT, .integer = open->flags},
    };

    if (length == PATH_MAX || (open->elsewhere && open->path[0] != '/'))
        arguments[0] = value_unknown();
    const bool allowed = boundary_judge(question, "open", arguments, ARGUMENTS, answer);
    boundary_return(question);
    if (!allowed)
        boundary_refuse(answer);
    work_memory_return(answer);
    return allowed ? 0 : EACCES;
}

/* What a built-in rule could deny is asked about under any policy that denies something. */
static bool are_looked_at(void)
{
    return boundary_guards(CLASS_READ) || boundary_guards(CLASS_WRITE) ||
           (own_file_in_reach() && boundary_holds_anything());
}

int boundary_spawn_judge_opens(const posix_spawn_file_actions_t *actions)
{
    struct spawned_open open = {.elsewhere = false};
    int at = 0;
    int error = 0;

    if (!actions || !are_looked_at())
        return 0;
    if (!spawn_actions_are_known())
        return ENOSYS;
    const int kept = errno;
    while (!error && spawn_actions_next_open(actions, &at, &open))
        error = judge_open(&open);
    errno = kept;
    return error;
}
