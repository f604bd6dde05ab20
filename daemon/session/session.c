#define _GNU_SOURCE
#include "daemon/session/session.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit/event_json.h"
#include "daemon/audit/redaction.h"
#include "daemon/session/decision.h"
#include "daemon/session/kept_session.h"
#include "daemon/session/settled_records.h"

/* ----------------------------------------------------------------------------------------- facts
 */

void session_facts_deinit(struct session_facts *facts)
{
    identity_deinit(&facts->identity);
    identity_facts_deinit(&facts->known);
    free(facts->executable);
    free(facts->directory);
    free(facts->script);
    free(facts->python);
    free(facts->hook);
    free(facts->hook_file);
    for (size_t i = 0; i < facts->argv_count; i++)
        free(facts->argv[i]);
    free(facts->argv);
    for (int place = 0; place < PLACE_COUNT; place++) {
        for (size_t i = 0; i < facts->place_counts[place]; i++)
            free(facts->place_paths[place][i]);
        free(facts->place_paths[place]);
    }
    memset(facts, 0, sizeof(*facts));
    facts->identity.pidfd = -1;
}

/* The subject as the evaluator wants it, pointing at the facts and the labels of the wishes. */
static bool build_subject(struct session *session)
{
    const struct session_facts *facts = &session->facts;
    size_t count = 0;

    for (size_t i = 0; i < session->wishes.count; i++)
        count += session->wishes.items[i]->label_count;
    session->labels = calloc(count + 1, sizeof(*session->labels));
    if (!session->labels)
        return false;
    size_t filled = 0;
    for (size_t i = 0; i < session->wishes.count; i++)
        for (size_t j = 0; j < session->wishes.items[i]->label_count; j++)
            session->labels[filled++] = session->wishes.items[i]->labels[j];
    session->subject = (struct subject){
        .user = facts->known.user,
        .groups = (const char *const *)facts->known.groups,
        .group_count = facts->known.group_count,
        .exe = facts->executable,
        .unit = facts->known.unit,
        .platform = "linux",
        .python = facts->python,
        .script = facts->script,
        .labels = session->labels,
        .label_count = count,
    };
    for (int place = 0; place < PLACE_COUNT; place++) {
        session->subject.places[place].count = facts->place_counts[place];
        session->subject.places[place].paths = (const char *const *)facts->place_paths[place];
    }
    return true;
}

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text)
        json_object_set_new(object, key, text_json(text, strlen(text)));
}

static json_t *texts_json(char *const *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, text_json(texts[i], strlen(texts[i])));
    return list;
}

/* A command line, with what looks like a password masked. */
static json_t *argv_json(char *const *texts, size_t count)
{
    struct value items[SESSION_ARGUMENTS_MAX];
    struct value list = {.kind = VALUE_LIST, .items = items};
    struct value masked;
    struct redaction redaction;

    for (size_t i = 0; i < count && i < SESSION_ARGUMENTS_MAX; i++)
        items[list.count++] = value_text(texts[i], strlen(texts[i]));
    redaction_init(&redaction);
    const struct value *shown =
        redaction_mask_command(&redaction, &list, &masked) ? &masked : &list;
    json_t *json = json_array();
    for (uint32_t i = 0; i < shown->count; i++)
        json_array_append_new(json, text_json(shown->items[i].bytes, shown->items[i].count));
    redaction_deinit(&redaction);
    return json;
}

static json_t *proved_json(const struct session *session)
{
    const struct session_facts *facts = &session->facts;
    json_t *proved = json_object();

    set_text(proved, "user", facts->known.user);
    json_object_set_new(proved, "uid", json_integer(facts->identity.uid));
    json_object_set_new(proved, "gid", json_integer(facts->identity.gid));
    json_object_set_new(proved, "groups",
                        texts_json(facts->known.groups, facts->known.group_count));
    json_object_set_new(proved, "pid", json_integer(facts->identity.pid));
    json_object_set_new(proved, "start_time", json_integer((json_int_t)facts->known.start_time));
    set_text(proved, "cgroup", facts->known.cgroup);
    set_text(proved, "unit", facts->known.unit);
    return proved;
}

