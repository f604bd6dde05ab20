#define _GNU_SOURCE
#include "daemon/session/session_facts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policies/engine/path_text.h"

enum {
    ARGUMENT_LENGTH_MAX = 16 * 1024,
    PLACE_PATHS_MAX = 16,
    VERSION_LENGTH_MAX = 64,
};

/* What an O_PATH descriptor of ours stands for. Nothing is opened: the link is read. */
static char *path_of_descriptor(int descriptor)
{
    char link[64];
    char path[PATH_MAX];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
    const ssize_t length = descriptor < 0 ? -1 : readlink(link, path, sizeof(path) - 1);
    return length > 0 && path[0] == '/' ? strndup(path, (size_t)length) : NULL;
}

static bool add_place(struct session_facts *facts, enum place place, const char *path)
{
    char **grown =
        realloc(facts->place_paths[place], (facts->place_counts[place] + 1) * sizeof(*grown));
    if (!grown)
        return false;
    facts->place_paths[place] = grown;
    grown[facts->place_counts[place]] = strdup(path);
    return grown[facts->place_counts[place]] && ++facts->place_counts[place];
}

static bool is_sayable(enum place place)
{
    return place == PLACE_PYTHON || place == PLACE_VENV || place == PLACE_START;
}

/* A path that is none is left out: it can only make the session narrower. */
static bool take_paths(struct session_facts *facts, enum place place, size_t count,
                       const ProtobufCBinaryData *paths)
{
    for (size_t i = 0; i < count && i < PLACE_PATHS_MAX; i++) {
        char path[PATH_TEXT_MAX];
        if (path_normalise(NULL, field_bytes(&paths[i]), paths[i].len, path, sizeof(path)) == 0)
            continue;
        if (!add_place(facts, place, path))
            return false;
    }
    return true;
}

/* What the process could write is no tree of its interpreter; root's is: it can write everything,
 * and root of a user namespace of one's own is not root. A virtual environment counts, but not in
 * the place of proof (origin.c). */
static bool counts_though_writable(const struct session_facts *facts, enum place place)
{
    return place == PLACE_VENV || (place == PLACE_PYTHON && facts->identity.uid == 0);
}

bool session_facts_take_places(struct session_facts *facts, size_t count,
                               Warder__V1__PlacePaths *const *places)
{
    bool added = true;

    for (size_t i = 0; i < count; i++)
        if (places[i]->place < PLACE_COUNT && is_sayable((enum place)places[i]->place))
            added &= take_paths(facts, (enum place)places[i]->place, places[i]->n_paths,
                                places[i]->paths);
    facts->settled_venvs = facts->place_counts[PLACE_VENV];
    for (size_t i = 0; i < count; i++)
        if (places[i]->place < PLACE_COUNT &&
            counts_though_writable(facts, (enum place)places[i]->place))
            added &= take_paths(facts, (enum place)places[i]->place, places[i]->n_writable,
                                places[i]->writable);
    return added;
}

