#include "daemon/session/session_floor.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit/audit_log.h"
#include "daemon/audit/event_json.h"
#include "daemon/session/floor.h"
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

bool session_floor_take(struct session *session, const Warder__V1__FloorTaken *taken,
                        const char **refusal)
{
    struct session_floor *floor = &session->floor;

    if (floor->taken) /* only what was said before the program's own code could say it counts */
        return true;
    floor->taken = true;
    floor->taken_classes = taken->classes & floor->classes;
    floor->landlock_abi = taken->landlock_abi;
    *refusal = "out of memory";
    if (!take_missing(floor, taken))
        return false;
    record(session);
    *refusal = "a process that did not take the floor which its policies require";
    return (floor->required & ~floor->taken_classes) == 0;
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

void floor_classes_text(uint32_t classes, char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    for (int class = CLASS_NONE + 1; class < CLASS_COUNT && length < size; class ++)
        if (classes >> class & 1)
            length += (size_t)snprintf(text + length, size - length, "%s%s", length > 0 ? ", " : "",
                                       vocabulary_class_name((enum operation_class) class));
}