static json_t *said_json(const struct session *session)
{
    static const char *const routes[] = {"unknown", "preload", "late", "attach", "fork"};
    const struct session_facts *facts = &session->facts;
    json_t *said = json_object();
    json_t *labels = json_object();
    json_t *places = json_object();

    set_text(said, "exe", facts->executable);
    set_text(said, "directory", facts->directory);
    set_text(said, "script", facts->script);
    json_object_set_new(said, "argv", argv_json(facts->argv, facts->argv_count));
    if (facts->argv_cut)
        json_object_set_new(said, "argv_cut", json_true());
    set_text(said, "python", facts->python);
    set_text(said, "hook", facts->hook);
    if ((unsigned)facts->route < sizeof(routes) / sizeof(*routes))
        set_text(said, "route", routes[facts->route]);
    for (size_t i = 0; i < session->subject.label_count; i++)
        if (!json_object_get(labels, session->labels[i].name)) /* the first one counts */
            set_text(labels, session->labels[i].name, session->labels[i].value);
    json_object_set_new(said, "labels", labels);
    for (int place = 0; place < PLACE_COUNT; place++)
        json_object_set_new(places, place_name((enum place)place),
                            texts_json(facts->place_paths[place], facts->place_counts[place]));
    json_object_set_new(said, "places", places);
    return said;
}

/* What was asked for beside what governs anyway: policies by name, policies of texts of its own,
 * which are stored nowhere, and by what such a text is known again. */
static json_t *asked_json(const struct session *session)
{
    json_t *named = json_array();
    json_t *observed = json_array();
    json_t *own = json_array();
    json_t *own_observed = json_array();
    json_t *texts = json_array();

    for (size_t i = 0; i < session->wishes.count; i++) {
        const struct wishes *wishes = session->wishes.items[i];
        for (size_t j = 0; j < wishes->policy_name_count; j++)
            json_array_append_new(
                wishes->observe ? observed : named,
                text_json(wishes->policy_names[j], strlen(wishes->policy_names[j])));
        const uint32_t policies = wishes->block ? policy_block_policy_count(wishes->block) : 0;
        for (size_t j = 0; j < wishes->text_count; j++)
            json_array_append_new(texts, json_string(wishes->fingerprints[j]));
        json_t *list = wishes->observe ? own_observed : own;
        for (uint32_t j = 0; j < policies && json_array_size(list) < OWN_POLICIES_MAX; j++)
            json_array_append_new(list, json_string(policy_name(wishes->block, j)));
    }
    return json_pack("{s:o,s:o,s:o,s:o,s:o}", "policies", named, "observed", observed, "own", own,
                     "own_observed", own_observed, "own_texts", texts);
}

char *session_facts_json(const struct session *session)
{
    json_t *facts = json_object();
    char parent[32];

    json_object_set_new(facts, "proved", proved_json(session));
    json_object_set_new(facts, "said", said_json(session));
    json_object_set_new(facts, "asked", asked_json(session));
    if (session->parent) {
        snprintf(parent, sizeof(parent), "%" PRIx64, session->parent);
        set_text(facts, "parent", parent);
    }
    char *text = json_dumps(facts, JSON_COMPACT);
    json_decref(facts);
    return text;
}

/* ------------------------------------------------------------------------------------- governing
 */

static bool is_named(const struct session *session, const struct policy_block *block,
                     uint32_t policy, bool observe)
{
    for (size_t i = 0; i < session->wishes.count; i++) {
        const struct wishes *wishes = session->wishes.items[i];
        if (wishes->observe == observe && wishes_name_policy(wishes, block, policy))
            return true;
    }
    return false;
}

/* Which policies of the generation govern: those whose `applies` select the subject, and those that
 * were named. Named to be observed alone: apart. */
static bool find_governing(struct session *session)
{
    const struct policy_block *block = session->generation->block;
    const uint32_t count = policy_block_policy_count(block);
    struct budget budget = {EVALUATION_STEPS_MAX};

    free(session->governing);
    free(session->observed);
    session->governing = calloc((size_t)count + 1, sizeof(uint32_t));
    session->observed = calloc((size_t)count + 1, sizeof(uint32_t));
    session->governing_count = 0;
    session->observed_count = 0;
    if (!session->governing || !session->observed)
        return false;
    for (uint32_t policy = 0; policy < count; policy++) {
        const bool applies = policy_has_applies(block, policy) &&
                             policy_applies_within(block, policy, &session->subject, &budget);
        if (applies || is_named(session, block, policy, false))
            session->governing[session->governing_count++] = policy;
        else if (is_named(session, block, policy, true))
            session->observed[session->observed_count++] = policy;
    }
    return true;
}

/* The first policy that it named, and not to be observed alone, and that is not there; NULL if all
 * are. */
