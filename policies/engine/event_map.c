/* Every rule of the event's is tried in turn: its conditions say yes, no, or that nobody knows, and
 * only a clear no drops the operation. Doubt can therefore add operations and never lose one. An
 * attribute whose source is the same as that of an earlier operation of the event (the path of an
 * open that reads and writes) is copied, so that no question is asked twice. */
#include "policies/engine/event_map.h"

#include <string.h>

#include "policies/catalogue/catalogue.h"
#include "policies/catalogue/mapping.h"
#include "policies/engine/control_request.h"
#include "policies/engine/database_uri.h"
#include "policies/engine/event_mapper.h"
#include "policies/engine/exec_operation.h"
#include "policies/engine/path_attribute.h"
#include "policies/engine/socket_operation.h"
#include "policies/engine/windows_operation.h"

typedef bool source_function(struct mapper *mapper, const uint8_t *operands, struct attribute *out);

static enum truth as_truth(bool holds)
{
    return holds ? TRUTH_TRUE : TRUTH_FALSE;
}

/* ---------------------------------------------------------------- conditions */

static enum truth is_given(const struct value *value)
{
    return value->kind == VALUE_NONE && value->marks ? TRUTH_UNKNOWN
                                                     : as_truth(!value_is_none(value));
}

/* A subclass may have a __bool__ of its own. */
static enum truth is_true(const struct value *value)
{
    int64_t number;
    const bool known = value->marks == 0 && value_read_integer(value, &number);
    return known ? as_truth(number != 0) : TRUTH_UNKNOWN;
}

static enum truth is_descriptor(const struct value *value)
{
    int64_t number;
    return value_read_integer(value, &number) ? as_truth(number != -1) : TRUTH_UNKNOWN;
}

/* How `open` opens: from its flags or, where a C function opened by mode, from the mode. Numbers of
 * the systems' fcntl.h; Windows has others. */
struct opening {
    enum truth reads;
    enum truth writes;
};

static struct opening opening_of_mode(const struct value *mode)
{
    const bool plus = mode->count > 0 && memchr(mode->bytes, '+', mode->count);
    const bool read = mode->count > 0 && memchr(mode->bytes, 'r', mode->count);
    bool written = false;

    for (uint32_t i = 0; i < mode->count; i++)
        written =
            written || mode->bytes[i] == 'w' || mode->bytes[i] == 'a' || mode->bytes[i] == 'x';
    if (!read && !written && !plus)
        return (struct opening){TRUTH_UNKNOWN, TRUTH_UNKNOWN};
    return (struct opening){as_truth(read || plus), as_truth(written || plus)};
}

static struct opening opening_of_flags(const struct mapper *mapper, int64_t flags)
{
    enum {
        ACCESS_MODE = 3, /* O_RDONLY 0, O_WRONLY 1, O_RDWR 2; 3 is nothing that may be missed */
        WRITE_ONLY = 1,
        CHANGES_LINUX = 0100 | 01000 | 02000 | 020000000, /* CREAT, TRUNC, APPEND, TMPFILE */
        CHANGES_WINDOWS = 0x100 | 0x200 | 0x8 | 0x40,     /* CREAT, TRUNC, APPEND, TEMPORARY */
    };
    const int64_t access = flags & ACCESS_MODE;
    const int64_t changes = mapper->windows ? CHANGES_WINDOWS : CHANGES_LINUX;
    return (struct opening){as_truth(access != WRITE_ONLY),
                            as_truth(access != 0 || (flags & changes) != 0)};
}

static struct opening opening_of(const struct mapper *mapper, const uint8_t *operands)
{
    static const struct opening doubt = {TRUTH_UNKNOWN, TRUTH_UNKNOWN};
    static const struct opening nothing = {TRUTH_FALSE, TRUTH_FALSE};
    const struct value *path = mapper_argument(mapper, operands[0]);
    const struct value *mode = mapper_argument(mapper, operands[1]);
    int64_t number;

    if (value_read_descriptor(path, &number))
        return nothing; /* an open descriptor, not opened again */
    if (!value_read_integer(mapper_argument(mapper, operands[2]), &number))
        return doubt;
    if (number != 0 || value_is_none(mode))
        return opening_of_flags(mapper, number);
    if (!value_is_plain_text(mode))
        return doubt;
    /* What readline says when libreadline reads its own configuration (3.14). Mode and flags are
     * those of no other call, so that no file of this name hides behind it. */
    if (value_is_plain_text(path) && value_is_text(path, "<readline_init_file>") &&
        value_is_text(mode, "r"))
        return nothing;
    return opening_of_mode(mode);
}

