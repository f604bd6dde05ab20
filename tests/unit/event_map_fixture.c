#include "event_map_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policies/catalogue/catalogue.h"
#include "policies/engine/address.h"
#include "policies/engine/path_text.h"

enum {
    ARENA_SIZE = EVENT_MAP_SCRATCH + 16 * 1024, /* for what operations keep */
    TEXT_SIZE = 256 * 1024,
    LINKS_MAX = 40, /* followed in one path, as the kernel does */
};

static const struct {
    const char *path;
    const char *target;
} links[] = {
    {"/bin", "/usr/bin"},
    {"/usr/bin/sh", "dash"},
    {"/work/link", "/srv/target"},
    {"/work/out", "/etc/deep/dir"},
};

static const char *const executables[] = {
    "/usr/bin/id", "/usr/bin/dash", "/usr/bin/env", "/usr/bin/both",  "/usr/local/bin/tool",
    "/work/here",  "/work/bin/own", "/work/both",   "/child/bin/own", "/child/prog",
};

struct process usual_process(void)
{
    return (struct process){
        .socket_family = INET,
        .python_minor = 13,
        .path = "/usr/local/bin:/usr/bin:bin",
        .directory = "/work",
    };
}

static bool answer(const char *text, char *buffer, size_t size)
{
    const int length = snprintf(buffer, size, "%s", text);
    return length >= 0 && (size_t)length < size;
}

static bool caller_directory(void *context, char *buffer, size_t size)
{
    const struct process *process = context;
    return process->directory && answer(process->directory, buffer, size);
}

static enum resolver_answer descriptor_path(void *context, int64_t descriptor, char *buffer,
                                            size_t size)
{
    (void)context;
    switch (descriptor) {
    case 5:
        return answer("/srv/data", buffer, size) ? ANSWER_KNOWN : ANSWER_UNKNOWN;
    case 6:
        return answer("/srv/data/file", buffer, size) ? ANSWER_KNOWN : ANSWER_UNKNOWN;
    case 7:
        return ANSWER_NONE;
    case 15:
        return answer("/etc", buffer, size) ? ANSWER_KNOWN : ANSWER_UNKNOWN;
    default:
        return ANSWER_UNKNOWN;
    }
}

static int open_directories(void *context, int *descriptors, int max)
{
    const struct process *process = context;

    if (process->open_directories > max)
        return -1;
    for (int i = 0; i < process->open_directories; i++)
        descriptors[i] = i % 2 == 0 ? 5 : 15;
    return process->open_directories;
}

static const char *link_target(const char *path)
{
    for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
        if (strcmp(links[i].path, path) == 0)
            return links[i].target;
    return NULL;
}

/* Walks the path component by component, as the kernel does. */
static bool resolve(void *context, const char *path, bool follow, char *buffer, size_t size)
{
    char rest[4 * PATH_TEXT_MAX];
    unsigned followed = 0;
    size_t length = 0;
    (void)context;

    if (path[0] != '/' || !answer(path, rest, sizeof(rest)))
        return false;
    buffer[0] = '\0';
    for (char *at = rest; *at;) {
        char *slash = strchr(at, '/');
        const size_t part = slash ? (size_t)(slash - at) : strlen(at);
        char *behind = at + part + (slash ? 1 : 0);

        if (part == 2 && memcmp(at, "..", 2) == 0) {
            while (length > 0 && buffer[--length] != '/')
                ;
            buffer[length] = '\0';
        } else if (part > 0 && !(part == 1 && *at == '.')) {
            const size_t before = length;
            if (length + part + 2 > size)
                return false;
            buffer[length++] = '/';
            memcpy(buffer + length, at, part);
            length += part;
            buffer[length] = '\0';
            const char *target = link_target(buffer);
            if (target && (follow || behind[strspn(behind, "/")] != '\0')) {
                char longer[4 * PATH_TEXT_MAX];
                if (++followed > LINKS_MAX || snprintf(longer, sizeof(longer), "%s/%s", target,
                                                       behind) >= (int)sizeof(longer))
                    return false;
                length = target[0] == '/' ? 0 : before;
                buffer[length] = '\0';
                memcpy(rest, longer, strlen(longer) + 1);
                at = rest;
                continue;
            }
        }
        at = behind;
    }
    if (length == 0)
        return answer("/", buffer, size);
    return true;
}

