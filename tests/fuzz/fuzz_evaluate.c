/* Conditions that compile, asked about any operation.
 *
 * The input is a program for a condition over one class's attributes, and behind it one for an
 * event. Whatever the two say, Kleene's laws hold: `not` turns the answer round, `not not` gives it
 * back, an allow fires exactly where the condition is true, and the order of `and` and `or` does
 * not matter. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_scene.h"

#include "policies/engine/evaluate.h"
#include "policies/engine/explain.h"
#include "policies/language/compile.h"
#include "policies/language/text_buffer.h"

enum { DEPTH_MAX = 4, CHILDREN_MAX = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A condition being written, and once more with the order of everything turned round. */
struct writing {
    struct input *input;
    enum operation_class operation_class;
    bool has_forms; /* it speaks of what deny and allow see differently: paths, a nameless host */
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static const char *choose(struct input *input, const char *const *from, size_t count)
{
    return from[next_byte(input) % count];
}

#define CHOOSE(input, ...)                                                                         \
    choose((input), (const char *const[]){__VA_ARGS__},                                            \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static const char *text_test(struct input *input)
{
    return CHOOSE(input, "is \"git\"", "in [\"git\", \"PATH\", \"x\"]", "matches \"*i*\"",
                  "matches \"[a-g]*\"", "matches [\"?it\", \"/*\"]", "is absent", "is none",
                  "is \"\"", "matches \"*\"");
}

static const char *path_test(struct input *input)
{
    return CHOOSE(input, "is \"/srv/a.py\"", "under \"/srv\"", "under session.home",
                  "under [session.temp \"/x\", \"/tmp\"]", "matches \"/srv/**/*.py\"",
                  "matches \"**/mem\"", "in [session.null, \"/bin/sh\"]", "is absent", "is none",
                  "matches session.start \"/*\"", "under \"/\"");
}

static const char *number_test(struct input *input)
{
    return CHOOSE(input, "is 0", "is -3-7", "in [1, 2, 5-100]", "< 4", "<= 4", "> -4", ">= 0",
                  "is absent", "is none", "is 9223372036854775807");
}

static const char *list_test(struct input *input)
{
    return CHOOSE(input, "has \"git\"", "has [\"-f\", \"x\"]", "has matches \"-*\"",
                  "has matches [\"g*\", \"[!a]\"]", "is absent", "is none");
}

static const char *any_test(struct input *input)
{
    switch (next_byte(input) % 5) {
    case 0:
        return text_test(input);
    case 1:
        return number_test(input);
    case 2:
        return list_test(input);
    case 3:
        return CHOOSE(input, "is [\"git\", \"-f\"]", "starts [\"git\"]", "is [0, 1]", "has 1");
    default:
        return CHOOSE(input, "is true", "", "is false", "in [true]");
    }
}

static const char *test_of(struct input *input, enum attribute_type type, const char **index)
{
    *index = "";
    switch (type) {
    case TYPE_PATH:
        return path_test(input);
    case TYPE_REGISTRY:
        return "under 'HKLM\\Software'";
    case TYPE_MODULE:
        return CHOOSE(input, "under \"numpy\"", "is \"numpy.linalg\"", "matches \"n*g\"");
    case TYPE_HOST:
        return CHOOSE(input, "is \"*.example.org\"", "in [\"a.example.org\", \"x\"]", "is absent");
    case TYPE_ADDRESS:
        return CHOOSE(input, "is 10.0.0.0/8", "in [::/0, 1.2.3.4]", "is absent", "is none");
    case TYPE_INT:
    case TYPE_SIGNAL:
        return number_test(input);
    case TYPE_BOOL:
        return CHOOSE(input, "", "is true", "is false", "is none");
    case TYPE_TEXT_LIST:
        *index = CHOOSE(input, "", "", "[0]", "[-1]", "[3]");
        if (**index)
            return text_test(input);
        return next_byte(input) % 2 ? list_test(input)
                                    : CHOOSE(input, "starts [\"git\"]", "is [\"git\", \"-f\"]");
    case TYPE_TEXT_MAP:
        *index = CHOOSE(input, "", "[\"PATH\"]");
        return **index ? text_test(input) : list_test(input);
    case TYPE_ANY:
        return any_test(input);
    case TYPE_WORD:
        return CHOOSE(input, "matches \"o*\"", "is absent", "is none", "matches \"*\"");
    default:
        return text_test(input);
    }
}

static void write_predicate(struct writing *writing, struct text_buffer *out)
{
    static const enum attribute_name common[] = {ATTRIBUTE_USER, ATTRIBUTE_GROUP, ATTRIBUTE_ARG};
    const enum attribute_name *own = vocabulary_class_attributes(writing->operation_class);
    const uint8_t choice = next_byte(writing->input);
    enum attribute_name attribute = common[choice % 3];
    const char *index;
    size_t count = 0;

    while (own[count] != ATTRIBUTE_NONE)
        count++;
    if (count > 0 && choice >= 48)
        attribute = own[choice % count];
    enum attribute_type type = vocabulary_attribute_type(attribute);
    if (writing->operation_class == CLASS_REGISTRY && attribute == ATTRIBUTE_PATH)
        type = TYPE_REGISTRY;
    writing->has_forms |= type == TYPE_PATH || type == TYPE_HOST;
    const char *test = test_of(writing->input, type, &index);
    if (attribute == ATTRIBUTE_ARG)
        index = "[0]";
    text_buffer_format(out, "%s%s %s", vocabulary_attribute_name(attribute), index, test);
}

/* Writes a condition to `out`, and to `turned` the same with every order turned round. */
static void write_condition(struct writing *writing, struct text_buffer *out,
                            struct text_buffer *turned, unsigned depth)
{
    const uint8_t what = next_byte(writing->input) % 4;

    if (depth == 0 || what == 0) {
        const size_t before = out->length;
        write_predicate(writing, out);
        text_buffer_add(turned, out->bytes + before, out->length - before);
        return;
    }
    if (what == 1) {
        text_buffer_add_text(out, "not ");
        text_buffer_add_text(turned, "not ");
    }
    struct text_buffer parts[CHILDREN_MAX] = {{0}};
    const unsigned count = what == 1 ? 1 : 2 + next_byte(writing->input) % (CHILDREN_MAX - 1);
    const char *joint = what == 2 ? " and " : " or ";
    text_buffer_add_text(out, "(");
    text_buffer_add_text(turned, "(");
    for (unsigned i = 0; i < count; i++) {
        text_buffer_add_text(out, i > 0 ? joint : "");
        write_condition(writing, out, &parts[i], depth - 1);
    }
    for (unsigned i = count; i-- > 0;) {
        text_buffer_add(turned, parts[i].bytes, parts[i].length);
        text_buffer_add_text(turned, i > 0 ? joint : "");
        text_buffer_deinit(&parts[i]);
    }
    text_buffer_add_text(out, ")");
    text_buffer_add_text(turned, ")");
}

/* 0 false, 1 unknown, 2 true. */
static int truth_by_deny(const struct policy_block *block, uint32_t policy,
                         const struct scene *scene)
{
    const struct governing governing = {.policies = &policy, .count = 1};
    struct judgement judgement;
    evaluate(block, &governing, &scene->subject, &scene->event, &judgement);
    if (judgement.verdict == VERDICT_ALLOW)
        return 0;
    return judgement.by.unknown ? 1 : 2;
}

/* Both find the same, each its own way; and a rule that nearly fired has something that failed. */
static void check_explanation(const struct policy_block *block, const struct scene *scene)
{
    static const uint32_t policies[] = {0, 1, 2, 3, 4};
    const struct governing governing = {.policies = policies, .count = 5};
    static struct explanation explanation;
    const struct judgement *explained = &explanation.judgement;
    struct judgement judgement;

    evaluate(block, &governing, &scene->subject, &scene->event, &judgement);
    if (judgement.spent)
        return;
    explain(block, &governing, &scene->subject, &scene->event, &explanation);
    require(explained->verdict == judgement.verdict);
    require(explained->by.policy == judgement.by.policy);
    require(explained->by.rule == judgement.by.rule);
    require(explained->by.operation == judgement.by.operation);
    require(explained->by.unknown == judgement.by.unknown);
    for (uint32_t i = 0; i < explanation.miss_count; i++)
        require(explanation.misses[i].missed.misses > 0);
}

static void check_laws(const struct policy_block *block, const struct scene *scene, bool has_forms)
{
    /* In the order of their names. */
    const int plain = truth_by_deny(block, 0, scene);
    const int negated = truth_by_deny(block, 1, scene);
    const int turned = truth_by_deny(block, 2, scene);
    const int twice = truth_by_deny(block, 3, scene);
    const bool allowed = truth_by_deny(block, 4, scene) == 0;

    require(turned == plain);
    require(twice == plain);
    require(!allowed || has_forms || plain == 2);
    if (!has_forms) {
        require(plain + negated == 2);
        require(allowed == (plain == 2));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct scene scene;
    struct input input = {data, size};
    const enum operation_class class =
        (enum operation_class)(1 + next_byte(&input) % (CLASS_COUNT - 1));
    const char *name = vocabulary_class_name(class);
    struct writing writing = {.input = &input, .operation_class = class};
    struct text_buffer condition = {0};
    struct text_buffer turned = {0};
    struct text_buffer text = {0};

    write_condition(&writing, &condition, &turned, DEPTH_MAX);
    text_buffer_format(&text, "policy a { deny %s where %s as r  allow resolve as l }\n", name,
                       condition.bytes);
    text_buffer_format(&text, "policy b { deny %s where not (%s) as r  allow resolve as l }\n",
                       name, condition.bytes);
    text_buffer_format(&text, "policy c { deny %s where %s as r  allow resolve as l }\n", name,
                       turned.bytes);
    text_buffer_format(&text,
                       "policy d { deny %s where not (not (%s)) as r  allow resolve as l }\n", name,
                       condition.bytes);
    text_buffer_format(&text, "policy e { default deny %s  allow %s where %s as r }\n", name, name,
                       condition.bytes);
    next_scene(&input, &scene);
    next_operation(&input, &scene, class);

    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    const struct policy_text policy = {
        .file = "laws.warder", .text = text.bytes, .length = text.length, .tier = TIER_LOCAL};
    CLEANUP(policy_block_free)
    struct policy_block *block = policy_compile(&policy, 1, NULL, diagnostics);
    if (block)
        check_laws(block, &scene, writing.has_forms);
    if (block)
        check_explanation(block, &scene);
    text_buffer_deinit(&condition);
    text_buffer_deinit(&turned);
    text_buffer_deinit(&text);
    return 0;
}
