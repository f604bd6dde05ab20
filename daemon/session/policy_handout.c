/* A file is found again by what it was made of: the generation, the policies of it that govern or
 * are observed, and the wishes, each of which has a number that is never given again. */
#include "daemon/session/policy_handout.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/session/settled_records.h"
#include "policies/engine/block_cut.h"
#include "proto/generation_page.h"
#include "proto/memory_file.h"

enum {
    ALIGNMENT = 8, /* of a block */
};

/* What a file was made of, and where in it each block is. */
struct handout_file {
    int file;    /* -1: none */
    void *bytes; /* the same, for tags */
    size_t size;
    uint64_t epoch;
    uint64_t used; /* when, by the handouts' clock */
    size_t governing_count;
    size_t observed_count;
    uint32_t *policies; /* both */
    size_t wishes_count;
    uint64_t wishes[WISHES_TOGETHER_MAX];
};

struct policy_handouts {
    struct generation_page *page;
    int page_file;
    uint64_t epoch;
    uint64_t clock;
    struct handout_file files[HANDOUT_FILES_MAX];
};

/* ----------------------------------------------------------------------------------------- files
 */

static void file_deinit(struct handout_file *file)
{
    if (file->file >= 0)
        close(file->file);
    free(file->bytes);
    free(file->policies);
    *file = (struct handout_file){.file = -1};
}

struct policy_handouts *policy_handouts_new(void)
{
    struct policy_handouts *handouts = calloc(1, sizeof(*handouts));

    if (!handouts)
        return NULL;
    for (int i = 0; i < HANDOUT_FILES_MAX; i++)
        handouts->files[i].file = -1;
    handouts->page = generation_page_new(&handouts->page_file);
    if (!handouts->page) {
        free(handouts);
        return NULL;
    }
    policy_handouts_renew(handouts);
    return handouts;
}

void policy_handouts_free(struct policy_handouts *handouts)
{
    if (!handouts)
        return;
    generation_page_free(handouts->page, handouts->page_file);
    for (int i = 0; i < HANDOUT_FILES_MAX; i++)
        file_deinit(&handouts->files[i]);
    free(handouts);
}

void policy_handouts_renew(struct policy_handouts *handouts)
{
    if (!handouts)
        return;
    handouts->epoch++;
    for (int i = 0; i < HANDOUT_FILES_MAX; i++)
        file_deinit(&handouts->files[i]);
    handouts->page->epoch = handouts->epoch;
}

void policy_handouts_withdraw(struct policy_handouts *handouts)
{
    if (handouts)
        handouts->page->epoch = 0;
}