static const char *gone_policy(const struct session *session, const struct generation *generation)
{
    for (size_t i = 0; i < session->wishes.count; i++) {
        const struct wishes *wishes = session->wishes.items[i];
        const char *missing = wishes->observe ? NULL : wishes_missing_policy(wishes, generation);
        if (missing)
            return missing;
    }
    return NULL;
}

static void find_gone_policy(struct session *session)
{
    const char *gone = gone_policy(session, session->generation);

    session->gone_policy[0] = '\0';
    if (gone)
        snprintf(session->gone_policy, sizeof(session->gone_policy), WISHES_GONE_POLICY, gone);
}

bool session_loses_policy(const struct session *session, const struct generation *before,
                          const struct generation *after)
{
    for (size_t i = 0; i < session->wishes.count; i++) {
        const struct wishes *wishes = session->wishes.items[i];
        for (size_t j = 0; j < wishes->policy_name_count && !wishes->observe; j++)
            if (generation_has(before, wishes->policy_names[j]) &&
                !generation_has(after, wishes->policy_names[j]))
                return true;
    }
    return false;
}

/* Adds what one policy has an eye on. */
static void add_guard(struct session *session, const struct policy_block *block, uint32_t policy,
                      bool observes, unsigned *exec_policies)
{
    const struct policy_guard one = policy_guard(block, policy);

    session->guard.guarded |= one.guarded;
    if (observes || policy_observes(block, policy))
        return;
    session->guard.held |= one.held;
    session->guard.flat |= one.flat;
    if (one.held & (1U << CLASS_EXEC)) {
        session->exec_block = ++*exec_policies == 1 ? block : NULL;
        session->exec_policy = policy;
    }
}

/* What the C boundary has to ask about: in doubt more than less. */
static void find_guard(struct session *session)
{
    const struct policy_block *block = session->generation->block;
    unsigned exec_policies = 0;

    /* That everything is recorded names no event of the boundary: what continues a decision has its
     * record. */
    const uint32_t every_class = UINT32_MAX & ~(UINT32_C(1) << CLASS_NONE);
    session->guard = (struct policy_guard){.guarded = session->record ? every_class : 0};
    if (session->gone_policy[0])
        session->guard = (struct policy_guard){.guarded = UINT32_MAX, .held = every_class};
    session->exec_block = NULL;
    for (size_t i = 0; i < session->governing_count; i++)
        add_guard(session, block, session->governing[i], false, &exec_policies);
    for (size_t i = 0; i < session->observed_count; i++)
        add_guard(session, block, session->observed[i], true, &exec_policies);
    for (size_t i = 0; i < session->wishes.count; i++) {
        const struct policy_block *own = session->wishes.items[i]->block;
        const uint32_t count = own ? policy_block_policy_count(own) : 0;
        for (uint32_t policy = 0; policy < count; policy++)
            add_guard(session, own, policy, false, &exec_policies);
    }
}

bool session_is_governed(const struct session *session)
{
    bool governed = session->governing_count + session->observed_count > 0;

    for (size_t i = 0; i < session->wishes.count; i++)
        governed |= session->wishes.items[i]->block != NULL;
    return governed;
}

const char *session_hook_file(const struct session *session)
{
    return session->guard.held ? session->facts.hook_file : NULL;
}

bool session_keeps_kernel_programs(const struct session *session)
{
    return (session->guard.held >> CLASS_EXEC) & 1;
}

bool session_follow_generation(struct session *session)
{
    struct generation *current = session->server->generation;

    if (session->generation == current && session->governing)
        return true;
    settled_records_read(session); /* of what was settled by the one before */
    generation_release(session->generation);
    session->generation = generation_hold(current);
    if (find_governing(session)) {
        find_gone_policy(session);
        find_guard(session);
        if (session->process)
            session->process->governed |= session_is_governed(session);
        return true;
    }
    session->governing_count = 0; /* judged as nothing known: the caller denies */
    free(session->governing);
    session->governing = NULL;
    return false;
}

static void refuse(struct session_refusal *refusal, const char *why)
{
    snprintf(refusal->text, sizeof(refusal->text), "%s", why);
}

static bool names_exist(const struct session *session, struct session_refusal *refusal)
{
    for (size_t i = 0; i < session->wishes.count; i++) {
        const struct wishes *wishes = session->wishes.items[i];
        for (size_t j = 0; j < wishes->policy_name_count; j++) {
            if (generation_has(session->generation, wishes->policy_names[j]))
                continue;
            snprintf(refusal->text, sizeof(refusal->text), WISHES_MISSING_POLICY,
                     wishes->policy_names[j]);
            return false;
        }
    }
    return true;
}

