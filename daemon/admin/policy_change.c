#define _GNU_SOURCE
#include "daemon/admin/policy_change.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/admin/diagnostic_message.h"
#include "daemon/admin/outbox.h"
#include "daemon/generation.h"
#include "daemon/session/session.h"
#include "host/policy_host.h"
#include "policies/language/compile.h"
#include "policies/language/diagnostics.h"

enum {
    TEXTS_MAX = 256,  /* of one request */
    WAITING_MAX = 32, /* changes behind the one under way: each holds a request, 1 MiB at most */
};

struct policy_changer {
    struct server *server;
    struct policy_store *store;
    bool busy; /* a change is under way; others wait their turn */
    struct change_job *first;
    struct change_job *last;
    size_t waiting;
};

/* One change. While it is under way the worker touches nothing else. */
struct change_job {
    uv_work_t work;
    struct change_job *next; /* behind it in the line */
    struct policy_changer *changer;
    struct connection *connection; /* held */
    unsigned char *bytes;
    size_t length;
    char who[64];
    struct generation *current; /* held: in force when the job began */
    struct generation *made;
    uint64_t generation;
    char *text;                      /* for the person who asked; owned */
    struct diagnostics *diagnostics; /* apart from it, if that is what was asked for; owned */
    bool apart;
    Warder__V1__FailureKind failure;
    bool failed;
    bool offline;           /* no daemon serves: what is stored is for the next one */
    bool compiles_the_same; /* what would be, as what is in force: paths lead where they led, too */
    bool unchanged;         /* and all that was to be stored is there */
};

/* ----------------------------------------------------------------------------------- in a worker
 */

static bool fail(struct change_job *job, Warder__V1__FailureKind kind, char *text)
{
    job->failed = true;
    job->failure = kind;
    free(job->text);
    job->text = text;
    return false;
}

static bool fail_with(struct change_job *job, Warder__V1__FailureKind kind, const char *text)
{
    return fail(job, kind, strdup(text));
}

/* What closes the words about policies that are not taken. */
static const char *what_stays(const struct change_job *job)
{
    return job->offline ? "nothing was changed" : "the active policies stay";
}

/* Keeps what the checker said for the answer; takes it over. */
static void keep_report(struct change_job *job, struct diagnostics *diagnostics,
                        const char *closing)
{
    if (job->apart) {
        diagnostics_free(job->diagnostics);
        job->diagnostics = diagnostics;
        return;
    }
    free(job->text);
    job->text = diagnostics_render(diagnostics, closing, false);
    diagnostics_free(diagnostics);
}

/* Takes what the checker said over. */
static bool fail_with_diagnostics(struct change_job *job, Warder__V1__FailureKind kind,
                                  struct diagnostics *diagnostics, const char *closing)
{
    char text[128];

    if (!diagnostics || diagnostics_error_count(diagnostics) == 0) {
        diagnostics_free(diagnostics);
        return fail_with(job, kind, "out of memory");
    }
    keep_report(job, diagnostics, closing);
    job->failed = true;
    job->failure = kind;
    if (!job->apart)
        return false;
    snprintf(text, sizeof(text), "the policies do not compile; %s", closing);
    return fail_with(job, kind, text);
}

/* The policies of the request's texts, each by itself. */
struct change_set {
    struct policy_parts parts[TEXTS_MAX];
    size_t count;
    enum policy_tier tier;
};

static void change_set_deinit(struct change_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        policy_parts_deinit(&set->parts[i]);
}

static bool is_replaced(const struct change_set *set, const struct stored_policy *policy)
{
    if (policy->tier != set->tier)
        return false;
    for (size_t i = 0; i < set->count; i++)
        for (size_t j = 0; j < set->parts[i].count; j++)
            if (strcmp(set->parts[i].parts[j].name, policy->name) == 0)
                return true;
    return false;
}

/* The texts of a request, and behind them the stored ones that stay. */
struct trial {
    struct policy_text *texts;
    char **files; /* their names; owned */
    size_t count;
    struct stored_policies stored;
};

