#include "daemon/session/session_floor.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit/audit_log.h"
#include "daemon/audit/event_json.h"
#include "daemon/session/floor.h"
#include "daemon/session/kept_session.h"
#include "daemon/session/session.h"
#include "policies/engine/event_text.h"

struct kept_part {
    char *policy; /* TIER/NAME */
    uint64_t sum; /* struct floor_part */
};

void session_floor_deinit(struct session_floor *floor)
{
    for (size_t i = 0; i < floor->part_count; i++)
        free(floor->parts[i].policy);
    free(floor->parts);
    for (size_t i = 0; i < floor->missing_count; i++)
        free(floor->missing[i]);
    free(floor->missing);
    *floor = (struct session_floor){.classes = 0};
}

/* --------------------------------------------------------------------------------- what is asked
 */

/* Policies of a session's own text are all for it. */
static void add_own(struct floor *floor, const struct wishes *wishes, const struct subject *subject)
{
    const uint32_t count = wishes->block ? policy_block_policy_count(wishes->block) : 0;

    for (uint32_t policy = 0; policy < count && !wishes->observe; policy++)
        floor_add(floor, wishes->block, policy, subject, NULL);
}

static void find_floor(struct floor *floor, const struct session *session, struct arena *arena)
{
    const struct governing governing = {.policies = session->governing,
                                        .count = session->governing_count,
                                        .today = generation_today()};

    floor_init(floor, arena);
    for (size_t i = 0; i < session->governing_count; i++)
        floor_add(floor, session->generation->block, session->governing[i], &session->subject,
                  &governing);
    for (size_t i = 0; i < session->wishes.count; i++)
        add_own(floor, session->wishes.items[i], &session->subject);
}

static bool keep(struct session_floor *kept, const struct floor *floor)
{
    kept->parts = calloc(floor->part_count + 1, sizeof(*kept->parts));
    if (!kept->parts)
        return false;
    kept->classes = floor->classes;
    kept->required = floor->required;
    for (size_t i = 0; i < floor->part_count; i++) {
        char *policy = strdup(floor->parts[i].policy);
        if (!policy)
            return false;
        kept->parts[kept->part_count++] = (struct kept_part){policy, floor->parts[i].sum};
    }
    return true;
}

bool session_floor_offer(struct session *session, struct arena *arena, Warder__V1__Floor **out,
                         const char **refusal)
{
    struct floor floor;

    *out = NULL;
    *refusal = FLOOR_TOO_LARGE;
    find_floor(&floor, session, arena);
    if (floor.failed)
        return false;
    const bool any = floor_settle(&floor);
    session->floor.generation = session->generation->number;
    if (!keep(&session->floor, &floor))
        return false;
    if (!any)
        return true;
    *out = arena_alloc(arena, sizeof(**out));
    return *out && floor_message(&floor, session->server->filters, *out);
}

bool session_floor_is_possible(const struct session *session, struct arena *arena, char *refusal,
                               size_t size)
{
    struct floor floor;
    size_t length = 0;

    if (session->facts.route != WARDER__V1__HOOK_ROUTE__HOOK_ROUTE_ATTACH)
        return true;
    find_floor(&floor, session, arena);
    if (floor.failed || !floor_settle(&floor) || !(floor.required & floor.classes))
        return true; /* what has failed is said by session_floor_offer */
    for (int class = CLASS_NONE + 1; class < CLASS_COUNT; class ++)
        if ((floor.required & floor.classes) >> class & 1 && length < size)
            length +=
                (size_t)snprintf(refusal + length, size - length, "%s`%s`", length ? ", " : "",
                                 vocabulary_class_name((enum operation_class) class));
    if (length < size)
        snprintf(refusal + length, size - length,
                 ": its policy requires that the kernel holds this, and it cannot: the program was "
                 "running already when it called attach(). Start it with `warder run`");
    return false;
}

