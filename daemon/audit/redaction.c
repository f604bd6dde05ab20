#include "daemon/audit/redaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit/secret_pattern.h"
#include "policies/catalogue/catalogue.h"

/* The first secret from `from` on; `own`, which may be NULL, is known already. */
static bool next_secret(const char *text, size_t length, size_t from, const struct secret *own,
                        struct secret *secret)
{
    const bool found = secret_find(text, length, from, secret);
    return secret_join(secret, found, own && own->start >= from ? own : NULL);
}

/* The text with every secret replaced; NULL if there is none, and on lack of memory: `*found` tells
 * the two apart. `own` is a secret that is known already, or NULL. */
static char *mask(const char *text, size_t length, const struct secret *own, size_t *masked_length,
                  bool *found)
{
    enum { SECRETS_MAX = 64 }; /* a text with more is hostile, and is hidden from there on */
    struct secret secret;
    int secrets = 0;
    char *out = NULL;
    size_t used = 0;
    size_t from = 0;

    *found = next_secret(text, length, 0, own, &secret);
    if (!*found)
        return NULL;
    /* A secret of one byte grows to a note of at most 24. */
    out = malloc(length * 24 + 32);
    for (bool more = true; out && more;) {
        memcpy(out + used, text + from, secret.start - from);
        used += secret.start - from;
        used += (size_t)sprintf(out + used, "<%zu bytes>", secret.end - secret.start);
        from = secret.end;
        more = from < length && secrets++ < SECRETS_MAX &&
               next_secret(text, length, from, own, &secret);
        if (more && secrets == SECRETS_MAX)
            secret = (struct secret){from, length};
    }
    if (!out)
        return NULL;
    memcpy(out + used, text + from, length - from);
    *masked_length = used + length - from;
    return out;
}

void redaction_init(struct redaction *redaction)
{
    *redaction = (struct redaction){.memory = NULL};
}

/* Takes the memory, also if it cannot: then it is freed, and NULL returned. */
static void *keep(struct redaction *redaction, void *memory)
{
    void **grown = realloc(redaction->memory, (redaction->count + 1) * sizeof(*grown));

    if (grown)
        redaction->memory = grown;
    if (!grown || !memory) {
        free(memory);
        return NULL;
    }
    redaction->memory[redaction->count++] = memory;
    return memory;
}

static void *allocate(struct redaction *redaction, size_t count, size_t size)
{
    return keep(redaction, calloc(count, size));
}

static bool is_text(const struct value *value)
{
    return value->kind == VALUE_TEXT || value->kind == VALUE_BYTES;
}

/* No memory for the mask is no reason to write the secret. */
static void hide(struct value *value)
{
    *value = (struct value){.kind = VALUE_OBJECT, .marks = VALUE_OPAQUE, .bytes = ""};
}

/* Masks one text in place of the value. False if there was nothing to do. */
static bool mask_text(struct redaction *redaction, struct value *value, const struct secret *own)
{
    size_t length = 0;
    bool found;

    if (value->count == 0)
        return false;
    char *text = mask(value->bytes, value->count, own, &length, &found);
    if (!found)
        return false;
    text = keep(redaction, text);
    if (text) {
        value->bytes = text;
        value->count = (uint32_t)length;
    } else {
        hide(value);
    }
    return true;
}

/* A list is a command line; what its words announce holds for the next. */
static bool mask_list(struct redaction *redaction, struct value *value)
{
    const uint32_t count = value->kind == VALUE_MAP ? 2 * value->count : value->count;
    struct word_scan scan = {.program = NULL};
    bool any = false;

    if (count == 0)
        return false;
    struct value *items = allocate(redaction, count, sizeof(*items));
    if (!items) {
        hide(value);
        return true;
    }
    memcpy(items, value->items, count * sizeof(*items));
    for (uint32_t i = 0; i < count; i++) {
        struct value *item = &items[i];
        struct secret secret;
        if (item->kind == VALUE_LIST || item->kind == VALUE_MAP)
            any |= mask_list(redaction, item);
        else if (is_text(item) && value->kind == VALUE_LIST &&
                 secret_in_word(&scan, item->bytes, item->count, &secret))
            any |= mask_text(redaction, item, &secret);
        else if (is_text(item))
            any |= mask_text(redaction, item, NULL);
    }
    value->items = items;
    return any;
}

bool redaction_mask_command(struct redaction *redaction, const struct value *value,
                            struct value *masked)
{
    *masked = *value;
    if (is_text(value))
        return mask_text(redaction, masked, NULL);
    return (value->kind == VALUE_LIST || value->kind == VALUE_MAP) && mask_list(redaction, masked);
}

static void mask_in_place(struct redaction *redaction, struct value *value)
{
    const struct value before = *value;
    redaction_mask_command(redaction, &before, value);
}

static bool mask_arguments(struct redaction *redaction, struct event *event)
{
    struct value *arguments = allocate(redaction, event->argument_count + 1, sizeof(*arguments));

    for (uint32_t i = 0; arguments && i < event->argument_count; i++)
        redaction_mask_command(redaction, &event->arguments[i], &arguments[i]);
    event->arguments = arguments;
    return arguments != NULL;
}

static bool mask_operation(struct redaction *redaction, struct operation *operation)
{
    struct attribute *attributes =
        allocate(redaction, operation->attribute_count + 1, sizeof(*attributes));

    for (uint32_t i = 0; attributes && i < operation->attribute_count; i++) {
        attributes[i] = operation->attributes[i];
        /* By its length, as a whole: what it holds is nobody's to see. */
        if (attributes[i].name == ATTRIBUTE_ENV)
            continue;
        mask_in_place(redaction, &attributes[i].value);
        mask_in_place(redaction, &attributes[i].resolved);
        mask_in_place(redaction, &attributes[i].given);
    }
    operation->attributes = attributes;
    return attributes != NULL;
}

bool redaction_mask_event(struct redaction *redaction, const struct event *event,
                          struct event *masked)
{
    const struct event_entry *entry = catalogue_event(event->number);
    struct operation *operations =
        allocate(redaction, event->operation_count + 1, sizeof(*operations));

    *masked = *event;
    if (!operations)
        return false;
    bool starts_program = entry && (entry->classes >> CLASS_EXEC & 1);
    for (uint32_t i = 0; i < event->operation_count; i++) {
        operations[i] = event->operations[i];
        if (operations[i].operation_class != CLASS_EXEC)
            continue;
        starts_program = true;
        if (!mask_operation(redaction, &operations[i]))
            return false;
    }
    masked->operations = operations;
    return !starts_program || mask_arguments(redaction, masked);
}

void redaction_deinit(struct redaction *redaction)
{
    for (uint32_t i = 0; i < redaction->count; i++)
        free(redaction->memory[i]);
    free(redaction->memory);
    redaction_init(redaction);
}

bool redaction_is_needed(const struct event *event)
{
    const struct event_entry *entry = catalogue_event(event->number);

    if (entry && (entry->secret || (entry->classes >> CLASS_EXEC & 1)))
        return true;
    for (uint32_t i = 0; i < event->operation_count; i++) {
        const struct operation *operation = &event->operations[i];
        if (operation->operation_class == CLASS_EXEC ||
            operation_attribute(operation, ATTRIBUTE_ENV))
            return true;
    }
    return false;
}