static void trial_deinit(struct trial *trial)
{
    for (size_t i = 0; i < trial->count; i++)
        free(trial->files[i]);
    free(trial->files);
    free(trial->texts);
    stored_policies_deinit(&trial->stored);
}

static bool trial_init(struct trial *trial, const Warder__V1__Apply *apply, enum policy_tier tier)
{
    trial->texts = calloc(apply->n_texts + trial->stored.count, sizeof(*trial->texts));
    trial->files = calloc(apply->n_texts + trial->stored.count, sizeof(*trial->files));
    if (!trial->texts || !trial->files)
        return false;
    for (; trial->count < apply->n_texts; trial->count++) {
        const Warder__V1__PolicyText *given = apply->texts[trial->count];
        char *file = field_copy(&given->file, SIZE_MAX);
        trial->files[trial->count] = file;
        trial->texts[trial->count] = (struct policy_text){.file = file ? file : "policy",
                                                          .text = field_bytes(&given->text),
                                                          .length = given->text.len,
                                                          .tier = tier};
    }
    return true;
}

/* So that what the new policies say of the stored ones (overrides) is checked beside them. */
static bool add_stored(struct trial *trial, const struct change_set *set)
{
    for (size_t i = 0; i < trial->stored.count; i++) {
        const struct stored_policy *policy = &trial->stored.policies[i];
        char *file = NULL;
        if (is_replaced(set, policy))
            continue;
        if (asprintf(&file, "%s/%s", policy_tier_name(policy->tier), policy->name) < 0)
            return false;
        trial->files[trial->count] = file;
        trial->texts[trial->count++] = (struct policy_text){.file = file,
                                                            .text = policy->text,
                                                            .length = strlen(policy->text),
                                                            .tier = policy->tier,
                                                            .quiet = true};
    }
    return true;
}

/* Takes the texts apart. What is wrong with them the compiler says, with all the rest. */
static bool split_texts(const struct trial *trial, struct change_set *set)
{
    CLEANUP(diagnostics_free) struct diagnostics *unread = diagnostics_new();
    bool done = unread != NULL;

    for (size_t i = 0; done && i < trial->count; i++) {
        done = policy_split(&trial->texts[i], &set->parts[i], unread) == 0;
        set->count += done;
    }
    return done;
}

/* Checks the request's texts as they were written, so that messages speak of the author's file and
 * lines, and takes them apart. */
static bool check_texts(struct change_job *job, const Warder__V1__Apply *apply,
                        struct change_set *set)
{
    /* Who can write a program that is allowed is said here, and what is stored is not held to it
     * again: files change without asking. */
    const struct compile_options options = {.look = policy_host_look, .today = generation_today()};
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    struct policy_block *block = NULL;
    struct trial trial = {0};
    char error[512];

    set->tier = apply->tier == WARDER__V1__TIER__TIER_VENDOR ? TIER_VENDOR : TIER_LOCAL;
    if (!policy_store_load(job->changer->store, &trial.stored, error, sizeof(error)))
        return fail_with(job, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR, error);
    if (diagnostics && trial_init(&trial, apply, set->tier)) {
        const bool split = split_texts(&trial, set);
        if (!split || add_stored(&trial, set))
            block = generation_compile(trial.texts, trial.count, options, diagnostics);
        if (!split) {
            policy_block_free(block);
            block = NULL;
        }
    }
    const bool done = block != NULL;
    policy_block_free(block);
    trial_deinit(&trial);
    if (!done)
        return fail_with_diagnostics(job, WARDER__V1__FAILURE_KIND__FAILURE_KIND_POLICY,
                                     TAKE(diagnostics), what_stays(job));
    if (diagnostics_warning_count(diagnostics) > 0)
        keep_report(job, TAKE(diagnostics), NULL);
    return true;
}

