#include "daemon/session/origin.h"

#include <stdlib.h>

#include "daemon/session/run.h"
#include "daemon/session/session.h"
#include "daemon/session/session_facts.h"

struct origin {
    unsigned references;
    struct session_facts facts; /* places alone */
};

/* The places that whoever starts an interpreter says, with its directory and its argv[0]. */
static const enum place carried[] = {PLACE_START, PLACE_VENV};

static bool copy_carried(struct session_facts *to, const struct session_facts *from)
{
    for (size_t i = 0; i < sizeof(carried) / sizeof(*carried); i++)
        if (!session_facts_add_places(to, carried[i], from))
            return false;
    return true;
}

struct origin *origin_new(const struct session_facts *facts)
{
    struct origin *origin = calloc(1, sizeof(*origin));

    if (!origin)
        return NULL;
    origin->references = 1;
    origin->facts.identity.pidfd = -1;
    if (copy_carried(&origin->facts, facts))
        return origin;
    origin_release(origin);
    return NULL;
}

struct origin *origin_hold(struct origin *origin)
{
    if (origin)
        origin->references++;
    return origin;
}

void origin_release(struct origin *origin)
{
    if (!origin || --origin->references > 0)
        return;
    session_facts_deinit(&origin->facts);
    free(origin);
}

struct origin *origin_find(const struct server *server, const struct session_facts *facts,
                           const struct run *run)
{
    const struct subject_process *process;

    for (size_t i = facts->known.ancestor_count; i-- > 0;) {
        process = subject_process_find(server, facts->known.ancestors[i]);
        if (process && process->governed && process->origin)
            return process->origin;
    }
    process = subject_process_find(server, facts->identity.pid);
    if (process && process->start_time == facts->known.start_time && process->governed &&
        process->origin)
        return process->origin;
    if (run && !run->origin && run->process)
        return run->process->origin;
    return run ? run->origin : NULL;
}

void origin_spread(struct session *session)
{
    const struct identity_facts *known = &session->facts.known;

    for (size_t i = 0; i < known->ancestor_count; i++) {
        struct subject_process *launcher =
            subject_process_find(session->server, known->ancestors[i]);
        if (launcher && !launcher->origin)
            launcher->origin = origin_hold(session->origin);
    }
}

bool origin_impose(const struct origin *origin, struct session_facts *facts)
{
    session_facts_drop_places(facts, PLACE_START, 0);
    session_facts_drop_places(facts, PLACE_VENV, facts->settled_venvs);
    return copy_carried(facts, &origin->facts);
}

bool origin_tell(const struct origin *origin, struct arena *arena, size_t *count,
                 Warder__V1__PlacePaths ***places)
{
    return session_facts_tell_places(&origin->facts, arena, count, places);
}

struct origin *origin_of_kept(size_t count, Warder__V1__PlacePaths *const *places)
{
    struct session_facts facts = {.identity = {.pidfd = -1}};
    struct origin *origin =
        session_facts_take_places(&facts, count, places) ? origin_new(&facts) : NULL;

    session_facts_deinit(&facts);
    return origin;
}
