#define _GNU_SOURCE
#include "client/cli/recorded_decision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/cli/admin_client.h"
#include "client/cli/command.h"
#include "client/cli/json_line.h"
#include "host/policy_host.h"
#include "policies/engine/block_layout.h"
#include "proto/fingerprint.h"

enum { SECONDS_A_DAY = 24 * 60 * 60 };

/* -------------------------------------------------------------------------------------- the daemon
 */

static char *copy_field(const ProtobufCBinaryData *field)
{
    return strndup(field_bytes(field), field->len);
}

static bool take_entry(struct recorded_decision *decision, const Warder__V1__LogEntry *entry)
{
    decision->row = json_line_read(entry);
    decision->time = entry->time;
    decision->generation =
        (uint64_t)json_integer_value(json_object_get(decision->row, "generation"));
    return decision->row != NULL;
}

static bool take_statement(struct recorded_decision *decision,
                           const Warder__V1__Statement *statement)
{
    decision->statement = (struct cited_statement){.text = copy_field(&statement->text),
                                                   .length = statement->text.len,
                                                   .revision = statement->revision,
                                                   .line = statement->line};
    return decision->statement.text != NULL;
}

static bool take_text(struct recorded_decision *decision, const Warder__V1__PolicyEntry *entry)
{
    struct stored_text *grown =
        realloc(decision->texts, (decision->text_count + 1) * sizeof(*grown));
    if (!grown)
        return false;
    decision->texts = grown;
    struct stored_text *text = &grown[decision->text_count++];
    *text = (struct stored_text){.text = copy_field(&entry->text),
                                 .length = entry->text.len,
                                 .tier = entry->tier == WARDER__V1__TIER__TIER_VENDOR ? TIER_VENDOR
                                                                                      : TIER_LOCAL,
                                 .revision = entry->revision,
                                 .generation = entry->generation};
    if (asprintf(&text->file, "%s/%.*s", policy_tier_name(text->tier), (int)entry->name.len,
                 field_bytes(&entry->name)) < 0)
        text->file = NULL;
    return text->file && text->text;
}

static bool send_question(struct daemon_client *client, const char *session, uint64_t number)
{
    Warder__V1__AdminRequest request = WARDER__V1__ADMIN_REQUEST__INIT;
    Warder__V1__Why why = WARDER__V1__WHY__INIT;

    why.session = text_field(session);
    why.decision = number;
    request.body_case = WARDER__V1__ADMIN_REQUEST__BODY_WHY;
    request.why = &why;
    return admin_request(client, &request);
}

static enum decision_answer failed(const Warder__V1__Failed *failure, char *error, size_t size)
{
    if (failure->kind != WARDER__V1__FAILURE_KIND__FAILURE_KIND_NOT_FOUND) {
        (void)admin_failed(failure);
        return DECISION_FAILED;
    }
    (void)snprintf(error, size, "%.*s", (int)failure->text.len, field_bytes(&failure->text));
    return DECISION_NOT_FOUND;
}

enum decision_answer recorded_decision_ask(struct recorded_decision *decision,
                                           struct daemon_client *client, const char *session,
                                           uint64_t number, char *error, size_t size)
{
    bool taken = true;

    *decision = (struct recorded_decision){.row = NULL};
    if (!send_question(client, session, number))
        return DECISION_FAILED;
    for (;;) {
        const Warder__V1__AdminReply *reply = admin_reply(client);
        if (!reply)
            return DECISION_FAILED;
        switch (reply->body_case) {
        case WARDER__V1__ADMIN_REPLY__BODY_FAILED:
            return failed(reply->failed, error, size);
        case WARDER__V1__ADMIN_REPLY__BODY_ENTRY:
            taken = take_entry(decision, reply->entry) && taken;
            break;
        case WARDER__V1__ADMIN_REPLY__BODY_STATEMENT:
            taken = take_statement(decision, reply->statement) && taken;
            break;
        case WARDER__V1__ADMIN_REPLY__BODY_POLICY:
            taken = take_text(decision, reply->policy) && taken;
            break;
        case WARDER__V1__ADMIN_REPLY__BODY_DONE:
            decision->now = reply->done->generation;
            decision->partial = reply->done->partial;
            if (taken && decision->row)
                return DECISION_TOLD;
            complain("why: the daemon's answer cannot be taken: out of memory");
            return DECISION_FAILED;
        default:
            complain("why: the daemon's answer is not understood");
            return DECISION_FAILED;
        }
    }
}