/* Attributes that steer code; of the others that are announced, classes set some with each
 * statement. */
static enum truth is_steering(const struct value *name)
{
    static const char *const names[] = {"__code__", "__defaults__", "__kwdefaults__", "__class__",
                                        "__bases__"};
    if (!value_is_plain_text(name))
        return TRUTH_UNKNOWN;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (value_is_text(name, names[i]))
            return TRUTH_TRUE;
    return TRUTH_FALSE;
}

/* prlimit(2) takes 0 for the caller, unlike kill(2). */
static enum truth is_own_process(const struct mapper *mapper, const struct value *pid)
{
    const struct event_resolver *resolver = mapper->resolver;
    int64_t number;

    if (!value_read_integer(pid, &number))
        return TRUTH_UNKNOWN;
    if (number == 0)
        return TRUTH_TRUE;
    if (!resolver->relation)
        return TRUTH_UNKNOWN;
    return as_truth(resolver->relation(resolver->context, number) == PROCESS_SELF);
}

static enum truth condition_holds(struct mapper *mapper, const struct mapping_condition *condition)
{
    const uint8_t *operands = condition->operands;
    const struct value *first = mapper_argument(mapper, operands[0]);

    switch ((enum mapping_condition_word)condition->word) {
    case CONDITION_ALWAYS:
        return TRUTH_TRUE;
    case CONDITION_GIVEN:
        return is_given(first);
    case CONDITION_TRUE:
        return is_true(first);
    case CONDITION_DESCRIPTOR:
        return is_descriptor(first);
    case CONDITION_READING:
        return opening_of(mapper, operands).reads;
    case CONDITION_WRITING:
        return opening_of(mapper, operands).writes;
    case CONDITION_ON_FILE:
        return path_is_on_file(mapper, first);
    case CONDITION_ON_DISK:
        return database_is_on_disk(first);
    case CONDITION_BY_URI:
        return database_is_uri(first);
    case CONDITION_LINKED:
        return path_is_linked(mapper, operands);
    case CONDITION_STEERING:
        return is_steering(first);
    case CONDITION_UNSUFFIXED:
        return library_is_unsuffixed(first);
    case CONDITION_OWN_PROCESS:
        return is_own_process(mapper, first);
    case CONDITION_OTHER_PROCESS:
        return (enum truth)(TRUTH_TRUE - is_own_process(mapper, first));
    case CONDITION_LOOKED_UP:
        return host_is_looked_up(first);
    case CONDITION_ADDRESS_LOOKED_UP:
        return address_is_looked_up(mapper, operands[0], mapper_argument(mapper, operands[1]));
    case CONDITION_UNIX_PATH:
        return address_is_unix_path(mapper, operands[0], mapper_argument(mapper, operands[1]));
    case CONDITION_LOG_OPENED:
        return log_is_opened(first);
    case CONDITION_FILE_READING:
        return file_is_read(mapper, operands);
    case CONDITION_FILE_WRITING:
        return file_is_written(mapper, operands);
    case CONDITION_PIPE:
        return file_is_pipe(mapper, operands);
    case CONDITION_KEY_READING:
        return key_is_read(first);
    case CONDITION_KEY_WRITING:
        return key_is_written(first);
    case CONDITION_COUNT:
        break;
    }
    return TRUTH_UNKNOWN;
}

static bool rule_applies(struct mapper *mapper, const struct mapping_rule *rule)
{
    for (uint8_t i = 0; i < rule->condition_count; i++)
        if (condition_holds(mapper, &rule->conditions[i]) == TRUTH_FALSE)
            return false;
    return true;
}

/* ---------------------------------------------------------------- sources of values */

static bool source_true(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    (void)mapper;
    (void)operands;
    out->value = value_bool(true);
    return true;
}

static bool source_unknown(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    (void)mapper;
    (void)operands;
    out->value = value_unknown();
    out->resolved = value_unknown();
    return true;
}

static bool source_event(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    (void)operands;
    out->value = value_text(mapper->event->name, mapper->event->name_length);
    if (mapper->event->name_cut)
        out->value.marks |= VALUE_CUT;
    return true;
}

static bool source_text(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    out->value = value_as_text(mapper_argument(mapper, operands[0]));
    return true;
}