bool fixture_resolves(const char *path, char *resolved, size_t size)
{
    return resolve(NULL, path, true, resolved, size);
}

static bool executable(void *context, const char *path)
{
    char resolved[PATH_TEXT_MAX];

    if (!resolve(context, path, true, resolved, sizeof(resolved)))
        return false;
    for (size_t i = 0; i < sizeof(executables) / sizeof(*executables); i++)
        if (strcmp(executables[i], resolved) == 0)
            return true;
    return false;
}

static enum resolver_answer variable(void *context, const char *name, char *buffer, size_t size)
{
    const struct process *process = context;

    if (strcmp(name, "COMSPEC") == 0 && process->windows)
        return answer("C:\\Windows\\cmd.exe", buffer, size) ? ANSWER_KNOWN : ANSWER_UNKNOWN;
    if (strcmp(name, "PATH") != 0 || !process->path)
        return ANSWER_NONE;
    return answer(process->path, buffer, size) ? ANSWER_KNOWN : ANSWER_UNKNOWN;
}

static bool environment(void *context, struct arena *arena, struct value *map)
{
    static const struct value pair[] = {TEXT("A"), TEXT("1")};
    (void)context;
    (void)arena;
    *map = (struct value){.kind = VALUE_MAP, .count = 1, .items = pair};
    return true;
}

static int socket_family(void *context, unsigned argument)
{
    const struct process *process = context;
    return argument == 0 ? process->socket_family : -1;
}

static bool socket_is_tied(void *context, unsigned argument)
{
    const struct process *process = context;
    return argument != 0 || process->socket_is_tied;
}

static bool host_names(void *context, const struct address *address, struct arena *arena,
                       struct value *names)
{
    static const struct address known[] = {
        {.width = ADDRESS_IPV4_BYTES, .bytes = {10, 0, 0, 1}},
        {.width = ADDRESS_IPV4_BYTES, .bytes = {127, 0, 0, 1}},
    };
    const struct process *process = context;

    if (!process->host_name || (!address_is_in(address, &known[0], address_bits(&known[0])) &&
                                !address_is_in(address, &known[1], address_bits(&known[1]))))
        return false;
    struct value *name = arena_zalloc(arena, 1, sizeof(*name));
    assert_non_null(name);
    *name = value_text(process->host_name, strlen(process->host_name));
    *names = (struct value){.kind = VALUE_LIST, .count = 1, .items = name};
    return true;
}

static bool code_filename(void *context, unsigned argument, char *buffer, size_t size)
{
    (void)context;
    return argument == 0 && answer("/work/code.py", buffer, size);
}

static enum process_relation relation(void *context, int64_t pid)
{
    (void)context;
    switch (pid) {
    case 100:
        return PROCESS_SELF;
    case 101:
        return PROCESS_CHILD;
    case 0:
        return PROCESS_GROUP;
    default:
        return PROCESS_OTHER;
    }
}

struct event map_event(const struct process *process, const char *name,
                       const struct value *arguments, size_t count)
{
    static _Alignas(max_align_t) unsigned char memory[ARENA_SIZE];
    static struct process copy;
    struct arena arena;
    const struct event_entry *entry = catalogue_find(name, strlen(name));
    struct event event = {
        .number = entry ? entry->number : EVENT_UNKNOWN,
        .name = name,
        .name_length = (uint32_t)strlen(name),
        .argument_count = (uint32_t)count,
        .arguments = arguments,
    };
    copy = *process;
    struct event_resolver resolver = {
        .context = &copy, .windows = process->windows, .python_minor = process->python_minor};
    if (!process->knows_nothing) {
        resolver.caller_directory = caller_directory;
        resolver.descriptor_path = descriptor_path;
        resolver.open_directories = open_directories;
        resolver.resolve = resolve;
        resolver.executable = executable;
        resolver.variable = variable;
        resolver.environment = environment;
        resolver.socket_family = socket_family;
        resolver.socket_is_tied = socket_is_tied;
        resolver.host_names = host_names;
        resolver.code_filename = code_filename;
        resolver.relation = relation;
    }
    arena_init(&arena, memory, sizeof(memory));
    assert_true(event_map(&event, &resolver, &arena));
    return event;
}

