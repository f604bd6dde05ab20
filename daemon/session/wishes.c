#define _GNU_SOURCE
#include "daemon/session/wishes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/generation.h"

static bool say(char **error, const char *text)
{
    *error = strdup(text);
    return false;
}

static bool take_names(struct wishes *wishes, const Warder__V1__Wishes *message, char **error)
{
    if (message->n_policy_names > WISHES_NAMES_MAX)
        return say(error, "too many policies are named");
    wishes->policy_names = calloc(message->n_policy_names + 1, sizeof(char *));
    if (!wishes->policy_names)
        return false;
    for (size_t i = 0; i < message->n_policy_names; i++) {
        char *name = field_copy(&message->policy_names[i], WISHES_NAME_LENGTH_MAX);
        if (!name)
            return say(error, "the name of a policy is too long, or no text");
        wishes->policy_names[wishes->policy_name_count++] = name;
    }
    return true;
}

static bool take_labels(struct wishes *wishes, const Warder__V1__Wishes *message, char **error)
{
    if (message->n_labels > WISHES_LABELS_MAX)
        return say(error, "too many labels");
    wishes->labels = calloc(message->n_labels + 1, sizeof(*wishes->labels));
    if (!wishes->labels)
        return false;
    for (size_t i = 0; i < message->n_labels; i++) {
        struct label *label = &wishes->labels[wishes->label_count++];
        label->name = field_copy(&message->labels[i]->name, WISHES_NAME_LENGTH_MAX);
        label->value = field_copy(&message->labels[i]->value, WISHES_LABEL_LENGTH_MAX);
        if (!label->name || !label->value)
            return say(error, "a label is too long, or no text");
    }
    return true;
}

static bool compile_texts(struct wishes *wishes, const Warder__V1__Wishes *message,
                          struct policy_text *texts, char **names, char **error)
{
    size_t total = 0;
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();

    if (!diagnostics)
        return false;
    diagnostics_limit(diagnostics, WISHES_DIAGNOSTICS_MAX);
    for (size_t i = 0; i < message->n_policy_texts; i++) {
        const Warder__V1__PolicyText *text = message->policy_texts[i];
        names[i] = field_copy(&text->file, 4096);
        total += text->text.len;
        if (total > WISHES_TEXT_MAX)
            return say(error, "the policy texts of this session are longer than 64 KiB together; "
                              "apply them to the host instead: warder apply FILE");
        if (!names[i])
            return say(error, "the file name of a policy is too long, or no text");
        texts[i] = (struct policy_text){.file = names[i],
                                        .text = field_bytes(&text->text),
                                        .length = text->text.len,
                                        .tier = TIER_LOCAL,
                                        .observe = message->observe};
    }
    const struct compile_options options = {.memory_max = WISHES_MEMORY_MAX, .session = true};
    wishes->block = generation_compile(texts, message->n_policy_texts, options, diagnostics);
    if (!wishes->block)
        *error = diagnostics_render(diagnostics, "the session is refused", false);
    return wishes->block != NULL;
}

static bool take_texts(struct wishes *wishes, const Warder__V1__Wishes *message, char **error)
{
    const size_t count = message->n_policy_texts;

    if (count == 0)
        return true;
    if (count > WISHES_NAMES_MAX)
        return say(error, "too many policy texts");
    struct policy_text *texts = calloc(count, sizeof(*texts));
    char **names = calloc(count, sizeof(*names));
    const bool done = texts && names && compile_texts(wishes, message, texts, names, error);
    for (size_t i = 0; names && i < count; i++)
        free(names[i]);
    free(names);
    free(texts);
    wishes->fingerprints = done ? calloc(count, sizeof(*wishes->fingerprints)) : NULL;
    for (size_t i = 0; wishes->fingerprints && i < count; i++) {
        const ProtobufCBinaryData *text = &message->policy_texts[i]->text;
        fingerprint(field_bytes(text), text->len, wishes->fingerprints[i]);
    }
    wishes->text_count = wishes->fingerprints ? count : 0;
    return wishes->fingerprints != NULL;
}

static bool keep_message(struct wishes *wishes, const Warder__V1__Wishes *message)
{
    wishes->packed_size = warder__v1__wishes__get_packed_size(message);
    wishes->packed = malloc(wishes->packed_size + 1);
    if (wishes->packed)
        warder__v1__wishes__pack(message, wishes->packed);
    return wishes->packed != NULL;
}