/* What the store would hold after the change. */
static bool replace(struct stored_policies *stored, const char *name, enum policy_tier tier,
                    const char *text)
{
    for (size_t i = 0; i < stored->count; i++) {
        struct stored_policy *policy = &stored->policies[i];
        if (policy->tier != tier || strcmp(policy->name, name) != 0)
            continue;
        free(policy->text);
        policy->text = strdup(text);
        return policy->text != NULL;
    }
    struct stored_policy *grown = realloc(stored->policies, (stored->count + 1) * sizeof(*grown));
    if (!grown)
        return false;
    stored->policies = grown;
    grown[stored->count] = (struct stored_policy){
        .name = strdup(name), .tier = tier, .text = strdup(text), .who = strdup("")};
    stored->count++;
    return grown[stored->count - 1].name && grown[stored->count - 1].text;
}

static bool is_same_block(const struct policy_block *one, const struct policy_block *other)
{
    const size_t size = policy_block_size(one);
    return policy_block_size(other) == size && memcmp(one, other, size) == 0;
}

/* Compiles what would be, before anything is stored. */
static bool check_whole(struct change_job *job, const struct change_set *set)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    struct stored_policies stored;
    char error[512];
    bool complete = true;

    if (!policy_store_load(job->changer->store, &stored, error, sizeof(error)))
        return fail_with(job, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR, error);
    for (size_t i = 0; i < set->count; i++)
        for (size_t j = 0; j < set->parts[i].count && complete; j++)
            complete = replace(&stored, set->parts[i].parts[j].name, set->tier,
                               set->parts[i].parts[j].text);
    struct generation *trial = complete ? generation_new(&stored, diagnostics) : NULL;
    if (!complete)
        stored_policies_deinit(&stored);
    if (!trial)
        return fail_with_diagnostics(job, WARDER__V1__FAILURE_KIND__FAILURE_KIND_POLICY,
                                     TAKE(diagnostics), what_stays(job));
    job->compiles_the_same = is_same_block(trial->block, job->current->block);
    generation_release(trial);
    return true;
}

/* Stores, reads back, compiles: what comes into force is what the disk has. Whoever mends a store
 * of which none is in force does so step by step, and is told what is still wrong. */
static bool store(struct change_job *job, const struct policy_change *changes, size_t count)
{
    static const char closing[] = "no daemon starts with them";
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    struct stored_policies stored;
    char error[512];

    if (!policy_store_change(job->changer->store, changes, count, job->who, &job->generation, error,
                             sizeof(error)) ||
        !policy_store_load(job->changer->store, &stored, error, sizeof(error)))
        return fail_with(job, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR, error);
    job->made = generation_new(&stored, diagnostics);
    if (job->made)
        return true;
    if (!job->current->idle)
        return fail_with_diagnostics(job, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR,
                                     TAKE(diagnostics), closing);
    if (diagnostics)
        keep_report(job, TAKE(diagnostics), closing);
    if (!policy_store_load(job->changer->store, &stored, error, sizeof(error)))
        return fail_with(job, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR, error);
    job->made = generation_idle(&stored);
    return job->made ||
           fail_with(job, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR, "out of memory");
}

static bool fail_without_policies(struct change_job *job, const Warder__V1__Apply *apply)
{
    const ProtobufCBinaryData *file = &apply->texts[0]->file;
    char more[64] = "";
    char text[400];

    if (apply->n_texts > 1)
        snprintf(more, sizeof(more), " and %zu more", apply->n_texts - 1);
    snprintf(text, sizeof(text), "%.*s%s: there is no policy in it; nothing was changed",
             file->len < 300 ? (int)file->len : 300, field_bytes(file), more);
    return fail_with(job, WARDER__V1__FAILURE_KIND__FAILURE_KIND_NOT_FOUND, text);
}

static bool is_stored_so(const struct stored_policies *stored, const struct policy_change *change)
{
    for (size_t i = 0; i < stored->count; i++) {
        const struct stored_policy *policy = &stored->policies[i];
        if (policy->tier == change->tier && strcmp(policy->name, change->name) == 0)
            return strcmp(policy->text, change->text) == 0;
    }
    return false;
}

/* Whatever is to be stored is there already, and nothing about it has changed on this machine:
 * whoever applies the same again every hour makes no revisions, and no session takes up a
 * generation for it. */
