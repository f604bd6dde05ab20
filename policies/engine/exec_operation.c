#include "policies/engine/exec_operation.h"

#include <string.h>

#include "policies/engine/path_attribute.h"
#include "policies/engine/path_text.h"

enum {
    /* Directories of PATH that are looked at; a longer one makes the file unknown. Each costs a
     * system call, and the child's environment is the caller's to write. */
    SEARCH_MAX = 256,
    PATH_VARIABLE_MAX = 16 * 1024, /* bytes of PATH; a longer one is unknown */
};

/* What CPython (os.defpath) and glibc (confstr _CS_PATH) search where there is no PATH. */
static const char default_search_path[] = "/bin:/usr/bin";

/* A search along PATH. `directory` is what relative parts of it are relative to. */
struct search {
    const char *path; /* NULL: not known */
    size_t path_length;
    const char *directory; /* NULL: not known */
};

static bool has_slash(const struct value *name)
{
    return name->count > 0 && memchr(name->bytes, '/', name->count) != NULL;
}

static bool is_executable(const struct mapper *mapper, const char *path)
{
    return mapper->resolver->executable(mapper->resolver->context, path);
}

/* The first candidate that is there: TRUTH_TRUE and `found`, absolute, not normalised, in the
 * arena. TRUTH_FALSE if there is none. */
static enum truth search_along_path(struct mapper *mapper, const struct search *search,
                                    const struct value *name, const char **found)
{
    size_t at = 0;

    if (!search->path || !mapper->resolver->executable)
        return TRUTH_UNKNOWN;
    for (unsigned count = 0; count < SEARCH_MAX; count++) {
        const char *part = search->path + at;
        const char *colon = memchr(part, ':', search->path_length - at);
        const size_t length = colon ? (size_t)(colon - part) : search->path_length - at;

        /* An empty part is the child's directory. */
        const char *base =
            length > 0 ? path_join(mapper, search->directory, part, length) : search->directory;
        const char *candidate = base ? path_join(mapper, base, name->bytes, name->count) : NULL;
        if (!candidate)
            return TRUTH_UNKNOWN; /* a directory that is not known might hold it */
        if (is_executable(mapper, candidate)) {
            *found = candidate;
            return TRUTH_TRUE;
        }
        arena_trim(mapper->arena, length > 0 ? base : candidate, 0);
        if (!colon)
            return TRUTH_FALSE;
        at += length + 1;
    }
    return TRUTH_UNKNOWN;
}

/* Sets the file to `path`, which came of `name`. */
static void set_found(struct mapper *mapper, const struct value *name, const char *path,
                      struct attribute *out)
{
    path_attribute_from_text(mapper, NULL, path, strlen(path), LAST_FOLLOWED, out);
    out->given = value_as_text(name);
}

static void set_searched(struct mapper *mapper, const struct search *search,
                         const struct value *name, struct attribute *out)
{
    const char *found;

    switch (search_along_path(mapper, search, name, &found)) {
    case TRUTH_TRUE:
        set_found(mapper, name, found, out);
        break;
    case TRUTH_FALSE:
        path_attribute_verbatim(name, out);
        break;
    default:
        path_attribute_unknown(name, out);
    }
}

/* PATH of the calling process. */
static void search_own_path(struct mapper *mapper, struct search *search)
{
    const struct event_resolver *resolver = mapper->resolver;

    if (!resolver->variable)
        return;
    char *buffer = arena_alloc(mapper->arena, PATH_VARIABLE_MAX);
    if (!buffer)
        return;
    switch (resolver->variable(resolver->context, "PATH", buffer, PATH_VARIABLE_MAX)) {
    case ANSWER_KNOWN:
        search->path = buffer;
        break;
    case ANSWER_NONE:
        search->path = default_search_path;
        break;
    default:
        break;
    }
    search->path_length = search->path ? strlen(search->path) : 0;
    arena_trim(mapper->arena, buffer, search->path == buffer ? search->path_length + 1 : 0);
}

/* PATH of the environment that the child gets, as os.get_exec_path reads it: a dict with a text or
 * bytes for a key, not both. */
static void search_path_of(struct mapper *mapper, const struct value *environment,
                           struct search *search)
{
    if (value_is_none(environment)) {
        search_own_path(mapper, search);
        return;
    }
    if (environment->kind != VALUE_MAP || environment->marks)
        return;

