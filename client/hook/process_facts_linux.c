#define _GNU_SOURCE
#include "client/hook/process_facts.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/hook/elf_symbols.h"
#include "client/hook/inherited_environment.h"
#include "client/hook/own_file.h"
#include "client/hook/process_resolver.h"
#include "client/hook/work_memory.h"
#include "policies/engine/path_text.h"
#include "policies/engine/subject.h"
#include "proto/host_paths.h"

enum {
    ARGUMENTS_SIZE_MAX = 16 * 1024, /* bytes of argv that are told */
    ARGUMENTS_MAX = 64,
    PLACE_PATHS_MAX = 12, /* of one place */
    RUN_TOKEN_SIZE_MAX = 64,
    PID_ELSEWHERE = 0, /* of a process in a namespace of PIDs that is out of sight */
};

/* ------------------------------------------------------------------------------------- arguments
 */

/* What argv was when the hook came, each text with its end. */
static char noted[ARGUMENTS_SIZE_MAX];
static size_t noted_size;

void process_facts_note_arguments(char *const *arguments)
{
    noted_size = 0;
    for (; arguments && *arguments && noted_size < sizeof(noted); arguments++) {
        const size_t left = sizeof(noted) - noted_size;
        const size_t length = strnlen(*arguments, left - 1) + 1;
        memcpy(noted + noted_size, *arguments, length - 1);
        noted[noted_size + length - 1] = '\0';
        noted_size += length;
    }
}

/* The bytes of the command line, ARGUMENTS_SIZE_MAX at most; 0 or less: unknown. */
static ssize_t read_command_line(char *text, bool *cut)
{
    char more;
    const int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);

    if (file < 0) {
        memcpy(text, noted, noted_size);
        *cut = noted_size == sizeof(noted);
        return (ssize_t)noted_size;
    }
    const ssize_t size = read(file, text, ARGUMENTS_SIZE_MAX);
    *cut = size == ARGUMENTS_SIZE_MAX && read(file, &more, 1) == 1;
    close(file);
    return size;
}

/* argv as the kernel keeps it. Returns how many there are; texts live in the arena. */
static size_t read_arguments(struct arena *arena, char **arguments, bool *cut)
{
    char *text = arena_alloc(arena, ARGUMENTS_SIZE_MAX + 1);
    size_t count = 0;

    *cut = false;
    if (!text)
        return 0;
    const ssize_t size = read_command_line(text, cut);
    if (size <= 0)
        return 0;
    text[size] = '\0';
    for (ssize_t at = 0; at < size; at += (ssize_t)strlen(text + at) + 1) {
        if (count == ARGUMENTS_MAX) {
            *cut = true;
            break;
        }
        arguments[count++] = text + at;
    }
    return count;
}

/* What CPython will run, found as its command line is read (Python/initconfig.c): a file, "-c", or
 * "-m NAME". NULL if nothing but standard input is left. */
static const char *find_script(char **arguments, size_t count, struct arena *arena)
{
    for (size_t i = 1; i < count; i++) {
        const char *argument = arguments[i];
        if (argument[0] != '-')
            return argument;
        if (strcmp(argument, "-") == 0)
            return NULL;
        if (strncmp(argument, "--", 2) == 0) {
            if (strcmp(argument, "--check-hash-based-pycs") == 0)
                i++;
            continue;
        }
        for (const char *option = argument + 1; *option; option++) {
            if (*option == 'c')
                return "-c";
            if (*option == 'm') {
                const char *name = option[1] ? option + 1 : i + 1 < count ? arguments[i + 1] : "";
                char *script = arena_alloc(arena, strlen(name) + 4);
                if (script)
                    snprintf(script, strlen(name) + 4, "-m %s", name);
                return script;
            }
            if (*option == 'W' || *option == 'X') {
                if (!option[1])
                    i++;
                break;
            }
        }
    }
    return NULL;
}

/* ---------------------------------------------------------------------------------------- places
 */