static bool source_first_text(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *list = mapper_argument(mapper, operands[0]);
    const bool certain = list->kind == VALUE_LIST && list->marks == 0 && list->count > 0;

    out->value = certain ? value_as_text(&list->items[0]) : value_unknown();
    return true;
}

static bool source_integer(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *written = mapper_argument(mapper, operands[0]);
    int64_t number;
    const bool known = value_read_integer(written, &number);

    out->value = known ? value_int(number) : value_unknown_of(written);
    return true;
}

/* The pid of a process group as kill(2) takes it; killpg refuses a negative number itself. */
static bool read_group(const struct mapper *mapper, uint8_t operand, int64_t *pid)
{
    int64_t group;

    if (!value_read_integer(mapper_argument(mapper, operand), &group) || group < 0)
        return false;
    *pid = -group;
    return true;
}

static bool source_negative(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    int64_t pid;
    out->value = read_group(mapper, operands[0], &pid) ? value_int(pid) : value_unknown();
    return true;
}

static struct value relation_word(const struct mapper *mapper, int64_t pid)
{
    const struct event_resolver *resolver = mapper->resolver;

    if (!resolver->relation)
        return value_unknown();
    switch (resolver->relation(resolver->context, pid)) {
    case PROCESS_SELF:
        return value_of_string("self");
    case PROCESS_CHILD:
        return value_of_string("child");
    case PROCESS_GROUP:
        return value_of_string("group");
    case PROCESS_OTHER:
        break;
    }
    return value_of_string("other");
}

static bool source_relation(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *written = mapper_argument(mapper, operands[0]);
    int64_t pid;
    const bool known = value_read_integer(written, &pid);

    out->value = known ? relation_word(mapper, pid) : value_unknown_of(written);
    return true;
}

static bool source_group_relation(struct mapper *mapper, const uint8_t *operands,
                                  struct attribute *out)
{
    int64_t pid;
    const bool known = read_group(mapper, operands[0], &pid);

    out->value = known ? relation_word(mapper, pid) : value_unknown();
    return true;
}

static bool source_limit_name(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    /* asm-generic/resource.h: x86-64 and arm64. */
    static const char *const names[] = {
        "RLIMIT_CPU",      "RLIMIT_FSIZE", "RLIMIT_DATA",   "RLIMIT_STACK",
        "RLIMIT_CORE",     "RLIMIT_RSS",   "RLIMIT_NPROC",  "RLIMIT_NOFILE",
        "RLIMIT_MEMLOCK",  "RLIMIT_AS",    "RLIMIT_LOCKS",  "RLIMIT_SIGPENDING",
        "RLIMIT_MSGQUEUE", "RLIMIT_NICE",  "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
    };
    int64_t number;

    out->value = value_unknown();
    if (value_read_integer(mapper_argument(mapper, operands[0]), &number) && number >= 0 &&
        number < (int64_t)(sizeof(names) / sizeof(*names)))
        out->value = value_of_string(names[number]);
    return true;
}

/* A number that is not 0 stands where the kernel takes an address, unless the request is one that
 * takes a number. What is no number is memory that CPython vouches for; an object that could be
 * either is left to the C boundary, which sees what it became. */
static bool is_address(const struct value *argument)
{
    switch ((enum value_kind)argument->kind) {
    case VALUE_INT:
        return argument->marks != 0 || argument->integer != 0;
    case VALUE_BIG_INT:
    case VALUE_FLOAT:
        return true;
    case VALUE_BOOL:
        return argument->truth;
    default:
        return false;
    }
}

static bool source_ioctl_request(struct mapper *mapper, const uint8_t *operands,
                                 struct attribute *out)
{
    source_integer(mapper, operands, out);
    if (out->value.kind == VALUE_INT && !ioctl_takes_number((uint32_t)out->value.integer) &&
        is_address(mapper_argument(mapper, operands[1])))
        out->value = value_unknown();
    return true;
}

static bool source_fcntl_request(struct mapper *mapper, const uint8_t *operands,
                                 struct attribute *out)
{
    source_integer(mapper, operands, out);
    if (out->value.kind == VALUE_INT && !fcntl_takes_number(out->value.integer) &&
        is_address(mapper_argument(mapper, operands[1])))
        out->value = value_unknown();
    return true;
}

