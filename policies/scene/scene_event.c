#include "policies/scene/scene_event.h"

#include <string.h>

#include "policies/catalogue/catalogue.h"
#include "policies/engine/address.h"
#include "policies/engine/event_map.h"
#include "policies/language/names.h"
#include "policies/scene/given_process.h"
#include "policies/scene/scene_value.h"

enum {
    ARENA_SIZE = EVENT_MAP_SCRATCH + 32 * 1024, /* and what each value of the event takes: */
    ARENA_VALUE = 2 * sizeof(struct value),     /* an assignment becomes a pair */
};

/* What is made, and for whom. */
struct making {
    const struct stated_event *stated;
    const struct scene_subject *subject;
    struct storage *storage;
    struct diagnostics *diagnostics;
    struct event *event;
    struct given_process process;
    struct event_resolver resolver;
    struct arena arena;
};

static bool begin_arena(struct making *making, size_t values)
{
    const size_t size = ARENA_SIZE + values * ARENA_VALUE;
    void *memory = storage_take(making->storage, size, 1);

    arena_init(&making->arena, memory, memory ? size : 0);
    return memory != NULL;
}

static void name_event(struct event *event, const struct event_entry *entry)
{
    event->name = entry->name;
    event->name_length = (uint32_t)strlen(entry->name);
    event->number = entry->number;
}

/* Names of a connection's address, as its lookup gave them. */
static void name_address(const struct making *making, const struct value *address,
                         struct attribute *host)
{
    const struct value names = givens_host_names(making->subject->givens, address, making->storage);

    host->nameless = names.count == 0;
    host->value = host->nameless ? value_unknown() : names;
}

/* ---------------------------------------------------------------- events */

static size_t value_count(const struct raw *raw)
{
    size_t count = 1;

    for (const struct raw *item = raw->items; item; item = item->next)
        count += value_count(item);
    return count;
}

static void too_many_arguments(const struct making *making, const struct event_entry *entry)
{
    struct text_buffer names = {0};

    for (uint8_t i = 0; i < entry->argument_count; i++)
        text_buffer_format(&names, "%s%s", i > 0 ? ", " : "",
                           catalogue_argument_name(entry, (uint8_t)i));
    struct diagnostic *error = report(
        making->diagnostics, ERROR_TOO_MANY_ARGUMENTS, making->stated->arguments->span,
        "\"%s\" has %u argument%s, these are %u", entry->name, (unsigned)entry->argument_count,
        entry->argument_count == 1 ? "" : "s", (unsigned)making->stated->arguments->count);
    if (names.length > 0)
        diagnostic_help(error, "they are %s", names.bytes);
    text_buffer_deinit(&names);
}

/* An object has no value that a test could write; of a socket its family counts. */
static void take_socket(struct making *making, const struct event_entry *entry, struct value *first)
{
    static const char type[] = "socket";

    making->process.socket_family = -1;
    if (entry->argument_count == 0 || strcmp(catalogue_argument_name(entry, 0), "self") != 0 ||
        first->kind != VALUE_TEXT)
        return;
    making->process.socket_family =
        given_socket_family(making->subject, first->bytes, first->count);
    *first = value_text(type, sizeof(type) - 1);
    first->kind = VALUE_OBJECT;
    first->marks = VALUE_OPAQUE;
}

/* The mapping leaves names to whoever saw the lookups. */
static bool name_addresses(const struct making *making)
{
    struct event *event = making->event;
    struct operation *operations =
        storage_take(making->storage, (size_t)event->operation_count + 1, sizeof(*operations));

    if (!operations)
        return false;
    for (uint32_t i = 0; i < event->operation_count; i++) {
        operations[i] = event->operations[i];
        const struct attribute *address = operation_attribute(&operations[i], ATTRIBUTE_ADDRESS);
        const struct attribute *host = operation_attribute(&operations[i], ATTRIBUTE_HOST);
        if (!address || !host || !host->nameless)
            continue;
        struct attribute *attributes =
            storage_take(making->storage, operations[i].attribute_count, sizeof(*attributes));
        if (!attributes)
            return false;
        memcpy(attributes, operations[i].attributes,
               operations[i].attribute_count * sizeof(*attributes));
        name_address(making, &address->value, &attributes[host - operations[i].attributes]);
        operations[i].attributes = attributes;
    }
    event->operations = operations;
    return true;
}