static bool is_directory(const char *path)
{
    struct statx status;
    return statx(AT_FDCWD, path, 0, STATX_TYPE, &status) == 0 && S_ISDIR(status.stx_mode);
}

static bool is_file(const char *path)
{
    struct statx status;
    return statx(AT_FDCWD, path, 0, STATX_TYPE, &status) == 0 && S_ISREG(status.stx_mode);
}

/* Where the paths are put together. */
struct place_buffers {
    char started[PATH_MAX];
    char prefix[PATH_MAX];
    char candidate[PATH_MAX];
    char below[PATH_MAX];
    char resolved[PATH_MAX];
};
_Static_assert(sizeof(struct place_buffers) <= WORK_MEMORY_SIZE, "they have a block");

struct place_list {
    Warder__V1__PlacePaths *message;
    struct arena *arena;
    struct place_buffers *paths;
};

static bool has_path(const ProtobufCBinaryData *paths, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (paths[i].len == strlen(path) && memcmp(paths[i].data, path, paths[i].len) == 0)
            return true;
    return false;
}

/* `settled`: the subject could put nothing there. */
static void place_add(struct place_list *list, const char *path, bool settled)
{
    char *resolved = list->paths->resolved;
    Warder__V1__PlacePaths *message = list->message;

    if (message->n_paths + message->n_writable == PLACE_PATHS_MAX || !is_directory(path) ||
        !process_resolve_path(path, true, resolved, PATH_MAX) ||
        has_path(message->paths, message->n_paths, resolved) ||
        has_path(message->writable, message->n_writable, resolved))
        return;
    const char *copy = arena_copy(list->arena, resolved, strlen(resolved));
    if (copy && settled)
        message->paths[message->n_paths++] = text_field(copy);
    else if (copy)
        message->writable[message->n_writable++] = text_field(copy);
}

static bool name_below(const struct place_list *list, const char *directory, const char *name)
{
    const int length = snprintf(list->paths->below, PATH_MAX, "%s/%s", directory, name);
    return length > 0 && length < PATH_MAX;
}

/* True if the subject can neither put a module into a library tree, where modules are looked for,
 * nor another tree in its place. */
static bool tree_is_settled(const struct place_list *list, const char *tree)
{
    static const char *const parts[] = {"lib-dynload", "site-packages", "dist-packages"};
    static const char leaf[] = "/module";
    const char *below = list->paths->below;

    if (!name_below(list, tree, "os.py") || !process_path_is_settled(below))
        return false;
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        if (!name_below(list, tree, parts[i]))
            return false;
        if (!is_directory(below))
            continue;
        /* Whatever is looked for there: the directory itself is on the way to it. */
        const size_t length = strlen(below);
        if (length + sizeof(leaf) > PATH_MAX)
            return false;
        memcpy(list->paths->below + length, leaf, sizeof(leaf));
        if (!process_path_is_settled(below))
            return false;
    }
    return true;
}

/* The directory above `levels` components of a path; false if there are not so many. */
static bool ancestor(const char *path, int levels, char *buffer, size_t size)
{
    size_t length = strlen(path);

    while (levels-- > 0) {
        while (length > 0 && path[length - 1] != '/')
            length--;
        while (length > 0 && path[length - 1] == '/')
            length--;
        if (length == 0)
            return false;
    }
    if (length >= size)
        return false;
    memcpy(buffer, path, length);
    buffer[length] = '\0';
    return true;
}

static void add_tree(struct place_list *list, const char *prefix, const char *library,
                     const char *version, const char *suffix)
{
    char *path = list->paths->candidate;
    const int length =
        snprintf(path, PATH_MAX, "%s/%s/python%s%s", prefix, library, version, suffix);

    if (length > 0 && length < PATH_MAX && is_directory(path))
        place_add(list, path, tree_is_settled(list, path));
}

/* The library trees that belong to an installation under `prefix`, and Debian's packages beside it.
 */
