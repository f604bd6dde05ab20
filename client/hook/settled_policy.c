/* Invariants. A policy is filled in while its `epoch` is 0 and nobody uses it, and stays as it is
 * until its users are gone: a user counts himself in before he looks at the epoch, and who fills in
 * sets the epoch to 0 before he looks at the count. What is in force is the policy whose epoch the
 * event table has, which the kernel wipes in forked children. */
#define _GNU_SOURCE
#include "client/hook/settled_policy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/hook/event_table.h"
#include "client/hook/own_file.h"
#include "client/hook/record_batch.h"
#include "policies/engine/evaluate.h"
#include "policies/engine/kernel_program.h"
#include "policies/engine/policy_block.h"
#include "proto/generation_page.h"
#include "proto/memory_file.h"
#include "proto/siphash.h"

enum {
    POLICIES_MAX = 3, /* one in force, one that a slow thread still uses, one to come */
    PARTS_MAX = 32,
    COPIES_SIZE = 1024 * 1024, /* of the subject's facts and the governing policies' numbers */
    FILE_SIZE_MAX = 16 * 1024 * 1024,
};

struct part {
    const struct policy_block *block;
    struct governing governing;
    bool observed;
};

struct settled_policy {
    _Atomic uint64_t epoch; /* 0: not to be used */
    _Atomic unsigned users;
    bool records; /* every decision is recorded */
    bool keeps_hook_file;
    size_t part_count;
    struct part parts[PARTS_MAX];
    struct subject subject;
    const void *file; /* the blocks */
    size_t file_size;
    void *copies; /* what the subject and the parts point to; kept */
};

static struct {
    pthread_mutex_t lock; /* of who takes a handout up */
    struct settled_policy policies[POLICIES_MAX];
    _Atomic(struct settled_policy *) now;
    _Atomic uint64_t refused; /* the epoch whose handout was none: not fetched again */
} settled = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool settled_policy_is_possible(void)
{
    return event_table_ready();
}

void settled_policy_become_child(void)
{
    settled.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    for (int i = 0; i < POLICIES_MAX; i++)
        settled.policies[i].users = 0;
    settled.now = NULL;
    settled.refused = 0;
}

/* ------------------------------------------------------------------------------------ taking it up
 */

static bool copy_texts(struct arena *arena, const ProtobufCBinaryData *fields, size_t count,
                       const char *const **out)
{
    const char **texts = arena_zalloc(arena, count, sizeof(*texts));

    for (size_t i = 0; texts && i < count; i++) {
        texts[i] = field_text(arena, &fields[i]);
        if (!texts[i])
            return false;
    }
    *out = texts;
    return texts != NULL;
}

/* A fact that there is; true if there is none. */
static bool copy_fact(struct arena *arena, const Warder__V1__Subject *said, uint32_t bit,
                      const ProtobufCBinaryData *field, const char **out)
{
    if (!(said->facts & bit))
        return true;
    *out = field_text(arena, field);
    return *out != NULL;
}

static bool copy_labels(struct arena *arena, const Warder__V1__Subject *said,
                        struct subject *subject)
{
    struct label *labels = arena_zalloc(arena, said->n_labels, sizeof(*labels));

    for (size_t i = 0; labels && i < said->n_labels; i++) {
        labels[i].name = field_text(arena, &said->labels[i]->name);
        labels[i].value = field_text(arena, &said->labels[i]->value);
        if (!labels[i].name || !labels[i].value)
            return false;
    }
    subject->labels = labels;
    subject->label_count = said->n_labels;
    return labels != NULL;
}

static bool copy_places(struct arena *arena, const Warder__V1__Subject *said,
                        struct subject *subject)
{
    for (size_t i = 0; i < said->n_places; i++) {
        const Warder__V1__PlacePaths *place = said->places[i];
        if (place->place >= PLACE_COUNT ||
            !copy_texts(arena, place->paths, place->n_paths, &subject->places[place->place].paths))
            return false;
        subject->places[place->place].count = place->n_paths;
    }
    return true;
}