static bool make_event(struct making *making)
{
    const struct raw *arguments = making->stated->arguments;
    const struct event_entry *entry = find_event(making->diagnostics, making->stated->event);
    struct value *values =
        storage_take(making->storage, (size_t)arguments->count + 1, sizeof(*values));
    uint32_t count = 0;

    if (!entry || !values || !begin_arena(making, value_count(arguments)))
        return false;
    if (arguments->count > entry->argument_count) {
        too_many_arguments(making, entry);
        return false;
    }
    for (const struct raw *raw = arguments->items; raw; raw = raw->next)
        values[count++] = scene_argument(raw, making->storage);
    take_socket(making, entry, &values[0]);
    name_event(making->event, entry);
    making->event->arguments = values;
    making->event->argument_count = count;
    if (!event_map(making->event, &making->resolver, &making->arena)) {
        report(making->diagnostics, ERROR_TOO_LARGE, making->stated->span,
               "no interpreter passes so much in one event: it is refused unread");
        return false;
    }
    return name_addresses(making);
}

/* ---------------------------------------------------------------- operations */

/* What was written for each attribute; NULL: nothing. */
struct stated_values {
    const struct raw *of[ATTRIBUTE_COUNT];
};

static bool state_value(const struct making *making, struct stated_values *values,
                        enum attribute_name attribute, const struct raw *value, struct span span)
{
    const struct raw *before = values->of[attribute];

    values->of[attribute] = value;
    if (!before)
        return true;
    diagnostic_second(report(making->diagnostics, ERROR_SAID_TWICE, span, "`%s` is given twice",
                             vocabulary_attribute_name(attribute)),
                      before->span, "first here");
    return false;
}

static bool collect(const struct making *making, struct stated_values *values)
{
    const struct stated_event *stated = making->stated;
    const enum attribute_name main = *vocabulary_class_attributes(stated->operation_class);

    *values = (struct stated_values){{NULL}};
    if (stated->main && main == ATTRIBUTE_NONE) {
        diagnostic_help(report(making->diagnostics, ERROR_CLASS_WITHOUT_MAIN, stated->main->span,
                               "class `%s` has no attributes",
                               vocabulary_class_name(stated->operation_class)),
                        "the class alone is all there is to say");
        return false;
    }
    if (stated->main)
        (void)state_value(making, values, main, stated->main, stated->main->span);
    for (const struct stated_attribute *each = stated->attributes; each; each = each->next)
        if (!state_value(making, values, each->attribute, each->value, each->name.span))
            return false;
    return true;
}

/* Actions that are about a name, not about what it leads to (policy-language, Semantics 6). */
static bool follows_last_component(const struct stated_values *values)
{
    static const char *const actions[] = {"remove", "rename", "rmdir", "link", "symlink", "socket"};
    const struct raw *action = values->of[ATTRIBUTE_ACTION];

    for (size_t i = 0; action && i < sizeof(actions) / sizeof(*actions); i++)
        if (action->kind == RAW_STRING && strlen(actions[i]) == action->length &&
            memcmp(actions[i], action->text, action->length) == 0)
            return false;
    return true;
}

static bool is_relative(const struct making *making, const struct raw *path)
{
    return !making->subject->windows && path->length > 0 && path->text[0] != '/';
}

static bool no_directory(const struct making *making, const struct raw *path)
{
    diagnostic_help(report(making->diagnostics, ERROR_NO_DIRECTORY, path->span,
                           "a relative path, and the session is in no directory"),
                    "say where it was started: session session.start \"/srv/job\"");
    return false;
}