static void add_installation(struct place_list *list, const char *prefix, const char *version)
{
    add_tree(list, prefix, "lib", version, "");
    add_tree(list, prefix, "lib64", version, "");
    add_tree(list, prefix, "lib", version, "t"); /* free-threaded builds */
    add_tree(list, prefix, "lib", "3", "");
    if (strcmp(prefix, "/usr") == 0)
        add_tree(list, prefix, "local/lib", version, "");
}

/* 3.11 of 3.11.7 */
static void cut_version(const char *version, char *major_minor, size_t size)
{
    size_t parts = 0;
    size_t length = 0;

    for (; version[length] && length < size - 1; length++) {
        if (version[length] == '.' && ++parts == 2)
            break;
        major_minor[length] = version[length];
    }
    major_minor[length] = '\0';
}

/* The library that the interpreter is in, as the loader has it; "" if it is in none. The loader is
 * asked once, at the first Hello: a forked child says one, too, and another thread may have had the
 * loader's lock when it was made. Nobody lets go of it there. */
static const char *interpreter_library(void)
{
    static char noted_library[PATH_MAX];
    static bool is_noted;
    struct elf_object library;

    if (!is_noted && elf_find_definer("PySys_AddAuditHook", &library) && library.name[0] == '/' &&
        strlen(library.name) < sizeof(noted_library))
        memcpy(noted_library, library.name, strlen(library.name) + 1);
    is_noted = true;
    return noted_library;
}

static void find_python(struct place_list *list, const char *major_minor)
{
    const char *library = interpreter_library();
    char *path = list->paths->started;
    char *prefix = list->paths->prefix;

    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (size > 0) {
        path[size] = '\0';
        if (ancestor(path, 2, prefix, PATH_MAX)) /* PREFIX/bin/python3 */
            add_installation(list, prefix, major_minor);
    }
    if (library[0] && process_resolve_path(library, true, path, PATH_MAX) &&
        ancestor(path, 2, prefix, PATH_MAX)) /* PREFIX/lib/libpython3.11.so.1.0 */
        add_installation(list, prefix, major_minor);
    if (library[0] && process_resolve_path(library, true, path, PATH_MAX) &&
        ancestor(path, 3, prefix, PATH_MAX)) /* PREFIX/lib/x86_64-linux-gnu/libpython... */
        add_installation(list, prefix, major_minor);
}

/* True if the name that the interpreter goes by, which is whoever started it says, leads to it. */
static bool leads_to_program(const char *name)
{
    struct statx named;
    struct statx program;

    return statx(AT_FDCWD, name, 0, STATX_INO, &named) == 0 &&
           statx(AT_FDCWD, "/proc/self/exe", 0, STATX_INO, &program) == 0 &&
           named.stx_ino == program.stx_ino && named.stx_dev_major == program.stx_dev_major &&
           named.stx_dev_minor == program.stx_dev_minor;
}

/* True if the subject could not have made a virtual environment: its directory, its configuration
 * and the tree of its modules, which has another name in a free-threaded build. Where one of the
 * two is settled, so is the directory in which the other one would be made. */
static bool venv_is_settled(const struct place_list *list, const char *prefix,
                            const char *configuration, const char *version)
{
    static const char *const suffixes[] = {"", "t"};
    char *path = list->paths->candidate;
    bool settled = false;

    if (!process_file_is_settled(configuration))
        return false;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
        const int length =
            snprintf(path, PATH_MAX, "%s/lib/python%s%s", prefix, version, suffixes[i]);
        if (length <= 0 || length >= PATH_MAX)
            return false;
        if (!is_directory(path))
            continue;
        if (!tree_is_settled(list, path))
            return false;
        settled = true;
    }
    return settled;
}

/* A virtual environment is recognised as CPython does it: by pyvenv.cfg above the name that it was
 * started under, links not followed. */