static bool is_stored(struct change_job *job, const struct policy_change *changes, size_t count)
{
    struct stored_policies stored;
    char error[512];
    bool same = true;

    if (!job->compiles_the_same ||
        !policy_store_load(job->changer->store, &stored, error, sizeof(error)))
        return false;
    for (size_t i = 0; i < count && same; i++)
        same = is_stored_so(&stored, &changes[i]);
    job->generation = stored.generation;
    stored_policies_deinit(&stored);
    return same;
}

static bool store_set(struct change_job *job, const Warder__V1__Apply *apply,
                      const struct change_set *set)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        count += set->parts[i].count;
    if (count == 0)
        return fail_without_policies(job, apply);
    struct policy_change *changes = calloc(count, sizeof(*changes));
    if (!changes)
        return fail_with(job, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR, "out of memory");
    size_t filled = 0;
    for (size_t i = 0; i < set->count; i++)
        for (size_t j = 0; j < set->parts[i].count; j++)
            changes[filled++] = (struct policy_change){.name = set->parts[i].parts[j].name,
                                                       .tier = set->tier,
                                                       .text = set->parts[i].parts[j].text};
    job->unchanged = is_stored(job, changes, count);
    const bool stored = job->unchanged || store(job, changes, count);
    free(changes);
    return stored;
}

/* Puts what was done behind what there was to say of it. */
static void say_done(struct change_job *job, const char *what)
{
    char *text = NULL;

    if (asprintf(&text, "%s%s; generation %" PRIu64 " is %s", job->text ? job->text : "", what,
                 job->generation, job->offline ? "stored for the next daemon" : "in force") < 0)
        text = NULL;
    free(job->text);
    job->text = text;
}

static void work_apply(struct change_job *job, const Warder__V1__Apply *apply)
{
    struct change_set *set = calloc(1, sizeof(*set));
    char what[64];
    size_t count = 0;

    job->apart = apply->apart;
    if (!set || apply->n_texts == 0 || apply->n_texts > TEXTS_MAX) {
        fail_with(job, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR,
                  "nothing to apply, or too many files at once");
    } else if (check_texts(job, apply, set) && check_whole(job, set) &&
               store_set(job, apply, set)) {
        for (size_t i = 0; i < set->count; i++)
            count += set->parts[i].count;
        snprintf(what, sizeof(what), "%s %zu %s", job->unchanged ? "unchanged:" : "applied", count,
                 count == 1 ? "policy" : "policies");
        say_done(job, what);
    }
    if (set)
        change_set_deinit(set);
    free(set);
}

/* NAME or TIER/NAME. */
static bool parse_name(const char *given, const struct stored_policies *stored,
                       struct policy_change *change)
{
    for (size_t i = 0; i < stored->count; i++) {
        const struct stored_policy *policy = &stored->policies[i];
        const char *tier = policy_tier_name(policy->tier);
        const size_t length = strlen(tier);
        const bool tiered = strncmp(given, tier, length) == 0 && given[length] == '/';
        if (strcmp(policy->name, given) != 0 &&
            !(tiered && strcmp(policy->name, given + length + 1) == 0))
            continue;
        *change = (struct policy_change){.name = policy->name, .tier = policy->tier};
        return true;
    }
    return false;
}

static void work_remove(struct change_job *job, const Warder__V1__RemovePolicy *remove)
{
    struct stored_policies stored;
    struct policy_change change;
    char error[512];
    char what[320];
    char *name = field_copy(&remove->name, SIZE_MAX);

    job->apart = remove->apart;
    if (!name || !policy_store_load(job->changer->store, &stored, error, sizeof(error))) {
        fail_with(job, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR,
                  name ? error : "out of memory");
        free(name);
        return;
    }
    if (!parse_name(name, &stored, &change)) {
        snprintf(what, sizeof(what), "there is no policy named `%.200s`; `warder list` shows all",
                 name);
        fail_with(job, WARDER__V1__FAILURE_KIND__FAILURE_KIND_NOT_FOUND, what);
    } else if (store(job, &change, 1)) {
        snprintf(what, sizeof(what), "removed %s/%.200s", policy_tier_name(change.tier),
                 change.name);
        say_done(job, what);
    }
    stored_policies_deinit(&stored);
    free(name);
}

