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

#include "policies/catalogue/catalogue.h"
#include "policies/engine/evaluate.h"
#include "policies/language/compile.h"

enum { ARGUMENTS_MAX = 8, ITEMS_MAX = 256, POLICIES_MAX = 64 };

/* What is left of the input. */
struct input {
    const uint8_t *data;
    size_t size;
};

/* An event and a subject, made from the input. */
struct scene {
    struct subject subject;
    struct event event;
    struct operation operations[EVENT_OPERATIONS_MAX];
    struct attribute attributes[EVENT_OPERATIONS_MAX][EVENT_ATTRIBUTES_MAX];
    struct value arguments[ARGUMENTS_MAX];
    struct value items[ITEMS_MAX];
    size_t item_count;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static uint8_t next_byte(struct input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

static struct value next_text(struct input *input)
{
    static const char *const likely[] = {
        "/srv/a.py",    "/proc/self/mem", "/tmp/x",    "git",  "-f",    "a.example.org",
        "TERM",         "alice",          "os.system", "unix", "other", "HKLM\\Software\\x",
        "numpy.linalg", "/bin/sh",        "PATH",      "/",
    };
    const uint8_t choice = next_byte(input);
    if (choice < 128) {
        const char *text = likely[choice % (sizeof(likely) / sizeof(*likely))];
        return value_text(text, strlen(text));
    }
    size_t length = choice - 128U;
    if (length > input->size)
        length = input->size;
    const struct value text = value_text((const char *)input->data, length);
    input->data += length;
    input->size -= length;
    return text;
}

static struct value next_value(struct input *input, struct scene *scene, unsigned depth)
{
    struct value value = {.kind = next_byte(input) % (VALUE_OBJECT + 1)};
    const uint8_t marks = next_byte(input);

    switch ((enum value_kind)value.kind) {
    case VALUE_BOOL:
        value.truth = (marks & 0x10) != 0;
        break;
    case VALUE_INT:
        value.integer = (int8_t)next_byte(input);
        break;
    case VALUE_FLOAT:
        value.real = (double)(int8_t)next_byte(input) / 2;
        break;
    case VALUE_LIST:
    case VALUE_MAP: {
        const uint32_t count = next_byte(input) % 5;
        const size_t items = value.kind == VALUE_MAP ? 2 * (size_t)count : count;
        if (depth == 0 || scene->item_count + items > ITEMS_MAX)
            break;
        struct value *first = &scene->items[scene->item_count];
        scene->item_count += items;
        for (size_t i = 0; i < items; i++)
            first[i] = next_value(input, scene, depth - 1);
        value.count = count;
        value.items = first;
        break;
    }
    case VALUE_NONE:
        break;
    default: {
        const struct value text = next_text(input);
        value.count = text.count;
        value.bytes = text.bytes;
    }
    }
    value.marks = (marks & 7) == 7 ? (uint8_t)(marks >> 4 & 7) : 0;
    if (value.kind == VALUE_OBJECT)
        value.marks |= VALUE_OPAQUE;
    return value;
}

static void next_operation(struct input *input, struct scene *scene)
{
    const uint32_t index = scene->event.operation_count++;
    const enum operation_class class =
        (enum operation_class)(1 + next_byte(input) % (CLASS_COUNT - 1));
    struct operation *operation = &scene->operations[index];
    struct attribute *attributes = scene->attributes[index];

    *operation = (struct operation){.operation_class = class, .attributes = attributes};
    for (const enum attribute_name *name = vocabulary_class_attributes(class);
         *name != ATTRIBUTE_NONE && operation->attribute_count < EVENT_ATTRIBUTES_MAX; name++) {
        const uint8_t how = next_byte(input);
        if (how % 5 == 0)
            continue;
        struct attribute *attribute = &attributes[operation->attribute_count++];
        *attribute = (struct attribute){.name = *name, .nameless = how % 16 == 1};
        attribute->value = how % 3 == 0 ? next_value(input, scene, 2) : next_text(input);
        if (vocabulary_attribute_type(*name) == TYPE_PATH)
            attribute->resolved = how % 2 ? attribute->value : next_value(input, scene, 1);
    }
}

static void next_scene(struct input *input, struct scene *scene)
{
    static const char *const roots[] = {"/srv", "/"};
    static const char *const groups[] = {"staff"};
    static const struct label labels[] = {{"role", "plugin"}};
    const uint16_t number = (uint16_t)(next_byte(input) << 8 | next_byte(input));
    const struct event_entry *entry =
        catalogue_event((uint16_t)(number % (catalogue_event_count() + 2)));

    memset(scene, 0, sizeof(*scene));
    scene->subject = (struct subject){.user = "alice",
                                      .groups = groups,
                                      .platform = "linux",
                                      .python = "3.11.7",
                                      .labels = labels};
    scene->subject.group_count = next_byte(input) % 2;
    scene->subject.label_count = next_byte(input) % 2;
    for (int i = 0; i < PLACE_COUNT; i++)
        scene->subject.places[i] = (struct place_paths){next_byte(input) % 3, roots};

    scene->event.arguments = scene->arguments;
    scene->event.operations = scene->operations;
    if (entry) {
        scene->event.number = entry->number;
        scene->event.name = entry->name;
        scene->event.name_length = (uint32_t)strlen(entry->name);
    } else {
        const struct value name = next_text(input);
        scene->event.name = name.bytes;
        scene->event.name_length = name.count;
        scene->event.name_cut = name.count > 100;
    }
    for (unsigned i = next_byte(input) % ARGUMENTS_MAX; i > 0; i--)
        scene->arguments[scene->event.argument_count++] = next_value(input, scene, 3);
    for (unsigned i = next_byte(input) % EVENT_OPERATIONS_MAX; i > 0; i--)
        next_operation(input, scene);
}

static struct judgement judge(const struct policy_block *block, const uint32_t *policies,
                              size_t count, const struct scene *scene)
{
    const struct governing governing = {policies, count};
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
            texts[i] = (struct policy_text){parts.parts[i].name, parts.parts[i].text,
                                            strlen(parts.parts[i].text), TIER_LOCAL, false};
        CLEANUP(policy_block_free)
        struct policy_block *again = policy_compile(texts, parts.count, options, diagnostics);
        require(again && policy_block_size(again) == policy_block_size(block) &&
                memcmp(again, block, policy_block_size(block)) == 0);
    }
    policy_parts_deinit(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct compile_options options = {resolve, NULL};
    const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
    const size_t length = nul ? (size_t)(nul - data) : size;
    struct input input = {data + length, size - length};
    static struct scene scene;

    /* A block of its own, so that a byte read behind the text is seen. */
    CLEANUP(free) char *copy = malloc(length > 0 ? length : 1);
    require(copy != NULL);
    if (length > 0)
        memcpy(copy, data, length);
    const struct policy_text text = {"fuzz.warder", copy, length, TIER_LOCAL, false};
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    CLEANUP(policy_block_free)
    struct policy_block *block = policy_compile(&text, 1, &options, diagnostics);
    require((block == NULL) == (diagnostics_error_count(diagnostics) > 0));
    CLEANUP(free) char *shown = diagnostics_render(diagnostics, "closing", length % 2);
    require(shown != NULL);

    (void)next_byte(&input); /* the NUL */
    next_scene(&input, &scene);
    if (block) {
        require(policy_block_open(block, policy_block_size(block)) == block);
        check_judgement(block, &scene);
        check_parts(&text, block, &options);
    }
    CLEANUP(diagnostics_free) struct diagnostics *test_diagnostics = diagnostics_new();
    (void)policy_test_parse(&text, test_diagnostics);
    return 0;
}