/* SOURCE_LITERAL is no function: its text is in the table. */
static source_function *const sources[SOURCE_COUNT] = {
    [SOURCE_TRUE] = source_true,
    [SOURCE_UNKNOWN] = source_unknown,
    [SOURCE_EVENT] = source_event,
    [SOURCE_TEXT] = source_text,
    [SOURCE_FIRST_TEXT] = source_first_text,
    [SOURCE_INTEGER] = source_integer,
    [SOURCE_NEGATIVE] = source_negative,
    [SOURCE_RELATION] = source_relation,
    [SOURCE_GROUP_RELATION] = source_group_relation,
    [SOURCE_LIMIT_NAME] = source_limit_name,
    [SOURCE_IOCTL_REQUEST] = source_ioctl_request,
    [SOURCE_FCNTL_REQUEST] = source_fcntl_request,
    [SOURCE_PATH] = source_path,
    [SOURCE_ENTRY] = source_entry,
    [SOURCE_PATH_OR_DIRECTORY] = source_path_or_directory,
    [SOURCE_OPENED] = source_opened,
    [SOURCE_DATABASE] = source_database,
    [SOURCE_URI_PATH] = source_uri_path,
    [SOURCE_LIBRARY] = source_library,
    [SOURCE_LIBRARY_WITH_SUFFIX] = source_library_with_suffix,
    [SOURCE_LIBRARY_NAME] = source_library_name,
    [SOURCE_OPENED_LIBRARY] = source_opened_library,
    [SOURCE_SAID_FILE] = source_said_file,
    [SOURCE_CODE_FILE] = source_code_file,
    [SOURCE_POPEN_PROGRAM] = source_popen_program,
    [SOURCE_SPAWNED_PROGRAM] = source_spawned_program,
    [SOURCE_SEARCHED_PROGRAM] = source_searched_program,
    [SOURCE_LISTED_PROGRAM] = source_listed_program,
    [SOURCE_SYSTEM_SHELL] = source_system_shell,
    [SOURCE_PROCESS_PROGRAM] = source_process_program,
    [SOURCE_STARTED_PROGRAM] = source_started_program,
    [SOURCE_ARGUMENTS] = source_arguments,
    [SOURCE_SYSTEM_ARGUMENTS] = source_system_arguments,
    [SOURCE_JOINED_ARGUMENTS] = source_joined_arguments,
    [SOURCE_CALLER_DIRECTORY] = source_caller_directory,
    [SOURCE_DIRECTORY] = source_directory,
    [SOURCE_ENVIRONMENT] = source_environment,
    [SOURCE_PROCESS_ENVIRONMENT] = source_process_environment,
    [SOURCE_IS_SHELL] = source_is_shell,
    [SOURCE_OPENED_PROGRAM] = source_opened_program,
    [SOURCE_FAMILY_NAME] = source_family_name,
    [SOURCE_KIND_NAME] = source_kind_name,
    [SOURCE_PROTOCOL] = source_protocol,
    [SOURCE_FAMILY] = source_family,
    [SOURCE_ADDRESS] = source_address,
    [SOURCE_PEER] = source_peer,
    [SOURCE_PORT] = source_port,
    [SOURCE_HOST] = source_host,
    [SOURCE_SOCKET_PATH] = source_socket_path,
    [SOURCE_SOCKET_ENTRY] = source_socket_entry,
    [SOURCE_LOG_SOCKET] = source_log_socket,
    [SOURCE_CREATED_FILE] = source_created_file,
    [SOURCE_PIPE_NAME] = source_pipe_name,
    [SOURCE_COMPUTER] = source_computer,
    [SOURCE_KEY] = source_key,
};

/* ---------------------------------------------------------------- operations */

/* The rules that made the operations so far, for attributes that are asked for again: those from
 * `first` on, which share what relative paths are taken from. */
struct made {
    const struct mapping_rule *rules[EVENT_OPERATIONS_MAX];
    struct operation *operations;
    uint32_t first;
    uint32_t count;
};

static bool same_source(const struct mapping_attribute *a, const struct mapping_attribute *b)
{
    return a->name == b->name && a->source == b->source && a->source != SOURCE_LITERAL &&
           memcmp(a->operands, b->operands, sizeof(a->operands)) == 0;
}

/* True if an earlier operation came from the same source; `found` is then its attribute, or NULL if
 * it had none. */