/* --------------------------------------------------------------------------------------- judging
 */

static void rehearing_deinit(struct rehearing *rehearing)
{
    if (rehearing->heard)
        hearing_deinit(&rehearing->hearing);
    policy_block_free(rehearing->block);
    source_map_free(rehearing->map);
    policy_block_free(rehearing->own_block);
    source_map_free(rehearing->own_map);
    free(rehearing->governing);
    free(rehearing->observed);
}

void recorded_decision_deinit(struct recorded_decision *decision)
{
    rehearing_deinit(&decision->then);
    rehearing_deinit(&decision->today);
    for (size_t i = 0; i < decision->text_count; i++) {
        free(decision->texts[i].file);
        free(decision->texts[i].text);
    }
    free(decision->texts);
    free(decision->statement.text);
    storage_deinit(&decision->storage);
    json_decref(decision->row);
    *decision = (struct recorded_decision){.row = NULL};
}

static const json_t *asked_of(const struct recorded_decision *decision)
{
    return json_object_get(json_object_get(decision->row, "subject"), "asked");
}

bool recorded_decision_has_own(const struct recorded_decision *decision)
{
    const json_t *asked = asked_of(decision);
    return json_array_size(json_object_get(asked, "own")) > 0 ||
           json_array_size(json_object_get(asked, "own_observed")) > 0;
}

bool recorded_decision_knows(const struct recorded_decision *decision,
                             const struct policy_file *file)
{
    const json_t *known = json_object_get(asked_of(decision), "own_texts");
    char name[FINGERPRINT_SIZE];

    fingerprint(file->text, file->length, name);
    for (size_t i = 0; i < json_array_size(known); i++) {
        const char *text = json_string_value(json_array_get(known, i));
        if (text && strcmp(text, name) == 0)
            return true;
    }
    return false;
}

bool recorded_decision_is_built_in(const struct recorded_decision *decision)
{
    const char *policy = json_string_value(json_object_get(decision->row, "policy"));
    return policy && strcmp(policy, "warder") == 0;
}

/* NAME or TIER/NAME. */
static bool has_text(const struct recorded_decision *decision, uint64_t generation,
                     const char *name)
{
    for (size_t i = 0; i < decision->text_count; i++) {
        const char *file = decision->texts[i].file;
        const char *slash = strchr(file, '/');
        if (decision->texts[i].generation == generation &&
            (strcmp(file, name) == 0 || (slash && strcmp(slash + 1, name) == 0)))
            return true;
    }
    return false;
}

const char *recorded_decision_gone_policy(const struct recorded_decision *decision,
                                          uint64_t generation)
{
    const json_t *named = json_object_get(asked_of(decision), "policies");

    for (size_t i = 0; i < json_array_size(named); i++) {
        const char *name = json_string_value(json_array_get(named, i));
        if (name && !has_text(decision, generation, name))
            return name;
    }
    return NULL;
}

void recorded_decision_cite(const struct recorded_decision *decision, char *text, size_t size)
{
    const char *policy = json_string_value(json_object_get(decision->row, "policy"));
    const char *rule = json_string_value(json_object_get(decision->row, "rule"));

    text[0] = '\0';
    if (policy && *policy)
        (void)snprintf(text, size, "%s.%s", policy, rule ? rule : "");
}

/* The policies were checked when they were stored: what the checker says of them is said there. */
static struct policy_block *compile(const struct policy_text *texts, size_t count,
                                    const struct compile_options *options)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    return diagnostics ? policy_compile(texts, count, options, diagnostics) : NULL;
}

static struct policy_block *compile_stored(const struct recorded_decision *decision,
                                           uint64_t generation, struct source_map *map)
{
    struct policy_text *texts = calloc(decision->text_count + 1, sizeof(*texts));
    const struct compile_options options = {.resolve = policy_host_resolve, .map = map};
    size_t count = 0;

    for (size_t i = 0; texts && i < decision->text_count; i++) {
        const struct stored_text *text = &decision->texts[i];
        if (text->generation == generation)
            texts[count++] = (struct policy_text){
                .file = text->file, .text = text->text, .length = text->length, .tier = text->tier};
    }
    struct policy_block *block = texts ? compile(texts, count, &options) : NULL;
    free(texts);
    return block;
}