struct wishes *wishes_new(const Warder__V1__Wishes *message, char **error)
{
    static const Warder__V1__Wishes none = WARDER__V1__WISHES__INIT;
    static uint64_t last_number;
    struct wishes *wishes = calloc(1, sizeof(*wishes));

    *error = NULL;
    if (!wishes)
        return NULL;
    if (!message)
        message = &none;
    wishes->references = 1;
    wishes->number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
    wishes->observe = message->observe;
    wishes->record = message->record;
    if (take_names(wishes, message, error) && take_labels(wishes, message, error) &&
        take_texts(wishes, message, error) && keep_message(wishes, message))
        return wishes;
    wishes_release(wishes);
    return NULL;
}

static size_t size_of(const struct wishes *wishes)
{
    return sizeof(*wishes) + wishes->packed_size +
           (wishes->block ? policy_block_size(wishes->block) : 0);
}

bool wishes_charge(struct wishes *wishes, struct user_accounts *accounts,
                   struct user_account *account)
{
    if (!user_account_charge(accounts, account, CHARGE_BYTES, size_of(wishes)))
        return false;
    wishes->accounts = accounts;
    wishes->account = account;
    return true;
}

const char *wishes_missing_policy(const struct wishes *wishes, const struct generation *generation)
{
    for (size_t i = 0; i < wishes->policy_name_count; i++)
        if (!generation_has(generation, wishes->policy_names[i]))
            return wishes->policy_names[i];
    return NULL;
}

bool wishes_name_policy(const struct wishes *wishes, const struct policy_block *block,
                        uint32_t policy)
{
    char cited[WISHES_NAME_LENGTH_MAX + 16];

    snprintf(cited, sizeof(cited), "%s/%s", policy_tier_name(policy_tier(block, policy)),
             policy_name(block, policy));
    for (size_t i = 0; i < wishes->policy_name_count; i++)
        if (strcmp(wishes->policy_names[i], policy_name(block, policy)) == 0 ||
            strcmp(wishes->policy_names[i], cited) == 0)
            return true;
    return false;
}

struct wishes *wishes_hold(struct wishes *wishes)
{
    wishes->references++;
    return wishes;
}

void wishes_release(struct wishes *wishes)
{
    if (!wishes || --wishes->references > 0)
        return;
    if (wishes->account)
        user_account_return(wishes->accounts, wishes->account, CHARGE_BYTES, size_of(wishes));
    for (size_t i = 0; i < wishes->policy_name_count; i++)
        free(wishes->policy_names[i]);
    for (size_t i = 0; i < wishes->label_count; i++) {
        free((char *)wishes->labels[i].name);
        free((char *)wishes->labels[i].value);
    }
    free(wishes->policy_names);
    free(wishes->labels);
    free(wishes->packed);
    free(wishes->fingerprints);
    policy_block_free(wishes->block);
    free(wishes);
}

static bool asks_for_nothing(const struct wishes *wishes)
{
    return wishes->policy_name_count == 0 && wishes->label_count == 0 && !wishes->block &&
           !wishes->record;
}

/* The same message says the same, whoever sent it: an interpreter that attaches to one policy again
 * and again, each time after an exec, asks for one thing. */
static bool are_same(const struct wishes *one, const struct wishes *other)
{
    return one == other || (one->packed_size == other->packed_size &&
                            memcmp(one->packed, other->packed, one->packed_size) == 0);
}

bool wish_list_add(struct wish_list *list, struct wishes *wishes)
{
    if (!wishes || asks_for_nothing(wishes))
        return true;
    for (size_t i = 0; i < list->count; i++)
        if (are_same(list->items[i], wishes))
            return true;
    if (list->count == WISHES_TOGETHER_MAX)
        return false;
    list->items[list->count++] = wishes_hold(wishes);
    return true;
}

bool wish_list_join(struct wish_list *list, const struct wish_list *more)
{
    bool added = true;

    for (size_t i = 0; i < more->count; i++)
        added = wish_list_add(list, more->items[i]) && added;
    return added;
}

void wish_list_release(struct wish_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        wishes_release(list->items[i]);
    *list = (struct wish_list){.count = 0};
}