static void work(uv_work_t *request)
{
    struct change_job *job = request->data;
    struct arena arena;
    void *memory = malloc(MESSAGE_ARENA_SIZE);

    arena_init(&arena, memory, memory ? MESSAGE_ARENA_SIZE : 0);
    const Warder__V1__ClientMessage *message =
        client_message_decode(&arena, job->bytes, job->length);
    if (!message)
        fail_with(job, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR, "out of memory");
    else if (message->admin->body_case == WARDER__V1__ADMIN_REQUEST__BODY_APPLY)
        work_apply(job, message->admin->apply);
    else
        work_remove(job, message->admin->remove);
    free(memory);
}

/* ---------------------------------------------------------------------------- back on the loop */

static const struct stored_policy *stored_in(const struct stored_policies *stored,
                                             const struct stored_policy *policy)
{
    for (size_t i = 0; i < stored->count; i++)
        if (stored->policies[i].tier == policy->tier &&
            strcmp(stored->policies[i].name, policy->name) == 0)
            return &stored->policies[i];
    return NULL;
}

static void record_one(struct change_job *job, const struct stored_policy *policy, bool removed)
{
    char revision[48] = "";
    char text[512];

    if (!removed)
        snprintf(revision, sizeof(revision), " revision %" PRIu64, policy->revision);
    snprintf(text, sizeof(text), "%s/%.200s%s %s by %s, generation %" PRIu64,
             policy_tier_name(policy->tier), policy->name, revision,
             removed ? "removed" : "applied", job->who, job->generation);
    audit_log_add(job->changer->server->audit, audit_item_notice(AUDIT_DAEMON, 0, -1, 0, text),
                  AUDIT_NOBODY, false);
}

/* A record for each policy that was stored or removed; the generation before is still there. */
static void record_change(struct change_job *job)
{
    const struct stored_policies *before = &job->changer->server->generation->stored;
    const struct stored_policies *after = &job->made->stored;

    for (size_t i = 0; i < after->count; i++) {
        const struct stored_policy *was = stored_in(before, &after->policies[i]);
        if (!was || was->revision != after->policies[i].revision)
            record_one(job, &after->policies[i], false);
    }
    for (size_t i = 0; i < before->count; i++)
        if (!stored_in(after, &before->policies[i]))
            record_one(job, &before->policies[i], true);
}

/* Adds to the answer how many sessions named what is gone; the generation before is still there. */
static void count_losers(struct change_job *job)
{
    const struct server *server = job->changer->server;
    size_t count = 0;
    char *text;

    for (const struct session *at = server->sessions; at; at = at->hh.next)
        count += session_loses_policy(at, server->generation, job->made);
    if (count == 0 || !job->text ||
        asprintf(&text, "%s; %zu live %s it: nothing is allowed to %s until it is applied again",
                 job->text, count, count == 1 ? "session named" : "sessions named",
                 count == 1 ? "that one" : "those") < 0)
        return;
    free(job->text);
    job->text = text;
}

static void answer(struct change_job *job)
{
    Warder__V1__AdminReply reply = WARDER__V1__ADMIN_REPLY__INIT;
    Warder__V1__Done done = WARDER__V1__DONE__INIT;
    Warder__V1__Failed failed = WARDER__V1__FAILED__INIT;
    struct arena *arena = &job->changer->server->arena;
    Warder__V1__Diagnostic **diagnostics;
    size_t count;

    if (job->connection->state == STATE_CLOSED)
        return;
    arena_reset(arena);
    (void)diagnostic_messages(job->diagnostics, arena, &count, &diagnostics);
    if (job->failed) {
        failed.kind = job->failure;
        failed.text = text_field(job->text ? job->text : "out of memory");
        failed.diagnostics = diagnostics;
        failed.n_diagnostics = count;
        reply.body_case = WARDER__V1__ADMIN_REPLY__BODY_FAILED;
        reply.failed = &failed;
    } else {
        done.text = text_field(job->text);
        done.generation = job->generation;
        done.unchanged = job->unchanged;
        done.diagnostics = diagnostics;
        done.n_diagnostics = count;
        reply.body_case = WARDER__V1__ADMIN_REPLY__BODY_DONE;
        reply.done = &done;
    }
    outbox_add(job->connection, &reply, false);
}