static void find_venv(struct place_list *list, const char *version, char **arguments, size_t count)
{
    const char *started = (const char *)getauxval(AT_EXECFN);
    char *directory = list->paths->started;
    char *prefix = list->paths->prefix;
    char *file = list->paths->candidate;

    /* Of a script with `#!`, the kernel's name is the script's and argv[0] the interpreter's. */
    if (count > 0 && strchr(arguments[0], '/'))
        started = arguments[0];
    if (!started || !getcwd(directory, PATH_MAX) ||
        path_normalise(directory, started, strlen(started), file, PATH_MAX) == 0 ||
        !ancestor(file, 2, prefix, PATH_MAX))
        return;
    const bool named = leads_to_program(file);
    const int length = snprintf(file, PATH_MAX, "%s/pyvenv.cfg", prefix);
    if (length > 0 && length < PATH_MAX && is_file(file))
        place_add(list, prefix, named && venv_is_settled(list, prefix, file, version));
}

struct command_line {
    char **arguments;
    size_t count;
};

static void find_places(struct arena *arena, const char *version, const struct command_line *line,
                        struct place_buffers *paths, Warder__V1__Hello *hello)
{
    static const enum place told[] = {PLACE_PYTHON, PLACE_VENV, PLACE_START};
    enum { TOLD = sizeof(told) / sizeof(*told) };
    Warder__V1__PlacePaths *places = arena_zalloc(arena, TOLD, sizeof(*places));
    Warder__V1__PlacePaths **pointers = arena_zalloc(arena, TOLD, sizeof(Warder__V1__PlacePaths *));
    char major_minor[16];

    if (!places || !pointers || !paths)
        return;
    cut_version(version, major_minor, sizeof(major_minor));
    for (size_t i = 0; i < TOLD; i++) {
        struct place_list list = {.message = &places[i], .arena = arena, .paths = paths};
        warder__v1__place_paths__init(&places[i]);
        places[i].place = told[i];
        places[i].paths = arena_zalloc(arena, PLACE_PATHS_MAX, sizeof(ProtobufCBinaryData));
        places[i].writable = arena_zalloc(arena, PLACE_PATHS_MAX, sizeof(ProtobufCBinaryData));
        if (!places[i].paths || !places[i].writable)
            return;
        if (told[i] == PLACE_PYTHON)
            find_python(&list, major_minor);
        else if (told[i] == PLACE_VENV)
            find_venv(&list, major_minor, line->arguments, line->count);
        else if (getcwd(paths->started, sizeof(paths->started)))
            place_add(&list, paths->started, true);
        pointers[i] = &places[i];
    }
    hello->places = pointers;
    hello->n_places = TOLD;
}

/* ----------------------------------------------------------------------------------------- Hello
 */

static bool hexadecimal(const char *text, unsigned char *bytes, size_t size, size_t *length)
{
    *length = 0;
    for (; text[0] && text[1]; text += 2) {
        const char digits[3] = {text[0], text[1]};
        if (*length == size || strspn(digits, "0123456789abcdef") != 2)
            return false;
        bytes[(*length)++] = (unsigned char)strtoul(digits, NULL, 16);
    }
    return text[0] == '\0' && *length > 0;
}

static void find_token(struct arena *arena, Warder__V1__Hello *hello)
{
    const char *text = inherited_environment_value("WARDER_RUN");
    unsigned char token[RUN_TOKEN_SIZE_MAX];
    size_t length;

    if (!text || !hexadecimal(text, token, sizeof(token), &length))
        return;
    const char *copy = arena_copy(arena, token, length);
    if (copy)
        hello->run_token = bytes_field(copy, length);
}

void process_facts_collect(struct process_facts *facts, const char *python_version,
                           struct arena *arena, Warder__V1__Hello *hello)
{
    char *arguments[ARGUMENTS_MAX];
    bool cut;

    *facts = (struct process_facts){.descriptor_count = 0};
    warder__v1__hello__init(hello);
    hello->protocol = 1;
    hello->hook_version = text_field(WARDER_VERSION);
    hello->python_version = text_field(python_version);
    hello->hook_file = text_field(own_file_in_reach());