bool session_facts_tell_places(const struct session_facts *facts, struct arena *arena,
                               size_t *count, Warder__V1__PlacePaths ***places)
{
    *count = 0;
    /* A list of pointers. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    *places = arena_zalloc(arena, PLACE_COUNT, sizeof(**places));
    for (int place = 0; *places && place < PLACE_COUNT; place++) {
        if (!is_sayable((enum place)place))
            continue;
        const size_t paths = facts->place_counts[place];
        Warder__V1__PlacePaths *told = arena_alloc(arena, sizeof(*told));
        if (!told)
            return false;
        warder__v1__place_paths__init(told);
        told->place = (uint32_t)place;
        told->paths = arena_zalloc(arena, paths, sizeof(*told->paths));
        if (!told->paths)
            return false;
        for (; told->n_paths < paths; told->n_paths++)
            told->paths[told->n_paths] = text_field(facts->place_paths[place][told->n_paths]);
        (*places)[(*count)++] = told;
    }
    return *places != NULL;
}

/* A place that the host defines is resolved if it is there and the daemon may look, and stands as
 * it is written if not. Any other error is one: a link that was not followed would hide what is
 * behind it from the rules. */
static bool add_host_place(struct session_facts *facts, enum place place, const char *path)
{
    char real[PATH_MAX];

    if (realpath(path, real))
        return add_place(facts, place, real);
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
        return false;
    return add_place(facts, place, path);
}

static bool add_host_places(struct session_facts *facts)
{
    static const char *const temporary[] = {"/tmp", "/var/tmp"};
    bool added = true;

    for (size_t i = 0; i < sizeof(temporary) / sizeof(*temporary); i++)
        added &= add_host_place(facts, PLACE_TEMP, temporary[i]);
    if (facts->known.home)
        added &= add_host_place(facts, PLACE_HOME, facts->known.home);
    return added && add_place(facts, PLACE_NULL, "/dev/null");
}

static bool add_places(struct session_facts *facts, const Warder__V1__Hello *hello,
                       const char **refusal)
{
    if (session_facts_take_places(facts, hello->n_places, hello->places) && add_host_places(facts))
        return true;
    *refusal = "the home or temporary directory of this process cannot be looked up";
    return false;
}

static bool take_arguments(struct session_facts *facts, const Warder__V1__Hello *hello)
{
    facts->argv = calloc(hello->n_argv + 1, sizeof(*facts->argv));
    facts->argv_cut = hello->argv_cut || hello->n_argv > SESSION_ARGUMENTS_MAX;
    if (!facts->argv)
        return false;
    for (size_t i = 0; i < hello->n_argv && i < SESSION_ARGUMENTS_MAX; i++) {
        facts->argv[i] = field_copy(&hello->argv[i], ARGUMENT_LENGTH_MAX);
        if (!facts->argv[i])
            return false;
        facts->argv_count++;
    }
    return true;
}

bool session_facts_learn(struct session_facts *facts, const Warder__V1__Hello *hello,
                         const struct facts_source *source, const char **refusal)
{
    const bool has_places =
        facts->place_counts[PLACE_TEMP] > 0; /* a forked child's are its parent's */

    *refusal = facts->known.error;
    if (!identity_learn(&facts->identity, source->groups, &facts->known))
        return false;
    *refusal = "what this process says of itself is too long, or no text";
    facts->executable = source->executable_path ? strdup(source->executable_path)
                                                : path_of_descriptor(source->executable);
    facts->directory = source->directory_path ? strdup(source->directory_path)
                                              : path_of_descriptor(source->directory);
    facts->python = field_copy(&hello->python_version, VERSION_LENGTH_MAX);
    facts->hook = field_copy(&hello->hook_version, VERSION_LENGTH_MAX);
    if (hello->script.len > 0)
        facts->script = field_copy(&hello->script, PATH_TEXT_MAX);
    if (hello->hook_file.len > 0)
        facts->hook_file = field_copy(&hello->hook_file, PATH_TEXT_MAX);
    facts->route = hello->route;
    return facts->python && facts->hook && (facts->hook_file || hello->hook_file.len == 0) &&
           (facts->script || hello->script.len == 0) && take_arguments(facts, hello) &&
           (has_places || add_places(facts, hello, refusal));
}

static bool has_place(const struct session_facts *facts, enum place place, const char *path)
{
    for (size_t i = 0; i < facts->place_counts[place]; i++)
        if (strcmp(facts->place_paths[place][i], path) == 0)
            return true;
    return false;
}

bool session_facts_add_places(struct session_facts *facts, enum place place,
                              const struct session_facts *from)
{
    for (size_t i = 0; i < from->place_counts[place]; i++) {
        const char *path = from->place_paths[place][i];
        if (!has_place(facts, place, path) && !add_place(facts, place, path))
            return false;
    }
    return true;
}

void session_facts_drop_places(struct session_facts *facts, enum place place, size_t kept)
{
    while (facts->place_counts[place] > kept)
        free(facts->place_paths[place][--facts->place_counts[place]]);
}

bool session_facts_copy_places(struct session_facts *facts, const struct session_facts *from)
{
    facts->settled_venvs = from->settled_venvs;
    for (int place = 0; place < PLACE_COUNT; place++)
        if (!session_facts_add_places(facts, (enum place)place, from))
            return false;
    return true;
}