static void add_name(const struct policy_block *block, uint32_t policy, struct arena *arena,
                     ProtobufCBinaryData *names, size_t *count)
{
    char cited[WISHES_NAME_LENGTH_MAX + 16];
    const int length =
        snprintf(cited, sizeof(cited), "%s/%s", policy_tier_name(policy_tier(block, policy)),
                 policy_name(block, policy));
    const char *copy = arena_copy(arena, cited, strnlen(cited, (size_t)length));
    if (copy)
        names[(*count)++] = text_field(copy);
}

size_t session_policy_names(const struct session *session, struct arena *arena,
                            ProtobufCBinaryData **names)
{
    size_t most = session->governing_count;
    size_t count = 0;

    for (size_t i = 0; i < session->wishes.count; i++)
        if (session->wishes.items[i]->block)
            most += policy_block_policy_count(session->wishes.items[i]->block);
    *names = arena_zalloc(arena, most, sizeof(**names));
    if (!*names)
        return 0;
    for (size_t i = 0; i < session->governing_count; i++)
        add_name(session->generation->block, session->governing[i], arena, *names, &count);
    for (size_t i = 0; i < session->wishes.count; i++) {
        const struct policy_block *block = session->wishes.items[i]->block;
        for (uint32_t policy = 0; block && policy < policy_block_policy_count(block); policy++)
            add_name(block, policy, arena, *names, &count);
    }
    return count;
}

/* ------------------------------------------------------------------------------------------ life
 */

static void session_free(struct session *session)
{
    settled_records_close(session);
    session_facts_deinit(&session->facts);
    wish_list_release(&session->wishes);
    origin_release(session->origin);
    generation_release(session->generation);
    explicit_bzero(session->key, sizeof(session->key));
    free(session->governing);
    free(session->observed);
    free(session->labels);
    session_floor_deinit(&session->floor);
    free(session);
}

void session_hold(struct session *session)
{
    session->references++;
}

void session_release(struct session *session)
{
    if (--session->references == 0)
        session_free(session);
}

static void record_start(struct session *session)
{
    char *json = session_facts_json(session);
    if (json)
        session_record(session, audit_item_session_start(session->number, json), false);
    free(json);
}

void session_record(struct session *session, struct audit_item *item, bool droppable)
{
    audit_log_add(session->server->audit, item, session->account->uid, droppable);
}

/* Charges the session to its user. */
static bool charge(const struct session *session, struct user_account *account,
                   struct session_refusal *refusal)
{
    struct user_accounts *accounts = &session->server->accounts;

    if (!user_account_charge(accounts, account, CHARGE_SESSION, 1)) {
        refuse(refusal, "its user has as many sessions as one user may have "
                        "(limits.sessions_per_user)");
        return false;
    }
    if (!user_account_charge(accounts, account, CHARGE_BYTES, session->bytes)) {
        user_account_return(accounts, account, CHARGE_SESSION, 1);
        refuse(refusal, "its user has as much memory as one user may have "
                        "(limits.megabytes_per_user)");
        return false;
    }
    return true;
}

static bool can_hold_floor(const struct session *session, struct session_refusal *refusal)
{
    arena_reset(&session->server->arena);
    return session_floor_is_possible(session, &session->server->arena, refusal->text,
                                     sizeof(refusal->text));
}

/* Makes it a session of its process, which is under all of its wishes from now on. */
static bool join_process(struct session *session, struct user_account *account,
                         struct session_refusal *refusal)
{
    struct user_accounts *accounts = &session->server->accounts;
    const struct session_facts *facts = &session->facts;

    session->process = subject_process_hold(session->server, &session->facts.identity,
                                            facts->known.start_time, account);
    if (!session->process) {
        user_account_return(accounts, account, CHARGE_SESSION, 1);
        user_account_return(accounts, account, CHARGE_BYTES, session->bytes);
        refuse(refusal, "its user has as many processes under policy as one user may have "
                        "(limits.sessions_per_user), or memory is short");
        return false;
    }
    subject_process_add_session(session->process, session);
    wish_list_release(&session->process->wishes); /* are among the session's */
    wish_list_join(&session->process->wishes, &session->wishes);
    origin_release(session->process->origin);
    session->process->origin = origin_hold(session->origin);
    session->process->governed |= session_is_governed(session);
    return true;
}

