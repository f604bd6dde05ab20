/* Links are kept by the path that a walk meets them under: given "/bin" resolves to "/usr/bin" and
 * given "/bin/sh" resolves to "/usr/bin/dash", a walk to /bin/sh comes by /usr/bin/sh and never by
 * /bin/sh. So each is entered a second time, below what its directory leads to. */
#include "policies/scene/givens.h"

#include <string.h>

#include "policies/engine/path_text.h"
#include "policies/language/report.h"
#include "policies/scene/scene_text.h"

struct given_host {
    const char *name; /* not terminated */
    size_t length;
    const struct raw *addresses;
    struct given_host *next;
};

enum {
    WALK_TEXT_MAX = 4 * PATH_TEXT_MAX, /* what is left of a path while links are put in its place */
    LINK_ROUNDS_MAX = 4, /* links whose directory is itself below links: so many steps of those */
};

/* What is made, and for whom. */
struct making {
    struct storage *storage;
    struct diagnostics *diagnostics;
    struct givens *givens;
    struct text_buffer search_path;
    bool right; /* no error so far */
};

/* ---------------------------------------------------------------- walking */

struct walk {
    const struct givens *givens;
    bool follow;
    char *path; /* where it has come to, without a final separator; empty: the root */
    size_t size;
    size_t length;
    unsigned links;
};

static bool step_into(struct walk *walk, const char *name, size_t length)
{
    if (length + 2 > walk->size - walk->length)
        return false;
    walk->path[walk->length++] = '/';
    memcpy(walk->path + walk->length, name, length);
    walk->length += length;
    walk->path[walk->length] = '\0';
    return true;
}

static void step_out(struct walk *walk)
{
    while (walk->length > 0 && walk->path[--walk->length] != '/')
        ;
    walk->path[walk->length] = '\0';
}

/* Puts where a link leads before what is left of the path. */
static bool follow_link(struct walk *walk, const char *target, char *rest, const char *behind)
{
    const size_t front = strlen(target);
    const size_t left = strlen(behind);

    if (++walk->links > GIVEN_LINKS_FOLLOWED_MAX || front + left + 2 > WALK_TEXT_MAX)
        return false;
    memmove(rest + front + 1, behind, left + 1);
    memcpy(rest, target, front + 1);
    rest[front] = '/';
    walk->length = 0; /* targets are absolute */
    walk->path[0] = '\0';
    return true;
}

static bool walk_path(struct walk *walk, char *rest)
{
    char *at = rest;

    while (*at) {
        const size_t part = strcspn(at, "/");
        const char *behind = at + part + (at[part] ? 1 : 0);
        const char *target = NULL;

        if (part == 2 && memcmp(at, "..", 2) == 0) {
            step_out(walk);
        } else if (part > 0 && !(part == 1 && *at == '.')) {
            if (!step_into(walk, at, part))
                return false;
            if (walk->follow || behind[strspn(behind, "/")] != '\0')
                target = name_table_find(&walk->givens->links, walk->path, walk->length);
        }
        if (target && !follow_link(walk, target, rest, behind))
            return false;
        at = target ? rest : rest + (behind - rest);
    }
    return true;
}

/* A path with a drive: what it means nobody here knows, and it is asked for as it stands. */
static bool resolve_verbatim(const struct givens *givens, const char *path, char *buffer,
                             size_t size)
{
    const char *target = name_table_find(&givens->links, path, strlen(path));
    const char *answer = target ? target : path;

    if (strlen(answer) >= size)
        return false;
    memcpy(buffer, answer, strlen(answer) + 1);
    return true;
}

bool givens_resolve(const struct givens *givens, const char *path, bool follow, char *buffer,
                    size_t size)
{
    char rest[WALK_TEXT_MAX];
    struct walk walk = {.givens = givens, .follow = follow, .path = buffer, .size = size};

    if (path[0] != '/')
        return resolve_verbatim(givens, path, buffer, size);
    if (strlen(path) >= sizeof(rest) || size < 2)
        return false;
    memcpy(rest, path, strlen(path) + 1);
    buffer[0] = '\0';
    if (!walk_path(&walk, rest))
        return false;
    if (walk.length == 0)
        memcpy(buffer, "/", 2);
    return true;
}

bool givens_resolve_literal(void *context, const char *path, char *resolved, size_t size)
{
    return givens_resolve(context, path, true, resolved, size) && strcmp(path, resolved) != 0;
}

/* ---------------------------------------------------------------- asking */