/* ---------------------------------------------------------------- as text */

static char text[TEXT_SIZE];
static size_t text_length;

static void write_bytes(const char *bytes, size_t length)
{
    assert_true(length < sizeof(text) - text_length);
    if (length > 0)
        memcpy(text + text_length, bytes, length);
    text_length += length;
    text[text_length] = '\0';
}

static void write_text(const char *string)
{
    write_bytes(string, strlen(string));
}

static void write_number(long long number)
{
    char digits[32];
    (void)snprintf(digits, sizeof(digits), "%lld", number);
    write_text(digits);
}

static void write_value(const struct value *value)
{
    switch ((enum value_kind)value->kind) {
    case VALUE_NONE:
        write_text("none");
        break;
    case VALUE_BOOL:
        write_text(value->truth ? "true" : "false");
        break;
    case VALUE_INT:
        write_number(value->integer);
        break;
    case VALUE_TEXT:
        write_bytes(value->bytes, value->count);
        break;
    case VALUE_BYTES:
        for (uint32_t i = 0; i < value->count; i++) {
            write_text(i > 0 ? "." : "");
            write_number((unsigned char)value->bytes[i]);
        }
        break;
    case VALUE_LIST:
        write_text("[");
        for (uint32_t i = 0; i < value->count; i++) {
            write_text(i > 0 ? "," : "");
            write_value(&value->items[i]);
        }
        write_text("]");
        break;
    case VALUE_MAP:
        write_text("{");
        for (uint32_t i = 0; i < value->count; i++) {
            write_text(i > 0 ? "," : "");
            write_value(&value->items[2 * (size_t)i]);
            write_text("=");
            write_value(&value->items[2 * (size_t)i + 1]);
        }
        write_text("}");
        break;
    default:
        break;
    }
    if (value->marks)
        write_text("?");
}

static bool same_text(const struct value *a, const struct value *b)
{
    return a->kind == b->kind && a->marks == b->marks && a->count == b->count &&
           (a->count == 0 || memcmp(a->bytes, b->bytes, a->count) == 0);
}

static void write_attribute(const struct attribute *attribute)
{
    write_text(" ");
    write_text(vocabulary_attribute_name(attribute->name));
    write_text("=");
    if (attribute->nameless) {
        write_text("nameless");
        return;
    }
    write_value(&attribute->value);
    if (vocabulary_attribute_type(attribute->name) == TYPE_PATH &&
        !(attribute->value.marks && attribute->resolved.marks) &&
        !same_text(&attribute->value, &attribute->resolved)) {
        write_text(">");
        write_value(&attribute->resolved);
    }
    if (attribute->given.kind != VALUE_NONE) {
        write_text("(");
        write_value(&attribute->given);
        write_text(")");
    }
}

const char *operations_text(const struct event *event)
{
    text_length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < event->operation_count; i++) {
        const struct operation *operation = &event->operations[i];
        write_text(i > 0 ? "; " : "");
        write_text(vocabulary_class_name(operation->operation_class));
        const enum attribute_name *name = vocabulary_class_attributes(operation->operation_class);
        for (; *name != ATTRIBUTE_NONE; name++) {
            const struct attribute *attribute = operation_attribute(operation, *name);
            if (attribute)
                write_attribute(attribute);
        }
    }
    return text;
}

void assert_mapping(const struct process *process, const char *name, const struct value *arguments,
                    size_t count, const char *expected, const char *file, int line)
{
    const struct event event = map_event(process, name, arguments, count);
    const char *found = operations_text(&event);

    if (strcmp(found, expected) != 0) {
        print_error("%s\n  expected: %s\n  found:    %s\n", name, expected, found);
        _fail(file, line);
    }
}
