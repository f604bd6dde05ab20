#include "scene_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/catalogue/catalogue.h"

enum { STATUS_REFUSED = 3 };

void refuse(const char *what, const char *where)
{
    (void)fprintf(stderr, "driver: %s: %.200s\n", what, where ? where : "");
    exit(STATUS_REFUSED);
}

char *next_word(struct line *line)
{
    char *word = line->rest;
    char *end = strchr(word, ' ');

    if (*word == '\0')
        refuse("the line is too short", NULL);
    if (end)
        *end++ = '\0';
    line->rest = end ? end : word + strlen(word);
    return word;
}

long long next_number(struct line *line, long long least, long long most)
{
    const char *word = next_word(line);
    char *end;
    const long long number = strtoll(word, &end, 10);

    if (*end != '\0' || end == word || number < least || number > most)
        refuse("no number that can stand here", word);
    return number;
}

static unsigned digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    refuse("no hexadecimal digit", &c);
}

static char *bytes_of(const char *hex, struct arena *arena, size_t *length)
{
    *length = strlen(hex) / 2;
    char *bytes = arena_alloc(arena, *length + 1);
    if (!bytes || strlen(hex) % 2 != 0)
        refuse("too much for the arena, or half a byte", hex);
    for (size_t i = 0; i < *length; i++)
        bytes[i] = (char)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    bytes[*length] = '\0';
    return bytes;
}

char *next_text(struct line *line, struct arena *arena, size_t *length)
{
    size_t unused;
    const char *word = next_word(line);
    if (strcmp(word, "-") == 0)
        return NULL;
    if (*word != 'x')
        refuse("no text", word);
    return bytes_of(word + 1, arena, length ? length : &unused);
}

static struct value next_value(struct line *line, struct arena *arena, unsigned depth);

static const struct value *next_items(struct line *line, struct arena *arena, size_t count,
                                      unsigned depth)
{
    struct value *items = arena_zalloc(arena, count, sizeof(*items));
    if (!items || depth == 0)
        refuse("too much for the arena, or too deep", NULL);
    for (size_t i = 0; i < count; i++)
        items[i] = next_value(line, arena, depth - 1);
    return items;
}

/* MARKS KIND CONTENT in one word, `0t6964`; the items of a list or map follow as words. */
static struct value next_value(struct line *line, struct arena *arena, unsigned depth)
{
    const char *word = next_word(line);
    struct value value = {.marks = (uint8_t)digit(word[0])};
    const char *content = word + 2;
    size_t length = 0;

    switch (word[1]) {
    case 'n':
        value.kind = VALUE_NONE;
        return value;
    case 'b':
        value.kind = VALUE_BOOL;
        value.truth = *content == '1';
        return value;
    case 'i':
        value.kind = VALUE_INT;
        value.integer = strtoll(content, NULL, 10);
        return value;
    case 'f':
        value.kind = VALUE_FLOAT;
        value.real = strtod(content, NULL);
        return value;
    case 'l':
    case 'm':
        value.kind = word[1] == 'l' ? VALUE_LIST : VALUE_MAP;
        value.count = (uint32_t)strtoul(content, NULL, 10);
        value.items = next_items(
            line, arena, value.kind == VALUE_MAP ? 2 * (size_t)value.count : value.count, depth);
        return value;
    case 'I':
        value.kind = VALUE_BIG_INT;
        break;
    case 't':
        value.kind = VALUE_TEXT;
        break;
    case 'y':
        value.kind = VALUE_BYTES;
        break;
    case 'o':
        value.kind = VALUE_OBJECT;
        break;
    default:
        refuse("no kind of value", word);
    }
    value.bytes = bytes_of(content, arena, &length);
    value.count = (uint32_t)length;
    return value;
}

void read_value(struct line *line, struct pool *pool)
{
    if (pool->count == POOL_VALUES_MAX)
        refuse("too many values", NULL);
    pool->values[pool->count++] = next_value(line, pool->arena, VALUE_DEPTH_MAX);
}

static const char *const *next_texts(struct line *line, struct arena *arena, size_t *count)
{
    *count = (size_t)next_number(line, 0, 64);
    const char **texts = arena_zalloc(arena, *count, sizeof(*texts));
    if (!texts)
        refuse("too much for the arena", NULL);
    for (size_t i = 0; i < *count; i++)
        texts[i] = next_text(line, arena, NULL);
    return texts;
}