bool givens_have_program(const struct givens *givens, const char *path)
{
    char normal[PATH_TEXT_MAX];
    const size_t length = path_normalise(NULL, path, strlen(path), normal, sizeof(normal));

    return length > 0 && name_table_find(&givens->files, normal, length) != NULL;
}

bool givens_have_name(const struct givens *givens, const char *name, size_t length)
{
    return name_table_find(&givens->programs, name, length) != NULL;
}

const char *givens_program(const struct givens *givens, const char *name, size_t length,
                           struct storage *storage)
{
    const char *part = givens_have_name(givens, name, length) ? givens->search_path : NULL;

    while (part) {
        const char *colon = strchr(part, ':');
        const size_t directory = colon ? (size_t)(colon - part) : strlen(part);
        char *path = storage_take(storage, directory + length + 2, 1);
        if (!path)
            return NULL;
        memcpy(path, part, directory);
        path[directory] = '/';
        memcpy(path + directory + 1, name, length);
        path[directory + 1 + length] = '\0';
        if (givens_have_program(givens, directory == 1 && *part == '/' ? path + 1 : path))
            return path;
        part = colon ? colon + 1 : NULL;
    }
    return NULL;
}

static bool is_address(const struct raw *raw, const struct address *wanted)
{
    struct address address = raw->address;
    unsigned prefix = address_bits(&address);

    address_fold(&address, &prefix);
    return address_is_in(&address, wanted, address_bits(wanted));
}

static bool host_is_at(const struct given_host *host, const struct address *address)
{
    for (const struct raw *raw = host->addresses; raw; raw = raw->next)
        if (is_address(raw, address))
            return true;
    return false;
}

struct value givens_host_names(const struct givens *givens, const struct value *address,
                               struct storage *storage)
{
    struct value list = {.kind = VALUE_LIST};
    struct address wanted;
    size_t count = 0;

    if (address->kind != VALUE_BYTES || address->marks ||
        !address_from_bytes(address->bytes, address->count, &wanted))
        return list;
    for (const struct given_host *host = givens->hosts; host; host = host->next)
        count += host_is_at(host, &wanted) ? 1 : 0;
    struct value *names = count > 0 ? storage_take(storage, count, sizeof(*names)) : NULL;
    if (!names)
        return list;
    list.items = names;
    for (const struct given_host *host = givens->hosts; host; host = host->next)
        if (host_is_at(host, &wanted))
            names[list.count++] = value_text(host->name, host->length);
    return list;
}

/* ---------------------------------------------------------------- making */

static void said_twice(struct making *making, const struct given *given)
{
    making->right = false;
    diagnostic_help(report(making->diagnostics, ERROR_SAID_TWICE, given->from->span,
                           "\"%.*s\" leads somewhere else already", (int)given->from->length,
                           given->from->text),
                    "a test has one world: put what is otherwise there into a `test` of its own");
}

/* Enters a link; true unless the path leads elsewhere already. What resolves to itself is there,
 * and no link. */
static bool add_link(struct making *making, const char *from, size_t length, const char *to)
{
    if (strlen(to) == length && memcmp(from, to, length) == 0)
        return !name_table_find(&making->givens->links, from, length);
    const char *before = name_table_add(&making->givens->links, making->storage, from, length,
                                        (void *)(uintptr_t)to);
    return !before || strcmp(before, to) == 0;
}

static void add_file(struct making *making, const char *path)
{
    static const char there[] = "";
    (void)name_table_add(&making->givens->files, making->storage, path, strlen(path),
                         (void *)(uintptr_t)there);
}

/* The absolute path that a string is, terminated; NULL, and an error, if it is none. */
static const char *absolute_path(struct making *making, const struct literal *literal)
{
    const char *path = scene_path(making->storage, literal->text, literal->length);

    if (!path && !making->storage->failed) {
        making->right = false;
        diagnostic_help(report(making->diagnostics, ERROR_PATH_NOT_ABSOLUTE, literal->span,
                               "where a link stands and where it leads are absolute paths"),
                        "given \"/bin/sh\" resolves to \"/usr/bin/dash\"");
    }
    return path;
}

