#include "daemon/audit/audit_item.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/store/database.h"

/* Copies texts one after the other into an item's memory. */
struct packer {
    char *next;
};

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static const char *pack(struct packer *packer, const void *bytes, size_t size)
{
    if (!bytes)
        return NULL;
    char *copy = packer->next;
    memcpy(copy, bytes, size);
    packer->next += size;
    return copy;
}

static struct audit_item *item_in(void *memory, enum audit_kind kind, uint64_t session, size_t size)
{
    struct audit_item *item = memory;

    *item = (struct audit_item){
        .kind = kind,
        .time = wall_clock_now(),
        .session = session,
        .size = size,
    };
    return item;
}

static struct audit_item *item_new(enum audit_kind kind, uint64_t session, size_t memory)
{
    const size_t size = sizeof(struct audit_item) + memory;
    void *place = malloc(size);
    return place ? item_in(place, kind, session, size) : NULL;
}

size_t audit_item_decision_size(const struct audit_decision *decision)
{
    return sizeof(struct audit_item) + text_size(decision->verdict) + text_size(decision->policy) +
           text_size(decision->rule) + text_size(decision->message) + text_size(decision->file) +
           text_size(decision->logged_by) + (decision->name ? decision->name_length : 0) +
           decision->event_size;
}

struct audit_item *audit_item_decision_in(void *memory, uint64_t session,
                                          const struct audit_decision *decision)
{
    struct audit_item *item =
        item_in(memory, AUDIT_DECISION, session, audit_item_decision_size(decision));
    struct packer packer = {.next = item->memory};
    struct audit_decision *copy = &item->decision;

    *copy = *decision;
    if (decision->time > 0)
        item->time = decision->time;
    copy->verdict = pack(&packer, decision->verdict, text_size(decision->verdict));
    copy->policy = pack(&packer, decision->policy, text_size(decision->policy));
    copy->rule = pack(&packer, decision->rule, text_size(decision->rule));
    copy->message = pack(&packer, decision->message, text_size(decision->message));
    copy->logged_by = pack(&packer, decision->logged_by, text_size(decision->logged_by));
    copy->name = pack(&packer, decision->name, decision->name_length);
    copy->texts = item->memory;
    copy->texts_size = (size_t)(packer.next - item->memory);
    copy->file = pack(&packer, decision->file, text_size(decision->file));
    copy->event = pack(&packer, decision->event, decision->event_size);
    return item;
}

struct audit_item *audit_item_decision(uint64_t session, const struct audit_decision *decision)
{
    void *memory = malloc(audit_item_decision_size(decision));
    return memory ? audit_item_decision_in(memory, session, decision) : NULL;
}

/* Where the copy has what the original has in its own memory. */
static const void *moved(const struct audit_item *copy, const struct audit_item *item,
                         const void *in_item)
{
    return in_item ? (const char *)copy + ((const char *)in_item - (const char *)item) : NULL;
}

struct audit_item *audit_item_copy_in(void *memory, const struct audit_item *item)
{
    struct audit_item *copy = memory;
    struct audit_decision *decision = &copy->decision;

    memcpy(memory, item, item->size);
    switch (item->kind) {
    case AUDIT_DECISION:
        decision->verdict = moved(copy, item, decision->verdict);
        decision->policy = moved(copy, item, decision->policy);
        decision->rule = moved(copy, item, decision->rule);
        decision->message = moved(copy, item, decision->message);
        decision->logged_by = moved(copy, item, decision->logged_by);
        decision->name = moved(copy, item, decision->name);
        decision->texts = moved(copy, item, decision->texts);
        decision->file = moved(copy, item, decision->file);
        decision->event = moved(copy, item, decision->event);
        break;
    case AUDIT_SESSION_START:
        copy->start.json = moved(copy, item, copy->start.json);
        break;
    case AUDIT_SESSION_END:
        break;
    case AUDIT_SESSION_FACT:
        copy->fact.name = moved(copy, item, copy->fact.name);
        copy->fact.json = moved(copy, item, copy->fact.json);
        break;
    case AUDIT_REFUSAL:
    case AUDIT_DROP:
    case AUDIT_DAEMON:
        copy->notice.text = moved(copy, item, copy->notice.text);
        break;
    }
    return copy;
}

bool audit_item_set_place(struct audit_item *item, size_t capacity, const char *file,
                          size_t file_length, uint32_t line)
{
    char *end = (char *)item + item->size;

    if (item->decision.file || capacity - item->size <= file_length)
        return false;
    if (file_length > 0)
        memcpy(end, file, file_length);
    end[file_length] = '\0';
    item->decision.file = end;
    item->decision.line = line;
    item->size += file_length + 1;
    return true;
}

struct audit_item *audit_item_with_place(struct audit_item *item, const char *file,
                                         size_t file_length, uint32_t line)
{
    char *text = malloc(file_length + 1);
    if (!text)
        return item;
    if (file_length > 0)
        memcpy(text, file, file_length);
    text[file_length] = '\0';

    struct audit_decision decision = item->decision;
    decision.file = text;
    decision.line = line;
    struct audit_item *placed = audit_item_decision(item->session, &decision);
    free(text);
    if (!placed)
        return item;
    placed->time = item->time;
    audit_item_free(item);
    return placed;
}

struct audit_item *audit_item_session_start(uint64_t session, const char *json)
{
    struct audit_item *item = item_new(AUDIT_SESSION_START, session, text_size(json));
    if (!item)
        return NULL;
    struct packer packer = {.next = item->memory};
    item->start.json = pack(&packer, json, text_size(json));
    return item;
}

struct audit_item *audit_item_session_end(uint64_t session, uint64_t decisions, uint64_t denials)
{
    struct audit_item *item = item_new(AUDIT_SESSION_END, session, 0);
    if (!item)
        return NULL;
    item->end.decisions = decisions;
    item->end.denials = denials;
    return item;
}

struct audit_item *audit_item_session_fact(uint64_t session, const char *name, const char *json)
{
    struct audit_item *item =
        item_new(AUDIT_SESSION_FACT, session, text_size(name) + text_size(json));
    if (!item)
        return NULL;
    struct packer packer = {.next = item->memory};
    item->fact.name = pack(&packer, name, text_size(name));
    item->fact.json = pack(&packer, json, text_size(json));
    return item;
}

struct audit_item *audit_item_notice(enum audit_kind kind, uint64_t session, int64_t uid,
                                     int64_t pid, const char *text)
{
    struct audit_item *item = item_new(kind, session, text_size(text));
    if (!item)
        return NULL;
    struct packer packer = {.next = item->memory};
    item->notice.uid = uid;
    item->notice.pid = pid;
    item->notice.count = 1;
    item->notice.text = pack(&packer, text, text_size(text));
    return item;
}

void audit_item_free(struct audit_item *item)
{
    free(item);
}
