#include "daemon/session/denial_queue.h"

#include <stdlib.h>
#include <string.h>

#include "proto/message.h"

struct pending_denial {
    struct audit_item *item;
    size_t capacity; /* of its memory */
    uid_t uid;       /* who has caused it */
    uint64_t since;  /* server_now() */
};

enum {
    DENIAL_ROOM = 4096, /* of an ordinary one, with its calling line: memory that is kept */
};

struct denial_queue {
    struct pending_denial denials[PENDING_DENIALS_MAX];
    size_t count;                     /* in order of time */
    size_t bytes;                     /* of all items */
    void *spare[PENDING_DENIALS_MAX]; /* memory of items that are gone, DENIAL_ROOM each */
    size_t spare_count;
};

struct denial_queue *denial_queue_new(void)
{
    return calloc(1, sizeof(struct denial_queue));
}

void denial_queue_free(struct denial_queue *queue)
{
    for (size_t i = 0; queue && i < queue->count; i++)
        audit_item_free(queue->denials[i].item);
    for (size_t i = 0; queue && i < queue->spare_count; i++)
        free(queue->spare[i]);
    free(queue);
}

/* The item of a decision, and its capacity; NULL on lack of memory. */
static struct audit_item *new_denial(struct denial_queue *queue, uint64_t session,
                                     const struct audit_decision *decision, size_t *capacity)
{
    const size_t size = audit_item_decision_size(decision);
    void *memory = NULL;

    *capacity = size <= DENIAL_ROOM ? DENIAL_ROOM : size;
    if (size <= DENIAL_ROOM && queue->spare_count > 0)
        memory = queue->spare[--queue->spare_count];
    else
        memory = malloc(*capacity);
    return memory ? audit_item_decision_in(memory, session, decision) : NULL;
}

static void free_denial(struct denial_queue *queue, const struct pending_denial *pending)
{
    if (pending->capacity == DENIAL_ROOM && queue->spare_count < PENDING_DENIALS_MAX)
        queue->spare[queue->spare_count++] = pending->item;
    else
        audit_item_free(pending->item);
}

/* Hands over the first `count`. */
static void hand_over(struct server *server, size_t count)
{
    struct denial_queue *queue = server->denials;

    for (size_t i = 0; i < count; i++) {
        const struct pending_denial *pending = &queue->denials[i];
        queue->bytes -= pending->item->size;
        audit_log_add_copy(server->audit, pending->item, pending->uid, false);
        free_denial(queue, pending);
    }
    queue->count -= count;
    memmove(queue->denials, queue->denials + count, queue->count * sizeof(*queue->denials));
}

/* Its line has come and others like it had their time, or it has waited for the line long enough.
 */
static bool is_due(const struct pending_denial *pending, uint64_t now)
{
    const uint64_t wait = pending->item->decision.file ? LIKE_MILLISECONDS : PLACE_MILLISECONDS;
    return pending->since + wait <= now;
}

bool denial_queue_flush(struct server *server, bool everything)
{
    struct denial_queue *queue = server->denials;
    size_t due = 0;

    /* They keep their order: one whose line is there waits for those before it. */
    while (due < queue->count && (everything || is_due(&queue->denials[due], server->heard_until)))
        due++;
    if (due > 0)
        hand_over(server, due);
    return queue->count > 0;
}

/* The same event of the same session, judged the same way. */
static bool is_repeated(const struct audit_item *item, uint64_t session,
                        const struct audit_decision *decision)
{
    const struct audit_decision *before = &item->decision;
    return item->session == session && before->generation == decision->generation &&
           before->event_size == decision->event_size &&
           memcmp(before->event, decision->event, decision->event_size) == 0 &&
           strcmp(before->verdict, decision->verdict) == 0 &&
           strcmp(before->policy, decision->policy) == 0 &&
           strcmp(before->rule, decision->rule) == 0;
}

/* Makes room for an item, and lets it wait. */
static void enqueue(struct server *server, struct audit_item *item, size_t capacity, uid_t uid)
{
    struct denial_queue *queue = server->denials;

    while (queue->count == PENDING_DENIALS_MAX ||
           (queue->count > 0 && queue->bytes + item->size > PENDING_BYTES_MAX))
        hand_over(server, 1);
    queue->bytes += item->size;
    queue->denials[queue->count++] = (struct pending_denial){
        .item = item, .capacity = capacity, .uid = uid, .since = server_now()};
    server_start_tick(server);
}

/* The newest denial that waits and is like this one; with one whose line has not come yet, if
 * `unplaced`. NULL if there is none. */