/* A terminated copy of `path` below `base`; absolute paths stand alone. */
static const char *below(const struct making *making, const char *base, const struct raw *path)
{
    struct text_buffer text = {0};

    if (is_relative(making, path) && base) {
        text_buffer_add_text(&text, base);
        text_buffer_add(&text, "/", 1);
    }
    text_buffer_add(&text, path->text, path->length);
    const char *copy = text.failed ? NULL : storage_copy(making->storage, text.bytes, text.length);
    making->storage->failed |= text.failed;
    text_buffer_deinit(&text);
    return copy;
}

/* The directory that a program's path is relative to. */
static const char *directory_of(const struct making *making, const struct stated_values *values,
                                enum attribute_name attribute)
{
    const char *start = scene_subject_start(making->subject);
    const struct raw *cwd = values->of[ATTRIBUTE_CWD];

    if (attribute == ATTRIBUTE_CWD || !cwd || cwd->kind == RAW_NONE)
        return start;
    if (cwd->kind != RAW_STRING || (is_relative(making, cwd) && !start))
        return NULL;
    return below(making, start, cwd);
}

/* A program's name, which is looked up and is no path. */
static bool is_program_name(const struct making *making, const struct scene_reading *reading,
                            const struct raw *raw)
{
    return making->subject->givens->names_programs && reading->operation_class == CLASS_EXEC &&
           reading->attribute == ATTRIBUTE_FILE && raw->length > 0 &&
           !memchr(raw->text, '/', raw->length) && !memchr(raw->text, '\\', raw->length);
}

static void find_program(struct making *making, const struct value *name, struct attribute *out)
{
    const struct givens *givens = making->subject->givens;
    const char *found = givens_program(givens, name->bytes, name->count, making->storage);

    if (found) {
        const struct value path = value_text(found, strlen(found));
        event_map_path(&making->resolver, &making->arena, NULL, &path, true, out);
    } else {
        out->value = value_unknown_of(name);
        out->resolved = value_unknown();
    }
    out->given = *name;
}

static bool make_path(struct making *making, const struct stated_values *values,
                      const struct scene_reading *reading, struct attribute *out)
{
    const struct raw *raw = values->of[reading->attribute];
    if (raw->kind == RAW_UNKNOWN) {
        out->value = out->resolved = value_unknown();
        return true;
    }
    const char *directory = directory_of(making, values, reading->attribute);
    if (raw->kind == RAW_NONE && reading->attribute == ATTRIBUTE_CWD) { /* the caller's */
        if (!directory)
            return no_directory(making, raw);
        const struct value caller = value_text(directory, strlen(directory));
        event_map_path(&making->resolver, &making->arena, NULL, &caller, true, out);
        return true;
    }
    if (raw->kind == RAW_NONE)
        return true;
    if (raw->kind != RAW_STRING) {
        scene_value_does_not_fit(reading, raw);
        return false;
    }
    const struct value text = value_text(raw->text, raw->length);
    if (reading->operation_class == CLASS_CODE) { /* what code calls itself: nothing is opened */
        out->value = out->resolved = text;
        return true;
    }
    if (is_program_name(making, reading, raw)) {
        find_program(making, &text, out);
        return true;
    }
    if (is_relative(making, raw) && !directory &&
        !(values->of[ATTRIBUTE_CWD] && values->of[ATTRIBUTE_CWD]->kind == RAW_UNKNOWN))
        return no_directory(making, raw);
    event_map_path(&making->resolver, &making->arena, directory, &text,
                   follows_last_component(values), out);
    return true;
}

/* As the mapping does: what is connected to is where the kernel goes. */
static void reach_address(const struct making *making, struct attribute *attribute)
{
    struct value *value = &attribute->value;
    struct address address = {.width = (uint8_t)value->count};

    if (making->subject->windows || making->stated->operation_class != CLASS_CONNECT ||
        attribute->name != ATTRIBUTE_ADDRESS || value->kind != VALUE_BYTES || value->marks ||
        value->count > sizeof(address.bytes))
        return;
    memcpy(address.bytes, value->bytes, value->count);
    if (address_reach(&address))
        value->bytes = storage_copy(making->storage, (const char *)address.bytes, address.width);
}

