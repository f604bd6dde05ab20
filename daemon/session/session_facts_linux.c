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

static char *terminated(const ProtobufCBinaryData *field, size_t most)
{
    if (field->len > most || (field->len > 0 && memchr(field->data, '\0', field->len)))
        return NULL;
    return strndup(field->len > 0 ? (const char *)field->data : "", field->len);
}

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

/* Places as they are said. A path that is none is left out: it can only make the session narrower.
 */
static bool add_said_places(struct session_facts *facts, const Warder__V1__Hello *hello)
{
    for (size_t i = 0; i < hello->n_places; i++) {
        const Warder__V1__PlacePaths *said = hello->places[i];
        const bool sayable =
            said->place == PLACE_PYTHON || said->place == PLACE_VENV || said->place == PLACE_START;
        for (size_t j = 0; sayable && j < said->n_paths && j < PLACE_PATHS_MAX; j++) {
            char path[PATH_TEXT_MAX];
            const ProtobufCBinaryData *text = &said->paths[j];
            if (path_normalise(NULL, field_bytes(text), text->len, path, sizeof(path)) == 0)
                continue;
            if (!add_place(facts, (enum place)said->place, path))
                return false;
        }
    }
    return true;
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
    if (add_said_places(facts, hello) && add_host_places(facts))
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
        facts->argv[i] = terminated(&hello->argv[i], ARGUMENT_LENGTH_MAX);
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
    if (!identity_learn(&facts->identity, source->groups_socket, &facts->known))
        return false;
    *refusal = "what this process says of itself is too long, or no text";
    facts->executable = source->executable_path ? strdup(source->executable_path)
                                                : path_of_descriptor(source->executable);
    facts->directory = source->directory_path ? strdup(source->directory_path)
                                              : path_of_descriptor(source->directory);
    facts->python = terminated(&hello->python_version, VERSION_LENGTH_MAX);
    facts->hook = terminated(&hello->hook_version, VERSION_LENGTH_MAX);
    if (hello->script.len > 0)
        facts->script = terminated(&hello->script, PATH_TEXT_MAX);
    if (hello->hook_file.len > 0)
        facts->hook_file = terminated(&hello->hook_file, PATH_TEXT_MAX);
    facts->route = hello->route;
    return facts->python && facts->hook && (facts->hook_file || hello->hook_file.len == 0) &&
           (facts->script || hello->script.len == 0) && take_arguments(facts, hello) &&
           (has_places || add_places(facts, hello, refusal));
}

bool session_facts_copy_places(struct session_facts *facts, const struct session_facts *from)
{
    for (int place = 0; place < PLACE_COUNT; place++)
        for (size_t i = 0; i < from->place_counts[place]; i++)
            if (!add_place(facts, (enum place)place, from->place_paths[place][i]))
                return false;
    return true;
}