static bool copy_subject(struct arena *arena, const Warder__V1__Subject *said,
                         struct subject *subject)
{
    *subject = (struct subject){.platform = "linux", .group_count = said->n_groups};
    return copy_fact(arena, said, 1, &said->user, &subject->user) &&
           copy_fact(arena, said, 2, &said->exe, &subject->exe) &&
           copy_fact(arena, said, 4, &said->unit, &subject->unit) &&
           copy_fact(arena, said, 8, &said->python, &subject->python) &&
           copy_fact(arena, said, 16, &said->script, &subject->script) &&
           copy_texts(arena, said->groups, said->n_groups, &subject->groups) &&
           copy_labels(arena, said, subject) && copy_places(arena, said, subject);
}

static bool add_part(struct settled_policy *policy, struct arena *arena,
                     const Warder__V1__HandoutPart *said)
{
    if (policy->part_count == PARTS_MAX || said->offset > policy->file_size ||
        said->size > policy->file_size - said->offset)
        return false;
    const struct policy_block *block =
        policy_block_open((const char *)policy->file + said->offset, said->size);
    uint32_t *policies = arena_zalloc(arena, said->n_policies, sizeof(*policies));
    if (!block || !policies)
        return false;
    for (size_t i = 0; i < said->n_policies; i++) {
        if (said->policies[i] >= policy_block_policy_count(block))
            return false;
        policies[i] = said->policies[i];
    }
    /* No day: overrides do not count here, and what one would allow is asked. */
    policy->parts[policy->part_count++] =
        (struct part){.block = block,
                      .governing = {.policies = policies, .count = said->n_policies},
                      .observed = said->observed};
    return true;
}

static bool has_tag(const struct settled_policy *policy, const struct handout *handout)
{
    const ProtobufCBinaryData *tag = &handout->message->tag;
    unsigned char right[SIPHASH_TAG_SIZE];
    struct siphash hash;

    if (!handout->key)
        return true;
    siphash_init(&hash, handout->key);
    siphash_update(&hash, policy->file, policy->file_size);
    siphash_final(&hash, right);
    return tag->len == SIPHASH_TAG_SIZE && siphash_compare(tag->data, right) == 0;
}

static bool map_file(struct settled_policy *policy, const struct handout *handout)
{
    const uint64_t size = handout->message->size;

    if (size == 0)
        return handout->message->n_parts == 0;
    if (size > FILE_SIZE_MAX || handout->descriptors[0] < 0)
        return false;
    policy->file = memory_file_map(handout->descriptors[0], (size_t)size);
    policy->file_size = policy->file ? (size_t)size : 0;
    return policy->file && has_tag(policy, handout);
}