    const struct value *path = NULL;
    for (uint32_t i = 0; i < environment->count; i++) {
        const struct value *key = &environment->items[2 * (size_t)i];
        if (!value_is_plain_text(key))
            return; /* what it is equal to, only it can tell */
        if (!value_is_text(key, "PATH"))
            continue;
        if (path)
            return;
        path = key + 1;
    }
    if (path && !value_is_plain_text(path))
        return;
    search->path = path && path->count > 0 ? path->bytes : "";
    search->path_length = path ? path->count : 0;
    if (!path) {
        search->path = default_search_path;
        search->path_length = strlen(default_search_path);
    }
}

bool source_popen_program(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *executable = mapper_argument(mapper, operands[0]);
    const struct value *cwd = mapper_argument(mapper, operands[1]);

    if (!value_is_plain_text(executable) || mapper->windows) {
        path_attribute_unknown(executable, out);
        return true;
    }
    struct search search = {.directory = path_below_caller(mapper, cwd)};
    if (executable->count == 0 || has_slash(executable)) {
        path_attribute_from_text(mapper, search.directory, executable->bytes, executable->count,
                                 LAST_FOLLOWED, out);
        return true;
    }
    search_path_of(mapper, mapper_argument(mapper, operands[2]), &search);
    set_searched(mapper, &search, executable, out);
    return true;
}

/* os.posix_spawn takes a name from the directory, os.posix_spawnp searches PATH for it, and both
 * raise the same event. Where only one of the two finds something, the other one fails. */
bool source_spawned_program(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *name = mapper_argument(mapper, operands[0]);
    const char *found = NULL;

    if (!value_is_plain_text(name)) {
        path_attribute_unknown(name, out);
        return true;
    }
    struct search search = {.directory = mapper_directory(mapper)};
    if (name->count == 0 || has_slash(name)) {
        path_attribute_from_text(mapper, search.directory, name->bytes, name->count, LAST_FOLLOWED,
                                 out);
        return true;
    }
    const char *here = path_join(mapper, search.directory, name->bytes, name->count);
    search_own_path(mapper, &search);
    const enum truth searched = search_along_path(mapper, &search, name, &found);

    path_attribute_unknown(name, out);
    if (!here || searched == TRUTH_UNKNOWN)
        return true;
    const bool is_here = is_executable(mapper, here);
    if (!is_here && searched == TRUTH_FALSE)
        path_attribute_verbatim(name, out);
    else if (!is_here)
        set_found(mapper, name, found, out);
    else if (searched == TRUTH_FALSE || strcmp(here, found) == 0)
        set_found(mapper, name, here, out);
    return true;
}

/* pty.spawn: os.execlp of the first argument, along PATH of os.environ. */
bool source_searched_program(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *argv = mapper_argument(mapper, operands[0]);

    if (argv->kind != VALUE_LIST || (argv->marks & ~VALUE_CUT) || argv->count == 0 ||
        !value_is_plain_text(&argv->items[0])) {
        path_attribute_unknown(argv, out);
        return true;
    }
    const struct value *name = &argv->items[0];
    struct search search = {.directory = mapper_directory(mapper)};
    if (name->count == 0 || has_slash(name)) {
        path_attribute_from_text(mapper, search.directory, name->bytes, name->count, LAST_FOLLOWED,
                                 out);
        return true;
    }
    search_own_path(mapper, &search);
    set_searched(mapper, &search, name, out);
    return true;
}

/* _posixsubprocess.fork_exec: candidates in turn. The directory that the child changes to is not in
 * the event, so a relative one could be any file. */
bool source_listed_program(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *list = mapper_argument(mapper, operands[0]);

    path_attribute_unknown(list, out);
    if (list->kind != VALUE_LIST || list->marks || list->count == 0 || list->count > SEARCH_MAX)
        return true;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct value *item = &list->items[i];
        if (!value_is_plain_text(item) || item->count == 0 || item->bytes[0] != '/')
            return true;
        const bool only = list->count == 1;
        const char *path = path_join(mapper, NULL, item->bytes, item->count);
        if (!path || (!only && !mapper->resolver->executable))
            return true;
        if (only || is_executable(mapper, path)) {
            path_attribute_from_text(mapper, NULL, item->bytes, item->count, LAST_FOLLOWED, out);
            return true;
        }
        arena_trim(mapper->arena, path, 0);
    }
    /* None of them is there: nothing is started, and the first is as good a name as any. */
    path_attribute_verbatim(&list->items[0], out);
    return true;
}

