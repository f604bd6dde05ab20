#define _GNU_SOURCE
#include "daemon/generation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/policy_host.h"

struct policy_block *generation_compile(const struct policy_text *texts, size_t count,
                                        struct compile_options options,
                                        struct diagnostics *diagnostics)
{
    options.resolve = policy_host_resolve;
    return policy_compile(texts, count, &options, diagnostics);
}

/* The coarse clock is a read of memory that the kernel shares: no system call, on any decision. */
int32_t generation_today(void)
{
    enum { SECONDS_A_DAY = 24 * 60 * 60 };
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME_COARSE, &now) < 0)
        return 0;
    return (int32_t)(now.tv_sec / SECONDS_A_DAY);
}

/* `local/NAME`, as messages about a stored policy name it. */
static char *stored_name(const struct stored_policy *policy)
{
    char *name = NULL;
    return asprintf(&name, "%s/%s", policy_tier_name(policy->tier), policy->name) < 0 ? NULL : name;
}

struct policy_block *generation_compile_stored(const struct stored_policies *stored,
                                               struct diagnostics *diagnostics)
{
    struct policy_text *texts = calloc(stored->count + 1, sizeof(*texts));
    char **names = calloc(stored->count + 1, sizeof(*names));
    struct policy_block *block = NULL;
    bool complete = texts && names;

    for (size_t i = 0; complete && i < stored->count; i++) {
        const struct stored_policy *policy = &stored->policies[i];
        names[i] = stored_name(policy);
        complete = names[i] != NULL;
        texts[i] = (struct policy_text){.file = names[i],
                                        .text = policy->text,
                                        .length = strlen(policy->text),
                                        .tier = policy->tier};
    }
    if (complete)
        block = generation_compile(texts, stored->count, (struct compile_options){0}, diagnostics);
    for (size_t i = 0; names && i < stored->count; i++)
        free(names[i]);
    free(names);
    free(texts);
    return block;
}

/* Takes both over. */
static struct generation *generation_of(struct stored_policies *stored, struct policy_block *block)
{
    struct generation *generation = block ? calloc(1, sizeof(*generation)) : NULL;

    if (!generation) {
        policy_block_free(block);
        stored_policies_deinit(stored);
        return NULL;
    }
    generation->references = 1;
    generation->number = stored->generation;
    generation->block = block;
    generation->stored = *stored;
    *stored = (struct stored_policies){.count = 0};
    return generation;
}

struct generation *generation_new(struct stored_policies *stored, struct diagnostics *diagnostics)
{
    return generation_of(stored,
                         diagnostics ? generation_compile_stored(stored, diagnostics) : NULL);
}

struct generation *generation_idle(struct stored_policies *stored)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    const struct stored_policies none = {.count = 0};

    struct generation *generation =
        generation_of(stored, diagnostics ? generation_compile_stored(&none, diagnostics) : NULL);
    if (generation)
        generation->idle = true;
    return generation;
}

struct generation *generation_hold(struct generation *generation)
{
    generation->references++;
    return generation;
}

void generation_release(struct generation *generation)
{
    if (!generation || --generation->references > 0)
        return;
    policy_block_free(generation->block);
    stored_policies_deinit(&generation->stored);
    free(generation);
}

bool generation_has(const struct generation *generation, const char *name)
{
    for (size_t i = 0; i < generation->stored.count; i++) {
        const struct stored_policy *policy = &generation->stored.policies[i];
        const char *tier = policy_tier_name(policy->tier);
        const size_t length = strlen(tier);
        const bool tiered = strncmp(name, tier, length) == 0 && name[length] == '/';
        if (strcmp(policy->name, name) == 0 ||
            (tiered && strcmp(policy->name, name + length + 1) == 0))
            return true;
    }
    return false;
}