bool run_floor_offer(struct server *server, const struct wishes *wishes, struct arena *arena,
                     Warder__V1__Floor **out, const char **refusal)
{
    static const struct subject nobody_yet = {.platform = "linux"};
    const struct policy_block *block = server->generation->block;
    struct floor floor;

    *out = NULL;
    *refusal = FLOOR_TOO_LARGE;
    floor_init(&floor, arena);
    for (uint32_t policy = 0; policy < policy_block_policy_count(block); policy++)
        if (!wishes->observe && wishes_name_policy(wishes, block, policy))
            floor_add(&floor, block, policy, &nobody_yet, NULL);
    add_own(&floor, wishes, &nobody_yet);
    if (floor.failed)
        return false;
    if (!floor_settle(&floor))
        return true;
    *out = arena_alloc(arena, sizeof(**out));
    return *out && floor_launch_message(&floor, server->filters, *out);
}

/* --------------------------------------------------------------------------------- what was taken
 */

static bool copy_missing(struct session_floor *floor, char *const *missing, size_t count)
{
    floor->missing = calloc(count + 1, sizeof(*floor->missing));
    if (!floor->missing)
        return false;
    for (size_t i = 0; i < count; i++) {
        floor->missing[i] = strdup(missing[i]);
        if (!floor->missing[i])
            return false;
        floor->missing_count++;
    }
    return true;
}

bool session_floor_inherit(struct session_floor *floor, const struct session_floor *parent)
{
    *floor = *parent;
    floor->parts = NULL;
    floor->missing = NULL;
    floor->part_count = floor->missing_count = 0;
    floor->parts = calloc(parent->part_count + 1, sizeof(*floor->parts));
    for (size_t i = 0; floor->parts && i < parent->part_count; i++) {
        char *policy = strdup(parent->parts[i].policy);
        if (!policy)
            return false;
        floor->parts[floor->part_count++] = (struct kept_part){policy, parent->parts[i].sum};
    }
    return floor->parts && copy_missing(floor, parent->missing, parent->missing_count);
}

/* Printable, for people and for the record. */
static bool take_missing(struct session_floor *floor, const Warder__V1__FloorTaken *taken)
{
    const size_t most = taken->n_missing < FLOOR_MISSING_MAX ? taken->n_missing : FLOOR_MISSING_MAX;

    floor->missing = calloc(most + 1, sizeof(*floor->missing));
    for (size_t i = 0; floor->missing && i < most; i++) {
        const ProtobufCBinaryData *said = &taken->missing[i];
        char text[FLOOR_MISSING_LENGTH_MAX];
        printable_text(field_bytes(said), said->len, text, sizeof(text));
        floor->missing[i] = strdup(text);
        if (!floor->missing[i])
            return false;
        floor->missing_count++;
    }
    return floor->missing != NULL;
}

static json_t *classes_json(uint32_t classes)
{
    json_t *list = json_array();

    for (int class = CLASS_NONE + 1; class < CLASS_COUNT; class ++)
        if (classes >> class & 1)
            json_array_append_new(list,
                                  json_string(vocabulary_class_name((enum operation_class) class)));
    return list;
}

static void record(struct session *session)
{
    const struct session_floor *floor = &session->floor;
    json_t *missing = json_array();

    for (size_t i = 0; i < floor->missing_count; i++)
        json_array_append_new(missing, json_string(floor->missing[i]));
    json_t *json = json_pack("{s:o,s:o,s:i,s:o}", "asked", classes_json(floor->classes), "taken",
                             classes_json(floor->taken_classes), "landlock",
                             (int)floor->landlock_abi, "missing", missing);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    if (text)
        session_record(session, audit_item_session_fact(session->number, "floor", text), false);
    free(text);
    json_decref(json);
}

/* A restarted daemon shall know it, too. */
static void keep_taken(struct session *session, const Warder__V1__FloorTaken *taken)
{
    Warder__V1__KeptSession more = WARDER__V1__KEPT_SESSION__INIT;

    more.floor_taken = (Warder__V1__FloorTaken *)taken;
    if (session->resumable)
        kept_session_add(session->server, session->number, &more);
}

static bool take(struct session_floor *floor, const Warder__V1__FloorTaken *taken)
{
    floor->taken = true;
    floor->taken_classes = taken->classes & floor->classes;
    floor->landlock_abi = taken->landlock_abi;
    return take_missing(floor, taken);
}

bool session_floor_take(struct session *session, const Warder__V1__FloorTaken *taken,
                        const char **refusal)
{
    struct session_floor *floor = &session->floor;

    if (floor->taken) /* only what was said before the program's own code could say it counts */
        return true;
    *refusal = "out of memory";
    if (!take(floor, taken))
        return false;
    keep_taken(session, taken);
    record(session);
    *refusal = "a process that did not take the floor which its policies require";
    return (floor->required & ~floor->taken_classes) == 0;
}