bool source_system_shell(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    static const char shell[] = "/bin/sh"; /* _PATH_BSHELL of libc */
    const struct event_resolver *resolver = mapper->resolver;
    (void)operands;

    if (!mapper->windows) {
        path_attribute_from_text(mapper, NULL, shell, strlen(shell), LAST_FOLLOWED, out);
        return true;
    }
    out->value = value_unknown();
    out->resolved = value_unknown();
    char *buffer = resolver->variable ? arena_alloc(mapper->arena, PATH_VARIABLE_MAX) : NULL;
    if (!buffer)
        return true;
    const bool known =
        resolver->variable(resolver->context, "COMSPEC", buffer, PATH_VARIABLE_MAX) == ANSWER_KNOWN;
    const size_t length = known ? strlen(buffer) : 0;
    arena_trim(mapper->arena, buffer, known ? length + 1 : 0);
    if (known)
        path_attribute_from_text(mapper, NULL, buffer, length, LAST_FOLLOWED, out);
    return true;
}

bool source_arguments(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    out->value = value_as_texts(mapper, mapper_argument(mapper, operands[0]));
    return true;
}

bool source_system_arguments(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    struct value *items = arena_zalloc(mapper->arena, 3, sizeof(*items));

    out->value = value_unknown();
    if (!items)
        return true;
    items[0] = value_of_string(mapper->windows ? "cmd.exe" : "sh");
    items[1] = value_of_string(mapper->windows ? "/c" : "-c");
    items[2] = value_as_text(mapper_argument(mapper, operands[0]));
    out->value = (struct value){.kind = VALUE_LIST, .count = 3, .items = items};
    return true;
}

/* A map whose keys and values are texts. */
static struct value map_of_texts(struct mapper *mapper, const struct value *map)
{
    struct value texts = *map;
    struct value *items = arena_zalloc(mapper->arena, 2 * (size_t)map->count, sizeof(*items));

    if (!items)
        return value_unknown();
    for (size_t i = 0; i < 2 * (size_t)map->count; i++)
        items[i] = value_as_text(&map->items[i]);
    texts.items = items;
    return texts;
}

/* The shape that _posixsubprocess.fork_exec has: NAME=VALUE, as execve(2) takes it. */
static struct value map_of_assignments(struct mapper *mapper, const struct value *list)
{
    struct value map = {.kind = VALUE_MAP, .marks = list->marks, .count = list->count};
    struct value *items = arena_zalloc(mapper->arena, 2 * (size_t)list->count, sizeof(*items));

    if (!items)
        return value_unknown();
    for (uint32_t i = 0; i < list->count; i++) {
        const struct value text = value_as_text(&list->items[i]);
        const char *equals =
            text.kind == VALUE_TEXT && text.count > 0 ? memchr(text.bytes, '=', text.count) : NULL;
        struct value *pair = &items[2 * (size_t)i];
        pair[0] = text;
        pair[1] = text.marks ? value_unknown() : value_text("", 0);
        if (!equals || text.marks)
            continue; /* no assignment: a name alone, which passes nothing on */
        const size_t name = (size_t)(equals - text.bytes);
        pair[0] = value_text(text.bytes, name);
        pair[1] = value_text(equals + 1, text.count - name - 1);
    }
    map.items = items;
    return map;
}

bool source_process_environment(struct mapper *mapper, const uint8_t *operands,
                                struct attribute *out)
{
    const struct event_resolver *resolver = mapper->resolver;
    const bool was_exhausted = mapper->arena->exhausted;
    (void)operands;

    if (!resolver->environment ||
        !resolver->environment(resolver->context, mapper->arena, &out->value)) {
        out->value = value_unknown();
        return true;
    }
    /* What did not fit is marked as cut: that is an answer, not a failure. */
    mapper->arena->exhausted = was_exhausted;
    return true;
}

bool source_environment(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *environment = mapper_argument(mapper, operands[0]);

    if (value_is_none(environment))
        return source_process_environment(mapper, operands, out);
    if (environment->kind == VALUE_MAP)
        out->value = map_of_texts(mapper, environment);
    else if (environment->kind == VALUE_LIST)
        out->value = map_of_assignments(mapper, environment);
    else
        out->value = value_unknown();
    return true;
}

/* True if the last component of a path, without .exe, is one of the names, which end with NULL. */
static bool is_named(const struct value *path, const char *const *names)
{
    size_t start = path->count;
    size_t end = path->count;

    while (start > 0 && path->bytes[start - 1] != '/' && path->bytes[start - 1] != '\\')
        start--;
    if (end - start > 4 && memcmp(path->bytes + end - 4, ".exe", 4) == 0)
        end -= 4;
    for (; *names; names++)
        if (strlen(*names) == end - start && memcmp(path->bytes + start, *names, end - start) == 0)
            return true;
    return false;
}

/* Reads the options before the first operand, as sh(1) does: letters run together, -o and -O take a
 * word, and so do two of bash's long options. */