static bool made_before(const struct made *made, const struct mapping_attribute *wanted,
                        const struct attribute **found)
{
    for (uint32_t i = made->first; i < made->count; i++)
        for (uint8_t j = 0; j < made->rules[i]->attribute_count; j++)
            if (same_source(&made->rules[i]->attributes[j], wanted)) {
                *found =
                    operation_attribute(&made->operations[i], (enum attribute_name)wanted->name);
                return true;
            }
    return false;
}

static bool make_attribute(struct mapper *mapper, const struct made *made,
                           const struct mapping_attribute *source, struct attribute *out)
{
    const struct attribute *found;

    *out = (struct attribute){.name = (enum attribute_name)source->name};
    if (source->source == SOURCE_LITERAL) {
        out->value = value_of_string(catalogue_literal(source));
        return true;
    }
    if (made_before(made, source, &found)) {
        if (found)
            *out = *found;
        return found != NULL;
    }
    return sources[source->source](mapper, source->operands, out);
}

static bool make_operation(struct mapper *mapper, struct made *made,
                           const struct mapping_rule *rule)
{
    struct attribute *attributes =
        arena_zalloc(mapper->arena, rule->attribute_count, sizeof(*attributes));

    if (!attributes)
        return false;
    mapper->attributes = attributes;
    mapper->attribute_count = 0;
    for (uint8_t i = 0; i < rule->attribute_count; i++)
        if (make_attribute(mapper, made, &rule->attributes[i],
                           &attributes[mapper->attribute_count]))
            mapper->attribute_count++;

    made->rules[made->count] = rule;
    made->operations[made->count] =
        (struct operation){.operation_class = (enum operation_class)rule->operation_class,
                           .attribute_count = mapper->attribute_count,
                           .attributes = attributes};
    made->count++;
    return true;
}

/* An event that the catalogue does not have: a newer CPython's, or a program's own. */
static const struct mapping_rule rule_of_unknown_events = {
    .operation_class = CLASS_OTHER,
    .condition_count = 1,
    .conditions = {{.word = CONDITION_ALWAYS}},
    .attribute_count = 1,
    .attributes = {{.name = ATTRIBUTE_NAME, .source = SOURCE_EVENT}},
};

/* The directories that relative paths of the event could be in; 1 and NULL where that is no
 * question. */
static uint32_t opened_bases(struct mapper *mapper, const struct mapping_rule *rules, size_t count,
                             const char *bases[OPENED_BASES_MAX])
{
    for (size_t i = 0; i < count; i++)
        for (uint8_t j = 0; j < rules[i].attribute_count; j++)
            if (rules[i].attributes[j].source == SOURCE_OPENED)
                return path_opened_bases(mapper, rules[i].attributes[j].operands, bases);
    bases[0] = NULL;
    return 1;
}

static bool make_operations(struct mapper *mapper, struct made *made)
{
    const char *bases[OPENED_BASES_MAX];
    size_t count;
    const struct mapping_rule *rules = catalogue_rules(mapper->event->number, &count);

    if (!rules) {
        rules = &rule_of_unknown_events;
        count = 1;
    }
    if (count == 0)
        return true;
    const uint32_t base_count = opened_bases(mapper, rules, count, bases);
    if (count * base_count > EVENT_OPERATIONS_MAX)
        return false;
    made->operations = arena_zalloc(mapper->arena, count * base_count, sizeof(*made->operations));
    if (!made->operations)
        return false;
    for (uint32_t base = 0; base < base_count; base++) {
        mapper->opened_base = bases[base];
        made->first = made->count;
        for (size_t i = 0; i < count; i++)
            if (rule_applies(mapper, &rules[i]) && !make_operation(mapper, made, &rules[i]))
                return false;
    }
    return true;
}

bool event_map(struct event *event, const struct event_resolver *resolver, struct arena *arena)
{
    const struct event_entry *entry = catalogue_event(event->number);
    const bool was_exhausted = arena->exhausted;
    struct made made = {.count = 0};
    struct mapper mapper = {
        .event = event,
        .resolver = resolver,
        .arena = arena,
        .windows = resolver->windows || (entry && entry->platforms == PLATFORM_WINDOWS),
    };

    event->operation_count = 0;
    event->operations = NULL;
    arena->exhausted = false;
    const bool fits = make_operations(&mapper, &made) && !arena->exhausted;
    arena->exhausted = arena->exhausted || was_exhausted;
    if (!fits)
        return false;
    event->operation_count = made.count;
    event->operations = made.operations;
    return true;
}