static bool make_attribute(struct making *making, const struct stated_values *values,
                           enum attribute_name attribute, struct attribute *out)
{
    const struct scene_reading reading = {making->storage, making->diagnostics,
                                          making->stated->operation_class, attribute};

    *out = (struct attribute){.name = attribute};
    if (vocabulary_attribute_type(attribute) == TYPE_PATH &&
        reading.operation_class != CLASS_REGISTRY)
        return make_path(making, values, &reading, out);
    const bool right = scene_attribute(&reading, values->of[attribute], &out->value);
    if (right)
        reach_address(making, out);
    if (attribute == ATTRIBUTE_PATH) /* of the registry: nothing leads elsewhere */
        out->resolved = out->value;
    return right;
}

static bool take_event_name(struct making *making, const struct raw *raw)
{
    const enum operation_class operation_class = making->stated->operation_class;
    const struct literal name = {
        .kind = LITERAL_STRING, .span = raw->span, .text = raw->text, .length = raw->length};

    if (raw->kind != RAW_STRING) {
        report(making->diagnostics, ERROR_VALUE_DOES_NOT_FIT, raw->span,
               "the name of an event is a string");
        return false;
    }
    const struct event_entry *entry = find_event(making->diagnostics, &name);
    if (!entry)
        return false;
    if (!(entry->classes & (UINT32_C(1) << operation_class))) {
        report(making->diagnostics, ERROR_EVENT_OF_OTHER_CLASS, raw->span,
               "\"%s\" is never an operation of class `%s`", entry->name,
               vocabulary_class_name(operation_class));
        return false;
    }
    name_event(making->event, entry);
    return true;
}

/* Beside the address of a connection, in its place. */
static uint32_t add_host(const struct making *making, struct attribute *attributes, uint32_t count)
{
    struct value address = value_unknown();
    uint32_t at = 0;

    for (; at < count && attributes[at].name < ATTRIBUTE_HOST; at++)
        if (attributes[at].name == ATTRIBUTE_ADDRESS)
            address = attributes[at].value;
    memmove(&attributes[at + 1], &attributes[at], (count - at) * sizeof(*attributes));
    attributes[at] = (struct attribute){.name = ATTRIBUTE_HOST};
    name_address(making, &address, &attributes[at]);
    return count + 1;
}

static bool make_operation(struct making *making)
{
    struct operation *operation = storage_take(making->storage, 1, sizeof(*operation));
    struct attribute *attributes =
        storage_take(making->storage, EVENT_ATTRIBUTES_MAX, sizeof(*attributes));
    struct stated_values values;
    uint32_t count = 0;

    if (!operation || !attributes || !collect(making, &values) || !begin_arena(making, 0))
        return false;
    making->event->name = "";
    if (values.of[ATTRIBUTE_EVENT] && !take_event_name(making, values.of[ATTRIBUTE_EVENT]))
        return false;
    for (int i = ATTRIBUTE_NONE + 1; i < ATTRIBUTE_EVENT; i++)
        if (values.of[i] &&
            !make_attribute(making, &values, (enum attribute_name)i, &attributes[count++]))
            return false;
    if (making->stated->operation_class == CLASS_CONNECT && values.of[ATTRIBUTE_ADDRESS] &&
        !values.of[ATTRIBUTE_HOST])
        count = add_host(making, attributes, count);
    *operation = (struct operation){.operation_class = making->stated->operation_class,
                                    .attribute_count = count,
                                    .attributes = attributes};
    making->event->operations = operation;
    making->event->operation_count = 1;
    return true;
}

bool scene_event_make(const struct stated_event *stated, const struct scene_subject *subject,
                      struct storage *storage, struct diagnostics *diagnostics, struct event *out)
{
    struct making making = {.stated = stated,
                            .subject = subject,
                            .storage = storage,
                            .diagnostics = diagnostics,
                            .event = out};

    *out = (struct event){.number = EVENT_UNKNOWN};
    making.process = (struct given_process){subject, out, -1};
    making.resolver = given_process_resolver(&making.process);
    const bool right = stated->event ? make_event(&making) : make_operation(&making);
    return right && !storage->failed;
}
