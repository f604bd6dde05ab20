/* Any text as a policy, and any event judged by what came of it.
 *
 * The input is a policy text up to the first NUL, and behind it a program for building an event and
 * a subject. Beyond memory errors this looks for broken promises: a text that compiles compiles to
 * the same block again and in parts; each policy judges alone and the strictest wins; an observing
 * policy changes nothing; what is said can be shown. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_scene.h"

#include "policies/engine/evaluate.h"
#include "policies/language/compile.h"

enum { POLICIES_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static struct judgement judge(const struct policy_block *block, const uint32_t *policies,
                              size_t count, const struct scene *scene)
{
    const struct governing governing = {.policies = policies, .count = count};
    struct judgement judgement;
    evaluate(block, &governing, &scene->subject, &scene->event, &judgement);
    require(judgement.verdict >= VERDICT_ALLOW && judgement.verdict <= VERDICT_KILL);
    require(judgement.by.policy == POLICY_NO_INDEX ||
            judgement.by.policy < policy_block_policy_count(block));
    require(judgement.by.rule == RULE_DEFAULT ||
            judgement.by.rule < policy_block_rule_count(block));
    return judgement;
}

/* The strictest of the policies, each asked alone, is what all of them say. */
static void check_judgement(const struct policy_block *block, const struct scene *scene)
{
    uint32_t policies[POLICIES_MAX];
    const uint32_t all = policy_block_policy_count(block);
    const uint32_t count = all < POLICIES_MAX ? all : POLICIES_MAX;
    enum verdict strictest = VERDICT_ALLOW;

    for (uint32_t i = 0; i < count; i++) {
        policies[i] = i;
        const struct judgement alone = judge(block, &i, 1, scene);
        if (policy_observes(block, i))
            require(alone.verdict == VERDICT_ALLOW && !alone.log);
        if (alone.verdict > strictest)
            strictest = alone.verdict;
        (void)policy_applies(block, i, &scene->subject);
    }
    require(judge(block, policies, count, scene).verdict == strictest);
}

static bool resolve(void *context, const char *path, char *resolved, size_t size)
{
    (void)context;
    const size_t length = strlen(path);
    if (length < 5 || length + 6 > size)
        return false;
    memcpy(resolved, "/real", 5);
    memcpy(resolved + 5, path, length + 1);
    return true;
}

/* The parts of the text make the same block. */
static void check_parts(const struct policy_text *text, const struct policy_block *block,
                        const struct compile_options *options)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    struct policy_text texts[POLICIES_MAX];
    struct policy_parts parts;

    require(policy_split(text, &parts, diagnostics) == 0);
    require(parts.count == policy_block_policy_count(block));
    if (parts.count <= POLICIES_MAX) {
        for (size_t i = 0; i < parts.count; i++)
            texts[i] = (struct policy_text){.file = parts.parts[i].name,
                                            .text = parts.parts[i].text,
                                            .length = strlen(parts.parts[i].text),
                                            .tier = TIER_LOCAL};
        CLEANUP(policy_block_free)
        struct policy_block *again = policy_compile(texts, parts.count, options, diagnostics);
        require(again && policy_block_size(again) == policy_block_size(block) &&
                memcmp(again, block, policy_block_size(block)) == 0);
    }
    policy_parts_deinit(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct compile_options options = {.resolve = resolve};
    const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
    const size_t length = nul ? (size_t)(nul - data) : size;
    struct input input = {data + length, size - length};
    static struct scene scene;

    /* A block of its own, so that a byte read behind the text is seen. */
    CLEANUP(free) char *copy = malloc(length > 0 ? length : 1);
    require(copy != NULL);
    if (length > 0)
        memcpy(copy, data, length);
    const struct policy_text text = {
        .file = "fuzz.warder", .text = copy, .length = length, .tier = TIER_LOCAL};
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    CLEANUP(policy_block_free)
    struct policy_block *block = policy_compile(&text, 1, &options, diagnostics);
    require((block == NULL) == (diagnostics_error_count(diagnostics) > 0));
    CLEANUP(free) char *shown = diagnostics_render(diagnostics, "closing", length % 2);
    require(shown != NULL);

    (void)next_byte(&input); /* the NUL */
    next_scene(&input, &scene);
    for (unsigned i = next_byte(&input) % EVENT_OPERATIONS_MAX; i > 0; i--)
        next_operation(&input, &scene,
                       (enum operation_class)(1 + next_byte(&input) % (CLASS_COUNT - 1)));
    if (block) {
        require(policy_block_open(block, policy_block_size(block)) == block);
        check_judgement(block, &scene);
        check_parts(&text, block, &options);
    }
    CLEANUP(diagnostics_free) struct diagnostics *test_diagnostics = diagnostics_new();
    (void)policy_test_parse(&text, test_diagnostics);
    return 0;
}