static void job_free(struct change_job *job)
{
    generation_release(job->current);
    connection_release(job->connection);
    diagnostics_free(job->diagnostics);
    free(job->bytes);
    free(job->text);
    free(job);
}

static void begin_next(struct policy_changer *changer);

static void after_work(uv_work_t *request, int status)
{
    struct change_job *job = request->data;
    struct policy_changer *changer = job->changer;
    struct server *server = changer->server;

    loops_enter(server);
    changer->busy = false;
    if (status < 0)
        fail_with(job, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR, "the daemon is stopping");
    if (job->made) {
        record_change(job);
        count_losers(job);
        server_set_generation(server, job->made);
    }
    answer(job);
    job_free(job);
    begin_next(changer);
    loops_leave(server);
}

static struct change_job *take_first(struct policy_changer *changer)
{
    struct change_job *job = changer->first;

    changer->first = job->next;
    changer->waiting--;
    return job;
}

/* One after the other, in the order of their coming: each is checked against what the one before
 * has left. A daemon that stops begins none, and none is begun for somebody who has gone. */
static void begin_next(struct policy_changer *changer)
{
    if (changer->busy || changer->server->stopping)
        return;
    while (changer->first && changer->first->connection->state == STATE_CLOSED)
        job_free(take_first(changer));
    if (!changer->first)
        return;
    struct change_job *job = take_first(changer);
    changer->busy = true;
    job->current = generation_hold(changer->server->generation);
    uv_queue_work(changer->server->loop, &job->work, work, after_work);
}

static void put_in_line(struct policy_changer *changer, struct change_job *job)
{
    if (changer->first)
        changer->last->next = job;
    else
        changer->first = job;
    changer->last = job;
    changer->waiting++;
}

static void start(struct policy_changer *changer, struct connection *connection,
                  const struct incoming *incoming)
{
    const bool full = changer->waiting >= WAITING_MAX;
    struct change_job *job = full ? NULL : calloc(1, sizeof(*job));
    unsigned char *bytes = full ? NULL : malloc(incoming->length + 1);

    if (!job || !bytes) {
        outbox_fail(connection, WARDER__V1__FAILURE_KIND__FAILURE_KIND_ERROR,
                    full ? "as many changes wait their turn as may; try again in a moment"
                         : "out of memory");
        free(job);
        free(bytes);
        return;
    }
    memcpy(bytes, incoming->body, incoming->length);
    *job = (struct change_job){.changer = changer,
                               .connection = connection_hold(connection),
                               .offline = connection->state == STATE_CONTROL,
                               .bytes = bytes,
                               .length = incoming->length};
    job->work.data = job;
    snprintf(job->who, sizeof(job->who), "uid %u%s",
             (unsigned)(job->offline ? connection->account->uid : incoming->received->uid),
             job->offline ? " (without a daemon)" : "");
    put_in_line(changer, job);
    begin_next(changer);
}

void policy_change_apply(struct policy_changer *changer, struct connection *connection,
                         const struct incoming *incoming)
{
    start(changer, connection, incoming);
}

void policy_change_remove(struct policy_changer *changer, struct connection *connection,
                          const struct incoming *incoming)
{
    start(changer, connection, incoming);
}

struct policy_changer *policy_changer_new(struct server *server, struct policy_store *store_used)
{
    struct policy_changer *changer = calloc(1, sizeof(*changer));
    if (changer)
        *changer = (struct policy_changer){.server = server, .store = store_used};
    return changer;
}

void policy_changer_free(struct policy_changer *changer)
{
    while (changer && changer->first)
        job_free(take_first(changer));
    free(changer);
}