static size_t align(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Tells of each block that governs, in the order in which they are in the file; false ends it. */
typedef bool block_visitor(void *context, const struct policy_block *block, size_t offset);

static size_t visit_blocks(const struct session *session, block_visitor *visit, void *context)
{
    size_t offset = 0;

    if (session->governing_count + session->observed_count > 0) {
        if (visit && !visit(context, session->generation->block, offset))
            return 0;
        offset += align(policy_block_size(session->generation->block));
    }
    for (size_t i = 0; i < session->wishes.count; i++) {
        const struct policy_block *block = session->wishes.items[i]->block;
        if (!block)
            continue;
        if (visit && !visit(context, block, offset))
            return 0;
        offset += align(policy_block_size(block));
    }
    return offset;
}

static bool copy_block(void *context, const struct policy_block *block, size_t offset)
{
    struct handout_file *file = context;
    memcpy((char *)file->bytes + offset, block, policy_block_size(block));
    return true;
}

static bool is_of(const struct handout_file *file, const struct session *session)
{
    const size_t governing = session->governing_count;

    if (file->file < 0 || file->governing_count != governing ||
        file->observed_count != session->observed_count ||
        file->wishes_count != session->wishes.count ||
        (governing > 0 &&
         memcmp(file->policies, session->governing, governing * sizeof(uint32_t)) != 0) ||
        (file->observed_count > 0 && memcmp(file->policies + governing, session->observed,
                                            file->observed_count * sizeof(uint32_t)) != 0))
        return false;
    for (size_t i = 0; i < file->wishes_count; i++)
        if (file->wishes[i] != session->wishes.items[i]->number)
            return false;
    return true;
}

/* Makes the file that the session needs. False if it is too large, or memory is short. */
static bool make_file(const struct session *session, struct handout_file *file)
{
    const size_t policies = session->governing_count + session->observed_count;

    file->size = visit_blocks(session, NULL, NULL);
    if (file->size == 0 || file->size > HANDOUT_SIZE_MAX)
        return false;
    file->bytes = calloc(1, file->size);
    file->policies = calloc(policies + 1, sizeof(uint32_t));
    if (!file->bytes || !file->policies)
        return false;
    if (visit_blocks(session, copy_block, file) == 0)
        return false;
    if (session->governing_count > 0)
        memcpy(file->policies, session->governing, session->governing_count * sizeof(uint32_t));
    if (session->observed_count > 0)
        memcpy(file->policies + session->governing_count, session->observed,
               session->observed_count * sizeof(uint32_t));
    /* The host's block stands first. Others' policies are none of the session's business; its own
     * texts are. */
    if (policies > 0 && !policy_block_cut(file->bytes, file->policies, policies))
        return false;
    file->governing_count = session->governing_count;
    file->observed_count = session->observed_count;
    file->wishes_count = session->wishes.count;
    for (size_t i = 0; i < session->wishes.count; i++)
        file->wishes[i] = session->wishes.items[i]->number;
    file->file = memory_file_new(file->bytes, file->size);
    return file->file >= 0;
}

/* The file for the session; NULL if it cannot have one. */
static struct handout_file *file_of(struct policy_handouts *handouts, const struct session *session)
{
    struct handout_file *oldest = &handouts->files[0];

    for (int i = 0; i < HANDOUT_FILES_MAX; i++) {
        struct handout_file *file = &handouts->files[i];
        if (is_of(file, session)) {
            file->used = ++handouts->clock;
            return file;
        }
        if (file->used < oldest->used)
            oldest = file;
    }
    file_deinit(oldest);
    if (!make_file(session, oldest)) {
        file_deinit(oldest);
        return NULL;
    }
    oldest->used = ++handouts->clock;
    return oldest;
}

/* --------------------------------------------------------------------------------------- message
 */

struct part_list {
    Warder__V1__PolicyHandout *handout;
    const struct session *session;
    struct arena *arena;
};

static bool add_part(const struct part_list *list, const struct policy_block *block, size_t offset,
                     const uint32_t *policies, size_t count, bool observed)
{
    Warder__V1__HandoutPart *part = arena_alloc(list->arena, sizeof(*part));

    if (!part)
        return false;
    warder__v1__handout_part__init(part);
    part->offset = offset;
    part->size = policy_block_size(block);
    part->n_policies = count;
    part->policies = (uint32_t *)policies;
    part->observed = observed;
    list->handout->parts[list->handout->n_parts++] = part;
    return true;
}

static bool add_parts(void *context, const struct policy_block *block, size_t offset)
{
    struct part_list *list = context;
    const struct session *session = list->session;

    if (block == session->generation->block)
        return (session->governing_count == 0 || add_part(list, block, offset, session->governing,
                                                          session->governing_count, false)) &&
               (session->observed_count == 0 ||
                add_part(list, block, offset, session->observed, session->observed_count, true));
    /* Naming a file makes all of its policies govern. */
    const uint32_t count = policy_block_policy_count(block);
    uint32_t *policies = arena_zalloc(list->arena, count, sizeof(*policies));
    for (uint32_t i = 0; policies && i < count; i++)
        policies[i] = i;
    return policies && add_part(list, block, offset, policies, count, false);
}

static bool fill_parts(struct session *session, Warder__V1__PolicyHandout *handout)
{
    struct arena *arena = &session->server->arena;
    struct part_list list = {handout, session, arena};

    /* Of pointers, as it should be. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    handout->parts = arena_zalloc(arena, WISHES_TOGETHER_MAX + 2, sizeof(*handout->parts));
    return handout->parts && visit_blocks(session, add_parts, &list) > 0;
}

static bool fill_texts(struct arena *arena, const char *const *texts, size_t count, size_t *filled,
                       ProtobufCBinaryData **out)
{
    *out = arena_zalloc(arena, count, sizeof(**out));
    for (size_t i = 0; *out && i < count; i++)
        (*out)[i] = text_field(texts[i]);
    *filled = *out ? count : 0;
    return *out != NULL;
}

static bool fill_labels(struct arena *arena, const struct subject *subject,
                        Warder__V1__Subject *out)
{
    /* Of pointers, as it should be. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    out->labels = arena_zalloc(arena, subject->label_count, sizeof(*out->labels));
    for (size_t i = 0; out->labels && i < subject->label_count; i++) {
        Warder__V1__Label *label = arena_alloc(arena, sizeof(*label));
        if (!label)
            return false;
        warder__v1__label__init(label);
        label->name = text_field(subject->labels[i].name);
        label->value = text_field(subject->labels[i].value);
        out->labels[out->n_labels++] = label;
    }
    return out->labels != NULL;
}

static bool fill_places(struct arena *arena, const struct subject *subject,
                        Warder__V1__Subject *out)
{
    /* Of pointers, as it should be. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    out->places = arena_zalloc(arena, PLACE_COUNT, sizeof(*out->places));
    for (int place = 0; out->places && place < PLACE_COUNT; place++) {
        Warder__V1__PlacePaths *paths = arena_alloc(arena, sizeof(*paths));
        if (!paths)
            return false;
        warder__v1__place_paths__init(paths);
        paths->place = (uint32_t)place;
        if (!fill_texts(arena, subject->places[place].paths, subject->places[place].count,
                        &paths->n_paths, &paths->paths))
            return false;
        out->places[out->n_places++] = paths;
    }
    return out->places != NULL;
}

static bool fill_subject(struct arena *arena, const struct subject *subject,
                         Warder__V1__PolicyHandout *handout)
{
    Warder__V1__Subject *out = arena_alloc(arena, sizeof(*out));

    if (!out)
        return false;
    warder__v1__subject__init(out);
    out->facts = (subject->user ? 1U : 0U) | (subject->exe ? 2U : 0U) | (subject->unit ? 4U : 0U) |
                 (subject->python ? 8U : 0U) | (subject->script ? 16U : 0U);
    out->user = text_field(subject->user);
    out->exe = text_field(subject->exe);
    out->unit = text_field(subject->unit);
    out->python = text_field(subject->python);
    out->script = text_field(subject->script);
    handout->subject = out;
    return fill_texts(arena, subject->groups, subject->group_count, &out->n_groups, &out->groups) &&
           fill_labels(arena, subject, out) && fill_places(arena, subject, out);
}

static bool fill_tag(const struct session *session, const struct handout_file *file,
                     Warder__V1__PolicyHandout *handout)
{
    unsigned char *tag = arena_alloc(&session->server->arena, SIPHASH_TAG_SIZE);
    struct siphash hash;

    if (!tag)
        return false;
    siphash_init(&hash, session->key);
    siphash_update(&hash, file->bytes, file->size);
    siphash_final(&hash, tag);
    handout->tag = bytes_field(tag, SIPHASH_TAG_SIZE);
    return true;
}

bool policy_handout_fill(struct session *session, bool first, Warder__V1__PolicyHandout *handout,
                         int descriptors[HANDOUT_DESCRIPTORS_MAX], int *count)
{
    struct policy_handouts *handouts = session->server->handouts;

    warder__v1__policy_handout__init(handout);
    *count = 0;
    if (!handouts)
        return false;
    handout->epoch = handouts->epoch;
    handout->record = session->record;
    handout->keeps_hook_file = session_hook_file(session) != NULL;
    const bool governed = visit_blocks(session, NULL, NULL) > 0;
    const struct handout_file *file = governed ? file_of(handouts, session) : NULL;
    /* Of a session that is denied everything, nothing is settled in it. */
    const bool complete = !session->gone_policy[0] &&
                          (!governed || (file && fill_parts(session, handout) &&
                                         (first || fill_tag(session, file, handout)))) &&
                          fill_subject(&session->server->arena, &session->subject, handout);
    if (!complete) { /* until the next generation, every event is asked */
        handout->n_parts = 0;
        handout->subject = NULL;
    } else if (file) {
        handout->size = file->size;
        descriptors[(*count)++] = file->file;
    }
    handout->page = first;
    if (first)
        descriptors[(*count)++] = handouts->page_file;
    handout->ring = first && settled_records_open(session, &descriptors[*count]);
    *count += handout->ring ? 1 : 0;
    return true;
}

void policy_handout_sent(const Warder__V1__PolicyHandout *handout, const int *descriptors,
                         int count)
{
    if (handout->ring)
        close(descriptors[count - 1]);
}

void policy_handout_answer(struct connection *connection, const struct incoming *incoming)
{
    Warder__V1__DaemonMessage message = WARDER__V1__DAEMON_MESSAGE__INIT;
    Warder__V1__PolicyHandout handout = WARDER__V1__POLICY_HANDOUT__INIT;
    struct session *session = connection->session;
    const struct reply_to to = connection_reply_to(connection, incoming);
    int descriptors[HANDOUT_DESCRIPTORS_MAX];
    int count = 0;

    if (!session_follow_generation(session)) {
        connection_refuse(connection, "out of memory while a new generation was taken up");
        return;
    }
    policy_handout_fill(session, false, &handout, descriptors, &count);
    message.body_case = WARDER__V1__DAEMON_MESSAGE__BODY_HANDOUT;
    message.handout = &handout;
    connection_send(connection, &to, &message, descriptors, count);
}