void read_subject(struct line *line, struct arena *arena, struct subject *subject)
{
    *subject = (struct subject){.user = next_text(line, arena, NULL)};
    subject->exe = next_text(line, arena, NULL);
    subject->unit = next_text(line, arena, NULL);
    subject->platform = next_text(line, arena, NULL);
    subject->python = next_text(line, arena, NULL);
    subject->script = next_text(line, arena, NULL);
    subject->groups = next_texts(line, arena, &subject->group_count);

    size_t count;
    const char *const *texts = next_texts(line, arena, &count);
    struct label *labels = arena_zalloc(arena, count, sizeof(*labels));
    if (!labels || count % 2 != 0)
        refuse("labels are a name and a value", NULL);
    for (size_t i = 0; i < count / 2; i++)
        labels[i] = (struct label){texts[2 * i], texts[2 * i + 1]};
    subject->labels = labels;
    subject->label_count = count / 2;
    for (int i = 0; i < PLACE_COUNT; i++)
        subject->places[i].paths = next_texts(line, arena, &subject->places[i].count);
}

static struct value pool_value(struct line *line, const struct pool *pool)
{
    return pool->values[next_number(line, 0, (long long)pool->count - 1)];
}

/* NAME VALUE RESOLVED: RESOLVED is `-` where there is none; a VALUE of `?` is a host that no lookup
 * gave. */
static struct attribute next_attribute(struct line *line, const struct pool *pool)
{
    const char *name = next_word(line);
    struct attribute attribute = {.name = vocabulary_attribute(name, strlen(name))};

    if (attribute.name == ATTRIBUTE_NONE)
        refuse("no attribute", name);
    if (*line->rest == '?') {
        (void)next_word(line);
        attribute.nameless = true;
    } else {
        attribute.value = pool_value(line, pool);
    }
    if (*line->rest == '-')
        (void)next_word(line);
    else
        attribute.resolved = pool_value(line, pool);
    return attribute;
}

/* Attributes stand in the order of their names' numbers (event.h). */
static void put_in_order(struct attribute *attributes, uint32_t count, struct attribute attribute)
{
    uint32_t at = count;
    for (; at > 0 && attributes[at - 1].name > attribute.name; at--)
        attributes[at] = attributes[at - 1];
    attributes[at] = attribute;
}

static void read_operation(struct line *line, const struct pool *pool, struct operation *operation,
                           struct attribute *attributes)
{
    const char *name = next_word(line);
    const uint32_t count = (uint32_t)next_number(line, 0, EVENT_ATTRIBUTES_MAX);

    *operation = (struct operation){.operation_class = vocabulary_class(name, strlen(name)),
                                    .attribute_count = count,
                                    .attributes = attributes};
    if (operation->operation_class == CLASS_NONE)
        refuse("no class", name);
    for (uint32_t i = 0; i < count; i++)
        put_in_order(attributes, i, next_attribute(line, pool));
}

/* NAME CUT ARGUMENTS V... OPERATIONS { CLASS ATTRIBUTES { NAME V V }... }... */
void read_event(struct line *line, const struct pool *pool, struct scene *scene)
{
    struct arena name_memory;
    size_t length = 0;

    arena_init(&name_memory, scene->name, sizeof(scene->name));
    const char *name = next_text(line, &name_memory, &length);
    const bool cut = next_number(line, 0, 1) != 0;
    const struct event_entry *entry = cut || !name ? NULL : catalogue_find(name, length);
    scene->event = (struct event){.number = entry ? entry->number : EVENT_UNKNOWN,
                                  .name_cut = cut,
                                  .name = name,
                                  .name_length = (uint32_t)length,
                                  .arguments = scene->arguments,
                                  .operations = scene->operations};
    scene->event.argument_count = (uint32_t)next_number(line, 0, ARGUMENTS_MAX);
    for (uint32_t i = 0; i < scene->event.argument_count; i++)
        scene->arguments[i] = pool_value(line, pool);
    scene->event.operation_count = (uint32_t)next_number(line, 0, EVENT_OPERATIONS_MAX);
    for (uint32_t i = 0; i < scene->event.operation_count; i++)
        read_operation(line, pool, &scene->operations[i], scene->attributes[i]);
}