static bool is_named(const json_t *names, const struct policy_block *block, uint32_t policy)
{
    char cited[320];

    (void)snprintf(cited, sizeof(cited), "%s/%s", policy_tier_name(policy_tier(block, policy)),
                   policy_name(block, policy));
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name && (strcmp(name, policy_name(block, policy)) == 0 || strcmp(name, cited) == 0))
            return true;
    }
    return false;
}

/* As the daemon finds them: those that select the subject, and those that it named. */
static bool hear_stored(struct recorded_decision *decision, struct rehearing *rehearing,
                        int32_t day)
{
    const struct policy_block *block = rehearing->block;
    const uint32_t count = policy_block_policy_count(block);
    const json_t *asked = asked_of(decision);
    struct governing governing = {.today = day};
    struct governing observed = {.today = day, .overriding = &governing};

    rehearing->governing = calloc((size_t)count + 1, sizeof(uint32_t));
    rehearing->observed = calloc((size_t)count + 1, sizeof(uint32_t));
    if (!rehearing->governing || !rehearing->observed)
        return false;
    for (uint32_t policy = 0; policy < count; policy++) {
        const bool applies = policy_has_applies(block, policy) &&
                             policy_applies(block, policy, &decision->recorded.subject);
        if (applies || is_named(json_object_get(asked, "policies"), block, policy))
            rehearing->governing[governing.count++] = policy;
        else if (is_named(json_object_get(asked, "observed"), block, policy))
            rehearing->observed[observed.count++] = policy;
    }
    governing.policies = rehearing->governing;
    observed.policies = rehearing->observed;
    return hearing_ask(&rehearing->hearing, block, rehearing->map, &governing, false) &&
           hearing_ask(&rehearing->hearing, block, rehearing->map, &observed, true);
}

/* All policies of a session's own files govern it. */
static bool hear_own(const struct recorded_decision *decision, struct rehearing *rehearing,
                     const struct policy_file *files, size_t count)
{
    const json_t *asked = asked_of(decision);
    const bool observed = json_array_size(json_object_get(asked, "own")) == 0 &&
                          json_array_size(json_object_get(asked, "own_observed")) > 0;
    struct policy_text *texts = calloc(count + 1, sizeof(*texts));

    rehearing->own_map = source_map_new();
    const struct compile_options options = {
        .resolve = policy_host_resolve, .session = true, .map = rehearing->own_map};
    for (size_t i = 0; texts && i < count; i++) {
        texts[i] = policy_file_text(&files[i]);
        texts[i].observe = observed;
    }
    rehearing->own_block = texts && rehearing->own_map ? compile(texts, count, &options) : NULL;
    free(texts);
    if (!rehearing->own_block)
        return false;
    const uint32_t policies = policy_block_policy_count(rehearing->own_block);
    uint32_t *all = calloc((size_t)policies + 1, sizeof(*all));
    for (uint32_t i = 0; all && i < policies; i++)
        all[i] = i;
    const struct governing governing = {.policies = all, .count = policies};
    const bool heard = all && hearing_ask(&rehearing->hearing, rehearing->own_block,
                                          rehearing->own_map, &governing, false);
    free(all);
    return heard;
}

static bool hear(struct recorded_decision *decision, struct rehearing *rehearing,
                 uint64_t generation, int32_t day, const struct policy_file *own, size_t own_count)
{
    rehearing->map = source_map_new();
    rehearing->block = rehearing->map ? compile_stored(decision, generation, rehearing->map) : NULL;
    if (!rehearing->block) {
        rehearing->objection = "its policies do not check with this version of Warder";
        return true;
    }
    hearing_init(&rehearing->hearing, &decision->recorded.subject, &decision->recorded.event);
    rehearing->heard = true;
    if (!hear_stored(decision, rehearing, day)) {
        complain("why: out of memory");
        return false;
    }
    if (own_count > 0 && !hear_own(decision, rehearing, own, own_count)) {
        complain("why: the files given with --policy do not check; `warder check` says why");
        return false;
    }
    return true;
}

bool recorded_decision_rehear(struct recorded_decision *decision, const struct policy_file *own,
                              size_t own_count)
{
    const int32_t day_then = (int32_t)(decision->time / 1000000000U / SECONDS_A_DAY);
    const int32_t day_now = (int32_t)(time(NULL) / SECONDS_A_DAY);

    decision->readable =
        recorded_event_read(decision->row, &decision->storage, &decision->recorded);
    if (!decision->readable || decision->partial)
        return true;
    return hear(decision, &decision->then, decision->generation, day_then, own, own_count) &&
           hear(decision, &decision->today, decision->now, day_now, own, own_count);
}