/* given "git" resolves to "/usr/bin/git": found on PATH, as /usr/bin/git. */
static void add_program(struct making *making, const struct given *given, const char *to)
{
    const char *last = strrchr(to, '/');
    const size_t directory = last ? (size_t)(last - to) : 0;
    struct text_buffer found = {0};
    void *before = name_table_add(&making->givens->programs, making->storage, given->from->text,
                                  given->from->length, (void *)(uintptr_t)to);

    if (before && strcmp(before, to) != 0) {
        said_twice(making, given);
        return;
    }
    text_buffer_add(&found, to, directory);
    text_buffer_add(&found, "/", 1);
    text_buffer_add(&found, given->from->text, given->from->length);
    char *path = found.failed ? NULL : storage_copy(making->storage, found.bytes, found.length);
    if (path) {
        add_file(making, path);
        if (strcmp(path, to) != 0 && !add_link(making, path, strlen(path), to))
            said_twice(making, given);
    }
    if (!before) {
        if (making->search_path.length > 0)
            text_buffer_add(&making->search_path, ":", 1);
        text_buffer_add(&making->search_path, to, directory > 0 ? directory : 1);
    }
    making->storage->failed |= found.failed;
    text_buffer_deinit(&found);
}

static bool is_bare_name(const struct literal *literal)
{
    return literal->length > 0 && !memchr(literal->text, '/', literal->length) &&
           !memchr(literal->text, '\\', literal->length) &&
           !memchr(literal->text, '\0', literal->length);
}

static void make_link(struct making *making, const struct given *given)
{
    const char *to = absolute_path(making, given->to);

    if (!to)
        return;
    add_file(making, to);
    if (is_bare_name(given->from)) {
        add_program(making, given, to);
        return;
    }
    const char *from = absolute_path(making, given->from);
    if (!from)
        return;
    add_file(making, from);
    if (!add_link(making, from, strlen(from), to))
        said_twice(making, given);
}

static void make_host(struct making *making, const struct given *given)
{
    const struct raw *first = given->is->kind == RAW_LIST ? given->is->items : given->is;

    for (const struct raw *raw = first; raw; raw = raw->next)
        if (raw->kind != RAW_ADDRESS) {
            making->right = false;
            diagnostic_help(report(making->diagnostics, ERROR_VALUE_DOES_NOT_FIT, raw->span,
                                   "a host has addresses"),
                            "given host \"api.example.org\" is [10.20.0.1, 2001:db8:7::1]");
            return;
        }
    struct given_host *host = storage_take(making->storage, 1, sizeof(*host));
    if (!host)
        return;
    *host =
        (struct given_host){given->from->text, given->from->length, first, making->givens->hosts};
    making->givens->hosts = host;
}

/* Enters the link below what its directory leads to; true if it was not there. */
static bool add_below_links(struct making *making, const struct given *given)
{
    char directory[PATH_TEXT_MAX];
    char resolved[PATH_TEXT_MAX];
    const size_t length =
        path_normalise(NULL, given->from->text, given->from->length, directory, sizeof(directory));
    const char *to = length > 0 ? name_table_find(&making->givens->links, directory, length) : NULL;

    if (!to || !givens_resolve(making->givens, directory, false, resolved, sizeof(resolved)) ||
        strcmp(resolved, directory) == 0 ||
        name_table_find(&making->givens->links, resolved, strlen(resolved)))
        return false;
    const char *path = storage_copy(making->storage, resolved, strlen(resolved));
    return path && add_link(making, path, strlen(path), to);
}

static void add_all_below_links(struct making *making, const struct given *given)
{
    bool more = true;

    for (unsigned round = 0; more && round < LINK_ROUNDS_MAX; round++) {
        more = false;
        for (const struct given *each = given; each; each = each->next)
            if (each->kind == GIVEN_RESOLVES && !is_bare_name(each->from))
                more |= add_below_links(making, each);
    }
}

bool givens_make(const struct given *given, struct storage *storage,
                 struct diagnostics *diagnostics, struct givens *out)
{
    struct making making = {storage, diagnostics, out, {0}, true};

    *out = (struct givens){0};
    for (const struct given *each = given; each; each = each->next)
        if (each->kind == GIVEN_PLATFORM)
            out->windows = each->windows;
    for (const struct given *each = given; each; each = each->next) {
        if (each->kind == GIVEN_RESOLVES)
            make_link(&making, each);
        else if (each->kind == GIVEN_HOST)
            make_host(&making, each);
    }
    add_all_below_links(&making, given);
    if (making.search_path.length > 0 && !making.search_path.failed)
        out->search_path =
            storage_copy(storage, making.search_path.bytes, making.search_path.length);
    storage->failed |= making.search_path.failed;
    text_buffer_deinit(&making.search_path);
    return making.right && !storage->failed;
}
