#include "policies/scene/given_process.h"

#include <string.h>

static bool answer(const char *text, size_t length, char *buffer, size_t size)
{
    if (length >= size || memchr(text, '\0', length))
        return false;
    memcpy(buffer, text, length);
    buffer[length] = '\0';
    return true;
}

static bool caller_directory(void *context, char *buffer, size_t size)
{
    const struct given_process *process = context;
    const char *start = scene_subject_start(process->subject);

    return start && answer(start, strlen(start), buffer, size);
}

static int open_directories(void *context, int *descriptors, int max)
{
    (void)context;
    (void)descriptors;
    (void)max;
    return 0;
}

static bool resolve(void *context, const char *path, bool follow, char *buffer, size_t size)
{
    const struct given_process *process = context;
    return givens_resolve(process->subject->givens, path, follow, buffer, size);
}

static bool executable(void *context, const char *path)
{
    const struct given_process *process = context;
    return givens_have_program(process->subject->givens, path);
}

/* The program that an event searches PATH for is its first argument, or the first word of that. */
static bool searches_given_name(const struct given_process *process)
{
    const struct event *event = process->event;
    const struct value *name = event->argument_count > 0 ? &event->arguments[0] : NULL;

    if (name && name->kind == VALUE_LIST)
        name = name->count > 0 ? &name->items[0] : NULL;
    return name && (name->kind == VALUE_TEXT || name->kind == VALUE_BYTES) &&
           givens_have_name(process->subject->givens, name->bytes, name->count);
}

/* Which directories PATH holds nobody has said: it is known as far as the name is that is searched.
 */
static enum resolver_answer variable(void *context, const char *name, char *buffer, size_t size)
{
    const struct given_process *process = context;
    const char *path = process->subject->givens->search_path;

    if (strcmp(name, "PATH") != 0 || !path || !searches_given_name(process))
        return ANSWER_UNKNOWN;
    return answer(path, strlen(path), buffer, size) ? ANSWER_KNOWN : ANSWER_UNKNOWN;
}

static int socket_family(void *context, unsigned argument)
{
    const struct given_process *process = context;
    return argument == 0 ? process->socket_family : -1;
}

/* A test writes the name of a code object's file where the code stands. */
static bool code_filename(void *context, unsigned argument, char *buffer, size_t size)
{
    const struct given_process *process = context;
    const struct value *value = &process->event->arguments[argument];

    return value->kind == VALUE_TEXT && !value->marks &&
           answer(value->bytes, value->count, buffer, size);
}

static enum process_relation relation(void *context, int64_t pid)
{
    (void)context;
    return pid == 0 ? PROCESS_GROUP : PROCESS_OTHER;
}

struct event_resolver given_process_resolver(struct given_process *process)
{
    return (struct event_resolver){
        .context = process,
        .windows = process->subject->windows,
        .python_minor = process->subject->python_minor,
        .caller_directory = caller_directory,
        .open_directories = open_directories,
        .resolve = resolve,
        .executable = executable,
        .variable = variable,
        .socket_family = socket_family,
        .code_filename = code_filename,
        .relation = relation,
    };
}

int given_socket_family(const struct scene_subject *subject, const char *word, size_t length)
{
    /* bits/socket.h of Linux; winsock2.h and ws2def.h of Windows. */
    static const struct {
        const char *word;
        int linux_number;
        int windows_number;
    } families[] = {
        {"unix", 1, 1}, {"inet", 2, 2}, {"inet6", 10, 23}, {"netlink", 16, -1}, {"packet", 17, -1},
    };

    for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
        if (strlen(families[i].word) == length && memcmp(families[i].word, word, length) == 0)
            return subject->windows ? families[i].windows_number : families[i].linux_number;
    return -1;
}
