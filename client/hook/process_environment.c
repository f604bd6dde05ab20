#define _GNU_SOURCE
#include "client/hook/process_environment.h"

#include <errno.h>
#include <string.h>

#include "client/hook/raw_syscall.h"

extern char **environ;

enum {
    PAGE =
        4096, /* the smallest that there is: a larger one is asked about more often than needed */
    SIGNAL_SET_SIZE = 8, /* of the kernel's sigset_t */
    NO_SUCH_HOW = 99,    /* of rt_sigprocmask(2), which looks at the set before it looks at this */
    NO_PAGE = 1,         /* where none begins */
};

static char *const *current_list(void)
{
    return __atomic_load_n(&environ, __ATOMIC_ACQUIRE);
}

static bool kernel_reads(const void *address)
{
    const uintptr_t set = (uintptr_t)address / SIGNAL_SET_SIZE * SIGNAL_SET_SIZE;
    return raw_syscall(SYS_rt_sigprocmask, NO_SUCH_HOW, set, 0, SIGNAL_SET_SIZE) != -EFAULT;
}

static bool is_readable(struct environment_walk *walk, const void *address)
{
    const uintptr_t page = (uintptr_t)address / PAGE * PAGE;

    if (page != walk->readable && !kernel_reads(address))
        return false;
    walk->readable = page;
    return true;
}

/* Looks for the end page by page. */
static bool measure(struct environment_walk *walk, const char *text, size_t *length)
{
    *length = 0;
    for (;;) {
        const char *at = text + *length;
        const size_t most = PAGE - (uintptr_t)at % PAGE;
        if (!is_readable(walk, at))
            return false;
        const size_t found = strnlen(at, most);
        *length += found;
        if (found < most)
            return true;
    }
}

void environment_walk_over(struct environment_walk *walk, char *const *list)
{
    *walk = (struct environment_walk){.list = list, .readable = NO_PAGE, .listed = NO_PAGE};
}

void environment_walk_begin(struct environment_walk *walk)
{
    environment_walk_over(walk, current_list());
    walk->own = true;
}

static bool is_in_list(struct environment_walk *walk, char *const *place)
{
    const char *last = (const char *)(place + 1) - 1; /* of a list of any address */
    const uintptr_t page = (uintptr_t)last / PAGE * PAGE;

    if (walk->own && current_list() != walk->list)
        return false;
    if (page == walk->listed)
        return true;
    if (!kernel_reads(last) || ((uintptr_t)place < page && !kernel_reads(place)))
        return false;
    walk->listed = page;
    return true;
}

/* It may have been given back, and nobody can tell. */
__attribute__((noinline, no_sanitize("address", "thread", "alignment"))) static const char *
entry_at(char *const *place)
{
    return __atomic_load_n(place, __ATOMIC_RELAXED);
}

const char *environment_walk_next(struct environment_walk *walk, size_t *length)
{
    if (!walk->list || walk->broken)
        return NULL;
    char *const *place = walk->list + walk->at;
    walk->broken = !is_in_list(walk, place);
    const char *entry = walk->broken ? NULL : entry_at(place);
    if (!entry)
        return NULL;
    walk->at++;
    walk->broken = !measure(walk, entry, length);
    return walk->broken ? NULL : entry;
}

bool environment_walk_holds(const struct environment_walk *walk)
{
    return !walk->broken && current_list() == walk->list;
}

const char *process_environment_get(const char *name, bool *known)
{
    const size_t size = strlen(name);
    struct environment_walk walk;
    const char *value = NULL;

    *known = false;
    for (int i = 0; i < ENVIRONMENT_TRIES && !*known; i++) {
        const char *entry;
        size_t length;
        value = NULL;
        environment_walk_begin(&walk);
        while (!value && (entry = environment_walk_next(&walk, &length)))
            if (length > size && entry[size] == '=' && memcmp(entry, name, size) == 0)
                value = entry + size + 1;
        *known = environment_walk_holds(&walk);
    }
    return *known ? value : NULL;
}

/* They are counted first: what has come to it since is left out. */
char *const *environment_walk_copy(struct environment_walk *walk, struct arena *arena,
                                   size_t *count)
{
    const size_t room = arena->size - arena->used;
    const char *entry;
    size_t length;
    size_t bytes = 0;

    *count = 0;
    while (bytes <= room && environment_walk_next(walk, &length)) {
        bytes += sizeof(entry) + length; /* looks no further than what can be copied */
        (*count)++;
    }
    if (bytes > room) {
        arena->exhausted = true;
        return NULL;
    }
    char **copies = arena_zalloc(arena, *count + 1, sizeof(*copies));
    if (!copies)
        return NULL;
    walk->at = 0;
    for (size_t i = 0; i < *count; i++) {
        entry = environment_walk_next(walk, &length);
        if (!entry) {
            *count = i;
            break;
        }
        copies[i] = arena_copy(arena, entry, length);
        if (!copies[i])
            return NULL;
    }
    return copies;
}

char *const *process_environment_copy(struct arena *arena)
{
    const size_t mark = arena->used;
    struct environment_walk walk;
    size_t count;

    for (int i = 0; i < ENVIRONMENT_TRIES; i++) {
        environment_walk_begin(&walk);
        char *const *copies = environment_walk_copy(&walk, arena, &count);
        if (!copies || environment_walk_holds(&walk))
            return copies;
        arena->used = mark;
    }
    return NULL;
}

bool process_environment_is(char *const *list)
{
    return list && list == current_list();
}
