/* Compiled policies whose bytes are anybody's, and the evaluator behind their validator.
 *
 * The input says what is changed in a block that was compiled from a policy with something in every
 * section, or, where its first byte is 0, is a block itself; and behind that any event. The header
 * is made to fit, for a checksum is no defence. What is opened is walked: it never leaves the
 * block, and ends. */
#include <stdlib.h>
#include <string.h>

#include "fuzz_scene.h"

#include "policies/engine/block_layout.h"
#include "policies/engine/evaluate.h"
#include "policies/floor/network_outline.h"
#include "policies/floor/rings.h"
#include "policies/language/compile.h"

enum {
    BLOCK_SIZE_MAX = 64 * 1024,
    GOVERNING_MAX = 16,
    CHANGES_MAX = 32,
    FLOORS_MAX = 4, /* policies whose floors are looked at */
    FLOOR_MEMORY = 64 * 1024,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const texts[] = {
    "policy p {\n"
    "applies { user is \"alice\" or group has \"staff\" }\n"
    "default deny exec message \"No programs\"\n"
    "deny write where path is \"/srv/a.py\" and not action is \"open\" as exact\n"
    "deny write where path under [\"/srv/b/c\", \"/srv/d\", session.home \"/x\"] as under\n"
    "deny write where path matches \"/srv/**/*.[ch]\" as glob\n"
    "deny write where path under \"/srv/b/c/e\" as deeper\n"
    "deny write where path under session.temp as temp\n"
    "allow exec where argv starts [\"git\", \"-f\"] as probe\n"
    "allow exec where argv has \"x\" and env[\"PATH\"] is \"y\" as element\n"
    "allow exec where file is \"/bin/true\" as program\n"
    "allow exec where file is \"/bin/sh\" as other\n"
    "deny connect where address in [10.0.0.0/8, 10.1.0.0/16, ::/0] as networks\n"
    "deny connect where port in [443, 8000-8100] as ports\n"
    "deny connect where address is 10.1.2.3 as one\n"
    "deny connect where address is 1.2.3.4 as two\n"
    "deny resolve where host in [\"a.example.org\", \"*.b.example.org\"] as hosts\n"
    "deny resolve where host is \"*.example.org\" as net\n"
    "deny resolve where host is \"x.example.net\" as x\n"
    "deny resolve where host is \"y.example.net\" as y\n"
    "deny import where module under \"numpy\" as numpy\n"
    "deny import where module is \"numpy.linalg\" as linalg\n"
    "deny import where module is \"json\" as json\n"
    "deny import where module under \"a.b\" as parts\n"
    "deny event \"sys._getframe\" where arg[0] is 3 as frames\n"
    "deny event \"os.*\" where arg.path is \"/q\" as raw\n"
    "log all where event is \"open\" as logged\n"
    "allow read, write where path under [\"/r\", session.temp] or path matches \"/g/*\" as opened\n"
    "allow event \"os.mk*\" where path is \"/m\" as made\n"
    "allow bind where port in [80, 8000-8100] and not family is \"unix\" as offered\n"
    "}\n"
    "policy q {\n"
    "override local/p.exact where path under \"/srv\" reason \"ticket 1\" until 2027-01-31\n"
    "}\n",
    "policy r { floor exec kill fork as f default deny exec allow exec where file under "
    "\"/usr/bin\" as e }\n",
};
enum { TEXTS = sizeof(texts) / sizeof(*texts) };

static const struct policy_block *base(size_t number)
{
    static struct policy_block *blocks[TEXTS];

    number %= TEXTS;
    if (!blocks[number]) {
        struct diagnostics *diagnostics = diagnostics_new();
        const struct policy_text text = {.file = "fuzz.warder",
                                         .text = texts[number],
                                         .length = strlen(texts[number]),
                                         .tier = TIER_LOCAL};
        blocks[number] = policy_compile(&text, 1, NULL, diagnostics);
        if (!blocks[number])
            abort();
        diagnostics_free(diagnostics);
    }
    return blocks[number];
}

/* The bytes that the input stands for, and how many. */
static size_t next_block(struct input *input, char *bytes)
{
    const uint8_t first = next_byte(input);
    size_t size;

    if (first == 0) {
        size = input->size < BLOCK_SIZE_MAX ? input->size : BLOCK_SIZE_MAX;
        memcpy(bytes, input->data, size);
        return size / BLOCK_ALIGNMENT * BLOCK_ALIGNMENT;
    }
    const struct policy_block *block = base(first);
    size = policy_block_size(block);
    memcpy(bytes, block, size);
    for (unsigned changes = next_byte(input) % (CHANGES_MAX + 1U); changes > 0; changes--) {
        const size_t at = (size_t)next_byte(input) << 8 | next_byte(input);
        bytes[at % size] = (char)next_byte(input);
    }
    return size;
}

static void make_header_fit(struct policy_block *block, size_t size)
{
    memcpy(block->magic, BLOCK_MAGIC, sizeof(block->magic));
    block->version = BLOCK_VERSION;
    block->size = (uint32_t)size;
    block->section_count = SECTION_COUNT;
    block->checksum = block_checksum(block);
}

static size_t read_texts(const struct policy_block *block, const struct subject *subject)
{
    size_t seen = 0;

    for (uint32_t i = 0; i < policy_block_policy_count(block); i++) {
        seen += strlen(policy_name(block, i)) + strlen(policy_title(block, i));
        for (int class = 0; class < CLASS_COUNT; class ++)
            seen += strlen(default_message(block, i, (enum operation_class) class));
        seen += policy_applies(block, i, subject) ? 1 : 0;
    }
    for (uint32_t i = 0; i < policy_block_rule_count(block); i++)
        seen += strlen(rule_name(block, i)) + strlen(rule_message(block, i));
    for (uint32_t i = 0; i < policy_block_override_count(block); i++)
        seen += strlen(override_facts(block, i).reason);
    return seen;
}

/* What the kernel would hold of it: sets that are sorted, and rings that there are. */
static void outline(const struct policy_block *block, const struct governing *governing,
                    const struct subject *subject, uint32_t policy, char *memory)
{
    static const enum operation_class files[] = {CLASS_EXEC, CLASS_READ, CLASS_WRITE, CLASS_NATIVE};
    const struct outline_question question = {block, policy, subject, governing};
    struct network_outline network;
    struct arena arena;

    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        arena_init(&arena, memory, FLOOR_MEMORY);
        const struct path_set set = outline_paths(&question, files[i], &arena);
        for (size_t j = 0; j < set.count && !set.failed; j++)
            if (!path_set_has(&set, &set.items[j]))
                abort();
    }
    for (enum operation_class class = CLASS_CONNECT; class <= CLASS_BIND; class ++)
        if (outline_network(&question, class, &network) &&
            network_outline_port_count(&network) > 65536)
            abort();
    for (uint32_t rule = 0; rule < policy_block_rule_count(block) && rule < GOVERNING_MAX; rule++)
        if (rings_of_rule(block, policy, rule, CLASS_WRITE).rings == 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    uint32_t policies[GOVERNING_MAX];
    struct scene scene;
    struct judgement judgement;
    char *bytes = aligned_alloc(BLOCK_ALIGNMENT, BLOCK_SIZE_MAX);

    if (!bytes)
        abort();
    const size_t length = next_block(&input, bytes);
    /* Exactly as large as it is, so that the sanitizer sees a step outside. */
    char *exact = aligned_alloc(BLOCK_ALIGNMENT, length > 0 ? length : BLOCK_ALIGNMENT);
    if (!exact)
        abort();
    memcpy(exact, bytes, length);
    free(bytes);
    if (length >= sizeof(struct policy_block))
        make_header_fit((struct policy_block *)(void *)exact, length);
    const struct policy_block *block = policy_block_open(exact, length);
    if (block) {
        next_scene(&input, &scene);
        for (int i = next_byte(&input) % 3; i >= 0; i--)
            next_operation(&input, &scene, (enum operation_class)(next_byte(&input) % CLASS_COUNT));
        uint32_t count = policy_block_policy_count(block);
        count = count < GOVERNING_MAX ? count : GOVERNING_MAX;
        for (uint32_t i = 0; i < count; i++)
            policies[i] = i;
        const struct governing governing = {.policies = policies, .count = count, .today = 20619};
        evaluate(block, &governing, &scene.subject, &scene.event, &judgement);
        if (judgement.verdict > VERDICT_KILL ||
            read_texts(block, &scene.subject) > (size_t)UINT32_MAX * CLASS_COUNT)
            abort();
        char *memory = malloc(FLOOR_MEMORY);
        for (uint32_t i = 0; memory && i < count && i < FLOORS_MAX; i++)
            outline(block, &governing, &scene.subject, i, memory);
        free(memory);
    }
    free(exact);
    return 0;
}