    const int executable = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    if (executable >= 0) {
        facts->descriptors[facts->descriptor_count++] = executable;
        hello->has_executable = true;
    }
    const int directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
        facts->descriptors[facts->descriptor_count++] = directory;
        hello->has_directory = true;
    }

    const size_t count = read_arguments(arena, arguments, &cut);
    hello->argv = arena_zalloc(arena, count, sizeof(ProtobufCBinaryData));
    hello->n_argv = hello->argv ? count : 0;
    hello->argv_cut = cut;
    for (size_t i = 0; i < hello->n_argv; i++)
        hello->argv[i] = text_field(arguments[i]);
    hello->script = text_field(find_script(arguments, count, arena));
    const struct command_line line = {arguments, count};
    struct place_buffers *paths = work_memory_take();
    find_places(arena, python_version, &line, paths, hello);
    work_memory_return(paths);
    find_token(arena, hello);
}

void process_facts_release(struct process_facts *facts)
{
    for (int i = 0; i < facts->descriptor_count; i++)
        close(facts->descriptors[i]);
    facts->descriptor_count = 0;
}

/* --------------------------------------------------------------------------- where the daemon is
 */

static bool host_daemon_is_there(void)
{
    return access(HOST_SESSION_SOCKET, F_OK) == 0;
}

/* True if a socket is the one that the kernel calls by this number, and made by the daemon that
 * this process was told of. */
static bool is_door(int socket, uint64_t cookie, struct ucred *peer)
{
    const pid_t daemon = process_session_daemon(NULL);
    uint64_t found;
    socklen_t found_size = sizeof(found);
    socklen_t peer_size = sizeof(*peer);

    return getsockopt(socket, SOL_SOCKET, SO_COOKIE, &found, &found_size) == 0 && found == cookie &&
           getsockopt(socket, SOL_SOCKET, SO_PEERCRED, peer, &peer_size) == 0 &&
           (daemon == 0 || peer->pid == daemon || peer->pid == PID_ELSEWHERE);
}

int process_door(void)
{
    const char *text = inherited_environment_value("WARDER_DOOR");
    struct ucred peer;
    char *end;

    /* DESCRIPTOR:COOKIE. Once the door is taken, the number is the program's to use again, and the
     * variable goes on to its children. */
    const long descriptor = text ? strtol(text, &end, 10) : -1;
    if (descriptor < 3 || descriptor > INT_MAX || *end != ':')
        return -1;
    const int door = (int)descriptor;
    if (!is_door(door, strtoull(end + 1, NULL, 10), &peer))
        return -1;
    /* On a host with a daemon, a door of anyone else's leads past it. */
    struct statx host;
    if (host_daemon_is_there()) {
        if (statx(AT_FDCWD, HOST_SESSION_SOCKET, 0, STATX_UID, &host) < 0 ||
            (peer.uid != host.stx_uid && peer.uid != 0))
            return -1;
    } else if (peer.uid != 0 && peer.uid != geteuid()) {
        return -1;
    }
    return door;
}

void process_session_socket(const char *wanted, char *path, size_t size)
{
    const char *found = wanted;

    if (!found && !host_daemon_is_there())
        found = inherited_environment_value("WARDER_SOCKET");
    if (!found)
        found = HOST_SESSION_SOCKET;
    if (strlen(found) < size)
        memcpy(path, found, strlen(found) + 1);
    else
        path[0] = '\0';
}

pid_t process_session_daemon(const char *wanted)
{
    const char *text = inherited_environment_value("WARDER_DAEMON");
    char *end;

    if (wanted || !text || host_daemon_is_there())
        return 0;
    const long number = strtol(text, &end, 10);
    /* What is no number is nobody's: nothing answers to it. */
    return number > 0 && number <= INT_MAX && *end == '\0' ? (pid_t)number : -1;
}
