#include "daemon/session/continuation.h"

#include <string.h>

#include "policies/catalogue/catalogue.h"

static void add_value(struct siphash *hash, const struct value *value)
{
    const uint32_t head[3] = {value->kind, value->marks, value->count};

    siphash_update(hash, head, sizeof(head));
    if (value->kind == VALUE_TEXT || value->kind == VALUE_BYTES)
        siphash_update(hash, value->bytes, value->count);
    for (uint32_t i = 0; value->kind == VALUE_LIST && i < value->count; i++)
        add_value(hash, &value->items[i]);
}

/* False if the event is no exec, or not known well enough to be told from another. */
static bool program_of(const struct session *session, const struct event *event, uint64_t *program)
{
    static const enum attribute_name looked_at[] = {ATTRIBUTE_FILE, ATTRIBUTE_ARGV};
    unsigned char tag[SIPHASH_TAG_SIZE];
    struct siphash hash;

    if (event->operation_count != 1 || event->operations[0].operation_class != CLASS_EXEC)
        return false;
    siphash_init(&hash, session->key);
    for (size_t i = 0; i < sizeof(looked_at) / sizeof(*looked_at); i++) {
        const struct attribute *attribute =
            operation_attribute(&event->operations[0], looked_at[i]);
        const struct value *value = attribute && looked_at[i] == ATTRIBUTE_FILE
                                        ? &attribute->resolved
                                    : attribute ? &attribute->value
                                                : NULL;
        if (!value || value_is_marked_throughout(value))
            return false;
        add_value(&hash, value);
    }
    siphash_final(&hash, tag);
    memcpy(program, tag, sizeof(*program));
    return true;
}

/* An audit event of an exec: also one that the hook has left to the C boundary, because nobody
 * could know yet what it would become. */
static bool starts_program(const struct event *event)
{
    const struct event_entry *entry = catalogue_event(event->number);

    if (event->operation_count == 1)
        return event->operations[0].operation_class == CLASS_EXEC;
    return event->operation_count == 0 && entry && entry->classes == 1U << CLASS_EXEC;
}

void continuation_remember(struct session *session, const struct event *event, uint64_t number)
{
    struct allowed_exec *allowed = &session->allowed[number % ALLOWED_EXECS_KEPT];
    uint64_t program;

    if (!starts_program(event))
        return;
    *allowed = (struct allowed_exec){.decision = number};
    allowed->known = program_of(session, event, &program);
    if (allowed->known)
        allowed->program = program;
}

/* The record says when a program leaves the hook's reach, and it is the boundary alone that knows.
 */
static bool leaves_reach(const struct event *event)
{
    const struct event_entry *entry = catalogue_event(event->number);
    const uint32_t count = entry ? event->argument_count : 0;

    for (uint32_t i = 0; i < count && i < entry->argument_count; i++)
        if (event->arguments[i].kind == VALUE_TEXT &&
            strcmp(catalogue_argument_name(entry, (uint8_t)i), "reach") == 0)
            return true;
    return false;
}

enum continuation continuation_of(const struct session *session, const struct event *event,
                                  uint64_t decision)
{
    const struct session *parent = session_find(session->server, session->parent);
    const struct session *const looked_in[] = {session, parent};
    uint64_t program;

    for (size_t i = 0; decision > 0 && i < sizeof(looked_in) / sizeof(looked_in[0]); i++) {
        if (!looked_in[i])
            continue;
        const struct allowed_exec *allowed = &looked_in[i]->allowed[decision % ALLOWED_EXECS_KEPT];
        if (allowed->decision != decision)
            continue;
        if (i == 0 && event->operation_count == 1 &&
            event->operations[0].operation_class == CLASS_FORK)
            return CONTINUES_FORK;
        if (allowed->known && !leaves_reach(event) && program_of(looked_in[i], event, &program) &&
            program == allowed->program)
            return CONTINUES_EXEC;
    }
    return CONTINUES_NOTHING;
}