static struct audit_item *find_like(const struct session *session,
                                    const struct audit_decision *decision, bool unplaced)
{
    const struct denial_queue *queue = session->server->denials;

    for (size_t i = queue->count; i > 0; i--) {
        struct audit_item *item = queue->denials[i - 1].item;
        if (is_repeated(item, session->number, decision) && !(unplaced && item->decision.file))
            return item;
    }
    return NULL;
}

uint64_t denial_queue_number(const struct session *session, const struct audit_decision *decision)
{
    const struct audit_item *like = find_like(session, decision, true);

    if (!like)
        like = find_like(session, decision, false);
    return like ? like->decision.number : decision->number;
}

void denial_queue_add(struct session *session, const struct audit_decision *decision)
{
    struct server *server = session->server;
    struct audit_item *like = find_like(session, decision, true);
    struct audit_decision wanted = *decision;
    size_t capacity;

    if (like) {
        like->decision.count++;
        return;
    }
    wanted.number = denial_queue_number(session, decision);
    struct audit_item *item = new_denial(server->denials, session->number, &wanted, &capacity);
    if (item)
        enqueue(server, item, capacity, session->account->uid);
    else /* counted as lost; the answer is a denial all the same */
        session_record(session, NULL, false);
}

static bool is_at(const struct audit_decision *decision, const Warder__V1__Denied *denied)
{
    const size_t length = strnlen(field_bytes(&denied->file), denied->file.len);
    return decision->file && decision->line == denied->line && strlen(decision->file) == length &&
           memcmp(decision->file, field_bytes(&denied->file), length) == 0;
}

/* Where a denial waits that has the number that was told, and its line or none; NULL if nowhere. */
static struct pending_denial *pending_at(const struct session *session,
                                         const Warder__V1__Denied *denied, bool placed)
{
    struct denial_queue *queue = session->server->denials;

    for (size_t i = queue->count; i > 0; i--) {
        struct pending_denial *pending = &queue->denials[i - 1];
        const struct audit_decision *decision = &pending->item->decision;
        if (pending->item->session == session->number && decision->number == denied->decision &&
            (placed ? is_at(decision, denied) : !decision->file))
            return pending;
    }
    return NULL;
}

static void take_out(struct denial_queue *queue, struct pending_denial *pending)
{
    const size_t behind = (size_t)(queue->denials + queue->count - pending) - 1;

    queue->bytes -= pending->item->size;
    free_denial(queue, pending);
    memmove(pending, pending + 1, behind * sizeof(*pending));
    queue->count--;
}

static void set_place(struct denial_queue *queue, struct pending_denial *pending,
                      const Warder__V1__Denied *denied)
{
    const char *file = field_bytes(&denied->file);

    queue->bytes -= pending->item->size;
    if (!audit_item_set_place(pending->item, pending->capacity, file, denied->file.len,
                              denied->line)) {
        /* Larger than what is kept; it stays as it is on lack of memory. */
        struct audit_item *before = pending->item;
        pending->item = audit_item_with_place(pending->item, file, denied->file.len, denied->line);
        if (pending->item != before)
            pending->capacity = pending->item->size;
    }
    queue->bytes += pending->item->size;
}

/* One of several that wait for their lines has its own now. */
static void split_off(struct session *session, struct audit_item *from,
                      const Warder__V1__Denied *denied)
{
    struct audit_decision one = from->decision;

    one.count = 1;
    struct pending_denial split;
    split.item = new_denial(session->server->denials, session->number, &one, &split.capacity);
    if (!split.item)
        return; /* it stays among those without a line */
    split.item->time = from->time;
    from->decision.count--;
    session->server->denials->bytes += split.item->size; /* set_place counts the difference */
    set_place(session->server->denials, &split, denied);
    session->server->denials->bytes -= split.item->size;
    enqueue(session->server, split.item, split.capacity, session->account->uid);
}

/* Lines come one for each denial, in messages of their own. What is denied at two lines is in the
 * record twice, under one number: else a program could hide one line behind another. */
void denial_queue_place(struct session *session, const Warder__V1__Denied *denied)
{
    enum { FILE_MAX = 4096 }; /* PATH_MAX */
    struct denial_queue *queue = session->server->denials;
    struct pending_denial *waiting =
        denied->file.len <= FILE_MAX ? pending_at(session, denied, false) : NULL;

    if (!waiting)
        return;
    struct pending_denial *same = pending_at(session, denied, true);
    if (same) {
        same->item->decision.count++;
        if (--waiting->item->decision.count == 0)
            take_out(queue, waiting);
    } else if (waiting->item->decision.count > 1) {
        split_off(session, waiting->item, denied);
    } else {
        set_place(queue, waiting, denied);
    }
}