/* The wishes of the plan, and what the process was under before it had this session. */
static bool take_wishes(struct session *session, const struct session_plan *plan,
                        struct session_refusal *refusal)
{
    const struct subject_process *process =
        subject_process_find(session->server, session->facts.identity.pid);
    bool complete = wish_list_join(&session->wishes, plan->wishes);

    if (process && process->start_time == session->facts.known.start_time)
        complete = wish_list_join(&session->wishes, &process->wishes) && complete;
    if (!complete)
        refuse(refusal, SESSION_TOO_MANY_WISHES);
    for (size_t i = 0; i < session->wishes.count; i++)
        session->record |= session->wishes.items[i]->record;
    return complete;
}

/* The places of the plan's origin, of one above it, or its own: then it is the topmost. */
static bool take_origin(struct session *session, const struct session_plan *plan)
{
    struct origin *above =
        plan->origin ? NULL : origin_find(session->server, &session->facts, plan->run);

    session->origin = origin_hold(plan->origin ? plan->origin : above);
    if (session->origin)
        return !above || origin_impose(above, &session->facts);
    session->origin = origin_new(&session->facts);
    return session->origin != NULL;
}

struct session *session_new(struct server *server, struct session_plan *plan,
                            struct session_refusal *refusal)
{
    struct session *session = calloc(1, sizeof(*session));
    struct user_account *account = user_account_of(&server->accounts, plan->facts->identity.uid);

    refuse(refusal, "the policy daemon is out of memory");
    if (!session || !account) {
        session_facts_deinit(plan->facts);
        free(session);
        return NULL;
    }
    session->server = server;
    session->references = 1;
    session->number = plan->number;
    session->parent = plan->parent;
    session->decisions = plan->decisions;
    session->bytes = plan->bytes;
    session->attached = plan->attached;
    memcpy(session->key, plan->key, sizeof(session->key));
    session->facts = *plan->facts;
    *plan->facts = (struct session_facts){.identity = {.pidfd = -1}};
    session->record = server->configuration->record_all;
    bool possible = take_wishes(session, plan, refusal) && take_origin(session, plan) &&
                    build_subject(session) && session_follow_generation(session);
    possible = possible && names_exist(session, refusal) &&
               (plan->resumed || can_hold_floor(session, refusal)) &&
               charge(session, account, refusal) && join_process(session, account, refusal);
    if (!possible) {
        session_free(session);
        return NULL;
    }
    session->account = account;
    HASH_ADD(hh, server->sessions, number, sizeof(session->number), session);
    server->session_count++;
    server->statistics.sessions++;
    origin_spread(session);
    record_start(session);
    return session;
}

struct session *session_find(const struct server *server, uint64_t number)
{
    struct session *session = NULL;
    HASH_FIND(hh, server->sessions, &number, sizeof(number), session);
    return session;
}

void session_add_connection(struct session *session, struct connection *connection)
{
    connection->state = STATE_SESSION;
    connection->session = session;
    connection_has_key(connection, session->key);
    connection->next_of_session = session->connections;
    session->connections = connection;
    connection_settle(connection);
}

void session_drop_connection(struct session *session, struct connection *connection)
{
    for (struct connection **at = &session->connections; *at; at = &(*at)->next_of_session) {
        if (*at == connection) {
            *at = connection->next_of_session;
            break;
        }
    }
    if (!session->connections && session->process && session->process->pidfd < 0)
        session_end(session);
}

void session_end(struct session *session)
{
    struct server *server = session->server;

    if (session_find(server, session->number) != session)
        return;                    /* it is ending already */
    settled_records_read(session); /* the last ones */
    HASH_DEL(server->sessions, session);
    server->session_count--;
    user_account_return(&server->accounts, session->account, CHARGE_SESSION, 1);
    user_account_return(&server->accounts, session->account, CHARGE_BYTES, session->bytes);
    while (session->connections) {
        struct connection *connection = session->connections;
        session->connections = connection->next_of_session;
        connection->session = NULL;
        connection_close(connection);
    }
    if (session->resumable && !server->stopping)
        kept_session_remove(server, session->number);
    session_record(session,
                   audit_item_session_end(session->number, session->decisions, session->denials),
                   false);
    subject_process_drop_session(session->process, session);
    subject_process_release(session->process);
    session->process = NULL;
    session_release(session);
}
