#include "fuzz_scene.h"

#include <string.h>

#include "policies/catalogue/catalogue.h"

uint8_t next_byte(struct input *input)
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
        if (depth == 0 || scene->item_count + items > SCENE_ITEMS_MAX)
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

void next_operation(struct input *input, struct scene *scene, enum operation_class class)
{
    const uint32_t index = scene->event.operation_count++;
    struct operation *operation = &scene->operations[index];
    struct attribute *attributes = scene->attributes[index];

    *operation = (struct operation){.operation_class = class, .attributes = attributes};
    for (const enum attribute_name *name = vocabulary_class_attributes(class);
         *name != ATTRIBUTE_NONE && operation->attribute_count < EVENT_ATTRIBUTES_MAX; name++) {
        const uint8_t how = next_byte(input);
        if (how % 5 == 0)
            continue;
        struct attribute *attribute = &attributes[operation->attribute_count++];
        *attribute =
            (struct attribute){.name = *name, .nameless = *name == ATTRIBUTE_HOST && how % 4 == 1};
        attribute->value = how % 3 == 0 ? next_value(input, scene, 2) : next_text(input);
        if (vocabulary_attribute_type(*name) == TYPE_PATH)
            attribute->resolved = how % 2 ? attribute->value : next_value(input, scene, 1);
    }
}

void next_scene(struct input *input, struct scene *scene)
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
    for (unsigned i = next_byte(input) % SCENE_ARGUMENTS_MAX; i > 0; i--)
        scene->arguments[scene->event.argument_count++] = next_value(input, scene, 3);
}