static bool make_copies(struct settled_policy *policy, struct arena *arena)
{
    if (!policy->copies) {
        void *memory =
            mmap(NULL, COPIES_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        policy->copies = memory == MAP_FAILED ? NULL : memory;
    }
    arena_init(arena, policy->copies, policy->copies ? COPIES_SIZE : 0);
    return policy->copies != NULL;
}

/* Fills in a policy that nobody uses. */
static bool fill_in(struct settled_policy *policy, const struct handout *handout)
{
    const Warder__V1__PolicyHandout *message = handout->message;
    struct arena arena;

    memory_file_unmap(policy->file, policy->file_size);
    policy->file = NULL;
    policy->file_size = 0;
    policy->part_count = 0;
    policy->records = message->record;
    policy->keeps_hook_file = message->keeps_hook_file;
    if (!message->subject || !make_copies(policy, &arena) || !map_file(policy, handout) ||
        !copy_subject(&arena, message->subject, &policy->subject))
        return false;
    for (size_t i = 0; i < message->n_parts; i++)
        if (!add_part(policy, &arena, message->parts[i]))
            return false;
    return true;
}

static void put_in_force(struct settled_policy *policy, uint64_t epoch)
{
    struct policy_reach reach = {.classes = 0};

    for (size_t i = 0; i < policy->part_count; i++)
        for (size_t j = 0; j < policy->parts[i].governing.count; j++)
            policy_reach_add(&reach, policy->parts[i].block,
                             policy->parts[i].governing.policies[j]);
    policy->epoch = epoch;
    settled.now = policy;
    const struct event_table_terms terms = {
        .reach = &reach, .records = policy->records, .keeps_hook_file = policy->keeps_hook_file};
    event_table_set(epoch, &terms);
}

/* One that nobody uses; NULL if all are in use. */
static struct settled_policy *unused(void)
{
    for (int i = 0; i < POLICIES_MAX; i++) {
        struct settled_policy *policy = &settled.policies[i];
        if (policy == settled.now)
            continue;
        policy->epoch = 0;
        atomic_thread_fence(memory_order_seq_cst);
        if (policy->users == 0)
            return policy;
    }
    return NULL;
}

/* Page and ring of the daemon that welcomes this process, before its program runs. A forked child
 * keeps its parent's page: by then somebody could put another in its place. */
static void take_page_and_ring(struct handout *handout)
{
    const Warder__V1__PolicyHandout *message = handout->message;
    int next = message && message->size > 0 ? 1 : 0;
    const struct generation_page *page = NULL;

    if (message && message->page && handout->descriptors[next] >= 0)
        page = generation_page_map(handout->descriptors[next++]);
    event_table_set_page(page);
    if (page && message->ring && next < HANDOUT_DESCRIPTORS_MAX) {
        record_batch_take_ring(handout->descriptors[next]);
        handout->descriptors[next] = -1;
    } else {
        record_batch_take_ring(-1);
    }
}

void settled_policy_take(struct handout *handout)
{
    const Warder__V1__PolicyHandout *message = handout->message;

    pthread_mutex_lock(&settled.lock);
    if (!handout->key)
        take_page_and_ring(handout);
    if (message && event_table_page_epoch() != 0) {
        struct settled_policy *policy = unused();
        if (policy && message->epoch != 0 && fill_in(policy, handout))
            put_in_force(policy, message->epoch);
        else
            settled.refused = message->epoch;
    }
    pthread_mutex_unlock(&settled.lock);
    for (int i = 0; i < HANDOUT_DESCRIPTORS_MAX; i++)
        if (handout->descriptors[i] >= 0)
            close(handout->descriptors[i]);
}

bool settled_policy_is_stale(void)
{
    const uint64_t page = event_table_page_epoch();
    return page != 0 && page != event_table_epoch() && page != settled.refused;
}

/* --------------------------------------------------------------------------------------- judgement
 */

/* The policy that is in force, in use by the caller until he lets go of it. */
static struct settled_policy *use(void)
{
    struct settled_policy *policy = settled.now;

    if (!policy)
        return NULL;
    atomic_fetch_add_explicit(&policy->users, 1, memory_order_seq_cst);
    const uint64_t epoch = policy->epoch;
    if (epoch != 0 && epoch == event_table_epoch() && epoch == event_table_page_epoch())
        return policy;
    atomic_fetch_sub_explicit(&policy->users, 1, memory_order_release);
    return NULL;
}

enum settlement settled_policy_judge(const struct event *event)
{
    struct settled_policy *policy = use();

    if (!policy)
        return SETTLED_NOT;
    struct budget budget = {EVALUATION_STEPS_MAX};
    /* Who could change the hook's file could change what the kernel starts, and nobody else. */
    bool allowed = !(policy->keeps_hook_file &&
                     (own_file_is_changed_by(event) || kernel_program_changed_by(event) >= 0));
    bool recorded = policy->records;
    for (size_t i = 0; i < policy->part_count && allowed; i++) {
        const struct part *part = &policy->parts[i];
        struct judgement judgement;
        evaluate_within(part->block, &part->governing, &policy->subject, event, &budget,
                        &judgement);
        allowed = judgement.verdict == VERDICT_ALLOW && judgement.would == VERDICT_ALLOW &&
                  judgement.override == OVERRIDE_NONE && !judgement.spent;
        recorded |= judgement.log;
    }
    atomic_fetch_sub_explicit(&policy->users, 1, memory_order_release);
    if (!allowed)
        return SETTLED_NOT;
    return recorded ? SETTLED_RECORDED : SETTLED_SILENTLY;
}
