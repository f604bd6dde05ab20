#include "policy_fixture.h"

#include <stdio.h>
#include <string.h>

#include "policies/catalogue/catalogue.h"

struct policy_text local_text(const char *text)
{
    return (struct policy_text){
        .file = "test.warder", .text = text, .length = strlen(text), .tier = TIER_LOCAL};
}

struct policy_block *compiled_texts(const struct policy_text *texts, size_t count,
                                    const struct compile_options *options)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    assert_non_null(diagnostics);
    struct policy_block *block = policy_compile(texts, count, options, diagnostics);
    if (!block || diagnostics_error_count(diagnostics) > 0) {
        CLEANUP(free) char *shown = diagnostics_render(diagnostics, NULL, false);
        fail_msg("the policy does not compile:\n%s", shown);
    }
    assert_ptr_equal(policy_block_open(block, policy_block_size(block)), block);
    return block;
}

struct policy_block *compiled(const char *text)
{
    const struct policy_text one = local_text(text);
    return compiled_texts(&one, 1, NULL);
}

char *messages_of(const char *text, size_t *errors, size_t *warnings)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    const struct policy_text one = local_text(text);
    CLEANUP(policy_block_free)
    struct policy_block *block = policy_compile(&one, 1, NULL, diagnostics);
    char *shown = diagnostics_render(diagnostics, NULL, false);

    assert_non_null(shown);
    assert_int_equal(block == NULL, diagnostics_error_count(diagnostics) > 0);
    if (errors)
        *errors = diagnostics_error_count(diagnostics);
    if (warnings)
        *warnings = diagnostics_warning_count(diagnostics);
    return shown;
}

void scene_init(struct scene *scene, const char *event)
{
    static const char *const groups[] = {"staff", "audio"};
    static const char *const python[] = {"/usr/lib/python3", "/usr/lib/python3.11"};
    static const char *const home[] = {"/home/alice"};
    static const char *const start[] = {"/srv/work"};
    static const char *const temp[] = {"/tmp", "/var/tmp"};
    static const char *const null[] = {"/dev/null"};
    const struct event_entry *entry = catalogue_find(event, strlen(event));

    *scene = (struct scene){
        .subject = {.user = "alice",
                    .groups = groups,
                    .group_count = 2,
                    .exe = "/usr/bin/python3.11",
                    .unit = "media.service",
                    .platform = "linux",
                    .python = "3.11.7",
                    .script = "/srv/work/main.py"},
        .event = {.name = event,
                  .name_length = (uint32_t)strlen(event),
                  .number = entry ? entry->number : EVENT_UNKNOWN},
    };
    scene->subject.places[PLACE_PYTHON] = (struct place_paths){2, python};
    scene->subject.places[PLACE_HOME] = (struct place_paths){1, home};
    scene->subject.places[PLACE_START] = (struct place_paths){1, start};
    scene->subject.places[PLACE_TEMP] = (struct place_paths){2, temp};
    scene->subject.places[PLACE_NULL] = (struct place_paths){1, null};
    scene->event.arguments = scene->arguments;
    scene->event.operations = scene->operations;
}

void scene_operation(struct scene *scene, enum operation_class operation_class)
{
    const uint32_t index = scene->event.operation_count++;
    assert_true(index < EVENT_OPERATIONS_MAX);
    scene->operations[index] = (struct operation){.operation_class = operation_class,
                                                  .attributes = scene->attributes[index]};
}

struct attribute *scene_value(struct scene *scene, enum attribute_name name, struct value value)
{
    const uint32_t index = scene->event.operation_count - 1;
    struct operation *operation = &scene->operations[index];
    assert_true(operation->attribute_count < EVENT_ATTRIBUTES_MAX);
    struct attribute *attribute = &scene->attributes[index][operation->attribute_count++];
    *attribute = (struct attribute){.name = name, .value = value};
    return attribute;
}

struct attribute *scene_text(struct scene *scene, enum attribute_name name, const char *text)
{
    return scene_value(scene, name, text_of(text));
}

struct attribute *scene_path(struct scene *scene, enum attribute_name name, const char *written,
                             const char *resolved)
{
    struct attribute *attribute = scene_text(scene, name, written);
    attribute->resolved = resolved ? text_of(resolved) : value_unknown();
    return attribute;
}

void scene_argument(struct scene *scene, struct value value)
{
    assert_true(scene->event.argument_count < SCENE_ARGUMENTS_MAX);
    scene->arguments[scene->event.argument_count++] = value;
}

struct value text_of(const char *text)
{
    return value_text(text, strlen(text));
}

struct value marked(struct value value, uint8_t marks)
{
    value.marks = marks;
    return value;
}

static uint32_t take_texts(struct scene *scene, va_list texts)
{
    uint32_t count = 0;
    for (const char *text = va_arg(texts, const char *); text; text = va_arg(texts, const char *)) {
        assert_true(scene->item_count < SCENE_ITEMS_MAX);
        scene->items[scene->item_count++] = text_of(text);
        count++;
    }
    return count;
}

struct value list_of(struct scene *scene, ...)
{
    struct value list = {.kind = VALUE_LIST, .items = &scene->items[scene->item_count]};
    va_list texts;
    va_start(texts, scene);
    list.count = take_texts(scene, texts);
    va_end(texts);
    return list;
}

struct value map_of(struct scene *scene, ...)
{
    struct value map = {.kind = VALUE_MAP, .items = &scene->items[scene->item_count]};
    va_list texts;
    va_start(texts, scene);
    map.count = take_texts(scene, texts) / 2;
    va_end(texts);
    return map;
}

struct value ipv4(const char *four_bytes)
{
    return (struct value){.kind = VALUE_BYTES, .count = 4, .bytes = four_bytes};
}

struct judgement judge(const struct policy_block *block, const struct scene *scene)
{
    uint32_t policies[SCENE_GOVERNING_MAX];
    const uint32_t count = policy_block_policy_count(block);
    struct judgement judgement;

    assert_true(count <= SCENE_GOVERNING_MAX);
    for (uint32_t i = 0; i < count; i++)
        policies[i] = i;
    const struct governing governing = {.policies = policies, .count = count, .today = SCENE_TODAY};
    evaluate(block, &governing, &scene->subject, &scene->event, &judgement);
    return judgement;
}

struct judgement judge_text(const char *text, const struct scene *scene)
{
    CLEANUP(policy_block_free) struct policy_block *block = compiled(text);
    return judge(block, scene);
}

const char *described(const struct policy_block *block, const struct judgement *judgement)
{
    static const char *const verdicts[] = {"allow", "deny", "kill"};
    static char text[256];
    const struct deciding *by = &judgement->by;

    if (by->policy == POLICY_NO_INDEX)
        (void)snprintf(text, sizeof(text), "%s", verdicts[judgement->verdict]);
    else
        (void)snprintf(text, sizeof(text), "%s %s.%s%s", verdicts[judgement->verdict],
                       policy_name(block, by->policy),
                       by->rule == RULE_DEFAULT ? "default" : rule_name(block, by->rule),
                       by->unknown ? "?" : "");
    return text;
}