static bool keep_parts(const struct session_floor *floor, struct arena *arena,
                       Warder__V1__KeptFloor *kept)
{
    kept->parts = arena_zalloc(arena, floor->part_count + 1, sizeof(Warder__V1__KeptFloorPart *));
    for (size_t i = 0; kept->parts && i < floor->part_count; i++) {
        Warder__V1__KeptFloorPart *part = arena_alloc(arena, sizeof(*part));
        if (!part)
            return false;
        warder__v1__kept_floor_part__init(part);
        part->policy = text_field(floor->parts[i].policy);
        part->sum = floor->parts[i].sum;
        kept->parts[kept->n_parts++] = part;
    }
    return kept->parts != NULL;
}

/* As the process said it. */
static bool keep_words(const struct session_floor *floor, struct arena *arena,
                       Warder__V1__FloorTaken *taken)
{
    taken->classes = floor->taken_classes;
    taken->landlock_abi = floor->landlock_abi;
    taken->missing = arena_zalloc(arena, floor->missing_count + 1, sizeof(*taken->missing));
    for (size_t i = 0; taken->missing && i < floor->missing_count; i++)
        taken->missing[taken->n_missing++] = text_field(floor->missing[i]);
    return taken->missing != NULL;
}

bool session_floor_keep(const struct session_floor *floor, struct arena *arena,
                        Warder__V1__KeptSession *kept)
{
    Warder__V1__KeptFloor *asked = arena_alloc(arena, sizeof(*asked));
    Warder__V1__FloorTaken *taken = arena_alloc(arena, sizeof(*taken));

    if (!asked || !taken)
        return false;
    warder__v1__kept_floor__init(asked);
    warder__v1__floor_taken__init(taken);
    asked->classes = floor->classes;
    asked->required = floor->required;
    asked->generation = floor->generation;
    kept->floor = asked;
    kept->floor_taken = floor->taken ? taken : NULL;
    return keep_parts(floor, arena, asked) && keep_words(floor, arena, taken);
}

bool session_floor_restore(struct session_floor *floor, const Warder__V1__KeptSession *kept)
{
    const Warder__V1__KeptFloor *asked = kept->floor;

    if (!asked)
        return true;
    floor->classes = asked->classes;
    floor->required = asked->required;
    floor->generation = asked->generation;
    floor->parts = calloc(asked->n_parts + 1, sizeof(*floor->parts));
    for (size_t i = 0; floor->parts && i < asked->n_parts; i++) {
        const ProtobufCBinaryData *policy = &asked->parts[i]->policy;
        char *name = strndup(field_bytes(policy), policy->len);
        if (!name)
            return false;
        floor->parts[floor->part_count++] = (struct kept_part){name, asked->parts[i]->sum};
    }
    return floor->parts && (!kept->floor_taken || take(floor, kept->floor_taken));
}

bool session_floor_is_settled(const struct session_floor *floor)
{
    return floor->required == 0 || floor->taken;
}

/* ----------------------------------------------------------------------------------------- today
 */

static const char *find_missing(const struct floor_part *parts, size_t count,
                                const struct session_floor *kept)
{
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t j = 0; j < kept->part_count && !found; j++)
            found = parts[i].sum == kept->parts[j].sum &&
                    strcmp(parts[i].policy, kept->parts[j].policy) == 0;
        if (!found)
            return parts[i].policy;
    }
    return NULL;
}

const char *session_floor_changed_by(struct session *session, struct arena *arena)
{
    const struct session_floor *kept = &session->floor;
    struct floor floor;

    if (!session_follow_generation(session) || !kept->parts ||
        kept->generation == session->generation->number)
        return NULL;
    find_floor(&floor, session, arena);
    if (floor.failed)
        return NULL;
    const char *changed = find_missing(floor.parts, floor.part_count, kept);
    for (size_t i = 0; i < kept->part_count && !changed; i++) {
        bool found = false;
        for (size_t j = 0; j < floor.part_count && !found; j++)
            found = strcmp(kept->parts[i].policy, floor.parts[j].policy) == 0;
        if (!found)
            changed = kept->parts[i].policy;
    }
    return changed;
}