static enum truth options_have_command(const struct value *argv)
{
    for (uint32_t i = 1; i < argv->count; i++) {
        const struct value *word = &argv->items[i];
        if (!value_is_plain_text(word))
            return TRUTH_UNKNOWN;
        if (word->count < 2 || (word->bytes[0] != '-' && word->bytes[0] != '+'))
            return TRUTH_FALSE;
        if (word->bytes[1] == '-') {
            if (word->count == 2)
                return TRUTH_FALSE;
            if (value_is_text(word, "--rcfile") || value_is_text(word, "--init-file"))
                i++;
            continue;
        }
        if (word->bytes[0] == '-' && memchr(word->bytes, 'c', word->count))
            return TRUTH_TRUE;
        const char last = word->bytes[word->count - 1];
        if (last == 'o' || last == 'O')
            i++;
    }
    return argv->marks ? TRUTH_UNKNOWN : TRUTH_FALSE;
}

/* cmd.exe: /c and /k, also run together with others (/d/c). */
static enum truth switches_have_command(const struct value *argv)
{
    for (uint32_t i = 1; i < argv->count; i++) {
        const struct value *word = &argv->items[i];
        if (!value_is_plain_text(word))
            return TRUTH_UNKNOWN;
        for (size_t at = 0; at + 1 < word->count; at++)
            if (word->bytes[at] == '/' &&
                ((word->bytes[at + 1] | 0x20) == 'c' || (word->bytes[at + 1] | 0x20) == 'k'))
                return TRUTH_TRUE;
    }
    return argv->marks ? TRUTH_UNKNOWN : TRUTH_FALSE;
}

static enum truth reads_command_line(const struct attribute *file, const struct value *argv)
{
    static const char *const shells[] = {"sh",   "bash",  "dash", "ash",  "zsh",
                                         "ksh",  "ksh93", "mksh", "yash", "rbash",
                                         "rzsh", "csh",   "tcsh", "fish", NULL};
    static const char *const command_prompts[] = {"cmd", NULL};
    const struct value *forms[] = {&file->value, &file->resolved};
    bool shell = false;
    bool command_prompt = false;
    bool certain = true;

    for (size_t i = 0; i < 2; i++) {
        if (forms[i]->kind != VALUE_TEXT || forms[i]->marks) {
            certain = false;
            continue;
        }
        shell = shell || is_named(forms[i], shells);
        command_prompt = command_prompt || is_named(forms[i], command_prompts);
    }
    if (!shell && !command_prompt)
        return certain ? TRUTH_FALSE : TRUTH_UNKNOWN;
    if (argv->kind != VALUE_LIST || (argv->marks & ~VALUE_CUT))
        return TRUTH_UNKNOWN;
    return command_prompt ? switches_have_command(argv) : options_have_command(argv);
}

/* True where a shell is started that takes a command line from its arguments. */
bool source_is_shell(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct attribute *file = mapper_attribute(mapper, ATTRIBUTE_FILE);
    const struct attribute *argv = mapper_attribute(mapper, ATTRIBUTE_ARGV);
    const enum truth truth = file && argv ? reads_command_line(file, &argv->value) : TRUTH_UNKNOWN;
    (void)operands;

    out->value = truth == TRUTH_UNKNOWN ? value_unknown() : value_bool(truth == TRUTH_TRUE);
    return true;
}

/* A file that the C boundary has opened: the name that it was asked for by, and what the kernel
 * calls the file that was found. None for a name: there is no such file. */
bool source_opened_program(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *name = mapper_argument(mapper, operands[0]);
    const struct value *file = mapper_argument(mapper, operands[1]);

    if (value_is_none(name))
        return false;
    path_attribute_unknown(name, out);
    if (value_is_plain_text(file) && file->count > 0 && file->bytes[0] == '/')
        out->resolved = value_as_text(file);
    if (!value_is_plain_text(name) || name->count == 0)
        return true;
    const char *directory = name->bytes[0] == '/' ? NULL : mapper_directory(mapper);
    char *written = arena_alloc(mapper->arena, PATH_TEXT_MAX);
    if (!written)
        return true;
    const size_t length =
        path_normalise(directory, name->bytes, name->count, written, PATH_TEXT_MAX);
    arena_trim(mapper->arena, written, length > 0 ? length + 1 : 0);
    if (length == 0)
        return true;
    out->value = value_text(written, length);
    out->given = value_none();
    if (length != name->count || memcmp(written, name->bytes, length) != 0)
        out->given = value_as_text(name);
    return true;
}
